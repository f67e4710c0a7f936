package liquido

import (
	"fmt"
	"strings"

	"github.com/paystatus/paystatus/schemas"
)

// referenceKey is the one name in a reference to a Liquido payment: the key that the merchant chose when it made the charge.
const referenceKey = "idempotency_key"

// maxKey is how long an idempotency key may be, in bytes.
const maxKey = 128

// Identify takes the idempotency key from the reference, else from the reply to the call that made the charge.
func (p *Provider) Identify(e schemas.Initiated) (schemas.Reference, error) {
	if key, given := e.Reference[referenceKey]; given {
		if problem := checkKey(key); problem != "" {
			return nil, &schemas.FieldError{Field: "reference." + referenceKey, Problem: problem}
		}
		return schemas.Reference{referenceKey: key}, nil
	}
	if e.InitiationResponse != nil {
		if body, _, fault := parse([]byte(e.InitiationResponse.Body)); fault == nil {
			if key := body.Get("idempotencyKey").Str(); checkKey(key) == "" {
				return schemas.Reference{referenceKey: key}, nil
			}
		}
	}
	return nil, &schemas.FieldError{
		Field: "reference", Problem: "must hold idempotency_key, the key under which the charge was made, unless initiation_response states it",
	}
}

// checkKey says what is wrong with an idempotency key; "" when nothing is.
func checkKey(key string) string {
	switch {
	case strings.TrimSpace(key) == "":
		return "must not be empty"
	case len(key) > maxKey:
		return fmt.Sprintf("must be at most %d bytes", maxKey)
	case strings.ContainsFunc(key, control):
		return "must not hold control characters"
	case key == "." || key == "..":
		return "must not be a path"
	}
	return ""
}
