package providertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// fakeSettings are those of a provider that exists for these tests only.
type fakeSettings struct {
	providers.Settings `yaml:",inline"`
	TokenURL           string                 `yaml:"token_url"`
	Accounts           map[string]fakeAccount `yaml:"accounts"`
}

type fakeAccount struct {
	ClientID     string           `yaml:"client_id"`
	ClientSecret providers.Secret `yaml:"client_secret"`
}

func (s *fakeSettings) Common() *providers.Settings   { return &s.Settings }
func (s *fakeSettings) Validate() []providers.Problem { return s.Settings.Validate() }

// fake is a provider that keeps every rule, except those that a mutant changes.
type fake struct {
	settings  *fakeSettings
	transport *providers.Transport
	tokens    map[string]*providers.Tokens
	mutant    mutant
}

// mutant is a mistake that a provider could make.
type mutant struct {
	ask   func(f *fake, ctx context.Context, p providers.Payment) (providers.Answer, error)
	read  func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome
	rows  []providers.Row
	round http.RoundTripper
}

var fakeRows = []providers.Row{
	{Value: "OPEN", Status: schemas.Pending}, {Value: "PAID", Status: schemas.Captured}, {Value: "REFUSED", Status: schemas.Declined},
}

func definition(m mutant) providers.Definition {
	return providers.Definition{
		Name: "fake",
		Settings: func() providers.ProviderSettings {
			return &fakeSettings{Settings: providers.DefaultSettings("https://api.fake.example")}
		},
		New: func(ps providers.ProviderSettings, o providers.Options) (providers.Provider, error) {
			s := ps.(*fakeSettings)
			if m.round != nil {
				o.RoundTripper = m.round
			}
			f := &fake{settings: s, transport: providers.NewTransport(s.Settings, o), tokens: map[string]*providers.Tokens{}, mutant: m}
			for name, a := range s.Accounts {
				f.tokens[name] = providers.NewTokens(f.transport, name, s.TokenURL, a.ClientID, a.ClientSecret)
			}
			return f, nil
		},
	}
}

func (f *fake) Name() string       { return "fake" }
func (f *fake) Normalizer() string { return "fake/1" }

func (f *fake) Accounts() []string {
	var names []string
	for name := range f.settings.Accounts {
		names = append(names, name)
	}
	return names
}

func (f *fake) Identify(e schemas.Initiated) (schemas.Reference, error) {
	if e.Reference["id"] == "" {
		return nil, &schemas.FieldError{Field: "reference", Problem: "needs an id"}
	}
	if strings.Trim(e.Reference["id"], "abcdefghijklmnopqrstuvwxyz0123456789-") != "" && f.mutant.ask == nil {
		return nil, &schemas.FieldError{Field: "reference.id", Problem: "must be letters, digits and hyphens"}
	}
	return schemas.Reference{"id": e.Reference["id"]}, nil
}

func (f *fake) Mapping() []providers.Row {
	if f.mutant.rows != nil {
		return f.mutant.rows
	}
	return fakeRows
}

func (f *fake) Verify(providers.Answer, string, bool) error { return nil }

func (f *fake) Ask(ctx context.Context, p providers.Payment) (providers.Answer, error) {
	if f.mutant.ask != nil {
		return f.mutant.ask(f, ctx, p)
	}
	return f.ask(ctx, p)
}

func (f *fake) ask(ctx context.Context, p providers.Payment) (providers.Answer, error) {
	answer := providers.Answer{From: schemas.SourceQuery}
	for range 2 {
		token, fault, err := f.tokens[p.Account].Token(ctx)
		if err != nil || fault != nil {
			answer.Fault = fault
			return answer, err
		}
		request, err := providers.NewRequest(ctx, http.MethodGet, f.settings.BaseURL, "/payments/"+p.Reference["id"], nil)
		if err != nil {
			return answer, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		page, fault, err := f.transport.Do(ctx, p.Account, request)
		if err != nil || fault != nil {
			answer.Fault = fault
			return answer, err
		}
		answer.Pages = []providers.Page{page}
		if page.HTTPStatus != http.StatusUnauthorized {
			break
		}
		f.tokens[p.Account].Forget(token)
	}
	return answer, nil
}

func (f *fake) Read(a providers.Answer, p providers.Payment) providers.Outcome {
	if f.mutant.read != nil {
		return f.mutant.read(f, a, p)
	}
	return f.read(a, p)
}

func (f *fake) read(a providers.Answer, p providers.Payment) providers.Outcome {
	if a.Fault != nil {
		return *a.Fault
	}
	if o, readable := providers.ReadHTTP(a.Last()); !readable {
		return o
	}
	v, fault := providers.ParseBody(a.Last().Body)
	if fault != nil {
		return *fault
	}
	if !v.Get("id").Present() {
		return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer does not say which payment it is about")
	}
	amount, ok := v.Get("amount").Int64()
	if v.Get("amount").Present() && !ok {
		return providers.Failure(providers.Unreadable, providers.CodeUnreadableAmount, "the payment's amount cannot be read")
	}
	obs := &providers.Observation{Status: schemas.Unknown, ProviderStatus: map[string]any{"state": v.Get("state").Text()}}
	if p.Known() {
		switch {
		case v.Get("id").Str() != p.Reference["id"]:
			return providers.Failure(providers.Mismatch, providers.CodeOtherPayment, "the answer is about another payment")
		case v.Get("currency").Str() != p.Amount.Currency:
			return providers.Failure(providers.Mismatch, providers.CodeOtherCurrency, "the answer is about another currency")
		case amount != p.Amount.Value && !f.settings.AcceptOtherAmount:
			return providers.Failure(providers.Mismatch, providers.CodeOtherAmount, "the answer is about another amount")
		case amount != p.Amount.Value:
			obs.Anomalies = append(obs.Anomalies, schemas.AmountDiffers)
		}
	}
	for _, row := range fakeRows {
		if strings.EqualFold(row.Value, strings.TrimSpace(v.Get("state").Str())) {
			obs.Status, obs.Final = row.Status, row.Status.Final()
			return providers.Outcome{Kind: providers.Observed, Observation: obs}
		}
	}
	obs.Anomalies = append(obs.Anomalies, schemas.UnmappedStatus)
	return providers.Outcome{Kind: providers.Observed, Observation: obs}
}

// fakeAPI simulates the fake provider.
type fakeAPI struct{}

const (
	fakeSecret = "open-sesame-81c2"
	fakeToken  = "token-5e77"
)

func (fakeAPI) Name() string { return "fake" }

func (fakeAPI) Config(baseURL string) string {
	return fmt.Sprintf(`
fake:
  base_url: %s
  token_url: %s/token
  accounts:
    default: {client_id: demo, client_secret: %s}
`, baseURL, baseURL, fakeSecret)
}

func (fakeAPI) Handler(store *sandbox.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("client_secret") != fakeSecret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"`+fakeToken+`","token_type":"bearer","expires_in":3600}`)
	})
	mux.HandleFunc("GET /payments/{id}", func(w http.ResponseWriter, r *http.Request) {
		p, ok := store.Answer(r.PathValue("id"))
		switch {
		case r.Header.Get("Authorization") != "Bearer "+fakeToken:
			w.WriteHeader(http.StatusUnauthorized)
			return
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			return
		}
		id, amount := p.Reference, p.Script.Amount.Value
		switch p.Step.Fault {
		case sandbox.FaultWrongPayment:
			id = "other"
		case sandbox.FaultWrongAmount:
			amount++
		}
		body, _ := json.Marshal(map[string]any{"id": id, "amount": amount, "currency": p.Script.Amount.Currency, "state": p.Status})
		sandbox.Respond(w, r, p, http.StatusOK, body)
	})
	return mux
}

// subject is the fake with a mistake.
func subject(m mutant) Subject {
	return Subject{
		Definition: definition(m),
		Simulator:  fakeAPI{},
		Spoil: func(s providers.ProviderSettings) {
			s.(*fakeSettings).Accounts["default"] = fakeAccount{ClientID: "demo", ClientSecret: "wrong-9d20"}
		},
		Event: schemas.Initiated{
			PaymentID: "order-1", Provider: "fake", Account: schemas.DefaultAccount, Amount: schemas.Amount{Value: 1000, Currency: "EUR"},
			InitiatedAt: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC), Reference: schemas.Reference{"id": "f-1"}, Capture: schemas.CaptureAutomatic,
		},
		Scripted:   "f-1",
		Script:     sandbox.Script{Steps: []sandbox.Step{{Status: "PAID"}}},
		Good:       []byte(`{"id":"f-1","amount":1000,"currency":"EUR","state":"PAID"}` + "\n"),
		GoodStatus: schemas.Captured,
		StatusName: "state",
		Identity: []Swap{
			{Old: "f-1", New: "f-2", Code: providers.CodeOtherPayment},
			{Old: "EUR", New: "USD", Code: providers.CodeOtherCurrency},
			{Old: "1000", New: "1001", Code: providers.CodeOtherAmount},
		},
		TokenPath: "/token",
	}
}
