package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// words is a provider whose mapping is data; it cannot be asked.
type words struct {
	reading

	mapping map[string]schemas.Status
}

func (words) Ask(context.Context, providers.Payment) (providers.Answer, error) {
	return providers.Answer{}, errors.New("nobody may be asked")
}

func (w words) Read(a providers.Answer, _ providers.Payment) providers.Outcome {
	status, mapped := w.mapping[string(bytes.Fields(a.Last().Body)[0])]
	if !mapped {
		return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "no such word")
	}
	return providers.Outcome{Kind: providers.Observed, Observation: &providers.Observation{Status: status, Final: status.Final()}}
}

func renormalizing(mapping map[string]schemas.Status) *Check {
	return &Check{
		Providers: map[string]providers.Provider{"liquido": words{mapping: mapping}}, Memory: NewMemory(), Random: func() float64 { return 0 },
		Timeout: time.Second, Log: slog.New(slog.DiscardHandler), Events: Events{Source: "/paystatus"},
		Schedule: func(string, string) watch.Schedule {
			return watch.Schedule{Open: watch.Rhythm{Every: time.Minute, Deadline: time.Hour}, Recheck: time.Minute}
		},
	}
}

// captured is an event that was read from an answer, as a record, and the check that has the answer read again.
func captured(t *testing.T, body string) (Message, watch.Check) {
	t.Helper()
	s, check, payment, now := statement()
	s.Reading.Answer.Pages[0].Body = []byte(body)
	s.Said = watch.Said{Status: schemas.Captured, Final: true, Amount: 300, Entry: 1, Known: schemas.Captured, Entries: map[string]int{"captured/0/0/0": 1}}
	s.Trail.Said, s.Trail.Context = s.Said, check.Context
	out, err := Events{Source: "/paystatus"}.record(s, change(s, check, reading{}, payment, now), check)
	require.NoError(t, err)
	m := Message{Key: out.Key, Value: out.Value, Headers: out.Headers}
	e, err := ReadStatusEvent(m)
	require.NoError(t, err)
	again := watch.Check{
		PaymentKey: check.PaymentKey, Kind: watch.KindRenormalize, Place: e.Trail.Place, Context: e.Trail.Context, Said: &e.Trail.Said,
		Evidence: &watch.Evidence{
			From: schemas.SourceQuery, HTTPStatus: e.Data.Raw.HTTPStatus, Header: map[string]string{"Content-Type": e.Data.Raw.MediaType},
			Body: []byte(e.Data.Raw.Body), Masked: e.Data.Raw.Masked, ReceivedAt: e.Data.Raw.ReceivedAt,
		},
		Correction: &watch.Correction{Corrects: e.ID, Previous: *e.Data.PreviousStatus, Reference: e.Data.Reference},
		Cause:      schemas.CauseRenormalization, ReplayID: "r-1", AskedAt: now,
	}
	return m, again
}

func handle(t *testing.T, h *Check, c watch.Check) []Out {
	t.Helper()
	value, err := c.Encode()
	require.NoError(t, err)
	result, err := h.Handle(t.Context(), Message{Value: value, Key: []byte(c.PaymentID)})
	require.NoError(t, err)
	result.Done()
	return result.Out
}

func destinations(out []Out) (all []Destination) {
	for _, o := range out {
		all = append(all, o.To)
	}
	return all
}

func outcome(t *testing.T, out Out) ReplayOutcome {
	t.Helper()
	require.Equal(t, ToReplays, out.To)
	var r ReplayOutcome
	require.NoError(t, json.Unmarshal(out.Value, &r))
	return r
}

func TestACorrectionIsWrittenWithTheBytesThatWereReadAgain(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"PAID  <\u00e9>", "PAID \xff", "PAID with 411111******1111"} {
		old, check := captured(t, body)
		before, err := ReadStatusEvent(old)
		require.NoError(t, err)
		if before.Data.Raw.Encoding == providers.EncodingBase64 {
			check.Evidence.Body = []byte(body)
		}
		h := renormalizing(map[string]schemas.Status{"PAID": schemas.Declined})
		h.Memory.Assign(0, time.Time{})
		out := handle(t, h, check)
		require.Equal(t, []Destination{ToStatusChanged, ToReplays}, destinations(out))

		schematest.ValidateChange(t, out[0].Value)
		e, err := ReadStatusEvent(Message{Key: out[0].Key, Value: out[0].Value, Headers: out[0].Headers})
		require.NoError(t, err)
		assert.Equal(t, schemas.TypeStatusCorrected, e.Type)
		assert.Equal(t, schemas.EventID(check.PaymentKey, schemas.Facts{Status: schemas.Declined, Entry: 1, Final: true}).String(), e.ID)
		assert.Equal(t, before.ID, e.Data.Corrects)
		assert.Equal(t, before.Data.Raw, e.Data.Raw)
		assert.Equal(t, before.Data.ObservedAt, e.Data.ObservedAt)
		assert.Equal(t, before.Data.Metadata, e.Data.Metadata)
		assert.Equal(t, schemas.Captured, *e.Data.PreviousStatus)
		assert.Equal(t, schemas.SourceRenormalization, e.Data.Source)
		assert.Equal(t, schemas.SourceQuery, e.Trail.From)
		assert.Equal(t, schemas.CauseRenormalization, e.Data.Cause)
		assert.Equal(t, "r-1", e.Data.ReplayID)

		r := outcome(t, out[1])
		assert.Equal(t, ReplayOutcome{
			ReplayID: "r-1", PaymentKey: check.PaymentKey, Outcome: providers.Observed, Code: string(watch.RereadCorrected), Status: schemas.Declined,
			Events: []string{e.ID}, At: r.At,
		}, r)
		assert.Equal(t, []Destination{ToReplays}, destinations(handle(t, h, check)), "once")
	}
}

func TestACorrectionToAnOpenStatusHasThePaymentWatched(t *testing.T) {
	t.Parallel()
	_, check := captured(t, "PAID")
	h := renormalizing(map[string]schemas.Status{"PAID": schemas.Pending})
	h.Memory.Assign(0, time.Time{})
	out := handle(t, h, check)
	require.Equal(t, []Destination{ToStatusChanged, ToDelay, ToReplays}, destinations(out))
	next, err := watch.DecodeCheck(out[1].Value)
	require.NoError(t, err)
	assert.Equal(t, watch.KindChain, next.Kind)
	assert.Equal(t, watch.Version, next.Version)
	assert.Equal(t, schemas.Pending, next.Said.Status)
}

func TestWhatIsNoCorrectionIsRecorded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change  func(*Check, *watch.Check)
		outcome providers.Kind
		code    watch.Rereading
	}{
		"the same": {func(h *Check, _ *watch.Check) {
			h.Providers["liquido"] = words{mapping: map[string]schemas.Status{"PAID": schemas.Captured}}
		}, providers.Observed, watch.RereadSame},
		"another event since": {func(_ *Check, c *watch.Check) { c.Correction.Corrects = "another" }, providers.Observed, watch.RereadSuperseded},
		"not readable":        {func(_ *Check, c *watch.Check) { c.Evidence.Body = []byte("?") }, providers.Unreadable, watch.RereadUnreadable},
		"not served":          {func(h *Check, _ *watch.Check) { delete(h.Providers, "liquido") }, providers.Refused, watch.RereadNotServed},
		"not known any more":  {func(h *Check, c *watch.Check) { h.Memory.Assign(0, c.AskedAt.Add(time.Second)) }, providers.Unavailable, watch.RereadOutdated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, check := captured(t, "PAID")
			h := renormalizing(map[string]schemas.Status{"PAID": schemas.Declined})
			h.Memory.Assign(0, time.Time{})
			tt.change(h, &check)
			out := handle(t, h, check)
			require.Len(t, out, 1)
			r := outcome(t, out[0])
			assert.Equal(t, []any{tt.outcome, string(tt.code)}, []any{r.Outcome, r.Code})
			assert.Empty(t, r.Events)
		})
	}
}

func TestACorrectionGivenBackIsStillOne(t *testing.T) {
	t.Parallel()
	_, check := captured(t, "PAID")
	value, err := check.Encode()
	require.NoError(t, err)
	letter := Message{Key: []byte(check.PaymentID), Value: value, Headers: []Header{{Key: HeaderHandler, Value: []byte(NameCheck)}}}
	result, err := (&Redriven{}).Handle(t.Context(), letter)
	require.NoError(t, err)
	require.Len(t, result.Out, 1)
	assert.JSONEq(t, string(value), string(result.Out[0].Value))
}

func TestARecordThatIsNoStatusEvent(t *testing.T) {
	t.Parallel()
	good, _ := captured(t, "PAID")
	for name, spoil := range map[string]func(*Message){
		"has no envelope":         func(m *Message) { m.Headers = nil },
		"has no value":            func(m *Message) { m.Value = nil },
		"has another type":        func(m *Message) { m.Headers = append(m.Headers, Header{headerType, []byte("order.shipped")}) },
		"has no id":               func(m *Message) { m.Headers = append(m.Headers, Header{headerID, nil}) },
		"has another key":         func(m *Message) { m.Key = []byte("another") },
		"has data of other types": func(m *Message) { m.Value = []byte(`{"payment_id": 7}`) },
	} {
		m := good
		spoil(&m)
		_, err := ReadStatusEvent(m)
		require.ErrorIs(t, err, ErrNoStatusEvent, name)
	}
	m := good
	m.Headers = append(m.Headers, Header{headerSaid, []byte(`{"v":7}`)})
	e, err := ReadStatusEvent(m)
	require.NoError(t, err)
	assert.Nil(t, e.Trail, "of another version")
	assert.Equal(t, http.StatusOK, e.Data.Raw.HTTPStatus)
}
