package pipeline_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/webhooks"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// posted keeps every body that a provider posted.
type posted struct {
	mu     sync.Mutex
	bodies map[string]bool // by SHA-256
}

// webhooks opens an endpoint that the sandbox's notifications go to. Around wraps its publisher; nil leaves it.
func (w *world) webhooks(around func(message.Publisher) message.Publisher) *posted {
	w.T.Helper()
	var publisher message.Publisher = w.Writer
	if around != nil {
		publisher = around(publisher)
	}
	endpoint := webhooks.New(webhooks.Options{
		Providers: w.options.Providers, Webhooks: pipeline.Webhooks(), Publisher: publisher, Topic: w.Topics.Notified, Log: w.options.Log,
	})
	p := &posted{bodies: map[string]bool{}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			return
		}
		sum := sha256.Sum256(body.Bytes())
		p.mu.Lock()
		p.bodies[hex.EncodeToString(sum[:])] = true
		p.mu.Unlock()
		r.Body = http.NoBody
		again := r.Clone(r.Context())
		again.Body = readCloser{&body}
		endpoint.ServeHTTP(rw, again)
	}))
	w.T.Cleanup(server.Close)
	w.T.Cleanup(w.Sandbox.Close)
	require.NoError(w.T, w.Sandbox.NotifyURL(server.URL))
	return p
}

type readCloser struct{ *bytes.Buffer }

func (readCloser) Close() error { return nil }

func (p *posted) has(sum string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies[sum]
}

// seldom is a schedule that leaves everything to notifications: it asks once, and again when one says what no query has shown.
var seldom = watch.Schedule{
	Open:          watch.Rhythm{Every: 10 * time.Minute, Deadline: time.Hour},
	Authorized:    watch.Rhythm{Every: 10 * time.Minute, Deadline: time.Hour},
	Refund:        watch.Rhythm{Every: 10 * time.Minute, Deadline: time.Hour},
	NotFoundGrace: 10 * time.Minute, ReferenceWindow: 10 * time.Minute, Recheck: 10 * time.Minute,
	Unavailable: watch.Backoff{Initial: time.Second, Max: 2 * time.Second}, Unreadable: watch.Backoff{Initial: time.Second, Max: 2 * time.Second, Limit: 3},
	RefusedEvery: time.Second,
}

// notified is a payment whose queries show one status for ever, and a notification about it.
type notified struct {
	provider, kind string
	before         string // what queries show, in the provider's words
	want           string // what is said after the notification; "" when that changes nothing
	method         string
}

// everyType is what each type of notification of each provider makes us say.
var everyType = []notified{
	{"checkout", "payment_pending", "Captured", "", ""}, // an earlier status
	{"checkout", "payment_approved", "Pending", "authorized", ""},
	{"checkout", "payment_captured", "Authorized", "captured (final)", ""},
	{"checkout", "payment_declined", "Pending", "declined (final)", ""},
	{"checkout", "payment_canceled", "Pending", "canceled (final)", ""},
	{"checkout", "payment_voided", "Authorized", "voided (final)", ""},
	{"checkout", "payment_expired", "Pending", "expired (final)", ""},
	{"checkout", "payment_refunded", "Captured", "refunded (final)", ""},
	{"checkout", "card_verified", "Pending", "verified (final)", ""},
	{"checkout", "payment_paid", "Pending", "captured (final)", ""},
	{"checkout", "payment_returned", "Pending", "failed (final)", ""},
	{"checkout", "payment_retry_scheduled", "Authorized", "", ""},
	{"checkout", "payment_refund_pending", "Captured", "refund_pending", ""},
	{"checkout", "authentication_started", "Pending", "", ""},
	{"checkout", "authentication_approved", "Pending", "", ""},
	{"checkout", "authentication_attempted", "Pending", "", ""},
	{"checkout", "authentication_failed", "Pending", "declined (final)", ""},
	{"checkout", "authentication_expired", "Pending", "expired (final)", ""},
	{"checkout", "payment_authentication_failed", "Pending", "declined (final)", ""},
	{"checkout", "card_verification_declined", "Pending", "declined (final)", ""},
	{"checkout", "payment_authorization_incremented", "Authorized", "", ""},
	{"checkout", "payment_authorization_increment_declined", "Authorized", "", ""},
	{"checkout", "payment_capture_pending", "Authorized", "capture_pending", ""},
	{"checkout", "payment_capture_declined", "Authorized", "", ""},
	{"checkout", "payment_void_declined", "Authorized", "", ""},
	{"checkout", "payment_refund_declined", "Captured", "refund_failed (final)", ""},
	{"checkout", "payment_retrieval", "Captured", "disputed", ""},
	{"checkout", "payment_chargeback", "Captured", "charged_back (final)", ""},
	{"checkout", "dispute_received", "Captured", "disputed", ""},
	{"checkout", "dispute_evidence_required", "Captured", "disputed", ""},
	{"checkout", "dispute_evidence_submitted", "Captured", "disputed", ""},
	{"checkout", "dispute_evidence_acknowledged_by_scheme", "Captured", "disputed", ""},
	{"checkout", "dispute_arbitration_sent_to_scheme", "Captured", "disputed", ""},
	{"checkout", "dispute_arbitration_evidence_submitted", "Captured", "disputed", ""},
	{"checkout", "dispute_resolved", "Captured", "disputed", ""},
	{"checkout", "request_for_information_received", "Captured", "disputed", ""},
	{"checkout", "dispute_won", "Captured", "captured (final)", ""},
	{"checkout", "dispute_canceled", "Captured", "captured (final)", ""},
	{"checkout", "dispute_arbitration_won", "Captured", "captured (final)", ""},
	{"checkout", "dispute_lost", "Captured", "charged_back (final)", ""},
	{"checkout", "dispute_accepted", "Captured", "charged_back (final)", ""},
	{"checkout", "dispute_expired", "Captured", "charged_back (final)", ""},
	{"checkout", "dispute_arbitration_lost", "Captured", "charged_back (final)", ""},
	{"checkout", "payment_risk_matched", "Authorized", "", ""},
	{"checkout", "payment_optimized", "Authorized", "", ""},
	{"checkout", "payment_compliance_review", "Authorized", "", ""},
	{"checkout", "fraud_reported", "Captured", "", ""},

	{"antom", "PAYMENT_RESULT", "PROCESSING", "captured (final)", "ALIPAY_CN"},
	{"antom", "PAYMENT_RESULT", "PROCESSING", "authorized", "CARD"},
	{"antom", "PAYMENT_RESULT PROCESS_FAIL", "PROCESSING", "failed (final)", ""},
	{"antom", "PAYMENT_RESULT RISK_REJECT", "PROCESSING", "declined (final)", ""},
	{"antom", "PAYMENT_PENDING", "PROCESSING", "", ""},             // states no time, so the query's requires_action is what is known
	{"antom", "CAPTURE_RESULT", "SUCCESS", "captured (final)", ""}, // names Antom's id alone
	{"antom", "CAPTURE_RESULT PROCESS_FAIL", "SUCCESS", "", ""},
	{"antom", "REFUND_RESULT", "SUCCESS CAPTURE", "", ""}, // names no payment
	{"antom", "REFUND_RESULT FAIL", "SUCCESS CAPTURE", "", ""},
	{"antom", "REFUND_RESULT PROCESSING", "SUCCESS CAPTURE", "", ""},
	{"antom", "UPDATE_AMOUNT_RESULT", "SUCCESS", "", ""},
	{"antom", "UPDATE_AMOUNT_RESULT PROCESS_FAIL", "SUCCESS", "", ""},
	{"antom", "OFFLINE_PAYMENT_CODE", "PROCESSING", "", ""},
	{"antom", "DISPUTE_CREATED", "SUCCESS CAPTURE", "disputed", ""},
	{"antom", "DEFENSE_SUPPLIED", "SUCCESS CAPTURE", "disputed", ""},
	{"antom", "DEFENSE_DUE_ALERT", "SUCCESS CAPTURE", "disputed", ""},
	{"antom", "DISPUTE_JUDGED ACCEPT_BY_MERCHANT", "SUCCESS CAPTURE", "charged_back (final)", ""},
	{"antom", "DISPUTE_JUDGED ACCEPT_BY_CUSTOMER", "SUCCESS CAPTURE", "captured (final)", ""},
	{"antom", "DISPUTE_JUDGED VALIDATE_SUCCESS", "SUCCESS CAPTURE", "captured (final)", ""},
	{"antom", "DISPUTE_JUDGED VALIDATE_FAIL", "SUCCESS CAPTURE", "disputed", ""},
	{"antom", "DISPUTE_ACCEPTED", "SUCCESS CAPTURE", "charged_back (final)", ""},
	{"antom", "RDR_RESOLVED", "SUCCESS CAPTURE", "charged_back (final)", ""},
	{"antom", "DISPUTE_CANCELLED", "SUCCESS CAPTURE", "captured (final)", ""},
	{"antom", "TOKEN_CREATED", "PROCESSING", "", ""},

	{"worldpay", "sentForAuthorization", "Authorized", "", ""},
	{"worldpay", "authorized", "Sent for Authorization", "authorized", ""},
	{"worldpay", "sentForSettlement", "Authorized", "capture_pending (final)", ""},
	{"worldpay", "settlementInstructed", "Authorized", "capture_pending (final)", ""},
	{"worldpay", "settled", "Sent for Settlement", "captured (final)", ""},
	{"worldpay", "settlementFailed", "Sent for Settlement", "failed", ""},
	{"worldpay", "settlementRejected", "Sent for Settlement", "failed", ""},
	{"worldpay", "refused", "Sent for Authorization", "declined", ""}, // by a reference that can be paid again under
	{"worldpay", "error", "Sent for Authorization", "failed", ""},
	{"worldpay", "expired", "Authorized", "expired", ""},
	{"worldpay", "requestExpired", "Sent for Authorization", "expired", ""},
	{"worldpay", "cancelled", "Authorized", "canceled", ""},
	{"worldpay", "cancelledByCustomer", "Sent for Authorization", "canceled", ""},
	{"worldpay", "sentForRefund", "Sent for Settlement", "refund_pending (final)", ""},
	{"worldpay", "refunded", "Sent for Refund", "refunded (final)", ""},
	{"worldpay", "refundFailed", "Sent for Refund", "refund_failed (final)", ""},
	{"worldpay", "informationRequested", "Sent for Settlement", "disputed", ""},
	{"worldpay", "chargedBack", "Sent for Settlement", "charged_back (final)", ""},
	{"worldpay", "chargebackReversed", "Sent for Settlement", "capture_pending (final)", ""},
	{"worldpay", "tokenCreated", "Authorized", "", ""},
	{"worldpay", "topUpAccepted", "Authorized", "", ""},
	{"worldpay", "topUpRejected", "Authorized", "", ""},
	{"worldpay", "pending", "Authorized", "", ""}, // of a payout

	{"liquido", "CHARGE_SUCCEEDED", "IN_PROGRESS", "captured (final)", ""},
	{"liquido", "CHARGE_SUCCEEDED AUTHORIZED", "IN_PROGRESS", "authorized", ""},
	{"liquido", "CHARGE_SUCCEEDED IN_PROGRESS", "IN_PROGRESS", "", ""},
	{"liquido", "CHARGE_FAILED", "IN_PROGRESS", "declined (final)", ""},
	{"liquido", "CHARGE_FAILED CANCELLED", "IN_PROGRESS", "canceled (final)", ""},
	{"liquido", "CHARGE_FAILED EXPIRED", "IN_PROGRESS", "expired (final)", ""},
	{"liquido", "CHARGE_CHARGED_BACK", "SETTLED", "charged_back (final)", ""},
	{"liquido", "CHARGE_REFUND_SUCCEEDED", "SETTLED", "refunded (final)", ""},
	{"liquido", "CHARGE_REFUND_FAILED", "SETTLED", "refund_failed (final)", ""},
}

func TestEveryTypeOfNotificationLeadsToTheRightStatusEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.options.Schedule = func(string, string) watch.Schedule { return seldom }
	posts := w.webhooks(nil)
	stop := w.start()
	defer stop()

	tested := map[string]bool{}
	for i, n := range everyType {
		tested[n.provider+" "+n.kind] = true
		w.notifiable(n, fmt.Sprintf("p-%d", i))
	}
	for _, s := range w.simulators() {
		for _, kind := range s.NotificationTypes() {
			assert.True(t, tested[s.Name()+" "+kind.Type], "%s %s is not tested", s.Name(), kind.Type)
		}
	}
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == len(everyType) }, "what the queries show is said")
	before := w.Events()
	for i, n := range everyType {
		id := fmt.Sprintf("p-%d", i)
		require.NoError(t, w.Sandbox.Store(n.provider).Notify(id, sandbox.Notify{Type: n.kind, Fields: about(n)}), "%v", n)
	}
	w.Eventually(func() bool { return w.Count(w.Topics.Notified) >= len(everyType) }, "every notification is accepted")
	w.heard()
	first := map[string]string{}
	for _, e := range before {
		first[e.Data.PaymentID] = e.ID
	}
	after := map[string][]pipelinetest.Event{}
	for _, e := range w.Events() {
		after[e.Data.PaymentID] = append(after[e.Data.PaymentID], e)
	}
	for i, n := range everyType {
		events, id := after[fmt.Sprintf("p-%d", i)], fmt.Sprintf("p-%d", i)
		require.NotEmpty(t, events)
		assert.Equal(t, first[id], events[0].ID)
		if n.want == "" {
			assert.Len(t, events, 1, "%v: %v", n, statuses(events))
			continue
		}
		if !assert.Len(t, events, 2, "%v: %v", n, statuses(events)) {
			continue
		}
		assert.Equal(t, n.want, statuses(events)[1], "%v", n)
		said := events[1].Data
		assert.Equal(t, schemas.SourceNotification, said.Source, "%v", n)
		assert.Equal(t, schemas.CauseNotification, said.Cause, "%v", n)
		sum := sha256.Sum256([]byte(said.Raw.Body))
		assert.Equal(t, said.Raw.SHA256, hex.EncodeToString(sum[:]), "%v", n)
		assert.True(t, posts.has(said.Raw.SHA256), "%v: the event's raw body is not what was posted, byte for byte", n)
	}
	assert.Empty(t, w.deadLetters())
}

// notifiable makes the payment that a notification will be about.
func (w *world) notifiable(n notified, id string) {
	w.T.Helper()
	script := sandbox.Script{Amount: sandbox.Amount{Value: 5000, Currency: "COP"}, Method: n.method, Steps: []sandbox.Step{{Status: n.before}}}
	reference := map[string]any{"reference": id}
	switch n.provider {
	case "checkout":
		pay := "pay_" + strings.Repeat("a", 26-len(id)) + strings.ReplaceAll(id, "-", "0")
		script.Aliases = []string{pay}
		reference = map[string]any{"payment_id": pay}
	case "antom":
		script.Aliases = []string{"20260101" + id} // Antom's id of the payment
		reference = map[string]any{"payment_request_id": id}
	case "worldpay":
		reference = map[string]any{"transaction_reference": id}
	case "liquido":
		reference = map[string]any{"idempotency_key": id}
	}
	require.NoError(w.T, w.Sandbox.Store(n.provider).Put(id, script))
	w.Initiate(initiated(id, n.provider, 5000, "COP", reference))
}

// about are what a type needs beside what the sandbox knows: a card verification is of nothing, and the clocks of Antom and Liquido
// tick once a second, so that what they tell may have happened no later than what a query has shown.
func about(n notified) map[string]any {
	switch {
	case n.kind == "CAPTURE_RESULT":
		return map[string]any{"captureTime": time.Now().UTC().Add(2 * time.Second).Format(time.RFC3339)}
	case strings.HasPrefix(n.kind, "card_verif"):
		return map[string]any{"amount": 0}
	case n.provider == "liquido":
		return map[string]any{"finalStatusTime": time.Now().UTC().Add(2 * time.Second).Format("2006-01-02 15:04:05 GMT-07:00")}
	default:
		return nil
	}
}

// simulators are those of the world's sandbox.
func (w *world) simulators() []sandbox.Notifier {
	all := make([]sandbox.Notifier, 0, len(pipeline.ProviderNames()))
	for _, s := range []sandbox.Simulator{sandbox.Checkout(), sandbox.Antom(), sandbox.Worldpay(), sandbox.Liquido()} {
		n, ok := s.(sandbox.Notifier)
		require.True(w.T, ok)
		all = append(all, n)
	}
	return all
}

// heard waits until every notification was handled, and every check that it asked for. What sleeps in a tier may sleep on.
func (w *world) heard() {
	w.T.Helper()
	w.Eventually(func() bool {
		for _, handler := range []string{handlers.NameNotification, handlers.NameCheck} { // in this order: one writes for the other
			if w.Lag(pipeline.GroupOf(w.options.Group, handler), w.Topics.Consumed()[handler]) > 0 {
				return false
			}
		}
		return true
	}, "every notification is handled")
}

func TestTheSameNotificationTwiceIsOneChangeAndAnOlderOneAfterANewerIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.options.Schedule = func(string, string) watch.Schedule { return seldom }
	w.webhooks(nil)
	stop := w.start()
	defer stop()
	for _, id := range []string{"twice", "reordered"} {
		w.notifiable(notified{provider: "worldpay", before: "Sent for Authorization"}, id)
	}
	w.Eventually(func() bool { return len(w.Events()) == 2 }, "two payments are pending")
	store := w.Sandbox.Store("worldpay")
	notify := func(id string, n sandbox.Notify, total int) {
		require.NoError(t, store.Notify(id, n))
		w.Eventually(func() bool { return w.Count(w.Topics.Notified) >= total }, "the notifications are accepted")
	}
	notify("twice", sandbox.Notify{Type: "sentForSettlement", Times: 3}, 3)
	notify("twice", sandbox.Notify{Type: "sentForSettlement"}, 4)
	notify("reordered", sandbox.Notify{Type: "sentForSettlement"}, 5)
	notify("reordered", sandbox.Notify{Type: "authorized"}, 6)
	w.heard()
	assert.Equal(t, []string{"pending", "capture_pending (final)"}, statuses(w.EventsOf("twice")))
	assert.Equal(t, []string{"pending", "capture_pending (final)"}, statuses(w.EventsOf("reordered")))
	assert.Empty(t, w.deadLetters())
}

func TestAPartOnlyAsksAndAnUnknownTypeDoesToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.options.Schedule = func(string, string) watch.Schedule { return seldom }
	w.webhooks(nil)
	stop := w.start()
	defer stop()
	kinds := map[string]func(id string){
		"a-part-refunded": func(id string) {
			require.NoError(t, w.Sandbox.Store("worldpay").Notify(id, sandbox.Notify{Type: "refunded", Fields: map[string]any{
				"reference": "part-1", "amount": map[string]any{"value": 100, "currencyCode": "COP"},
			}}))
		},
		"an-unknown-type": func(id string) {
			require.NoError(t, w.Sandbox.Store("worldpay").Notify(id, sandbox.Notify{Type: "settled", Fields: map[string]any{"type": "painted"}}))
		},
	}
	for id := range kinds {
		w.notifiable(notified{provider: "worldpay", before: "Sent for Settlement"}, id)
	}
	w.Eventually(func() bool { return len(w.Events()) == len(kinds) }, "what the queries show is said")
	for id, notify := range kinds {
		asked := w.Sandbox.Store("worldpay").Answers(id)
		notify(id)
		w.Eventually(func() bool { return w.Sandbox.Store("worldpay").Answers(id) > asked }, id+": the provider is asked now")
	}
	w.heard()
	for id := range kinds {
		assert.Equal(t, []string{"capture_pending (final)"}, statuses(w.EventsOf(id)), id)
	}
	assert.Empty(t, w.deadLetters())
}

func TestANotificationAboutAnotherAmountIsADeadLetterAndNoStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.options.Schedule = func(string, string) watch.Schedule { return seldom }
	w.webhooks(nil)
	stop := w.start()
	defer stop()
	w.notifiable(notified{provider: "checkout", before: "Pending"}, "p")
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == 1 }, "the payment is pending")
	require.NoError(t, w.Sandbox.Store("checkout").Notify("p", sandbox.Notify{Type: "payment_approved", Fields: map[string]any{"amount": 1}}))
	w.Eventually(func() bool { return len(w.deadLetters()) == 1 }, "a dead letter")
	w.heard()
	letter := w.deadLetters()[0]
	assert.Equal(t, "mismatch", pipelinetest.Header(letter, "paystatus_reason"))
	assert.Contains(t, pipelinetest.Header(letter, "paystatus_detail"), "other_amount")
	answer, err := base64.StdEncoding.DecodeString(pipelinetest.Header(letter, "paystatus_answer"))
	require.NoError(t, err)
	assert.Contains(t, string(answer), `"amount":1,`)
	assert.Equal(t, []string{"pending"}, statuses(w.EventsOf("p")))
}

func TestWhatIsNotAuthenticNeverBecomesAStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.options.Schedule = func(string, string) watch.Schedule { return seldom }
	w.webhooks(nil)
	stop := w.start()
	defer stop()
	w.notifiable(notified{provider: "liquido", before: "IN_PROGRESS"}, "p")
	w.Eventually(func() bool { return len(w.Events()) == 1 }, "the payment is pending")
	asked := w.asked("p")

	body, signature := sandbox.LiquidoCallback("CHARGE_SUCCEEDED", sandbox.Payment{
		Reference: "p", Status: "SETTLED", Script: sandbox.Script{Amount: sandbox.Amount{Value: 5000, Currency: "COP"}},
	}, time.Now().Add(-time.Hour))
	produce := func(signature string, received time.Time) {
		w.Produce(w.Topics.Notified, "", body, header("paystatus_provider", "liquido"), header("paystatus_account", "default"),
			header("paystatus_received_at", received.UTC().Format(time.RFC3339Nano)), header("paystatus_path", "/hooks"),
			header("http_liquido-signature", signature))
	}
	produce(signature+"00", time.Now().Add(-time.Hour))
	produce("", time.Now().Add(-time.Hour))
	produce(signature, time.Now())
	w.Eventually(func() bool { return len(w.deadLetters()) == 3 }, "three dead letters")
	for _, letter := range w.deadLetters() {
		assert.Equal(t, "bad_signature", pipelinetest.Header(letter, "paystatus_reason"))
		assert.Equal(t, "notification", pipelinetest.Header(letter, "paystatus_handler"))
		assert.Equal(t, body, letter.Value)
	}
	assert.Equal(t, asked, w.asked("p"), "nobody was asked for their sake")
	assert.Equal(t, []string{"pending"}, statuses(w.EventsOf("p")))

	produce(signature, time.Now().Add(-time.Hour).Add(4*time.Minute))
	w.Eventually(func() bool { return len(w.EventsOf("p")) == 2 }, "its age counts from its receipt, an hour ago")
	assert.Equal(t, "captured (final)", statuses(w.EventsOf("p"))[1])
}

func TestATrustedProducerNeedsNoSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.options.Schedule = func(string, string) watch.Schedule { return seldom }
	w.options.TrustProducer = true
	stop := w.start()
	defer stop()
	w.notifiable(notified{provider: "liquido", before: "IN_PROGRESS"}, "p")
	w.Eventually(func() bool { return len(w.Events()) == 1 }, "the payment is pending")
	body, _ := sandbox.LiquidoCallback("CHARGE_SUCCEEDED", sandbox.Payment{
		Reference: "p", Status: "SETTLED", Script: sandbox.Script{Amount: sandbox.Amount{Value: 5000, Currency: "COP"}},
	}, time.Now())
	w.Produce(w.Topics.Notified, "any key", body, header("paystatus_provider", "liquido"))
	w.Eventually(func() bool { return len(w.EventsOf("p")) == 2 }, "the notification counts")
	assert.Equal(t, []string{"pending", "captured (final)"}, statuses(w.EventsOf("p")))
}

func TestWhileNobodyTellsWhosePaymentItIsANotificationWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.options.Schedule = func(string, string) watch.Schedule { return seldom }
	w.webhooks(nil)
	stop := w.start()
	defer stop()
	n := notified{provider: "antom", kind: "CAPTURE_RESULT", before: "SUCCESS", method: "CARD"}
	w.notifiable(n, "p")
	w.Eventually(func() bool { return len(w.Events()) == 1 }, "the payment is authorized")
	store := w.Sandbox.Store("antom")
	answers := func(fault string) {
		require.NoError(t, store.Put("p", sandbox.Script{
			Amount: sandbox.Amount{Value: 5000, Currency: "COP"}, Method: n.method, Aliases: []string{"20260101p"},
			Steps: []sandbox.Step{{Status: n.before, Fault: fault}},
		}))
	}
	answers(sandbox.Fault503)
	captured := time.Now().UTC().Add(time.Hour).Format(time.RFC3339) // later than any query's
	require.NoError(t, store.Notify("p", sandbox.Notify{Type: n.kind, Fields: map[string]any{"captureTime": captured}}))
	tier := w.Topics.Tier("1s")
	w.Eventually(func() bool { return w.Count(tier) > 1 }, "it has waited twice")
	answers("")
	w.Eventually(func() bool { return len(w.Events()) == 2 }, "the provider tells whose it is")
	assert.Equal(t, []string{"authorized", "captured (final)"}, statuses(w.EventsOf("p")))
	assert.Empty(t, w.deadLetters())
}

func TestANotificationOfAnUnknownPaymentIsADeadLetterAfterTheGraceOrIgnored(t *testing.T) {
	t.Parallel()
	for name, ignore := range map[string]bool{"dead letter": false, "ignored": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pipelinetest.Embedded(t))
			var short atomic.Bool
			w.options.Schedule = func(string, string) watch.Schedule {
				s := quick
				if short.Load() {
					s.NotFoundGrace = 3 * time.Second
				}
				return s
			}
			w.options.IgnoreUnknownPayments = ignore
			w.webhooks(nil)
			stop := w.start()
			defer stop()
			w.Scripted("late", sandbox.Step{Status: "SETTLED", Notify: &sandbox.Notify{}})
			w.Eventually(func() bool { return w.asked("late") > 0 }, "it is asked about")
			w.Initiate(initiated("late", "liquido", 300, "COP", map[string]any{"idempotency_key": "late"}))
			w.Eventually(func() bool { return len(w.EventsOf("late")) == 1 }, "the initiated event brings the context")
			short.Store(true)
			w.Scripted("nobody's", sandbox.Step{Status: "SETTLED", Notify: &sandbox.Notify{}})
			w.Eventually(func() bool { return w.asked("nobody's") > 0 }, "the other one is asked about")
			asked := 0
			w.Eventually(func() bool {
				before := asked
				asked = w.asked("nobody's")
				return asked == before && w.Idle() && (ignore || len(w.deadLetters()) == 1)
			}, "it is given up")
			assert.Empty(t, w.EventsOf("nobody's"))
			for _, letter := range w.deadLetters() {
				assert.Equal(t, "no_context", pipelinetest.Header(letter, "paystatus_reason"))
				assert.Equal(t, "nobody's", string(letter.Key))
			}
			assert.Equal(t, []string{"captured (final)"}, statuses(w.EventsOf("late")))
		})
	}
}

func TestTwoDisputesOneWonAndOneLostEachReachTheConsumerOnce(t *testing.T) {
	t.Parallel()
	first, second := map[string]any{"id": "dsp_aaaaaaaaaaaaaaaaaaaa"}, map[string]any{"id": "dsp_bbbbbbbbbbbbbbbbbbbb"}
	type sent struct {
		kind   string
		fields map[string]any
	}
	for provider, tc := range map[string]struct {
		before, said  string // in the provider's words and ours
		first, second []sent
	}{
		"checkout": {
			"Captured", "captured (final)",
			[]sent{{"dispute_received", first}, {"dispute_won", first}},
			[]sent{{"dispute_received", second}, {"dispute_lost", second}, {"dispute_won", first}}, // again, much later
		},
		"worldpay": { // gives disputes no id
			"Sent for Settlement", "capture_pending (final)",
			[]sent{{"informationRequested", nil}, {"chargebackReversed", nil}},
			[]sent{{"informationRequested", nil}, {"chargedBack", nil}},
		},
	} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pipelinetest.Embedded(t))
			w.options.Schedule = func(string, string) watch.Schedule { return seldom }
			w.webhooks(nil)
			stop := w.start()
			w.notifiable(notified{provider: provider, before: tc.before}, "p")
			w.Eventually(func() bool { return len(w.Events()) == 1 }, "the payment is captured")
			total := 0
			notify := func(all []sent) {
				for _, n := range all {
					total += 2
					require.NoError(t, w.Sandbox.Store(provider).Notify("p", sandbox.Notify{Type: n.kind, Times: 2, Fields: n.fields}))
					w.Eventually(func() bool { return w.Count(w.Topics.Notified) >= total }, "accepted")
				}
				w.heard()
			}
			notify(tc.first)
			stop()
			stop = w.start()
			defer stop()
			notify(tc.second)

			events := w.EventsOf("p")
			require.Equal(t, []string{tc.said, "disputed", tc.said, "disputed", "charged_back (final)"}, statuses(events))
			ids := map[string]bool{}
			for _, e := range events {
				ids[e.ID] = true
			}
			assert.Len(t, ids, len(events), "each has an id of its own")
			one, other := events[1].Data.Dispute.ID, events[3].Data.Dispute.ID
			assert.NotEqual(t, one, other)
			assert.Equal(t, schemas.Dispute{ID: one, Outcome: schemas.DisputeWon}, *events[2].Data.Dispute)
			assert.Equal(t, schemas.Dispute{ID: other, Outcome: schemas.DisputeLost}, *events[4].Data.Dispute)
		})
	}
}

// forgetful is a publisher that writes and does not live to tell, the first time.
type forgetful struct {
	message.Publisher

	once sync.Once
}

func (f *forgetful) Publish(topic string, messages ...*message.Message) (err error) {
	err = f.Publisher.Publish(topic, messages...)
	f.once.Do(func() { err = errors.Join(err, errKilled) })
	return err
}

func TestAKillBetweenAnyTwoStepsLosesNoNotificationThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	testNotifiedKillPoints(t, pipelinetest.Embedded(t))
}

func testNotifiedKillPoints(t *testing.T, brokers []string) {
	t.Helper()
	// The writes of the pipeline from the notification on: the check; the event, the next check; and before them none: the
	// process dies before it has read the notification.
	const writes = 3
	for n := 0; n <= writes; n++ {
		t.Run(fmt.Sprintf("after write %d", n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, brokers)
			w.options.Schedule = func(string, string) watch.Schedule { return seldom }
			w.webhooks(func(p message.Publisher) message.Publisher { return &forgetful{Publisher: p} })
			w.notifiable(notified{provider: "liquido", before: "IN_PROGRESS"}, "p")
			stop := w.start()
			w.Eventually(func() bool { return len(w.EventsOf("p")) == 1 }, "the payment is pending")
			w.heard()
			stop()

			d := &dying{dead: make(chan struct{})}
			d.left.Store(int64(n))
			options := w.options
			options.Around = func(p message.Publisher) message.Publisher {
				d.Publisher = p
				return d
			}
			if n > 0 {
				stop = w.StartWith(options)
			}
			require.NoError(t, w.Sandbox.Store("liquido").Notify("p", sandbox.Notify{Type: "CHARGE_SUCCEEDED"}))
			w.Eventually(func() bool { return len(w.Records(w.Topics.Notified)) >= 2 }, "the endpoint died before it answered; the provider sent again")
			if n > 0 {
				<-d.dead
				stop()
			}

			stop = w.start()
			defer stop()
			w.Eventually(func() bool { return len(w.EventsOf("p")) > 1 }, "what was acknowledged is said")
			w.heard()
			ids := map[string]string{}
			for _, e := range w.EventsOf("p") {
				ids[e.ID] = string(e.Data.Status)
			}
			assert.Len(t, ids, 2, "one id for one change, however often it was said")
			assert.Equal(t, "captured (final)", statuses(w.EventsOf("p"))[1])
			assert.Empty(t, w.deadLetters())
		})
	}
}

func TestTheRecordsOfTheTopicAreAsPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.webhooks(nil)
	want := map[string][]string{
		"checkout": {"http_authorization", "http_cko-signature"}, "antom": {"http_client-id", "http_request-time", "http_signature"},
		"worldpay": {"http_event-signature"}, "liquido": {"http_liquido-signature"},
	}
	for _, s := range w.simulators() {
		script := sandbox.Script{Steps: []sandbox.Step{{Status: s.NotificationTypes()[0].Status, Notify: &sandbox.Notify{}}}}
		require.NoError(t, w.Sandbox.Store(s.Name()).Put(s.Name()+"-1", script))
	}
	w.Eventually(func() bool { return len(w.Records(w.Topics.Notified)) >= len(want) }, "four notifications")
	for _, r := range w.Records(w.Topics.Notified) {
		provider := pipelinetest.Header(r, "paystatus_provider")
		assert.Equal(t, provider+"-1", string(r.Key), "the merchant's reference")
		assert.Equal(t, "default", pipelinetest.Header(r, "paystatus_account"))
		assert.Equal(t, "/notifications/"+provider+"/default", pipelinetest.Header(r, "paystatus_path"))
		at, err := time.Parse(time.RFC3339, pipelinetest.Header(r, "paystatus_received_at"))
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), at, time.Minute)
		var named []string
		for _, h := range r.Headers {
			if name, ok := strings.CutPrefix(h.Key, "http_"); ok && name != "content-type" {
				named = append(named, h.Key)
			}
		}
		assert.ElementsMatch(t, want[provider], named)
		assert.NotEmpty(t, pipelinetest.Header(r, "http_content-type"))
		headers := map[string]string{}
		for _, h := range r.Headers {
			headers[h.Key] = string(h.Value)
		}
		schematest.ValidateNotified(t, headers)
	}
}
