package providers

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/schemas"
)

// named is a provider of which only the name matters.
type named struct{ Provider }

func (named) Name() string       { return "named" }
func (named) Normalizer() string { return "named/1" }

func TestACardNumberInTheProvidersWordsIsMaskedToo(t *testing.T) {
	t.Parallel()
	words := map[string]any{"status": "paid with 4242424242424242", "code": 7}
	o := Outcome{Kind: Observed, Observation: &Observation{
		Status: schemas.Declined, ProviderStatus: words, Reason: &schemas.Reason{Code: "x", Message: "card 4242 4242 4242 4242 refused"},
	}}
	a := Answer{From: schemas.SourceQuery, Pages: []Page{{HTTPStatus: http.StatusOK, Header: http.Header{}, Body: []byte(`{}`)}}}
	c := o.Change(named{}, a, Payment{ID: "p"})
	assert.Equal(t, "paid with 424242******4242", c.ProviderStatus["status"])
	assert.Equal(t, "card 4242 42** **** 4242 refused", c.Reason.Message)
	assert.Equal(t, []schemas.Anomaly{schemas.MaskedCardNumber}, c.Anomalies)
	assert.Equal(t, "paid with 4242424242424242", words["status"], "the outcome itself is not changed")
}
