package worldpay

import (
	"slices"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// clockTolerance is how long before initiated_at a payment may have been requested and still be ours.
const clockTolerance = 10 * time.Minute

// candidate is a row of a list that can be our payment.
type candidate struct {
	page        int
	at          time.Time
	observation *providers.Observation
	meaning     meaning
}

// findings are what the rows of a list come to.
type findings struct {
	rows       int
	candidates []candidate
	unclear    *providers.Outcome // of a row that may be ours but cannot be read
	unclearAt  int
	complete   bool // the list was read to its end
}

// list reads the pages of a list of payments from start up to end.
func (r reader) list(pages []providers.Page, start, end int, cutShort bool) (providers.Outcome, further) {
	var f findings
	for i := start; i < end; i++ {
		v, failed := readPage(pages[i])
		if failed == nil && v.Get("_embedded", "payments").Kind() != exactjson.Array {
			o := providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer is not a list of payments")
			failed = &o
		}
		if failed == nil {
			r.rows(&f, v.Get("_embedded", "payments"), i)
			f.complete = href(v.Get("_links", "next")) == ""
			continue
		}
		failed.Page = i
		if i == start {
			if failed.Kind == providers.NotFound {
				return *failed, next
			}
			return *failed, enough
		}
		f.complete = false
		if failed.Kind == providers.NotFound {
			*failed = incomplete(i)
		}
		return r.choose(f, failed, i), enough
	}
	last := end - 1
	switch {
	case cutShort || !f.complete:
		f.complete = false
		o := incomplete(last)
		return r.choose(f, &o, last), enough
	case f.rows == 0:
		o := providers.Failure(providers.NotFound, providers.CodeNotFound, "Payment Queries lists no payment with this reference")
		o.Page = last
		return o, next
	}
	o := r.choose(f, nil, last)
	if len(f.candidates) == 1 && f.candidates[0].meaning.timeout {
		return o, recovery
	}
	return o, enough
}

func incomplete(page int) providers.Outcome {
	o := providers.Failure(providers.Unavailable, providers.CodeIncompleteList, "the list of payments could not be read to its end")
	o.Page = page
	return o
}

// rows judges the rows of one page.
func (r reader) rows(f *findings, rows exactjson.Value, page int) {
	for row := range rows.Items() {
		f.rows++
		from := byQuery
		if !r.payment.Known() {
			from = byFile
		}
		o, m := r.object(row, from)
		at := parseTime(row.Get("timestamp").Str())
		switch {
		case o.Kind == providers.Mismatch: // another's
		case o.Kind != providers.Observed:
			if f.unclear == nil {
				f.unclear, f.unclearAt = &o, page
			}
		case r.payment.Known() && !at.IsZero() && at.Before(r.payment.InitiatedAt.Add(-clockTolerance)): // an earlier one
		case f.has(o.Observation.ProviderPaymentID, row): // the same again, on the border of two pages
		default:
			f.candidates = append(f.candidates, candidate{page: page, at: at, observation: o.Observation, meaning: m})
		}
	}
}

func (f *findings) has(id string, row exactjson.Value) bool {
	return row.Get("paymentId").Present() && slices.ContainsFunc(f.candidates, func(c candidate) bool { return c.observation.ProviderPaymentID == id })
}

// rank orders candidates: a success outweighs what is undecided, and that a negative.
func rank(s schemas.Status) int {
	switch {
	case s.Success():
		return 2
	case s.Negative():
		return 0
	default:
		return 1
	}
}

// gaveBack says that the money of a successful payment went back, or is on its way.
func gaveBack(s schemas.Status) bool {
	return s == schemas.RefundPending || s == schemas.Refunded || s == schemas.ChargedBack
}

// choose says what a list comes to. Failed is why it is not complete; then only a success counts.
func (r reader) choose(f findings, failed *providers.Outcome, last int) providers.Outcome {
	var best *candidate
	held, returned := 0, 0
	for i := range f.candidates {
		c := &f.candidates[i]
		switch {
		case !c.observation.Status.Success():
		case gaveBack(c.observation.Status):
			returned++
		default:
			held++
		}
		if best == nil || rank(c.observation.Status) > rank(best.observation.Status) ||
			rank(c.observation.Status) == rank(best.observation.Status) && c.at.After(best.at) {
			best = c
		}
	}
	switch success := held+returned > 0; {
	case failed != nil && !success:
		return *failed
	case f.unclear != nil && !success:
		o := *f.unclear
		o.Page = f.unclearAt
		return o
	case best == nil:
		o := providers.Failure(providers.NotFound, providers.CodeNotFound, "Payment Queries lists only other payments with this reference")
		o.Page = last
		return o
	}
	obs := best.observation
	if held > 0 && returned > 0 {
		// Which of the two the event is about cannot be told, and the money is here in one and gone in the other.
		obs = &providers.Observation{Status: schemas.Unknown, ProviderStatus: obs.ProviderStatus, Amounts: schemas.Amounts{Requested: obs.Amounts.Requested}}
	}
	if held+returned > 1 {
		obs.Anomalies = append(obs.Anomalies, schemas.AmbiguousReference)
		var ids []string
		for _, c := range f.candidates {
			ids = append(ids, c.observation.ProviderPaymentID)
		}
		obs.ProviderStatus["candidates"] = ids
	}
	if failed != nil {
		obs.Anomalies = append(obs.Anomalies, schemas.IncompleteList)
	}
	return providers.Outcome{Kind: providers.Observed, Observation: obs, Page: best.page}
}
