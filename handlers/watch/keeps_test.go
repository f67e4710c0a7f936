package watch_test

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// A string cut out of another keeps all of it in memory: thousands of lanes would keep the answers that they are from.
func TestALaneKeepsNoPartOfAnAnswersText(t *testing.T) {
	t.Parallel()
	answer := strings.Repeat("x", 4096) + "pay_1dsp_1"
	id, dispute := answer[4096:4101], answer[4101:]
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	asked := &watch.Context{Amount: schemas.Amount{Value: 300, Currency: "EUR"}, InitiatedAt: now}
	for name, observed := range map[string]providers.Observation{
		"a status":  {Status: schemas.Captured, Final: true, ProviderPaymentID: id},
		"a dispute": {Status: schemas.Captured, ProviderPaymentID: id, Dispute: &schemas.Dispute{ID: dispute, Outcome: schemas.DisputeOpen}},
	} {
		lane := watch.Decide(&watch.Question{
			Check: watch.Check{PaymentKey: schemas.PaymentKey{Provider: "checkout", PaymentID: "p"}, Kind: watch.KindInitiated, Context: asked},
			Lane:  watch.Lane{Context: asked}, Now: now,
			Query: watch.Reading{From: schemas.SourceQuery, Outcome: providers.Outcome{
				Kind: providers.Observed, Observation: &observed, Learned: schemas.Reference{"payment_id": id},
			}},
		}).Lane

		require.NotEmpty(t, lane.Said.Attempts, name)
		kept := []string{lane.Said.Attempts[0], lane.Context.Learned["payment_id"]}
		if observed.Dispute != nil {
			require.NotNil(t, lane.Said.Dispute, name)
			kept = append(kept, lane.Said.Dispute.ID, lane.Said.Disputes[0].ID)
		}
		for _, text := range kept {
			assert.Contains(t, []string{id, dispute}, text, name)
			assert.NotSame(t, unsafe.StringData(id), unsafe.StringData(text), name)
			assert.NotSame(t, unsafe.StringData(dispute), unsafe.StringData(text), name)
		}
	}
}
