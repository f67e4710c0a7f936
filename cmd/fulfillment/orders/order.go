package orders

import (
	"slices"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// Order is what is known of an order: its attempts to pay, and what was done about them.
type Order struct {
	ID              string
	Attempts        []Attempt
	ReleasedFor     *schemas.PaymentKey // whose money the goods went out for; nil: they did not
	ReturnRequested bool
}

// Attempt is one payment for an order. Attempts at different providers may have the same payment_id.
type Attempt struct {
	schemas.PaymentKey

	Status   schemas.Status // the last that was said
	Final    bool
	Refunded int64  // minor units, as far as stated
	Held     string // why a person has to look; empty: nobody has
	Flagged  bool   // as a second payment
}

// News is a change to one attempt: what is known of it now.
type News struct {
	consume.View

	EventID string
	Payment schemas.PaymentKey
}

// reason is the news in a word.
func (n News) reason() string {
	if n.Unresolved != "" {
		return "unresolved: " + n.Unresolved
	}
	return string(n.Status)
}

// Kind is what is to be done.
type Kind string

// The kinds of actions.
const (
	Release       Kind = "release"        // send the goods; once for an order, whatever happens
	Hold          Kind = "hold"           // send nothing, and let a person look
	Resume        Kind = "resume"         // the reason for a hold, or for a return, is gone
	RequestReturn Kind = "request_return" // the goods went out and the money did not come or went back: ask for the goods
	PartialRefund Kind = "partial_refund" // part of the money went back: which goods is for a person to say
	DoublePayment Kind = "double_payment" // the order is paid already: this payment is to be refunded or voided
)

// Kinds lists every kind.
var Kinds = []Kind{Release, Hold, Resume, RequestReturn, PartialRefund, DoublePayment}

// Action is something to be done, once: Key is unique and the same whenever the same is decided again.
type Action struct {
	Key     string
	Kind    Kind
	OrderID string
	Payment schemas.PaymentKey
	EventID string
	Reason  string
	Amount  *schemas.Money // all that was refunded so far, of a partial refund where the provider states it
}

// Take decides what a change to one of the payments means for the order.
func (o Order) Take(n News, policy Policy) (Order, []Action) {
	o.Attempts = slices.Clone(o.Attempts)
	i := slices.IndexFunc(o.Attempts, func(a Attempt) bool { return a.PaymentKey == n.Payment })
	if i < 0 {
		i = len(o.Attempts)
		o.Attempts = append(o.Attempts, Attempt{PaymentKey: n.Payment})
	}
	d := deciding{order: &o, attempt: &o.Attempts[i], before: o.Attempts[i], news: n, standing: policy.standing(n)}
	d.attempt.Status, d.attempt.Final, d.attempt.Refunded = n.Status, n.Final, n.Refunded
	switch {
	case o.ReleasedFor == nil:
		d.waiting()
	case *o.ReleasedFor == n.Payment:
		d.released()
	default:
		d.another()
	}
	return o, d.actions
}

// deciding is one decision under way.
type deciding struct {
	order    *Order
	attempt  *Attempt
	before   Attempt
	news     News
	standing standing
	actions  []Action
}

func (d *deciding) act(kind Kind) {
	a := Action{
		Kind: kind, OrderID: d.order.ID, Payment: d.news.Payment, EventID: d.news.EventID, Reason: d.news.reason(),
		Key: string(kind) + ":" + d.order.ID,
	}
	if kind != Release { // which is once for the order, the others once for an event
		a.Key += ":" + d.news.EventID
	}
	if n := d.news; kind == PartialRefund && n.Refunded != 0 {
		a.Amount = &schemas.Money{Value: n.Refunded, Currency: n.Currency, Exponent: n.Exponent}
	}
	d.actions = append(d.actions, a)
}

// hold holds, unless it is held for the same reason.
func (d *deciding) hold() {
	if d.attempt.Held != d.news.reason() {
		d.attempt.Held = d.news.reason()
		d.act(Hold)
	}
}

// resume ends a hold.
func (d *deciding) resume() {
	if d.attempt.Held != "" {
		d.attempt.Held = ""
		d.act(Resume)
	}
}

// waiting decides for an order that was not released.
func (d *deciding) waiting() {
	switch d.standing {
	case paid:
		payment := d.news.Payment
		d.order.ReleasedFor = &payment
		d.attempt.Held = "" // a release says so, too
		d.act(Release)
	case doubtful, givingBack: // goods for money that is going back
		d.hold()
	case undecided, gone:
		d.resume()
	}
}

// released decides when the payment changes that the goods went out for.
func (d *deciding) released() {
	switch d.standing {
	case paid:
		d.takenBack()
		d.resume()
	case doubtful, undecided: // undecided again: only a correction does that
		d.hold()
	case givingBack:
		d.takenBack()
		d.resume()
		if d.news.Status == schemas.PartiallyRefunded && (d.before.Status != d.attempt.Status || d.before.Refunded != d.attempt.Refunded) {
			d.act(PartialRefund)
		}
	case gone:
		d.attempt.Held = ""
		if !d.order.ReturnRequested {
			d.order.ReturnRequested = true
			d.act(RequestReturn)
		}
	}
}

// takenBack ends a request for a return: the money is ours again (a dispute won at last, a correction).
func (d *deciding) takenBack() {
	if d.order.ReturnRequested {
		d.order.ReturnRequested = false
		d.attempt.Held = ""
		d.act(Resume)
	}
}

// another decides when a payment changes of an order that was released for another one.
func (d *deciding) another() {
	switch {
	case d.standing != paid || d.attempt.Flagged:
	case d.order.ReturnRequested: // perhaps the customer pays again for what was charged back: no refund without a person
		d.hold()
	default:
		d.attempt.Flagged = true
		d.act(DoublePayment)
	}
}

// State is where an order stands.
type State string

// The states.
const (
	StateOpen            State = "open"
	StateUnpaid          State = "unpaid" // every attempt ended without money
	StateHeld            State = "held"
	StateReleased        State = "released"
	StateReturnRequested State = "return_requested"
)

// States lists every state.
var States = []State{StateOpen, StateUnpaid, StateHeld, StateReleased, StateReturnRequested}

// State is where the order stands.
func (o Order) State() State {
	concerned := func(a Attempt) bool { return o.ReleasedFor == nil || *o.ReleasedFor == a.PaymentKey }
	switch {
	case o.ReturnRequested:
		return StateReturnRequested
	case slices.ContainsFunc(o.Attempts, func(a Attempt) bool { return concerned(a) && a.Held != "" }):
		return StateHeld
	case o.ReleasedFor != nil:
		return StateReleased
	case slices.ContainsFunc(o.Attempts, func(a Attempt) bool { return !a.lost() }):
		return StateOpen
	default:
		return StateUnpaid
	}
}

// lost tells an attempt that ended without money.
func (a Attempt) lost() bool {
	return a.Final && a.Status.Negative() || a.Status == schemas.Refunded || a.Status == schemas.ChargedBack
}
