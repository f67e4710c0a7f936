package consume

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paystatus/paystatus/schemas"
)

// Full reads all of the event's data: Change, and with it what Decode leaves alone because it is most of an event's bytes and few
// services look at it. An event that is broken there is an error only here.
func (e Event) Full() (schemas.Change, error) {
	var full schemas.Change
	if err := json.Unmarshal(e.data, &full); err != nil {
		return schemas.Change{}, fmt.Errorf("read all data of event %s: %w", e.ID, plain(err))
	}
	return full, nil
}

// judged is the data without what Full alone reads: the outer names hide those inside.
type judged struct {
	schemas.Change

	Reference      skipped `json:"reference"`
	ProviderStatus skipped `json:"provider_status"`
	ThreeDS        skipped `json:"three_ds"`
	Card           skipped `json:"card"`
	Raw            skipped `json:"raw"`
}

// skipped is a value of any type that nobody reads.
type skipped struct{}

// UnmarshalJSONFrom reads over the value.
func (*skipped) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return dec.SkipValue() }

// decode reads data: fast if it stands as paystatus writes it, else as JSON may stand. Both say the same, but for an answer's body that is
// no text, at which the fast one does not look.
func decode(data []byte) (schemas.Change, error) {
	if c, ok := fast(data); ok {
		return c, nil
	}
	return general(data)
}

func general(data []byte) (schemas.Change, error) {
	var j judged
	err := json.Unmarshal(data, &j)
	return j.Change, err
}

func fast(data []byte) (c schemas.Change, ok bool) {
	r := reader{text: data}
	r.change(&c)
	return c, r.done()
}

// change reads what judged holds.
func (r *reader) change(c *schemas.Change) {
	for o := r.object(); o.next(); {
		switch string(o.name) {
		case "payment_id":
			c.PaymentID = r.str()
		case "provider":
			c.Provider = r.str()
		case "account":
			c.Account = r.str()
		case "provider_payment_id":
			c.ProviderPaymentID = r.str()
		case "status":
			c.Status = schemas.Status(r.str())
		case "previous_status":
			if !r.word("null") {
				previous := schemas.Status(r.str())
				c.PreviousStatus = &previous
			}
		case "final":
			c.Final = r.bool()
		case "funds":
			c.Funds = schemas.Funds(r.str())
		case "amounts":
			r.amounts(&c.Amounts)
		case "reason":
			c.Reason = r.reason()
		case "avs":
			c.AVS = r.str()
		case "cvv":
			c.CVV = r.str()
		case "occurred_at":
			c.OccurredAt = r.time()
		case "observed_at":
			c.ObservedAt = r.time()
		case "source":
			c.Source = schemas.Source(r.str())
		case "entry":
			c.Entry = r.int()
		case "dispute":
			c.Dispute = r.dispute()
		case "corrects":
			c.Corrects = r.str()
		case "cause":
			c.Cause = schemas.Cause(r.str())
		case "attempt":
			c.Attempt = r.int()
		case "replay_id":
			c.ReplayID = r.str()
		case "anomalies":
			c.Anomalies = []schemas.Anomaly{}
			for begun := false; r.item(begun); begun = true {
				c.Anomalies = append(c.Anomalies, schemas.Anomaly(r.str()))
			}
		case "raw":
			r.answer()
		case "normalizer":
			c.Normalizer = r.str()
		case "metadata":
			c.Metadata = map[string]string{}
			for o := r.object(); o.next(); {
				c.Metadata[string(o.name)] = r.str()
			}
		default:
			r.skip()
		}
	}
}

// answer goes over the provider's answer. Of its body, most of an event's bytes, it finds the end and no more.
func (r *reader) answer() {
	for o := r.object(); o.next(); {
		if string(o.name) == "body" {
			r.pass()
		} else {
			r.skip()
		}
	}
}

func (r *reader) amounts(a *schemas.Amounts) {
	sums := new([4]schemas.Money)
	for o := r.object(); o.next(); {
		switch string(o.name) {
		case "requested":
			a.Requested = r.money(&sums[0])
		case "authorized":
			a.Authorized = r.money(&sums[1])
		case "captured":
			a.Captured = r.money(&sums[2])
		case "refunded":
			a.Refunded = r.money(&sums[3])
		default:
			r.skip()
		}
	}
}

func (r *reader) money(m *schemas.Money) *schemas.Money {
	for o := r.object(); o.next(); {
		switch string(o.name) {
		case "value":
			m.Value = r.int64()
		case "currency":
			m.Currency = r.str()
		case "exponent":
			m.Exponent = r.int()
		default:
			r.skip()
		}
	}
	return m
}

func (r *reader) reason() *schemas.Reason {
	reason := new(schemas.Reason)
	for o := r.object(); o.next(); {
		switch string(o.name) {
		case "code":
			reason.Code = r.str()
		case "message":
			reason.Message = r.str()
		case "category":
			reason.Category = schemas.ReasonCategory(r.str())
		default:
			r.skip()
		}
	}
	return reason
}

func (r *reader) dispute() *schemas.Dispute {
	dispute := new(schemas.Dispute)
	for o := r.object(); o.next(); {
		switch string(o.name) {
		case "id":
			dispute.ID = r.str()
		case "outcome":
			dispute.Outcome = schemas.DisputeOutcome(r.str())
		default:
			r.skip()
		}
	}
	return dispute
}
