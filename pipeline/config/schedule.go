package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
)

// Schedules say when payments are asked about: "default", and what differs for a provider and for its methods.
//
// A value is looked for first in what the configuration says of the method, of the provider and of "default", then in what
// is built in for the method, the provider and in general: what is said always wins. Load leaves here, for every key, what
// came of that.
type Schedules map[string]ProviderSchedule

// defaultSchedule is the name of the schedule that holds where no other says otherwise.
const defaultSchedule = "default"

// ProviderSchedule is a schedule with those of single methods.
type ProviderSchedule struct {
	ScheduleSettings `yaml:",inline"`

	// Methods differ from the provider's schedule, by the event's method, in lower case.
	Methods map[string]ScheduleSettings `yaml:"methods,omitempty"`
}

// ScheduleSettings are the keys of a schedule; nil: not said here. watch.Schedule tells what they mean.
type ScheduleSettings struct {
	Open            *PhaseSettings      `yaml:"open"`
	Authorized      *PhaseSettings      `yaml:"authorized"`
	Refund          *PhaseSettings      `yaml:"refund"`
	NotFoundGrace   *time.Duration      `yaml:"not_found_grace"`
	ReferenceWindow *time.Duration      `yaml:"reference_window"`
	Recheck         *time.Duration      `yaml:"recheck"`
	Jitter          *float64            `yaml:"jitter"`
	Unavailable     *BackoffSettings    `yaml:"unavailable"`
	Unreadable      *UnreadableSettings `yaml:"unreadable"`
	Refused         *RefusedSettings    `yaml:"refused"`
}

// PhaseSettings are the delays of one phase.
type PhaseSettings struct {
	Delays   *[]time.Duration `yaml:"delays"`
	Every    *time.Duration   `yaml:"every"`
	Deadline *time.Duration   `yaml:"deadline"`
}

// BackoffSettings are the delays while a provider cannot be asked.
type BackoffSettings struct {
	Initial *time.Duration `yaml:"initial"`
	Max     *time.Duration `yaml:"max"`
}

// UnreadableSettings are the delays while answers cannot be read, and after how many in a row that is a dead letter.
type UnreadableSettings struct {
	Initial *time.Duration `yaml:"initial"`
	Max     *time.Duration `yaml:"max"`
	Limit   *int           `yaml:"limit"`
}

// RefusedSettings are the delay while a provider refuses our credentials or requests.
type RefusedSettings struct {
	Every *time.Duration `yaml:"every"`
}

// builtIn are the schedules of a configuration that says nothing about them. Made anew each time: nobody shares them.
func builtIn() Schedules {
	phase := func(every, deadline time.Duration, delays ...time.Duration) *PhaseSettings {
		return &PhaseSettings{Delays: &delays, Every: &every, Deadline: &deadline}
	}
	const day = 24 * time.Hour
	// A voucher or a bank transfer is paid when the customer gets around to it, and confirmed a bank's working day later.
	until := func(deadline time.Duration) ScheduleSettings {
		return ScheduleSettings{Open: &PhaseSettings{Deadline: &deadline}}
	}
	return Schedules{
		defaultSchedule: {ScheduleSettings: ScheduleSettings{
			Open: phase(time.Hour, 3*day,
				2*time.Second, 5*time.Second, 10*time.Second, 30*time.Second, time.Minute, 2*time.Minute, 5*time.Minute, 10*time.Minute, 30*time.Minute),
			Authorized:      phase(6*time.Hour, 30*day, time.Minute, 10*time.Minute, time.Hour),
			Refund:          phase(6*time.Hour, 30*day, time.Minute, 10*time.Minute, time.Hour),
			NotFoundGrace:   new(15 * time.Minute),
			ReferenceWindow: new(time.Hour),
			Recheck:         new(30 * time.Second),
			Jitter:          new(0.1),
			Unavailable:     &BackoffSettings{Initial: new(2 * time.Second), Max: new(10 * time.Minute)},
			Unreadable:      &UnreadableSettings{Initial: new(2 * time.Second), Max: new(10 * time.Minute), Limit: new(20)},
			Refused:         &RefusedSettings{Every: new(10 * time.Minute)},
		}},
		// What Worldpay lets us read lags up to 15 minutes behind what it did.
		"worldpay": {ScheduleSettings: ScheduleSettings{NotFoundGrace: new(20 * time.Minute)}},
		// Bank transfers stay PENDING at Antom for one to three days, at most seven.
		"antom": {Methods: map[string]ScheduleSettings{"bank_transfer": until(8 * day)}},
		"liquido": {Methods: map[string]ScheduleSettings{
			"pse":                    {Open: &PhaseSettings{Every: new(30 * time.Minute), Deadline: new(4 * day)}},
			"bank_transfer":          until(5 * day),
			"bancolombia_collection": until(10 * day),
			"boleto":                 until(10 * day),
			"cash":                   until(10 * day),
			"pay_cash":               until(10 * day),
			"paycash":                until(10 * day),
		}},
	}
}

// settleSchedules works out the schedules of every provider from what is said and what is built in. Each keeps only what
// differs from the one above it, so that the result, said in a file, comes to the same.
func settleSchedules(said Schedules, providerNames []string) Schedules {
	built := builtIn()
	general := settleOne(said[defaultSchedule].ScheduleSettings, built[defaultSchedule].ScheduleSettings)
	settled := Schedules{defaultSchedule: {ScheduleSettings: general}}
	for _, name := range providerNames {
		own, ours := said[name], built[name]
		base := settleOne(own.ScheduleSettings, said[defaultSchedule].ScheduleSettings, ours.ScheduleSettings, general)
		var methods map[string]ScheduleSettings
		ownMethods := map[string]ScheduleSettings{}
		for method, settings := range own.Methods {
			ownMethods[strings.ToLower(method)] = settings
		}
		for _, method := range slices.Concat(slices.Collect(maps.Keys(ownMethods)), slices.Collect(maps.Keys(ours.Methods))) {
			all := settleOne(ownMethods[method], own.ScheduleSettings, said[defaultSchedule].ScheduleSettings, ours.Methods[method], base)
			if differs := all.without(base); differs != (ScheduleSettings{}) {
				if methods == nil {
					methods = map[string]ScheduleSettings{}
				}
				methods[method] = differs
			}
		}
		if differs := base.without(general); differs != (ScheduleSettings{}) || len(methods) > 0 {
			settled[name] = ProviderSchedule{ScheduleSettings: differs, Methods: methods}
		}
	}
	return settled
}

// For is the schedule of a provider's method, as the event names it.
func (s Schedules) For(provider, method string) watch.Schedule {
	p := s[provider]
	return settleOne(p.Methods[strings.ToLower(method)], p.ScheduleSettings, s[defaultSchedule].ScheduleSettings).resolved()
}

// Table is For with all schedules worked out before: a check asks for one, and thousands are made a second.
func (s Schedules) Table() func(provider, method string) watch.Schedule {
	type place struct{ provider, method string }
	table := map[place]watch.Schedule{}
	for name, p := range s {
		table[place{provider: name}] = s.For(name, "")
		for method := range p.Methods {
			table[place{name, strings.ToLower(method)}] = s.For(name, method)
		}
	}
	general := s.For("", "")
	return func(provider, method string) watch.Schedule {
		for _, at := range []place{{provider, strings.ToLower(method)}, {provider: provider}} {
			if schedule, known := table[at]; known {
				return schedule
			}
		}
		return general
	}
}

// settleOne takes each value from the first layer that says it.
func settleOne(layers ...ScheduleSettings) ScheduleSettings {
	var all ScheduleSettings
	for _, layer := range layers {
		fill(reflect.ValueOf(&all).Elem(), reflect.ValueOf(layer))
	}
	return all
}

// fill gives the nil fields of a struct of pointers the values of another. What is pointed to is copied where it is a
// struct, and never changed where it is a value.
func fill(into, from reflect.Value) {
	for i := range into.NumField() {
		to, layer := into.Field(i), from.Field(i)
		switch {
		case layer.IsNil():
		case layer.Elem().Kind() == reflect.Struct:
			if to.IsNil() {
				to.Set(reflect.New(to.Type().Elem()))
			}
			fill(to.Elem(), layer.Elem())
		case to.IsNil():
			to.Set(layer)
		}
	}
}

// without leaves what differs from base.
func (s ScheduleSettings) without(base ScheduleSettings) ScheduleSettings {
	all := settleOne(s)
	subtract(reflect.ValueOf(&all).Elem(), reflect.ValueOf(base))
	return all
}

func subtract(from, base reflect.Value) {
	for i := range from.NumField() {
		value, same := from.Field(i), base.Field(i)
		if value.IsNil() || same.IsNil() {
			continue
		}
		if value.Elem().Kind() == reflect.Struct {
			subtract(value.Elem(), same.Elem())
			if value.Elem().IsZero() {
				value.SetZero()
			}
		} else if reflect.DeepEqual(value.Interface(), same.Interface()) {
			value.SetZero()
		}
	}
}

// resolved is the schedule as the watch uses it.
func (s ScheduleSettings) resolved() watch.Schedule {
	unavailable, unreadable := or(s.Unavailable), or(s.Unreadable)
	return watch.Schedule{
		Open: or(s.Open).resolved(), Authorized: or(s.Authorized).resolved(), Refund: or(s.Refund).resolved(),
		NotFoundGrace: or(s.NotFoundGrace), ReferenceWindow: or(s.ReferenceWindow), Recheck: or(s.Recheck), Jitter: or(s.Jitter),
		Unavailable:  watch.Backoff{Initial: or(unavailable.Initial), Max: or(unavailable.Max)},
		Unreadable:   watch.Backoff{Initial: or(unreadable.Initial), Max: or(unreadable.Max), Limit: or(unreadable.Limit)},
		RefusedEvery: or(or(s.Refused).Every),
	}
}

func (p PhaseSettings) resolved() watch.Rhythm {
	return watch.Rhythm{Delays: or(p.Delays), Every: or(p.Every), Deadline: or(p.Deadline)}
}

// or is what a pointer points to, or the zero value.
func or[T any](value *T) T {
	if value == nil {
		var zero T
		return zero
	}
	return *value
}
