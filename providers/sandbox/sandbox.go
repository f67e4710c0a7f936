// Package sandbox simulates the APIs of the four providers for tests, the demo and trying things out: credentials are
// checked, answers signed, tokens issued and expiring, and every payment follows a script that can make the provider
// misbehave.
package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Script is the life of one payment at a provider, as PUT /_script/{provider}/{reference} sets it. The body may be the
// script or only its list of steps.
type Script struct {
	// Amount is what the payment was made for. Default: 1000 EUR.
	Amount Amount `json:"amount"`

	// Method is the payment method in the provider's words; each simulator has a default.
	Method string `json:"method,omitempty"`

	// Aliases are further identifiers of the same payment: "pay_…", "sid_…", a merchant reference.
	Aliases []string `json:"aliases,omitempty"`

	// Steps are what the payment goes through; it stays at the last. A payment without steps is not found.
	Steps []Step `json:"steps"`

	// NotifyURL is where the provider sends notifications about this payment. Default: what Server.NotifyURL says.
	NotifyURL string `json:"notify_url,omitempty"`
}

// Amount is a sum in minor units.
type Amount struct {
	Value    int64  `json:"value"`
	Currency string `json:"currency"`
}

// Step is one stretch of a payment's life.
type Step struct {
	// Status is the provider's own word ("Captured", "SUCCESS", "Sent for Settlement", "SETTLED"); "not_found" while the
	// provider does not know the payment. Empty: the status of the step before.
	Status string `json:"status,omitempty"`

	// After is how long the step before lasts, from its beginning. Without it the step before lasts for Times answers.
	After Duration `json:"after,omitempty"`

	// Times is how many answers this step gives before the next begins, where that one has no After. Default: 1.
	Times int `json:"times,omitempty"`

	// Delay is how long each answer takes.
	Delay Duration `json:"delay,omitempty"`

	// Fault is how the answer goes wrong, one of Faults. Empty: it does not.
	Fault string `json:"fault,omitempty"`

	// RetryAfter is sent as the Retry-After header with the faults that are HTTP errors: seconds or an HTTP date.
	RetryAfter string `json:"retry_after,omitempty"`

	// Fields replace or add fields of the provider's answer at the top level, for what the words above cannot say.
	Fields map[string]any `json:"fields,omitempty"`

	// Notify is the notification that the provider sends when the step begins. Without it there is none.
	Notify *Notify `json:"notify,omitempty"`
}

// Duration is a time.Duration that is written like "2s".
type Duration time.Duration

// MarshalText writes "2s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "2s".
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Payment is the state of a scripted payment at one moment, from which a simulator makes its answer.
type Payment struct {
	Reference string // as the script names it
	Script    Script
	Status    string    // the provider's word now
	Since     time.Time // when this step began
	Created   time.Time // when the script was set
	Step      Step
}

// Simulator is one provider's API. Its paths begin below the provider's own prefix.
type Simulator interface {
	// Name is the provider's name and the first segment of its path.
	Name() string

	// Handler serves the API. It finds payments with Store.Answer.
	Handler(store *Store) http.Handler

	// Config is the provider's section of a paystatus configuration ("checkout:" and what stands below it) that fits this
	// simulator at baseURL, as YAML. BaseURL is where Handler is reached, the provider's prefix included:
	// "http://127.0.0.1:8090/checkout".
	Config(baseURL string) string
}

// Store holds the scripts of one provider's payments. It is safe for concurrent use.
type Store struct {
	mu       sync.Mutex
	payments map[string]*life // by reference and alias
	notifier Notifier         // nil where the provider sends no notifications
	post     *post
}

type life struct {
	reference string
	script    Script
	created   time.Time
	step      int
	since     time.Time
	answers   int // given in this step
	asked     int // answers in all
}

// NewStore makes an empty store.
func NewStore() *Store { return &Store{payments: map[string]*life{}, post: newPost()} }

// Put sets the script of a payment, which begins now.
func (s *Store) Put(reference string, script Script) error {
	for i, step := range script.Steps {
		if step.Fault != "" && !knownFault(step.Fault) {
			return fmt.Errorf("step %d: no fault is called %q; there are %s", i+1, step.Fault, strings.Join(Faults, ", "))
		}
	}
	if err := s.checkNotifications(script); err != nil {
		return err
	}
	if script.Amount.Currency == "" {
		script.Amount = Amount{Value: 1000, Currency: "EUR"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	l := &life{reference: reference, script: script, created: now, since: now}
	for _, name := range append([]string{reference}, script.Aliases...) {
		s.payments[name] = l
	}
	s.begun(l)
	s.awaken(l)
	return nil
}

// Peek gives the state of a payment without counting an answer. Ok is false for one without a script.
func (s *Store) Peek(reference string) (p Payment, ok bool) {
	return s.at(reference, false)
}

// Answer gives the state of a payment for one answer, which counts towards the step's Times. Ok is false where the
// provider does not know the payment.
func (s *Store) Answer(reference string) (p Payment, ok bool) {
	return s.at(reference, true)
}

// Answers is how many answers were given about a payment, those that said that it is not found among them.
func (s *Store) Answers(reference string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.payments[reference]; l != nil {
		return l.asked
	}
	return 0
}

func (s *Store) at(reference string, count bool) (Payment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.payments[reference]
	if l == nil || len(l.script.Steps) == 0 {
		return Payment{}, false
	}
	s.advance(l, time.Now())
	if count {
		l.answers++
		l.asked++
	}
	return l.payment(), true
}

func (l *life) payment() Payment {
	return Payment{Reference: l.reference, Script: l.script, Status: l.status(), Since: l.since, Created: l.created, Step: l.script.Steps[l.step]}
}

// advance moves on as far as times and answers allow.
func (s *Store) advance(l *life, now time.Time) {
	for l.step+1 < len(l.script.Steps) {
		next := l.script.Steps[l.step+1]
		switch {
		case next.After > 0 && now.Sub(l.since) >= time.Duration(next.After):
			l.since = l.since.Add(time.Duration(next.After))
		case next.After == 0 && l.answers >= max(1, l.script.Steps[l.step].Times):
			l.since = now
		default:
			return
		}
		l.step++
		l.answers = 0
		s.begun(l)
		s.awaken(l)
	}
}

func (l *life) status() string { return l.script.statusIn(l.step) }

// statusIn is the status of a step, by its number.
func (s Script) statusIn(step int) string {
	for i := step; i >= 0; i-- {
		if status := s.Steps[i].Status; status != "" {
			return status
		}
	}
	return StatusNotFound
}

// StatusNotFound is the status of a step in which the provider does not know the payment.
const StatusNotFound = "not_found"

// Server serves simulators side by side: each below its name, scripts below /_script, notifications on demand below /_notify.
type Server struct {
	mux    *http.ServeMux
	stores map[string]*Store
}

// NewServer puts simulators together.
func NewServer(simulators ...Simulator) *Server {
	s := &Server{mux: http.NewServeMux(), stores: map[string]*Store{}}
	for _, simulator := range simulators {
		store := NewStore()
		store.notifier, _ = simulator.(Notifier)
		s.stores[simulator.Name()] = store
		s.mux.Handle("/"+simulator.Name()+"/", http.StripPrefix("/"+simulator.Name(), simulator.Handler(store)))
	}
	s.mux.HandleFunc("PUT /_script/{provider}/{reference...}", s.putScript)
	s.mux.HandleFunc("POST /_notify/{provider}/{reference...}", s.notify)
	return s
}

// Store gives the scripts of one provider; nil for one that is not simulated.
func (s *Server) Store(provider string) *Store { return s.stores[provider] }

// ServeHTTP serves the simulated APIs.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) putScript(w http.ResponseWriter, r *http.Request) {
	store := s.stores[r.PathValue("provider")]
	if store == nil {
		http.Error(w, "no such provider", http.StatusNotFound)
		return
	}
	script, err := decodeScript(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = store.Put(r.PathValue("reference"), script)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func decodeScript(body interface{ Read([]byte) (int, error) }) (Script, error) {
	var raw json.RawMessage
	if err := json.NewDecoder(body).Decode(&raw); err != nil {
		return Script{}, fmt.Errorf("the body must be a script or a list of steps: %w", err)
	}
	var script Script
	target := any(&script)
	if len(raw) > 0 && raw[0] == '[' {
		target = &script.Steps
	}
	strict := json.NewDecoder(strings.NewReader(string(raw)))
	strict.DisallowUnknownFields()
	if err := strict.Decode(target); err != nil {
		return Script{}, fmt.Errorf("the body must be a script or a list of steps: %w", err)
	}
	if len(script.Steps) == 0 {
		return Script{}, errors.New("the script has no steps")
	}
	return script, nil
}
