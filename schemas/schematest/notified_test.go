package schematest_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/schemas/schematest"
)

func TestValidateNotified(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"paystatus_provider": "antom", "paystatus_account": "default", "paystatus_received_at": "2026-03-20T07:02:12.66Z",
		"paystatus_path": "/hooks/antom?shop=1", "http_signature": "algorithm=RSA256,keyVersion=1,signature=x", "traceparent": "whatever else",
	}
	schematest.ValidateNotified(t, good)
	for name, change := range map[string]map[string]string{
		"of an unknown provider": {"paystatus_provider": "paypal"},
		"without an account":     {"paystatus_account": ""},
		"of no time":             {"paystatus_received_at": "yesterday"},
		"of a URL":               {"paystatus_path": "https://shop.example/hooks"},
	} {
		wrong := maps.Clone(good)
		maps.Copy(wrong, change)
		r := &verdict{}
		schematest.ValidateNotified(r, wrong)
		assert.NotEmpty(t, r.said, name)
	}
	r := &verdict{}
	schematest.ValidateNotified(r, nil)
	assert.NotEmpty(t, r.said, "no headers at all")
}
