package providertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func TestAStatusThatIsNotEarnedIsFoundOut(t *testing.T) {
	t.Parallel()
	d := definition(mutant{})
	provider, err := d.New(d.Settings(), providers.Options{})
	require.NoError(t, err)
	observed := func(status schemas.Status, word string) providers.Outcome {
		words := map[string]any{}
		if word != "" {
			words["status"] = word
		}
		return providers.Outcome{Kind: providers.Observed, Observation: &providers.Observation{Status: status, ProviderStatus: words}}
	}
	for name, tc := range map[string]struct {
		body    string
		outcome providers.Outcome
		want    string // "" for what is earned
	}{
		"earned by the words of an object": {`{"id":"p-1","status":"PAID"}`, observed(schemas.Captured, "PAID"), ""},
		"unknown, without a word":          {`{"id":"p-1"}`, observed(schemas.Unknown, ""), ""},
		"from noise":                       {"\x00\xff", observed(schemas.Captured, "PAID"), "no JSON object"},
		"from a list":                      {`["p-1","PAID"]`, observed(schemas.Captured, "PAID"), "no JSON object"},
		"from an object cut off":           {`{"id":"p-1","status":"PAID"`, observed(schemas.Captured, "PAID"), "no JSON object"},
		"from words that nobody said":      {`{"id":"p-1","status":"DUE"}`, observed(schemas.Captured, "PAID"), "does not say"},
		"without a word":                   {`{"id":"p-1"}`, observed(schemas.Captured, ""), "without a word"},
		"that the mapping does not have":   {`{"id":"p-1","status":"PAID"}`, observed(schemas.ChargedBack, "PAID"), "no row"},
		"that does not exist":              {`{"id":"p-1","status":"PAID"}`, observed("paid", "PAID"), "no row"},
		"a failure without a code":         {"x", providers.Outcome{Kind: providers.Unreadable}, "without a code"},
		"a failure with an observation": {
			"x", providers.Outcome{Kind: providers.Unreadable, Code: "x", Observation: &providers.Observation{}}, "with an observation",
		},
		"an outcome that does not exist": {"x", providers.Outcome{Kind: "fine", Code: "x"}, "which there is not"},
		"an outcome that is none":        {"x", providers.Outcome{}, "which there is not"},
	} {
		err := Earned(provider, []byte(tc.body), tc.outcome)
		if tc.want == "" {
			require.NoError(t, err, name)
			continue
		}
		assert.ErrorContains(t, err, tc.want, name)
	}
}

func TestAPaymentIsNamedByAValue(t *testing.T) {
	t.Parallel()
	payment := providers.Payment{Reference: schemas.Reference{"id": "p-1", "number": "12"}}
	for body, named := range map[string]bool{
		`{"a":[{"b":"p-1"}]}`: true, `{"a":12}`: true, `{"p-1":"a"}`: false, `{"a":"p-10"}`: false, `{"a":""}`: false, `{"a":"p-1"`: false,
	} {
		assert.Equal(t, named, Names([]byte(body), payment), body)
	}
}
