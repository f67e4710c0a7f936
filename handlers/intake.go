package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// Intake reads payment initiated events and asks for the first check of each payment. What it cannot read goes to the dead
// letters with its exact bytes.
type Intake struct {
	Providers map[string]providers.Provider // the configured ones, by name
	Types     []string                      // the CloudEvents types that are ours; bare data has none
	Count     func(event string)            // counts "ignored", "accepted" and the reasons of dead letters; may be nil
}

// NameIntake is the handler's name in dead letters and consumer groups.
const NameIntake = "intake"

// Handle is the Handler.
func (h *Intake) Handle(_ context.Context, m Message) (Result, error) {
	check, refusal := h.Read(m)
	switch {
	case refusal != nil:
		h.count(string(refusal.Code))
		return Result{Out: []Out{deadLetter(m, NameIntake, refusal.Code, refusal.Detail, time.Now(), nil)}}, nil
	case check == nil:
		h.count("ignored")
		return Result{}, nil
	}
	value, err := check.Encode()
	if err != nil {
		return Result{}, err
	}
	h.count("accepted")
	return Result{Out: []Out{{To: ToChecks, Key: []byte(check.PaymentID), Value: value}}}, nil
}

func (h *Intake) count(event string) {
	if h.Count != nil {
		h.Count(event)
	}
}

// Refusal is why an input cannot go on.
type Refusal struct {
	Code   watch.Code
	Detail string // a sentence for people
}

// Read makes the first check of an event; nil without a refusal for an event that is none of ours.
func (h *Intake) Read(m Message) (*watch.Check, *Refusal) {
	e, err := open(m)
	switch {
	case err != nil:
		return nil, &Refusal{CodeInvalidEnvelope, err.Error()}
	case e.eventType != "" && !slices.Contains(h.Types, e.eventType):
		return nil, nil
	case len(e.data) == 0:
		return nil, &Refusal{CodeEmpty, "there is no event in the record"}
	}
	event, err := schemas.ParseInitiated(e.data)
	if err != nil {
		return nil, &Refusal{codeOf(err), err.Error()}
	}
	provider := h.Providers[event.Provider]
	if provider == nil {
		return nil, &Refusal{CodeUnknownProvider, fmt.Sprintf("no provider %q is configured", clip(event.Provider))}
	}
	if !slices.Contains(provider.Accounts(), event.Account) {
		return nil, &Refusal{CodeUnknownAccount, fmt.Sprintf("%s has no account %q configured", event.Provider, clip(event.Account))}
	}
	reference, err := provider.Identify(event)
	if err != nil {
		return nil, &Refusal{CodeInvalidReference, err.Error()}
	}
	origin := &watch.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Time: m.Time}
	context := watch.NewContext(event, reference, origin)
	context.CausationID, context.Traceparent = e.id, e.traceparent
	check := &watch.Check{PaymentKey: event.Key(), Kind: watch.KindInitiated, Context: context, Origin: origin, Cause: schemas.CauseInitiated}
	if r := event.InitiationResponse; r != nil && r.Body != "" {
		body, masked := providers.MaskCardNumbers([]byte(r.Body), providers.PaymentOf(event, reference).Identifiers())
		check.Evidence = &watch.Evidence{
			From: schemas.SourceInitiation, HTTPStatus: r.HTTPStatus, Body: body, Masked: masked, ReceivedAt: event.InitiatedAt,
		}
	}
	return check, nil
}

// codeOf tells a value that is not JSON at all from one with a wrong field.
func codeOf(err error) watch.Code {
	if _, ok := errors.AsType[*exactjson.Error](err); ok {
		return CodeNotJSON
	}
	return CodeInvalidEvent
}

// clip keeps a strange value short enough for a sentence.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
