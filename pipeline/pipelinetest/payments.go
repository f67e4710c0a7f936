package pipelinetest

import (
	"encoding/json"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// Scripted makes what Liquido says of a payment of 300 COP.
func (w *World) Scripted(reference string, steps ...sandbox.Step) {
	w.T.Helper()
	require.NoError(w.T, w.Sandbox.Store("liquido").Put(reference, sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: steps}))
}

// At lets a payment of 300 COP at Liquido go through statuses; "503" and other words that begin with a digit are faults.
func (w *World) At(reference string, statuses ...string) {
	w.T.Helper()
	steps := make([]sandbox.Step, len(statuses))
	for i, status := range statuses {
		steps[i] = sandbox.Step{Status: status}
		if status[0] >= '0' && status[0] <= '9' {
			steps[i] = sandbox.Step{Fault: status}
		}
	}
	w.Scripted(reference, steps...)
}

// Initiated is the data of an initiated event of 300 COP at Liquido, whose reference is the payment's id.
func Initiated(payment string) map[string]any {
	return map[string]any{
		"payment_id": payment, "provider": "liquido", "amount": map[string]any{"value": 300, "currency": "COP"},
		"initiated_at": "2026-01-31T12:00:00Z", "reference": map[string]any{"idempotency_key": payment},
	}
}

// Initiate writes initiated events.
func (w *World) Initiate(events ...map[string]any) {
	w.T.Helper()
	all := make([]*message.Message, len(events))
	for i, e := range events {
		data, err := json.Marshal(e)
		require.NoError(w.T, err)
		all[i] = message.NewMessage("", data)
		kafka.SetKey(all[i], fmt.Append(nil, e["payment_id"]))
	}
	for len(all) > 0 {
		n := min(len(all), 1000)
		require.NoError(w.T, w.Writer.Publish(w.Topics.Initiated, all[:n]...))
		all = all[n:]
	}
}

// Event is a status event as it was written.
type Event struct {
	handlers.StatusEvent

	Value []byte
}

// Events reads every status event so far, each held against the schema.
func (w *World) Events() []Event {
	w.T.Helper()
	records := w.Records(w.Topics.StatusChanged)
	all := make([]Event, len(records))
	for i, r := range records {
		schematest.ValidateChange(w.T, r.Value)
		e, err := handlers.ReadStatusEvent(snapshot.MessageOf(r))
		require.NoError(w.T, err)
		all[i] = Event{e, r.Value}
	}
	return all
}

// EventsOf reads the status events of one payment so far.
func (w *World) EventsOf(payment string) (mine []Event) {
	w.T.Helper()
	for _, e := range w.Events() {
		if e.Data.PaymentID == payment {
			mine = append(mine, e)
		}
	}
	return mine
}
