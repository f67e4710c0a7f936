package providers

import (
	"context"
	"maps"
	"slices"

	"github.com/paystatus/paystatus/schemas"
)

// Check asks about a payment once, verifies the answer and reads it: one check, as the service makes it. The error is
// ctx's, when that ended before an answer came.
func Check(ctx context.Context, provider Provider, p Payment) (Answer, Outcome, error) {
	answer, err := provider.Ask(ctx, p)
	if err != nil {
		return Answer{}, Outcome{}, err
	}
	return answer, Interpret(provider, answer, p, true), nil
}

// Interpret verifies an answer and reads it. SignatureRequired says whether an answer without a signature is accepted
// where the provider signs.
func Interpret(provider Provider, answer Answer, p Payment, signatureRequired bool) Outcome {
	if answer.Fault == nil || len(answer.Pages) > 0 {
		if err := provider.Verify(answer, p.Account, signatureRequired); err != nil {
			return Failure(Unreadable, CodeBadSignature, err.Error())
		}
	}
	return provider.Read(answer, p)
}

// Kept is the raw part of an event about this outcome: the page that decided, sealed. Nil when there is none.
func Kept(a Answer, o Outcome, p Payment) *schemas.Raw { return kept(a, o, o.Identifiers(p)) }

func kept(a Answer, o Outcome, own []string) *schemas.Raw {
	if o.Page < 0 || o.Page >= len(a.Pages) {
		return nil
	}
	return Seal(a.Pages[o.Page], own)
}

// Identifiers are the payment's, those that the answer states among them.
func (o Outcome) Identifiers(p Payment) []string {
	own := p.Identifiers()
	if o.Observation != nil {
		own = append(own, o.Observation.ProviderPaymentID)
	}
	for _, id := range o.About {
		own = append(own, id)
	}
	return own
}

// Change is what the observation alone says, as the data of a status event; what was said before is not in it.
func (o Outcome) Change(provider Provider, a Answer, p Payment) schemas.Change {
	obs, own := o.Observation, o.Identifiers(p)
	raw := kept(a, o, own)
	change := schemas.Change{
		PaymentID: p.ID, Provider: provider.Name(), Account: p.Account, ProviderPaymentID: obs.ProviderPaymentID, Reference: p.Reference,
		Status: obs.Status, Final: obs.Final && !obs.PayableAgain, Funds: obs.Status.Funds(), ProviderStatus: obs.ProviderStatus,
		Amounts: obs.Amounts, Reason: obs.Reason, ThreeDS: obs.ThreeDS, AVS: obs.AVS, CVV: obs.CVV, Card: obs.Card,
		OccurredAt: obs.OccurredAt, Source: a.From, Dispute: obs.Dispute, Anomalies: slices.Clone(obs.Anomalies),
		Raw: raw, Normalizer: provider.Normalizer(),
	}
	if change.Account == "" {
		change.Account = schemas.DefaultAccount
	}
	if change.Anomalies == nil {
		change.Anomalies = []schemas.Anomaly{}
	}
	masked := maskWords(&change, own)
	if raw != nil {
		change.ObservedAt = raw.ReceivedAt
		masked = masked || raw.Masked
	}
	if masked {
		change.Anomalies = append(change.Anomalies, schemas.MaskedCardNumber)
	}
	return change
}

// maskWords masks card numbers in the texts that come from the provider.
func maskWords(c *schemas.Change, own []string) (masked bool) {
	mask := func(text string) string {
		word, found := MaskCardNumbers([]byte(text), own)
		masked = masked || found
		return string(word)
	}
	for name, value := range c.ProviderStatus {
		text, ok := value.(string)
		if !ok || len(text) < minCardDigits {
			continue
		}
		if word := mask(text); word != text {
			c.ProviderStatus = maps.Clone(c.ProviderStatus)
			c.ProviderStatus[name] = word
		}
	}
	if c.Reason != nil && len(c.Reason.Message) >= minCardDigits {
		reason := *c.Reason
		reason.Message = mask(reason.Message)
		c.Reason = &reason
	}
	return masked
}
