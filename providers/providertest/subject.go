package providertest

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// Subject is a provider as the conformance suite needs it. All is required unless it says otherwise.
type Subject struct {
	// Definition registers the provider. Its settings are read from what the simulator says fits it.
	Definition providers.Definition

	// Simulator is the provider's API.
	Simulator sandbox.Simulator

	// Spoil makes the credentials of every account wrong, but of the right form.
	Spoil func(providers.ProviderSettings)

	// Event is an initiated event; the simulator knows its payment as Scripted, once Script is put there. The first step of
	// the script is one that is read as GoodStatus.
	Event    schemas.Initiated
	Scripted string
	Script   sandbox.Script

	// Good is the provider's answer to a query about Event's payment, read as GoodStatus; Request is which request it
	// answers, as Page.Request. It is strict JSON and an object.
	Good       []byte
	Request    string
	GoodStatus schemas.Status

	// StatusName is the JSON name of the member of Good that holds the payment's status word. The name stands there once, and
	// no other member tells the status.
	StatusName string

	// Identity are replacements that make Good an answer about another payment, account, currency or amount.
	Identity []Swap

	// Gone is what HTTP 404 and 410 mean. Default: not found.
	Gone providers.Kind

	// Empty is what HTTP 200 without a body means. Default: unreadable.
	Empty providers.Kind

	// TokenPath is the path of the token endpoint below the simulator's base URL, for providers that have one. Optional.
	TokenPath string

	// Signed tells that the provider signs its answers.
	Signed bool
}

// Swap replaces a text in an answer, wherever it stands. Code is what the outcome is then: a mismatch's code, or not_found
// where the answer is a list whose other rows are not candidates.
type Swap struct {
	Old, New string
	Code     string
}

// Run holds a provider against the rules that hold for all of them.
func Run(t *testing.T, s Subject) {
	t.Helper()
	for _, c := range checks(s) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
	t.Run("a hostile host", func(t *testing.T) {
		t.Parallel()
		runHostile(t, s.withDefaults())
	})
}

// check is one rule. It is run with less than a *testing.T, so that this package's own tests can watch it fail.
type check struct {
	name string
	run  func(t require.TestingT)
}

// checks are the rules for a subject, each named by a sentence.
func checks(s Subject) []check {
	s = s.withDefaults()
	all := []check{{"the subject is whole", s.isWhole}}
	all = append(all, s.declarationChecks()...)
	all = append(all, s.httpChecks()...)
	all = append(all, s.jsonChecks()...)
	all = append(all, s.identityChecks()...)
	all = append(all, s.wordChecks()...)
	all = append(all, s.strayingChecks()...)
	return append(all, s.askingChecks()...)
}

func (s Subject) withDefaults() Subject {
	if s.Gone == "" {
		s.Gone = providers.NotFound
	}
	if s.Empty == "" {
		s.Empty = providers.Unreadable
	}
	return s
}

func (s Subject) isWhole(t require.TestingT) {
	require.NotNil(t, s.Definition.New, "Subject.Definition")
	require.NotNil(t, s.Simulator, "Subject.Simulator")
	require.NotNil(t, s.Spoil, "Subject.Spoil")
	require.NotEmpty(t, s.Event.PaymentID, "Subject.Event")
	require.NotEmpty(t, s.Scripted, "Subject.Scripted")
	require.NotEmpty(t, s.Script.Steps, "Subject.Script")
	require.NotEmpty(t, s.Good, "Subject.Good")
	require.NotEmpty(t, s.GoodStatus, "Subject.GoodStatus")
	require.NotEmpty(t, s.StatusName, "Subject.StatusName")
	require.NotEmpty(t, s.Identity, "Subject.Identity")
}

// declarationChecks are what a provider says about itself.
func (s Subject) declarationChecks() []check {
	return []check{
		{"its name is that of its definition and its simulator", func(t require.TestingT) {
			require.Equal(t, s.Definition.Name, s.reader(t).Name())
			require.Equal(t, s.Definition.Name, s.Simulator.Name())
		}},
		{"its normalizer is its name and a number", func(t require.TestingT) {
			require.Regexp(t, "^"+s.Definition.Name+`/[1-9][0-9]*$`, s.reader(t).Normalizer())
		}},
		{"its accounts are those configured", func(t require.TestingT) {
			require.Contains(t, s.reader(t).Accounts(), s.Event.Account)
		}},
		{"without accounts it can read answers", func(t require.TestingT) {
			provider, err := s.Definition.New(s.Definition.Settings(), providers.Options{})
			require.NoError(t, err)
			require.Empty(t, provider.Accounts())
			require.Equal(t, s.GoodStatus, observed(t, provider.Read(s.answer(s.Good), s.payment(t))).Status)
		}},
		{"the settings that fit its simulator are valid", func(t require.TestingT) {
			require.Empty(t, s.settings(t, offline).Validate())
		}},
		{"every row of its mapping names a word and a status, once", func(t require.TestingT) {
			known := map[schemas.Status]bool{}
			for _, info := range schemas.Statuses {
				known[info.Status] = true
			}
			seen := map[string]bool{}
			for _, row := range s.reader(t).Mapping() {
				require.NotEmpty(t, row.Value)
				require.True(t, known[row.Status], "%s / %s: no status is called %q", row.Value, row.Condition, row.Status)
				key := row.Value + " / " + row.Condition
				require.False(t, seen[key], "%s stands twice", key)
				seen[key] = true
			}
			require.NotEmpty(t, seen)
		}},
	}
}

// offline is the base URL of a provider that only reads.
const offline = "https://sandbox.invalid/api"

// settings reads the section that fits the simulator at baseURL.
func (s Subject) settings(t require.TestingT, baseURL string) providers.ProviderSettings {
	var sections map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(s.Simulator.Config(baseURL)), &sections))
	section, ok := sections[s.Definition.Name]
	require.True(t, ok, "the simulator's configuration has no section %q", s.Definition.Name)
	settings := s.Definition.Settings()
	require.NoError(t, section.Decode(settings))
	settings.Common().Rate = 0
	return settings
}

// reader is the provider, for reading only.
func (s Subject) reader(t require.TestingT) providers.Provider {
	return s.provider(t, s.settings(t, offline))
}

func (s Subject) provider(t require.TestingT, settings providers.ProviderSettings) providers.Provider {
	provider, err := s.Definition.New(settings, providers.Options{})
	require.NoError(t, err)
	return provider
}

// payment is that of the event.
func (s Subject) payment(t require.TestingT) providers.Payment {
	reference, err := s.reader(t).Identify(s.Event)
	require.NoError(t, err)
	return providers.PaymentOf(s.Event, reference)
}

// answer is body as the answer to a query.
func (s Subject) answer(body []byte) providers.Answer {
	return s.page(providers.Page{HTTPStatus: http.StatusOK, Body: body})
}

// page is an answer of one page.
func (s Subject) page(p providers.Page) providers.Answer {
	p.Request, p.ReceivedAt = s.Request, ReceivedAt
	if p.Header == nil {
		p.Header = http.Header{}
	}
	return providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{p}}
}

// observed requires that an outcome is a status.
func observed(t require.TestingT, o providers.Outcome) *providers.Observation {
	require.Equal(t, providers.Observed, o.Kind, "%s: %s", o.Code, o.Message)
	require.NotNil(t, o.Observation)
	return o.Observation
}

// requireFailure requires that an outcome is of a kind, with one of the codes if there are any, and says why.
func requireFailure(t require.TestingT, o providers.Outcome, kind providers.Kind, codes ...string) {
	require.Equal(t, kind, o.Kind, "%s: %s", o.Code, o.Message)
	require.Nil(t, o.Observation)
	require.NotEmpty(t, o.Code)
	require.NotEmpty(t, o.Message)
	if len(codes) > 0 {
		require.Contains(t, codes, o.Code, o.Message)
	}
}

// Secrets are the texts in settings that must never show.
func Secrets(settings providers.ProviderSettings) []string {
	var found []string
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() { //nolint:exhaustive // the kinds that settings are made of
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			for _, field := range v.Fields() {
				walk(field)
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(v.MapIndex(key))
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.String:
			if v.Type() == reflect.TypeFor[providers.Secret]() && v.Len() > 0 {
				found = append(found, v.String())
			}
		}
	}
	walk(reflect.ValueOf(settings))
	return found
}

// requireNone requires that a text holds none of the words.
func requireNone(t require.TestingT, text any, words []string) {
	printed := fmt.Sprintf("%+v", text)
	for _, word := range words {
		require.NotContains(t, printed, word, "what must not show does")
	}
}

// patience is how long a request may take where the provider hangs.
const patience = 200 * time.Millisecond
