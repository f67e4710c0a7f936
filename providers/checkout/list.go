package checkout

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// clockAllowance is how much earlier than the initiated event a payment may have been requested and still be ours.
const clockAllowance = 10 * time.Minute

// candidate is a payment in a list that may be ours.
type candidate struct {
	id        string
	requested time.Time
	outcome   providers.Outcome // observed or unreadable
}

// list is what the pages of one say together.
type list struct {
	candidates []candidate
	index      map[string]int // of candidates, by id
	rows       int            // payments seen
	total      int64          // how many there are; the least that a page said, negative while none did
	page       int            // the page that was read last
	ended      bool           // that page was empty
	fault      *providers.Outcome
}

// complete reports whether every payment that the list had when it was begun has been seen.
func (l *list) complete() bool {
	return l.fault == nil && (l.total < 0 && l.ended || l.total >= 0 && int64(l.rows) >= l.total)
}

// readList chooses the payment among those that carry the reference. The order of the rows means nothing.
func (c *provider) readList(a providers.Answer, first int, p providers.Payment) providers.Outcome {
	l := list{index: map[string]int{}, total: -1, fault: a.Fault}
	c.collect(&l, a, first, p)
	if l.rows == 0 && l.fault != nil {
		return *l.fault
	}
	slices.SortStableFunc(l.candidates, func(x, y candidate) int { return y.requested.Compare(x.requested) })
	slices.SortStableFunc(l.candidates, func(x, y candidate) int { return cmp.Compare(y.rank(), x.rank()) })

	switch {
	case len(l.candidates) > 0 && l.candidates[0].rank() == rankSuccess:
		o := chosen(l.candidates)
		if !l.complete() {
			o.Observation.Anomalies = append(o.Observation.Anomalies, schemas.IncompleteList)
		}
		return o
	case !l.complete():
		o := providers.Failure(providers.Unavailable, providers.CodeIncompleteList, "the list of payments with this reference could not be read to its end")
		if l.fault != nil {
			o.RetryAfter = l.fault.RetryAfter
		}
		o.Page = l.page
		return o
	case len(l.candidates) == 0:
		o := providers.Failure(providers.NotFound, providers.CodeNotFound, "no payment with this reference, amount and time is known to the provider")
		o.Page = l.page
		return o
	default:
		return l.candidates[0].outcome
	}
}

// collect reads the pages. What keeps it from going on is the list's fault.
func (c *provider) collect(l *list, a providers.Answer, first int, p providers.Payment) {
	fail := func(o providers.Outcome) {
		o.Page = l.page
		l.fault = &o
	}
	if p.Known() && p.Reference[refPayment] == "" && p.Reference[refReference] == "" {
		fail(providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer is a list, but a payment was asked for"))
		return
	}
	seen := map[string]bool{} // on the pages before
	for i := first; i < len(a.Pages); i++ {
		l.page = i
		if o, readable := providers.ReadHTTP(a.Pages[i]); !readable {
			fail(o)
			return
		}
		root, unreadable := providers.ParseBody(a.Pages[i].Body)
		if unreadable != nil {
			fail(*unreadable)
			return
		}
		data := root.Get("data")
		if data.Kind() != exactjson.Array {
			fail(providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer is no list of payments"))
			return
		}
		if total, ok := root.Get("total_count").Int64(); ok && total >= 0 && (l.total < 0 || total < l.total) {
			l.total = total
		}
		var ids []string
		l.ended = true
		for item := range data.Items() {
			l.ended = false
			b := bodyOf(item)
			if b.id == "" || !seen[b.id] { // rows move to other pages while new ones arrive
				l.rows++
				ids = append(ids, b.id)
			}
			c.consider(l, b, p)
		}
		for _, id := range ids {
			seen[id] = true
		}
	}
}

// consider makes a row a candidate unless it is another payment.
func (c *provider) consider(l *list, b *body, p providers.Payment) {
	requested := timeOf(b.requestedOn)
	if p.Known() {
		reference := p.Reference[refReference]
		if reference != "" && b.reference != reference || !requested.IsZero() && requested.Before(p.InitiatedAt.Add(-clockAllowance)) {
			return
		}
	}
	o := notAPayment()
	if b.isPayment() {
		o = c.outcome(b, statusOf(b, p), p, p.Reference[refPayment] == "")
	}
	if o.Kind == providers.Mismatch {
		return
	}
	o.Page = l.page
	found := candidate{id: b.id, requested: requested, outcome: o}
	if i, again := l.index[b.id]; again && b.id != "" {
		l.candidates[i] = found // the later reading
		return
	}
	l.index[b.id] = len(l.candidates)
	l.candidates = append(l.candidates, found)
}

// The ranks of candidates: any success before what is undecided before what failed.
const (
	rankNegative = iota
	rankUndecided
	rankSuccess
)

func (c candidate) rank() int {
	o := c.outcome.Observation
	switch {
	case o != nil && o.Status.Success():
		return rankSuccess
	case o != nil && o.Status.Negative():
		return rankNegative
	default:
		return rankUndecided
	}
}

// chosen is the outcome of the first of the candidates, which is a success. With more than one the order is paid whichever
// is meant, but which payment it is cannot be told; where one gave the money back and another still holds it, not even that.
func chosen(candidates []candidate) providers.Outcome {
	o := candidates[0].outcome
	var successes int
	var holds, returned bool
	ids := make([]string, 0, len(candidates))
	for _, c := range candidates {
		ids = append(ids, c.id)
		if c.rank() != rankSuccess {
			continue
		}
		successes++
		switch c.outcome.Observation.Status.Funds() {
		case schemas.FundsReturned:
			returned = true
		case schemas.FundsReserved, schemas.FundsSettling, schemas.FundsCaptured, schemas.FundsContested:
			holds = true
		case schemas.FundsNone, schemas.FundsUnknown:
		}
	}
	if successes < 2 {
		return o
	}
	observation := o.Observation
	observation.Anomalies = append(observation.Anomalies, schemas.AmbiguousReference)
	observation.ProviderStatus["candidates"] = slices.DeleteFunc(ids, func(id string) bool { return strings.TrimSpace(id) == "" })
	if holds && returned {
		observation.Status, observation.Final = schemas.Unknown, false
	}
	return o
}
