package renormalize_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/renormalize"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/schemas"
)

func TestTheSameMappingReadsEveryAnswerOfEveryProviderTheSame(t *testing.T) {
	t.Parallel()
	for _, name := range pipeline.ProviderNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := provider(t, name)
			findings := map[renormalize.Finding]int{}
			for _, f := range providertest.Fixtures(t, at, filepath.Join("..", "..", "providers", name, "testdata")) {
				for _, m := range fixture(t, at, f) {
					e, err := renormalize.ReadEvent(m)
					require.NoError(t, err)
					got := reader(t, at).Read(e)
					findings[got.Finding]++
					allowed := []renormalize.Finding{renormalize.Same, renormalize.Unresolved, renormalize.SeveralPages}
					assert.Contains(t, allowed, got.Finding, "%s: %s, %+v → %+v", f.Name, got.Code, got.Old, got.New)
					if got.Finding == renormalize.SeveralPages {
						assert.Contains(t, string(m.Value), string(schemas.IncompleteList), f.Name)
					}
				}
			}
			assert.Greater(t, findings[renormalize.Same], 15, "%v", findings)
		})
	}
}

// fixture is what is said of a payment on account of one answer.
func fixture(t testing.TB, at providers.Provider, f providertest.Fixture) []handlers.Message {
	t.Helper()
	answer := f.Answer()
	c := watch.Check{
		PaymentKey: schemas.PaymentKey{Provider: at.Name(), Account: schemas.DefaultAccount, PaymentID: "p"}, Kind: watch.KindInitiated, Cause: schemas.CauseInitiated,
	}
	if f.Payment.Known() {
		c.PaymentID = f.Payment.ID
		origin := &watch.Origin{Topic: "x", Time: f.Payment.InitiatedAt}
		c.Origin = origin
		c.Context = watch.NewContext(schemas.Initiated{
			PaymentID: c.PaymentID, Amount: *f.Payment.Amount, InitiatedAt: f.Payment.InitiatedAt, Capture: f.Payment.Capture, Method: f.Payment.Method,
		}, f.Payment.Reference, origin)
	}
	asked := &answering{Provider: at, pages: answer.Pages}
	if answer.From != schemas.SourceQuery || c.Context == nil {
		asked.pages = []providers.Page{{HTTPStatus: http.StatusServiceUnavailable}}
		c.Evidence = &watch.Evidence{
			From: answer.From, HTTPStatus: answer.Pages[0].HTTPStatus, Header: map[string]string{}, Body: answer.Pages[0].Body, ReceivedAt: answer.Pages[0].ReceivedAt,
		}
		for name := range answer.Pages[0].Header {
			c.Evidence.Header[name] = answer.Pages[0].Header.Get(name)
		}
		if c.Context == nil {
			c.Kind = watch.KindNotification
		}
	}
	h := &handlers.Check{
		Providers: map[string]providers.Provider{at.Name(): asked}, Memory: handlers.NewMemory(), Random: func() float64 { return 0 },
		Timeout: time.Minute, Log: slog.New(slog.DiscardHandler), Events: handlers.Events{Source: "/paystatus"}, Schedule: schedules,
	}
	h.Memory.Assign(0, time.Time{})
	value, err := c.Encode()
	require.NoError(t, err)
	result, err := h.Handle(t.Context(), handlers.Message{Value: value, Key: []byte(c.PaymentID)})
	require.NoError(t, err)
	var all []handlers.Message
	for _, out := range result.Out {
		if out.To == handlers.ToStatusChanged {
			all = append(all, handlers.Message{Key: out.Key, Value: out.Value, Headers: out.Headers})
		}
	}
	return all
}

func TestAnotherMappingDiffers(t *testing.T) {
	t.Parallel()
	events := said(t, pesos("p"), provider(t, "liquido"), liquido("p", "IN_PROGRESS"), liquido("p", "SETTLED"))
	require.Len(t, events, 2)
	e, err := renormalize.ReadEvent(events[1])
	require.NoError(t, err)
	r := reader(t, remapped{provider(t, "liquido"), instead(schemas.Captured, schemas.CapturePending)})
	got := r.Read(e)
	assert.Equal(t, renormalize.Differs, got.Finding)
	assert.Equal(t, []any{schemas.Captured, true, schemas.CapturePending, false}, []any{got.Old.Status, got.Old.Final, got.New.Status, got.New.Final})
	got = reader(t, remapped{provider(t, "liquido"), func(o *providers.Outcome) { *o = providers.Failure(providers.Unreadable, "new_code", "") }}).Read(e)
	assert.Equal(t, []any{renormalize.NoStatus, "new_code"}, []any{got.Finding, got.Code})
}

func TestWhatCannotBeReadAgainIsToldApart(t *testing.T) {
	t.Parallel()
	at := provider(t, "liquido")
	good := said(t, pesos("p"), at, liquido("p", "SETTLED"))[0]
	edit := func(change func(*schemas.Change)) func(*handlers.Message) {
		return func(m *handlers.Message) {
			var c schemas.Change
			if err := json.Unmarshal(m.Value, &c); err != nil {
				panic(err)
			}
			change(&c)
			m.Value, _ = json.Marshal(c)
		}
	}
	for name, tt := range map[string]struct {
		change func(*handlers.Message)
		want   renormalize.Finding
	}{
		"nothing is wrong":             {func(*handlers.Message) {}, renormalize.Same},
		"an unresolved event":          {header("ce_type", schemas.TypeStatusUnresolved), renormalize.Unresolved},
		"without memory":               {header("paystatus_said", ""), renormalize.NoMemory},
		"memory of another version":    {header("paystatus_said", `{"v":9}`), renormalize.NoMemory},
		"without an answer":            {edit(func(c *schemas.Change) { c.Raw = nil }), renormalize.NoBody},
		"without a body":               {edit(func(c *schemas.Change) { c.Raw.Body = "" }), renormalize.NoBody},
		"a body that was changed":      {edit(func(c *schemas.Change) { c.Raw.Body += " " }), renormalize.Damaged},
		"base64 that is none":          {edit(func(c *schemas.Change) { c.Raw.Encoding = "base64" }), renormalize.Damaged},
		"of an unknown provider":       {edit(func(c *schemas.Change) { c.Provider = "other" }), renormalize.NoProvider},
		"chosen among more than it is": {edit(func(c *schemas.Change) { c.ProviderStatus["candidates"] = []string{"p", "q"} }), renormalize.SeveralPages},
	} {
		m := good
		m.Headers = slices.Clone(good.Headers)
		tt.change(&m)
		e, err := renormalize.ReadEvent(m)
		require.NoError(t, err, name)
		assert.Equal(t, tt.want, reader(t, at).Read(e).Finding, name)
	}
}

func header(name, value string) func(*handlers.Message) {
	return func(m *handlers.Message) {
		m.Headers = append(m.Headers, handlers.Header{Key: name, Value: []byte(value)})
	}
}

func TestOnePageOfAListOfSeveralIsNotReadAgain(t *testing.T) {
	t.Parallel()
	at := provider(t, "checkout")
	row := func(id, status string) string {
		return `{"id":"pay_` + strings.Repeat(id, 26) + `","requested_on":"` + time.Now().UTC().Format(time.RFC3339) +
			`","amount":8000,"currency":"EUR","status":"` + status + `","approved":true,"reference":"ORD-1"}`
	}
	list := func(total string, rows ...string) providers.Page {
		p := page([]byte(`{"total_count":` + total + `,"data":[` + strings.Join(rows, ",") + `]}`))
		p.Request = "list"
		return p
	}
	p := payment("p", "checkout", schemas.Amount{Value: 8000, Currency: "EUR"}, schemas.Reference{"reference": "ORD-1"})
	whole := said(t, p, at, []providers.Page{list("2", row("a", "Declined"), row("b", "Captured"))})
	cut := said(t, p, at, []providers.Page{list("2", row("a", "Declined")), list("2", row("b", "Captured"))})
	for want, events := range map[renormalize.Finding][]handlers.Message{renormalize.Same: whole, renormalize.SeveralPages: cut} {
		require.Len(t, events, 1)
		e, err := renormalize.ReadEvent(events[0])
		require.NoError(t, err)
		require.Equal(t, schemas.Captured, e.Trail.Said.Status)
		assert.Equal(t, want, reader(t, at).Read(e).Finding)
	}
}

func TestAMaskedAnswerIsReadAgainLikeAnyOther(t *testing.T) {
	t.Parallel()
	at := provider(t, "liquido")
	pages := liquido("p", "SETTLED")
	pages[0].Body = bytes.Replace(pages[0].Body, []byte("an order"), []byte("card 4111111111111111"), 1)
	events := said(t, pesos("p"), at, pages)
	e, err := renormalize.ReadEvent(events[0])
	require.NoError(t, err)
	require.True(t, e.Data.Raw.Masked)
	assert.Equal(t, renormalize.Same, reader(t, at).Read(e).Finding)
}

func TestACorrectionIsReadAgainAsTheAnswerThatItWas(t *testing.T) {
	t.Parallel()
	var from []schemas.Source
	noting := watching{provider(t, "liquido"), &from}
	m := said(t, pesos("p"), noting.Provider, liquido("p", "SETTLED"))[0]
	e, err := renormalize.ReadEvent(m)
	require.NoError(t, err)
	e.Data.Source, e.Trail.From = schemas.SourceRenormalization, schemas.SourceNotification
	reader(t, noting).Read(e)
	assert.Equal(t, []schemas.Source{schemas.SourceNotification}, from)
}

type watching struct {
	providers.Provider

	from *[]schemas.Source
}

func (w watching) Read(a providers.Answer, p providers.Payment) providers.Outcome {
	*w.from = append(*w.from, a.From)
	return w.Provider.Read(a, p)
}

func TestAScanCountsAndFindsTheLastEvents(t *testing.T) {
	t.Parallel()
	at := provider(t, "liquido")
	var all slice
	for n := range 40 {
		answers := [][]providers.Page{liquido(order(n), "IN_PROGRESS"), liquido(order(n), "SETTLED")}
		if n%4 == 3 {
			answers = answers[:1]
		}
		all = append(all, said(t, pesos(order(n)), at, answers...)...)
	}
	all = append(all, handlers.Message{Key: []byte("x"), Value: []byte("somebody else's")})
	for i := range all {
		all[i].Offset = int64(i)
	}
	scan := renormalize.Scan{
		Reader: reader(t, remapped{at, instead(schemas.Pending, schemas.RequiresAction)}), Source: all, Workers: 3,
	}
	got, err := scan.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int64{71, 70, 1}, []int64{got.Records, got.Events, got.Foreign})
	counts := map[renormalize.Finding]int64{}
	for _, row := range got.Rows {
		counts[row.Finding] += row.Events
	}
	assert.Equal(t, map[renormalize.Finding]int64{renormalize.Same: 30, renormalize.Differs: 40}, counts)
	events, last := got.Differences()
	assert.Equal(t, []int64{40, 10}, []int64{events, last})
	row := got.Rows[0]
	assert.Equal(t, "pending → requires_action", row.Change())
	require.Len(t, row.Examples, 5)
	for _, example := range row.Examples {
		assert.True(t, example.Last, "those that can be corrected come first")
		assert.NotEmpty(t, example.EventID)
	}
	seen := map[string]bool{}
	for _, f := range renormalize.Findings {
		seen[f.Finding.Meaning()] = true
	}
	assert.Len(t, slices.Collect(maps.Keys(seen)), len(renormalize.Findings), "each has a meaning of its own")
}

func TestWhatWasSaidLaterIsLaterAlsoWhereItWasNotAskedFor(t *testing.T) {
	t.Parallel()
	at := provider(t, "liquido")
	events := said(t, pesos("p"), at, liquido("p", "IN_PROGRESS"), liquido("p", "SETTLED"))
	scan := renormalize.Scan{Reader: reader(t, remapped{at, instead(schemas.Pending, schemas.RequiresAction)}), Source: unasked{events}}
	got, err := scan.Run(t.Context())
	require.NoError(t, err)
	count, last := got.Differences()
	assert.Equal(t, []int64{1, 0, 1}, []int64{count, last, got.Events})
}

// unasked is a source of which only the first event is asked for.
type unasked struct{ slice }
