package handlers

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// redrivenRecord is the record on the topic of redriven letters that a dead letter becomes, as the command writes it.
func redrivenRecord(letter Out, count string) Message {
	headers := append(slices.Clone(letter.Headers), Header{Key: HeaderRedriveCount, Value: []byte(count)})
	return Message{
		Topic: "paystatus.redriven", Partition: 1, Offset: 9, Time: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
		Key: letter.Key, Value: letter.Value, Headers: headers,
	}
}

// headersOf are a record's headers by name.
func headersOf(o Out) map[string]string {
	all := map[string]string{}
	for _, h := range o.Headers {
		all[h.Key] = string(h.Value)
	}
	return all
}

func newRedriven(intake *Intake) *Redriven {
	return &Redriven{Intake: intake.Handle, Notification: func(context.Context, Message) (Result, error) { return Result{}, nil }}
}

var firstRecord = Message{
	Topic: "payments.initiated", Partition: 3, Offset: 7, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	Key: []byte("any key"), Value: []byte(goodEvent), Headers: []Header{{Key: "traceparent", Value: []byte("00-trace")}},
}

// letterFor is the dead letter that intake makes of a record while it knows no provider.
func letterFor(t *testing.T, m Message) Out {
	t.Helper()
	result, err := (&Intake{}).Handle(t.Context(), m)
	require.NoError(t, err)
	require.Len(t, result.Out, 1)
	require.Equal(t, ToDeadLetters, result.Out[0].To)
	return result.Out[0]
}

func TestALetterOfIntakeIsGivenBackToIntake(t *testing.T) {
	t.Parallel()
	m := redrivenRecord(letterFor(t, firstRecord), "2")
	result, err := newRedriven(newIntake()).Handle(t.Context(), m)
	require.NoError(t, err)
	require.Len(t, result.Out, 1)
	require.Equal(t, ToChecks, result.Out[0].To)
	check, err := watch.DecodeCheck(result.Out[0].Value)
	require.NoError(t, err)
	assert.Equal(t, watch.KindInitiated, check.Kind)
	assert.Equal(t, &watch.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Time: m.Time}, check.Origin, "giving back is an act of now")
	assert.Equal(t, "00-trace", check.Context.Traceparent, "the original headers are read")
	assert.Equal(t, map[string]string{HeaderRedriveCount: "2"}, headersOf(result.Out[0]), "a conflict that it leads to remembers the count")
}

func TestALetterGivenUpAgainIsTheSameLetterWithANewReason(t *testing.T) {
	t.Parallel()
	letter := letterFor(t, firstRecord)
	result, err := newRedriven(&Intake{Providers: map[string]providers.Provider{"liquido": none{}}}).Handle(t.Context(), redrivenRecord(letter, "1"))
	require.NoError(t, err)
	require.Len(t, result.Out, 1)
	again := result.Out[0]
	assert.Equal(t, ToDeadLetters, again.To)
	assert.True(t, bytes.Equal(letter.Value, again.Value), "the exact bytes")
	assert.Equal(t, "any key", string(again.Key))
	assert.Equal(t, letter.Headers[0], again.Headers[0], "the original headers")

	was, is := headersOf(letter), headersOf(again)
	assert.Equal(t, "unknown_account", is[HeaderReason])
	assert.Equal(t, "1", is[HeaderRedriveCount])
	for _, name := range []string{HeaderTopic, HeaderPartition, HeaderOffset, HeaderHandler, "traceparent"} {
		assert.Equal(t, was[name], is[name], name)
	}
	assert.Len(t, again.Headers, len(letter.Headers)+1)
}

// none is a provider without an account.
type none struct{ plain }

func (none) Accounts() []string { return nil }

func TestALetterOfTheCheckHandlerIsARepeat(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	key := schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: "p"}
	known := &watch.Context{Amount: schemas.Amount{Value: 1, Currency: "EUR"}, Reference: schemas.Reference{"key": "k"}, InitiatedAt: now, Capture: "automatic"}
	evidence := &watch.Evidence{From: schemas.SourceNotification, Body: []byte(`{"a":1}`), ReceivedAt: now}
	for name, tc := range map[string]struct{ check, want watch.Check }{
		"of a payment that is known: the old step is gone": {
			check: watch.Check{PaymentKey: key, Kind: watch.KindChain, Place: watch.Place{Epoch: 2, Step: 5}, Context: known, Phase: watch.PhaseRefund, Attempt: 9},
			want:  watch.Check{PaymentKey: key, Kind: watch.KindRepeat, Context: known, Cause: schemas.CauseRedrive},
		},
		"of a payment without context: a notification": {
			check: watch.Check{PaymentKey: key, Kind: watch.KindChain, Place: watch.Place{Step: 5}, Evidence: evidence},
			want:  watch.Check{PaymentKey: key, Kind: watch.KindNotification, Evidence: evidence, Cause: schemas.CauseRedrive},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, err := tc.check.Encode()
			require.NoError(t, err)
			letter := deadLetter(Message{Topic: "paystatus.checks", Key: []byte("p"), Value: value}, NameCheck, watch.CodeMismatch, "x", now, &answer{body: []byte("{}")})
			result, err := newRedriven(newIntake()).Handle(t.Context(), redrivenRecord(letter, "3"))
			require.NoError(t, err)
			require.Len(t, result.Out, 1)
			require.Equal(t, ToChecks, result.Out[0].To)
			assert.Equal(t, "p", string(result.Out[0].Key))
			assert.Equal(t, map[string]string{HeaderRedriveCount: "3"}, headersOf(result.Out[0]))
			check, err := watch.DecodeCheck(result.Out[0].Value)
			require.NoError(t, err)
			tc.want.Version = watch.Version
			assert.Equal(t, tc.want, check)
		})
	}
}

func TestALetterThatCannotBeGivenBackIsGivenUpAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ handler, value, reason, says string }{
		"not a check":                {NameCheck, "garbage", "invalid_check", "not a check"},
		"a check of no payment":      {NameCheck, `{"v":1}`, "invalid_check", "no payment"},
		"a check of another version": {NameCheck, `{"v":7,"payment_id":"p"}`, "invalid_check", "version 7"},
		"of a handler without name":  {"", "x", "invalid_envelope", "no handler"},
		"of an unknown handler":      {"wake.5s", "x", "invalid_envelope", "wake.5s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			letter := deadLetter(Message{Topic: "somewhere", Partition: 2, Offset: 4, Value: []byte(tc.value)}, tc.handler, CodeInternalError, "x", time.Now(), nil)
			result, err := newRedriven(newIntake()).Handle(t.Context(), redrivenRecord(letter, "1"))
			require.NoError(t, err)
			require.Len(t, result.Out, 1)
			assert.Equal(t, ToDeadLetters, result.Out[0].To)
			assert.Equal(t, tc.value, string(result.Out[0].Value))
			is := headersOf(result.Out[0])
			assert.Equal(t, tc.reason, is[HeaderReason])
			assert.Contains(t, is[HeaderDetail], tc.says)
			assert.Equal(t, "somewhere/2/4", is[HeaderTopic]+"/"+is[HeaderPartition]+"/"+is[HeaderOffset])
			assert.Equal(t, "1", is[HeaderRedriveCount])
			if tc.handler == NameCheck {
				assert.Equal(t, NameCheck, is[HeaderHandler], "another version may take it back")
			}
		})
	}
}

func TestAPanicOnALetterLeavesItWithItsHandler(t *testing.T) {
	t.Parallel()
	is := headersOf(Abandon(NameRedriven, redrivenRecord(letterFor(t, firstRecord), "1")).Out[0])
	assert.Equal(t, map[string]string{
		HeaderReason: "internal_error", HeaderHandler: NameIntake, HeaderTopic: "payments.initiated", HeaderPartition: "3", HeaderOffset: "7",
		HeaderRedriveCount: "1", "traceparent": "00-trace", HeaderDetail: is[HeaderDetail], HeaderFailedAt: is[HeaderFailedAt],
	}, is)
	assert.Equal(t, NameIntake, headersOf(Abandon(NameIntake, firstRecord).Out[0])[HeaderHandler])
}

func TestANotificationGivenBackKeepsTheTimeItCameAt(t *testing.T) {
	t.Parallel()
	came := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tc := range map[string]struct {
		headers []Header
		want    string
	}{
		"as its receiver wrote it":                 {[]Header{{Key: HeaderReceivedAt, Value: []byte("2026-01-02T03:00:00Z")}}, "2026-01-02T03:00:00Z"},
		"else not later than when it was given up": {nil, "2026-01-02T03:04:05Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen Message
			h := &Redriven{Notification: func(_ context.Context, m Message) (Result, error) { seen = m; return Result{}, nil }}
			letter := deadLetter(Message{Topic: "payments.notified", Value: []byte("x"), Headers: tc.headers}, NameNotification, CodeBadSignature, "x", came, nil)
			_, err := h.Handle(t.Context(), redrivenRecord(letter, "1"))
			require.NoError(t, err)
			assert.Equal(t, tc.want, pageOf(seen).ReceivedAt.UTC().Format(time.RFC3339))
		})
	}
}

func TestAboutTellsThePaymentThatAMessageClaimsToBeAbout(t *testing.T) {
	t.Parallel()
	read := func(name string) providers.Provider {
		return map[string]providers.Provider{"liquido": notifies{}}[name]
	}
	check, err := watch.Check{PaymentKey: schemas.PaymentKey{Provider: "antom", Account: "eu", PaymentID: "p-9"}}.Encode()
	require.NoError(t, err)
	structured := `{"specversion":"1.0","id":"1","source":"/x","type":"payment.initiated","data":` + goodEvent + `}`
	from := func(provider string) []Header { return []Header{{Key: HeaderProvider, Value: []byte(provider)}} }
	for name, tc := range map[string]struct {
		handler, value string
		headers        []Header
		want           schemas.PaymentKey
	}{
		"a bare event":            {NameIntake, goodEvent, nil, schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: "p"}},
		"a structured event":      {NameIntake, structured, nil, schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: "p"}},
		"an event full of faults": {NameIntake, `{"payment_id":"q","provider":"paypal","account":"x","amount":-1}`, nil, schemas.PaymentKey{Provider: "paypal", Account: "x", PaymentID: "q"}},
		"no event":                {NameIntake, "hello", nil, schemas.PaymentKey{PaymentID: "the key"}},
		"a check":                 {NameCheck, string(check), nil, schemas.PaymentKey{Provider: "antom", Account: "eu", PaymentID: "p-9"}},
		"no check":                {NameCheck, "hello", nil, schemas.PaymentKey{PaymentID: "the key"}},
		"a notification":          {NameNotification, "p-7", from("liquido"), schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: "p-7"}},
		"one of nobody":           {NameNotification, "p-7", from("paypal"), schemas.PaymentKey{Provider: "paypal", Account: "default", PaymentID: "the key"}},
	} {
		assert.Equal(t, tc.want, About(tc.handler, Message{Key: []byte("the key"), Value: []byte(tc.value), Headers: tc.headers}, read), name)
	}
}

// notifies is a provider whose notifications hold but the merchant's reference.
type notifies struct{ plain }

func (notifies) Read(a providers.Answer, _ providers.Payment) providers.Outcome {
	return providers.Outcome{Kind: providers.Observed, MerchantReference: string(a.Last().Body)}
}

func TestTheCountTravelsIntoAConflict(t *testing.T) {
	t.Parallel()
	m := Message{Topic: "paystatus.checks", Value: []byte("x"), Headers: []Header{{Key: HeaderRedriveCount, Value: []byte("2")}}}
	out := deadLetter(m, NameCheck, watch.CodeConflictingInitiation, "x", time.Now(), nil)
	assert.Equal(t, "2", headersOf(out)[HeaderRedriveCount])
}
