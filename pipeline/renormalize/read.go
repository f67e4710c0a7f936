// Package renormalize reads the answers behind status events again, as the present mapping reads them, and says what would be
// said otherwise. No provider is asked. Where the operator wants it, the last event of a payment is corrected: through the work
// topic and the check handler, like everything that is said.
//
// An event keeps one page of an answer, the one that decided. What several pages said together cannot be read again from one, and
// is counted apart: a list of payments that went on, or a choice among payments of which the page holds only some. Checkout.com says on
// every page how many payments there are; Worldpay says only that another page follows, so the last page of several, where a single
// payment on it was chosen, is read as if it were all.
//
// A second of one core's time is enough for 30,000 events and more, whichever the provider: 19 to 32 µs each in three runs of
// `go test -run xxx -bench Answers -cpu 1 ./pipeline/renormalize`. More than half of it goes to reading the event, a quarter to a
// third to reading the answer in it.
package renormalize

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Finding is what comes of reading an event's answer again.
type Finding string

// The findings. Differs is what renormalization is about; the last six could not be read again.
const (
	Same         = Finding(watch.RereadSame)
	Differs      = Finding(watch.RereadDiffers)
	NoStatus     = Finding(watch.RereadUnreadable)
	Dispute      = Finding(watch.RereadDispute)
	NoContext    = Finding(watch.RereadNoContext)
	StaysFinal   = Finding(watch.RereadStaysFinal)
	Unresolved   = Finding("unresolved")
	NoBody       = Finding("no_body")
	Damaged      = Finding("damaged")
	SeveralPages = Finding("several_pages")
	NoMemory     = Finding("no_memory")
	NoProvider   = Finding("no_provider")
)

// Findings lists every finding with its meaning.
var Findings = []struct {
	Finding Finding
	Meaning string
}{
	{Differs, "another status, other sums or another end: a correction is due where it is the last event of its payment"},
	{Same, "the same again"},
	{StaysFinal, "the present mapping would ask on; what was said to be final with the same status and sums stays so"},
	{Dispute, "a dispute decides the status, or would; look at the payment and correct it by hand"},
	{NoStatus, "the present mapping sees no status of this payment in the answer"},
	{NoContext, "a status that is not said while no initiated event is known"},
	{Unresolved, "an unresolved event, which says no status"},
	{SeveralPages, "the answer had several pages, or may have had, of which the event keeps one"},
	{NoBody, "the event holds no body (events.raw: none)"},
	{Damaged, "the body is not that of its sha256"},
	{NoMemory, "the event carries no paystatus_said that this program knows"},
	{NoProvider, "the provider is not known to this program"},
}

// Reader reads answers again. It is safe for concurrent use.
type Reader struct {
	Providers map[string]providers.Provider
	Schedule  func(provider, method string) watch.Schedule
	Now       time.Time // a correction would be made then
}

// Reading is an event whose answer was read again.
type Reading struct {
	Finding Finding
	Code    string     // why there is no status; empty mostly
	Old     watch.Said // what the event said
	New     watch.Said // what a correction would say; of Differs only

	evidence watch.Evidence
}

// Read reads the answer behind an event again.
func (n *Reader) Read(e *Event) Reading {
	raw, trail := e.Data.Raw, e.Trail
	provider := n.Providers[e.Data.Provider]
	switch {
	case e.Type == schemas.TypeStatusUnresolved:
		return Reading{Finding: Unresolved}
	case provider == nil:
		return Reading{Finding: NoProvider}
	case trail == nil:
		return Reading{Finding: NoMemory}
	case raw == nil || len(raw.Body) == 0 && raw.Size > 0:
		return Reading{Finding: NoBody, Old: trail.Said}
	}
	body, ok := bodyOf(raw)
	if !ok {
		return Reading{Finding: Damaged, Old: trail.Said}
	}
	evidence := watch.Evidence{From: e.Data.Source, HTTPStatus: raw.HTTPStatus, Body: body, Masked: raw.Masked, ReceivedAt: raw.ReceivedAt}
	if trail.From != "" {
		evidence.From = trail.From
	}
	payment := handlers.PaymentThen(trail.PaymentKey, trail.Context, e.Data.Reference)
	r := handlers.ReadAgain(provider, evidence, payment)
	next, what := watch.Reread(correctionOf(e), trail.Said, r, trail.Context, n.Schedule(e.Data.Provider, payment.Method), n.Now)
	out := Reading{Finding: Finding(what), Old: trail.Said, New: next, evidence: evidence}
	if what == watch.RereadUnreadable {
		out.Code = r.Outcome.Code
	}
	if severalPages(e, r.Outcome, body) {
		out.Finding, out.Code = SeveralPages, ""
	}
	return out
}

// bodyOf is the exact bytes of an answer, false where they are not those that were hashed.
func bodyOf(raw *raw) ([]byte, bool) {
	body := []byte(raw.Body)
	if raw.Encoding == providers.EncodingBase64 {
		var err error
		if body, err = base64.StdEncoding.AppendDecode(nil, body); err != nil {
			return nil, false
		}
	}
	sum := sha256.Sum256(body)
	return body, hex.EncodeToString(sum[:]) == raw.SHA256
}

// severalPages reports whether the answer had pages that the event does not keep: the page says so, or the payments among which
// one was chosen are not all on it.
func severalPages(e *Event, o providers.Outcome, body []byte) bool {
	if o.Code == providers.CodeIncompleteList || o.Observation != nil && slices.Contains(o.Observation.Anomalies, schemas.IncompleteList) {
		return true
	}
	return slices.ContainsFunc(e.Data.ProviderStatus.Candidates, func(id string) bool { return !bytes.Contains(body, []byte(id)) })
}

func correctionOf(e *Event) watch.Correction {
	return watch.Correction{
		Corrects: e.ID, Previous: e.Data.PreviousStatus, Stated: watch.StatedSums(e.Data.Amounts), Reference: e.Data.Reference,
	}
}

// check is the message that has an event corrected.
func check(e *Event, r Reading, replayID string, readUntil time.Time) watch.Check {
	correction := correctionOf(e)
	if mediaType := e.Data.Raw.MediaType; mediaType != "" {
		r.evidence.Header = map[string]string{"Content-Type": mediaType}
	}
	return watch.Check{
		PaymentKey: e.Trail.PaymentKey, Kind: watch.KindRenormalize, Place: e.Trail.Place, Context: e.Trail.Context, Said: &e.Trail.Said,
		Correction: &correction, Evidence: &r.evidence, Cause: schemas.CauseRenormalization, ReplayID: replayID, AskedAt: readUntil,
	}
}
