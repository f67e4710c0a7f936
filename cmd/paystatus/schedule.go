package main

import (
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/delay"
)

func scheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "schedule", Short: "Look at when payments are asked about", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(scheduleExplainCommand())
	return cmd
}

func scheduleExplainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [--provider P [--method M]] --config FILE",
		Short: "Print when each check happens, through which tiers, and when watching ends",
		Long: `Print what the schedules of the configuration come to: for each provider that is configured (all known ones if none is), for its
methods with a schedule of their own, and for each phase of a payment, when it is asked about, which delay topics ("tiers") a check
passes on its way there, how often the provider is asked until the deadline, and when watching ends.

Times count from the first check, which comes as soon as the initiated event is read; those of the phases authorized and refund
from the answer that led there. They are the latest: jitter makes checks come earlier where tiers
can make a shorter delay. A check is one request to the provider, more where it needs several.

--output json prints a line for each provider, method and phase. Durations are written as in the configuration ("1h30m"):
  {"provider": "checkout", "method": "", "phase": "open",       the method is "" for all that have no schedule of their own
   "deadline": "72h", "ends": "72h0m17s", "checks": 82,         ends: when the last of all the checks is made
   "runs": [{"first": "2s", "last": "2s", "checks": 1,          checks that follow each other equally far apart
             "delay": "2s", "wait": "2s", "tiers": ["1s", "1s"]}, …],   delay: as scheduled; wait: as tiers can make it
   "not_found": {"ends": "15m", "checks": 9}, "not_found_payable_again": {"ends": "1h", "checks": 11},
   "reference_window": "1h", "recheck": "30s", "jitter": 0.1, "unavailable": {"initial": "2s", "max": "10m"},
   "unreadable": {"initial": "2s", "max": "10m", "limit": 20}, "refused": {"every": "10m"}}`,
		Args: cobra.NoArgs,
	}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	var provider string
	providerFlag(cmd, &provider, "only this provider")
	method := cmd.Flags().String("method", "", "only this method of the provider, as the initiated event names it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if provider == "" && *method != "" {
			return cli.Misuse(errors.New("--method needs --provider: methods differ by provider"))
		}
		c, err := loadConfig(*path)
		if err != nil {
			return err
		}
		plans := plansOf(c, provider, *method)
		if *output == cli.OutputJSON {
			for _, p := range plans {
				for _, e := range p.phases {
					if err := cli.PrintJSON(cmd.OutOrStdout(), p.document(e)); err != nil {
						return err
					}
				}
			}
			return nil
		}
		return printPlans(cmd.OutOrStdout(), plans)
	}
	return cmd
}

// plan is the schedule of a provider, or of one of its methods, explained.
type plan struct {
	provider, method string // the method is "" for all that have no schedule of their own
	schedule         watch.Schedule
	phases           []delay.Explanation
	notFound         delay.Explanation
	payableAgain     delay.Explanation
	above            *plan // of a method: its provider's, where both are shown
}

// plansOf explains what was asked for: one method, one provider with all its methods, or all that is configured.
func plansOf(c *config.Config, provider, method string) []*plan {
	if method != "" {
		return []*plan{explained(c, provider, method, nil)}
	}
	names := []string{provider}
	if provider == "" {
		names = slices.DeleteFunc(pipeline.ProviderNames(), func(name string) bool { return len(c.Providers) > 0 && c.Providers[name] == nil })
	}
	var all []*plan
	for _, name := range names {
		base := explained(c, name, "", nil)
		all = append(all, base)
		for _, method := range slices.Sorted(maps.Keys(c.Schedules[name].Methods)) {
			all = append(all, explained(c, name, method, base))
		}
	}
	return all
}

func explained(c *config.Config, provider, method string, above *plan) *plan {
	s := c.Schedules.For(provider, method)
	p := &plan{
		provider: provider, method: method, schedule: s, above: above,
		notFound: delay.ExplainNotFound(s, false), payableAgain: delay.ExplainNotFound(s, true),
	}
	for _, phase := range []watch.Phase{watch.PhaseOpen, watch.PhaseAuthorized, watch.PhaseRefund} {
		p.phases = append(p.phases, delay.Explain(s, phase))
	}
	return p
}

// asAbove reports whether a phase is that of the provider, which is shown already.
func (p *plan) asAbove(phase int) bool {
	return p.above != nil && reflect.DeepEqual(p.phases[phase], p.above.phases[phase])
}

// planDocument is what `schedule explain` prints for programs, as its help says.
type planDocument struct {
	Provider string        `json:"provider"`
	Method   string        `json:"method"`
	Phase    watch.Phase   `json:"phase"`
	Deadline string        `json:"deadline"`
	Ends     string        `json:"ends"`
	Checks   int           `json:"checks"`
	Runs     []runDocument `json:"runs"`

	NotFound        endDocument     `json:"not_found"`
	PayableAgain    endDocument     `json:"not_found_payable_again"`
	ReferenceWindow string          `json:"reference_window"`
	Recheck         string          `json:"recheck"`
	Jitter          float64         `json:"jitter"`
	Unavailable     backoffDocument `json:"unavailable"`
	Unreadable      backoffDocument `json:"unreadable"`
	Refused         everyDocument   `json:"refused"`
}

type runDocument struct {
	First  string   `json:"first"`
	Last   string   `json:"last"`
	Checks int      `json:"checks"`
	Delay  string   `json:"delay"`
	Wait   string   `json:"wait"`
	Tiers  []string `json:"tiers"`
}

type endDocument struct {
	Ends   string `json:"ends"`
	Checks int    `json:"checks"`
}

type backoffDocument struct {
	Initial string `json:"initial"`
	Max     string `json:"max"`
	Limit   int    `json:"limit,omitempty"`
}

type everyDocument struct {
	Every string `json:"every"`
}

func (p *plan) document(e delay.Explanation) planDocument {
	s := p.schedule
	d := planDocument{
		Provider: p.provider, Method: p.method, Phase: e.Phase, Deadline: short(e.Deadline), Ends: short(e.Ends), Checks: e.Checks,
		NotFound:        endDocument{short(p.notFound.Ends), p.notFound.Checks},
		PayableAgain:    endDocument{short(p.payableAgain.Ends), p.payableAgain.Checks},
		ReferenceWindow: short(s.ReferenceWindow), Recheck: short(s.Recheck), Jitter: s.Jitter,
		Unavailable: backoffDocument{Initial: short(s.Unavailable.Initial), Max: short(s.Unavailable.Max)},
		Unreadable:  backoffDocument{short(s.Unreadable.Initial), short(s.Unreadable.Max), s.Unreadable.Limit},
		Refused:     everyDocument{short(s.RefusedEvery)},
	}
	for _, r := range e.Runs {
		d.Runs = append(d.Runs, runDocument{
			First: short(r.First), Last: short(r.Last()), Checks: r.Checks, Delay: short(r.Delay), Wait: short(r.Wait()), Tiers: tierNames(r),
		})
	}
	return d
}

func tierNames(r delay.Run) []string {
	all := make([]string, len(r.Tiers))
	for i, t := range r.Tiers {
		all[i] = t.Name
	}
	return all
}
