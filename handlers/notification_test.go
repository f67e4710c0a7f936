package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/antom"
	"github.com/paystatus/paystatus/providers/checkout"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/worldpay"
	"github.com/paystatus/paystatus/schemas"
)

// pushing is a provider whose notifications are real, and whose queries are answered as a test wants.
type pushing struct {
	providers.Provider

	answer string // to queries; "" the provider is down, unknownPayment it does not know the payment
	asked  []schemas.Reference
}

func (p *pushing) Accounts() []string                          { return []string{"default"} }
func (p *pushing) Verify(providers.Answer, string, bool) error { return nil }
func (p *pushing) Ask(ctx context.Context, q providers.Payment) (providers.Answer, error) {
	p.asked = append(p.asked, q.Reference)
	if ctx.Err() != nil {
		return providers.Answer{}, ctx.Err()
	}
	if p.answer == "" {
		down := providers.Failure(providers.Unavailable, "http_503", "down")
		return providers.Answer{From: schemas.SourceQuery, Fault: &down}, nil
	}
	status := http.StatusOK
	if p.answer == unknownPayment {
		status = http.StatusNotFound
	}
	return providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{{
		HTTPStatus: status, Header: http.Header{}, Body: []byte(p.answer), ReceivedAt: time.Now(),
	}}}, nil
}

const unknownPayment = `{"error_codes":["payment_not_found"]}`

var definitionsByName = map[string]providers.Definition{
	"checkout": checkout.Definition, "antom": antom.Definition, "worldpay": worldpay.Definition, "liquido": liquido.Definition,
}

// newPushing is a provider in whose notifications the payment_id stands where rule says.
func newPushing(t *testing.T, name, rule string) *pushing {
	t.Helper()
	var options providers.Options
	if rule != "" {
		require.NoError(t, options.PaymentID.UnmarshalText([]byte(rule)))
	}
	definition := definitionsByName[name]
	provider, err := definition.New(definition.Settings(), options)
	require.NoError(t, err)
	return &pushing{Provider: provider}
}

// heard is what the handler makes of a notification.
type heard struct {
	check  *watch.Check
	letter string // the reason of a dead letter
	counts []string
}

func hear(t *testing.T, p *pushing, body string, change ...func(*Notification)) heard {
	t.Helper()
	var h heard
	handler := &Notification{
		Providers: map[string]providers.Provider{p.Name(): p}, Timeout: time.Second, Log: slog.New(slog.DiscardHandler),
		Count: func(event string) { h.counts = append(h.counts, event) },
	}
	for _, c := range change {
		c(handler)
	}
	result, err := handler.Handle(t.Context(), notification(p.Name(), body))
	require.NoError(t, err)
	require.LessOrEqual(t, len(result.Out), 1)
	for _, out := range result.Out {
		if out.To == ToDeadLetters {
			h.letter = Message{Headers: out.Headers}.header(HeaderReason)
			assert.Equal(t, body, string(out.Value))
			continue
		}
		check, err := watch.DecodeCheck(out.Value)
		require.NoError(t, err)
		assert.Equal(t, check.PaymentID, string(out.Key))
		h.check = &check
	}
	return h
}

func notification(provider, body string) Message {
	return Message{Topic: "payments.notified", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Value: []byte(body), Headers: []Header{
		{HeaderProvider, []byte(provider)},
		{HeaderAccount, []byte("default")},
		{HeaderReceivedAt, []byte("2026-01-02T03:04:00.5Z")},
		{"http_content-type", []byte("application/json")},
		{"http_authorization", []byte("a secret")},
	}}
}

const payID = "pay_mbabizu24mvu3mela5njyhpit4"

func TestAPaymentIDStandsWhereTheConfigurationSays(t *testing.T) {
	t.Parallel()
	const (
		checkoutBody = `{"id":"evt_1","type":"payment_captured","data":{"id":"` + payID + `","reference":"ref","metadata":{"order_id":"o-1","n":7}}}`
		disputeBody  = `{"id":"evt_1","type":"dispute_received","data":{"id":"dsp_1","payment_id":"` + payID + `","payment_reference":"ref"}}`
		antomBody    = `{"notifyType":"PAYMENT_RESULT","result":{"resultStatus":"S","resultCode":"SUCCESS"},"paymentRequestId":"ref","metadata":"{}","paymentId":"2024"}`
		refundBody   = `{"notifyType":"REFUND_RESULT","refundStatus":"SUCCESS","refundRequestId":"o-1","result":{"resultStatus":"S","resultCode":"SUCCESS"}}`
		worldpayBody = `{"eventDetails":{"type":"settled","transactionReference":"ref","orderReference":"o-1"}}`
		liquidoBody  = `{"eventType":"CHARGE_SUCCEEDED","data":{"chargeDetails":{"idempotencyKey":"ref","transferStatus":"SETTLED","orderId":"o-1","month":06}}}`
	)
	for name, tc := range map[string]struct{ provider, rule, body, want string }{
		"checkout, by default":                {"checkout", "", checkoutBody, "ref"},
		"checkout, a dispute by default":      {"checkout", "", disputeBody, "ref"},
		"checkout, in the metadata":           {"checkout", "metadata.order_id", checkoutBody, "o-1"},
		"checkout, a number":                  {"checkout", "metadata.n", checkoutBody, "7"},
		"checkout, one or the other":          {"checkout", "metadata.order_id|payment_reference", disputeBody, "ref"},
		"antom, by default":                   {"antom", "", antomBody, "ref"},
		"antom, Antom's own id":               {"antom", "paymentId", antomBody, "2024"},
		"antom, a refund that names its own":  {"antom", "paymentRequestId|refundRequestId", refundBody, "o-1"},
		"worldpay, by default":                {"worldpay", "", worldpayBody, "ref"},
		"worldpay, the order":                 {"worldpay", "orderReference", worldpayBody, "o-1"},
		"liquido, by default, in broken JSON": {"liquido", "", liquidoBody, "ref"},
		"liquido, in broken JSON":             {"liquido", "orderId", liquidoBody, "o-1"},
	} {
		p := newPushing(t, tc.provider, tc.rule)
		h := hear(t, p, tc.body)
		require.NotNil(t, h.check, name)
		assert.Equal(t, schemas.PaymentKey{Provider: tc.provider, Account: "default", PaymentID: tc.want}, h.check.PaymentKey, name)
		assert.Equal(t, watch.KindNotification, h.check.Kind, name)
		assert.Equal(t, tc.body, string(h.check.Evidence.Body), name)
		assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 0, 5e8, time.UTC), h.check.Evidence.ReceivedAt, name)
		assert.Equal(t, map[string]string{"Content-Type": "application/json"}, h.check.Evidence.Header, "%s: secrets go no further", name)
		assert.Equal(t, []string{"accepted"}, h.counts, name)
		assert.Empty(t, p.asked, name)
	}
}

func TestWhosePaymentAnIDIsTheProviderIsAsked(t *testing.T) {
	t.Parallel()
	const (
		nameless = `{"id":"evt_1","type":"payment_captured","data":{"id":"` + payID + `"}}`
		capture  = `{"notifyType":"CAPTURE_RESULT","result":{"resultStatus":"S","resultCode":"SUCCESS"},"paymentId":"2024","captureId":"1"}`
	)
	for name, tc := range map[string]struct{ provider, rule, body, answer, want string }{
		"checkout": {"checkout", "", nameless, `{"id":"` + payID + `","reference":"ref","status":"Captured"}`, "ref"},
		"checkout, in the metadata": {
			"checkout", "metadata.order_id", nameless, `{"id":"` + payID + `","reference":"ref","status":"Captured","metadata":{"order_id":"o-1"}}`, "o-1",
		},
		"antom, a capture": {
			"antom", "", capture, `{"result":{"resultStatus":"S","resultCode":"SUCCESS"},"paymentStatus":"SUCCESS","paymentId":"2024","paymentRequestId":"ref"}`, "ref",
		},
		"worldpay": {
			"worldpay", "", `{"eventDetails":{"type":"settled","paymentId":"pay1"}}`,
			`{"lastEvent":"settled","paymentId":"pay1","transactionReference":"ref"}`, "ref",
		},
	} {
		p := newPushing(t, tc.provider, tc.rule)
		p.answer = tc.answer
		h := hear(t, p, tc.body)
		require.NotNil(t, h.check, "%s: %s", name, h.letter)
		assert.Equal(t, tc.want, h.check.PaymentID, name)
		assert.Len(t, p.asked, 1, name)

		p.answer = ""
		assert.Equal(t, "no_reference", hear(t, p, tc.body).letter, "%s: nobody can tell", name)
		ignored := hear(t, p, tc.body, func(n *Notification) { n.IgnoreUnknownPayments = true })
		assert.Equal(t, heard{counts: []string{"ignored"}}, ignored, name)
	}
	t.Run("again where the handler is told to stop", func(t *testing.T) {
		t.Parallel()
		p := newPushing(t, "checkout", "")
		handler := &Notification{Providers: map[string]providers.Provider{"checkout": p}, Timeout: time.Second, Log: slog.New(slog.DiscardHandler)}
		stopped, stop := context.WithCancel(t.Context())
		stop()
		_, err := handler.Handle(stopped, notification("checkout", nameless))
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestWhoCannotBeAskedWhosePaymentItIsIsAskedAgain(t *testing.T) {
	t.Parallel()
	const nameless = `{"id":"evt_1","type":"payment_captured","data":{"id":"` + payID + `"}}`
	waiting := func(t *testing.T, p *pushing, m Message) Out {
		t.Helper()
		handler := &Notification{Providers: map[string]providers.Provider{"checkout": p}, Timeout: time.Second, Log: slog.New(slog.DiscardHandler)}
		redriven := &Redriven{Notification: handler.Handle}
		handle := handler.Handle
		if m.header(HeaderHandler) != "" {
			handle = redriven.Handle
		}
		result, err := handle(t.Context(), m)
		require.NoError(t, err)
		require.Len(t, result.Out, 1)
		return result.Out[0]
	}
	received := func(ago time.Duration) Message {
		m := notification("checkout", nameless)
		m.Partition, m.Offset, m.Time = 3, 7, time.Now()
		m.Headers[2].Value = []byte(time.Now().Add(-ago).UTC().Format(time.RFC3339Nano))
		return m
	}
	for name, tc := range map[string]struct {
		answer string
		ago    time.Duration
		want   Destination
		after  time.Duration
	}{
		"at once":                                    {"", 0, ToDelay, time.Second},
		"after as long as it has waited":             {"", time.Minute, ToDelay, time.Minute},
		"every ten minutes":                          {"", 5 * time.Hour, ToDelay, 10 * time.Minute},
		"for a day":                                  {"", 25 * time.Hour, ToDeadLetters, 0},
		"also when nobody can read it":               {"<html>", 5 * time.Hour, ToDelay, 10 * time.Minute},
		"but not when it does not say":               {`{"id":"` + payID + `","status":"Captured"}`, 0, ToDeadLetters, 0},
		"also when it does not know it":              {unknownPayment, time.Minute, ToDelay, time.Minute},
		"which it should a quarter of an hour later": {unknownPayment, 16 * time.Minute, ToDeadLetters, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPushing(t, "checkout", "")
			p.answer = tc.answer
			out := waiting(t, p, received(tc.ago))
			require.Equal(t, tc.want, out.To, name)
			if tc.want == ToDelay {
				assert.Equal(t, tc.after, out.After, name)
				assert.True(t, Returning(out.Headers), name)
			}
		})
	}
	t.Run("and is what it was when it comes back", func(t *testing.T) {
		t.Parallel()
		first := received(time.Minute)
		p := newPushing(t, "checkout", "")
		m := first
		for range 3 {
			out := waiting(t, p, m)
			m = Message{Topic: "paystatus.redriven", Partition: 1, Offset: 9, Time: time.Now(), Key: out.Key, Value: out.Value, Headers: out.Headers}
		}
		assert.Len(t, m.Headers, len(first.Headers)+4, "topic, partition, offset and handler")
		stale := m
		stale.Headers = slices.Clone(m.Headers)
		stale.Headers[2].Value = []byte("2026-01-02T03:04:00.5Z")
		letter := headersOf(waiting(t, p, stale))
		assert.Equal(t, []string{"no_reference", "payments.notified", "3", "7"},
			[]string{letter[HeaderReason], letter[HeaderTopic], letter[HeaderPartition], letter[HeaderOffset]})
		p.answer = `{"id":"` + payID + `","reference":"ref","status":"Captured"}`
		check, err := watch.DecodeCheck(waiting(t, p, m).Value)
		require.NoError(t, err)
		assert.Equal(t, "ref", check.PaymentID)
		assert.Equal(t, pageOf(first).ReceivedAt, check.Evidence.ReceivedAt, "its age counts from its receipt")
	})
}

func TestNotificationsThatAskForNothing(t *testing.T) {
	t.Parallel()
	p := newPushing(t, "checkout", "")
	assert.Equal(t, heard{counts: []string{"ignored"}}, hear(t, p, `{"id":"evt_1","type":"fraud_reported","data":{"id":"`+payID+`","reference":"ref"}}`))
	assert.Equal(t, heard{counts: []string{"unknown_type"}}, hear(t, p, `{"id":"evt_1","type":"painted","data":{}}`), "and names nobody")
	assert.Empty(t, p.asked)
	unknown := hear(t, p, `{"id":"evt_1","type":"painted","data":{"id":"`+payID+`","reference":"ref"}}`)
	require.NotNil(t, unknown.check)
	assert.Equal(t, []string{"unknown_type"}, unknown.counts)
}

func TestNotificationsThatCannotBeUsedAreDeadLetters(t *testing.T) {
	t.Parallel()
	p := newPushing(t, "checkout", "")
	for body, reason := range map[string]string{
		"":                               "empty",
		"hello":                          "unreadable_notification",
		`{"id":"evt_1","data":{"id":1}}`: "unreadable_notification",
		`{"id":"evt_1","type":"payment_captured","data":{"id":"` + payID + `","reference":"` + strings.Repeat("x", 129) + `"}}`: "no_reference",
	} {
		assert.Equal(t, reason, hear(t, p, body).letter, body)
	}
	for name, tc := range map[string]struct {
		headers []Header
		reason  string
	}{
		"of nobody":             {nil, "unknown_provider"},
		"of an unknown account": {[]Header{{HeaderProvider, []byte("checkout")}, {HeaderAccount, []byte("brazil")}}, "unknown_account"},
	} {
		handler := &Notification{Providers: map[string]providers.Provider{"checkout": p}, Log: slog.New(slog.DiscardHandler)}
		result, err := handler.Handle(t.Context(), Message{Value: []byte("{}"), Headers: tc.headers})
		require.NoError(t, err)
		assert.Equal(t, tc.reason, Message{Headers: result.Out[0].Headers}.header(HeaderReason), name)
	}
}
