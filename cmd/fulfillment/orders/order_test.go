package orders_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/fulfillment/orders"
	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

type event = consumertest.Event

var (
	taken     = event{Status: schemas.Captured, Final: true}
	reserved  = event{Status: schemas.Authorized}
	contested = event{Status: schemas.Disputed, Dispute: &schemas.Dispute{ID: "d1", Outcome: schemas.DisputeOpen}}
	won       = event{Status: schemas.Captured, Final: true, Dispute: &schemas.Dispute{ID: "d1", Outcome: schemas.DisputeWon}}
	lost      = event{Status: schemas.ChargedBack, Final: true, Dispute: &schemas.Dispute{ID: "d1", Outcome: schemas.DisputeLost}}
)

func of(provider string, e event) event {
	e.Provider = provider
	return e
}

// stories are what happens to the payments of an order, and what fulfillment makes of it.
var stories = []struct {
	name   string
	policy orders.Policy // nil: the default
	events []event
	want   []string // actions
	state  orders.State
}{
	{"an order waits while its payment is undecided", nil, []event{{Status: schemas.Pending}, {Status: schemas.RequiresAction}}, nil, orders.StateOpen},
	{"an order is released when its payment is captured", nil, []event{{Status: schemas.Pending}, reserved, taken}, []string{"release captured"}, orders.StateReleased},
	{"an authorisation releases nothing", nil, []event{reserved}, nil, orders.StateOpen},
	{"an authorisation releases when it is told to", orders.Policy{schemas.Authorized}, []event{reserved, taken}, []string{"release authorized"}, orders.StateReleased},
	{"who releases on authorisations does not need to see one", orders.Policy{schemas.Authorized}, []event{{Status: schemas.Pending}, taken}, []string{"release captured"}, orders.StateReleased},
	{
		"a capture that is under way releases where the provider says no more", nil,
		[]event{of("worldpay", reserved), {Provider: "worldpay", Status: schemas.CapturePending, Final: true}},
		[]string{"release capture_pending"},
		orders.StateReleased,
	},
	{"a capture that is under way is waited for where more will be said", nil, []event{reserved, {Status: schemas.CapturePending}}, nil, orders.StateOpen},
	{"only captured releases when it is told so", orders.Policy{schemas.Captured}, []event{{Provider: "worldpay", Status: schemas.CapturePending, Final: true}}, nil, orders.StateOpen},
	{
		"what is released for a capture under way is not released again for the capture", nil,
		[]event{{Status: schemas.CapturePending, Final: true}, taken},
		[]string{"release capture_pending"},
		orders.StateReleased,
	},
	{"a part of the money releases nothing", nil, []event{{Status: schemas.PartiallyCaptured, Captured: 4000}}, nil, orders.StateOpen},
	{"a declined payment leaves the order unpaid", nil, []event{{Status: schemas.Declined, Final: true}}, nil, orders.StateUnpaid},
	{"a decline that is not final leaves it open", nil, []event{{Provider: "worldpay", Status: schemas.Declined}}, nil, orders.StateOpen},
	{"a verified card pays nothing", nil, []event{{Status: schemas.Verified, Final: true}}, nil, orders.StateOpen},

	{"an unknown status holds, and never releases", nil, []event{{Status: schemas.Unknown}}, []string{"hold unknown"}, orders.StateHeld},
	{"after an unknown status a capture releases", nil, []event{{Status: schemas.Unknown}, taken}, []string{"hold unknown", "release captured"}, orders.StateReleased},
	{"a hold ends when the doubt does", nil, []event{{Status: schemas.Unknown}, {Status: schemas.Declined, Final: true}}, []string{"hold unknown", "resume declined"}, orders.StateUnpaid},
	{
		"a payment that nobody could find out about is held for a person", nil,
		[]event{{Status: schemas.Pending}, {Type: schemas.TypeStatusUnresolved, Status: schemas.Pending, Reason: schemas.UnresolvedDeadline, Final: true}},
		[]string{"hold unresolved: deadline"},
		orders.StateHeld,
	},
	{
		"an unresolved end releases nothing, even if the last status would",
		orders.Policy{schemas.Authorized},
		[]event{{Type: schemas.TypeStatusUnresolved, Status: schemas.Unknown, Reason: schemas.UnresolvedNotFound, Final: true}},
		[]string{"hold unresolved: not_found"},
		orders.StateHeld,
	},

	{"a dispute holds", nil, []event{taken, contested}, []string{"release captured", "hold disputed"}, orders.StateHeld},
	{"a dispute that is won ends the hold, and releases nothing twice", nil, []event{taken, contested, won}, []string{"release captured", "hold disputed", "resume captured"}, orders.StateReleased},
	{"a dispute that is lost asks for the goods", nil, []event{taken, contested, lost}, []string{"release captured", "hold disputed", "request_return charged_back"}, orders.StateReturnRequested},
	{"a dispute before the release holds, and its end releases", nil, []event{reserved, contested, won}, []string{"hold disputed", "release captured"}, orders.StateReleased},
	{
		"a lost dispute that is won at last ends the request for the goods", nil,
		[]event{taken, contested, lost, won},
		[]string{"release captured", "hold disputed", "request_return charged_back", "resume captured"},
		orders.StateReleased,
	},

	{"a refund asks for the goods", nil, []event{taken, {Status: schemas.Refunded, Final: true}}, []string{"release captured", "request_return refunded"}, orders.StateReturnRequested},
	{"a refund under way does not yet", nil, []event{taken, {Status: schemas.RefundPending}}, []string{"release captured"}, orders.StateReleased},
	{
		"a refund of which the provider says no more holds", nil,
		[]event{{Provider: "worldpay", Status: schemas.CapturePending, Final: true}, {Provider: "worldpay", Status: schemas.RefundPending, Final: true}},
		[]string{"release capture_pending", "hold refund_pending"},
		orders.StateHeld,
	},
	{"a refund that failed changes nothing", nil, []event{taken, {Status: schemas.RefundPending}, {Status: schemas.RefundFailed, Final: true}}, []string{"release captured"}, orders.StateReleased},
	{"a partial refund is told with its sum", nil, []event{taken, {Status: schemas.PartiallyRefunded, Refunded: 2500, Final: true}}, []string{"release captured", "partial_refund partially_refunded 2500"}, orders.StateReleased},
	{
		"each partial refund is told once", nil,
		[]event{taken, {Status: schemas.PartiallyRefunded, Refunded: 2500, Final: true}, {Type: schemas.TypeAmountsChanged, Status: schemas.PartiallyRefunded, Refunded: 5000, Final: true}},
		[]string{"release captured", "partial_refund partially_refunded 2500", "partial_refund partially_refunded 5000"},
		orders.StateReleased,
	},
	{"an order whose payment went back before it was released is not released", nil, []event{{Status: schemas.Refunded, Final: true}}, nil, orders.StateUnpaid},
	{"an order of which a part went back before it was released is for a person", nil, []event{{Status: schemas.PartiallyRefunded, Refunded: 100, Final: true}}, []string{"hold partially_refunded"}, orders.StateHeld},
	{"money that is reserved and called off after a release asks for the goods", orders.Policy{schemas.Authorized}, []event{reserved, {Status: schemas.Voided, Final: true}}, []string{"release authorized", "request_return voided"}, orders.StateReturnRequested},

	{
		"two attempts at different providers release the order once", nil,
		[]event{{Status: schemas.Declined, Final: true}, of("antom", taken)},
		[]string{"release captured"},
		orders.StateReleased,
	},
	{
		"a second captured payment is to be refunded", nil,
		[]event{taken, of("antom", reserved), of("antom", taken)},
		[]string{"release captured", "double_payment captured"},
		orders.StateReleased,
	},
	{
		"a second payment is flagged once", nil,
		[]event{taken, {Provider: "worldpay", Status: schemas.CapturePending, Final: true}, of("worldpay", taken)},
		[]string{"release captured", "double_payment capture_pending"},
		orders.StateReleased,
	},
	{
		"what becomes of a second payment asks for no goods", nil,
		[]event{taken, of("antom", taken), {Provider: "antom", Status: schemas.Refunded, Final: true}},
		[]string{"release captured", "double_payment captured"},
		orders.StateReleased,
	},
	{
		"a payment in doubt does not hold an order that another one paid", nil,
		[]event{taken, {Provider: "antom", Status: schemas.Unknown}},
		[]string{"release captured"},
		orders.StateReleased,
	},
	{
		"a payment for goods that were asked back is for a person", nil,
		[]event{taken, {Status: schemas.Refunded, Final: true}, of("antom", taken)},
		[]string{"release captured", "request_return refunded", "hold captured"},
		orders.StateReturnRequested,
	},

	{
		"a correction that takes the capture back asks for the goods", nil,
		[]event{taken, event{Status: schemas.Declined, Final: true}.Correction(first(taken))},
		[]string{"release captured", "request_return declined"},
		orders.StateReturnRequested,
	},
	{
		"a correction to undecided holds", nil,
		[]event{taken, event{Status: schemas.Pending}.Correction(first(taken)), again(taken)},
		[]string{"release captured", "hold pending", "resume captured"},
		orders.StateReleased,
	},
	{"an old answer that comes late changes nothing", nil, []event{taken, reserved, {Status: schemas.Pending}}, []string{"release captured"}, orders.StateReleased},
	{"an event that comes twice counts once", nil, []event{taken, taken, contested, contested}, []string{"release captured", "hold disputed"}, orders.StateHeld},
}

// first is an event of the story that is called "p": corrections name the event that they correct.
func first(e event) event {
	e.Payment = "p"
	return e
}

// again is a status that is reached for the second time.
func again(e event) event {
	e.Entry = 2
	return e
}

func TestWhatBecomesOfAnOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range stories {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			policy := tt.policy
			if policy == nil {
				policy = orders.DefaultPolicy
			}
			order, actions := tell(t, policy, consumertest.Of("p", tt.events...))
			var got []string
			for _, a := range actions {
				got = append(got, text(a))
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.state, order.State())
		})
	}
}

func text(a orders.Action) string {
	text := string(a.Kind) + " " + a.Reason
	if a.Amount != nil {
		text += fmt.Sprintf(" %d", a.Amount.Value)
	}
	return text
}

// tell tells the events of one order, as the consumer kit lets them through.
func tell(t *testing.T, policy orders.Policy, events []event) (orders.Order, []orders.Action) {
	t.Helper()
	order, known := orders.Order{ID: "p"}, map[schemas.PaymentKey]consume.Known{}
	var all []orders.Action
	keys := map[string]bool{}
	for _, e := range events {
		decoded := e.Decoded(t)
		next, delta := known[e.Key()].Next(decoded)
		known[e.Key()] = next
		if !delta.News() {
			continue
		}
		var actions []orders.Action
		order, actions = order.Take(orders.News{View: delta.After, EventID: decoded.ID.String(), Payment: decoded.Key()}, policy)
		for _, a := range actions {
			require.False(t, keys[a.Key], "the key %s was given twice", a.Key)
			keys[a.Key] = true
		}
		all = append(all, actions...)
	}
	return order, all
}
