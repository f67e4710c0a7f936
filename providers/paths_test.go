package providers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

func TestPathsFindTheFirstTextOrNumber(t *testing.T) {
	t.Parallel()
	object, err := exactjson.Parse([]byte(`{"reference":"ref","metadata":{"order_id":"o-1","number":7,"empty":"","flag":true,"list":["x"]}}`))
	require.NoError(t, err)
	for written, want := range map[string]string{
		"metadata.order_id":             "o-1",
		"metadata.number":               "7",
		"metadata.Order_ID|reference":   "ref",
		"metadata.empty | reference":    "ref",
		"metadata.flag|metadata.list":   "",
		"metadata":                      "",
		"reference.order_id":            "",
		"nothing|metadata.number|other": "7",
	} {
		var paths providers.Paths
		require.NoError(t, paths.UnmarshalText([]byte(written)), written)
		assert.Equal(t, want, paths.Find(object, "otherwise"), written)
	}
	assert.Equal(t, "otherwise", providers.Paths(nil).Find(object, "otherwise"), "without paths")
}

func TestPathsAreWrittenAsTheyAreRead(t *testing.T) {
	t.Parallel()
	var paths providers.Paths
	require.NoError(t, paths.UnmarshalText([]byte(" metadata.order_id | reference ")))
	assert.Equal(t, providers.Paths{{"metadata", "order_id"}, {"reference"}}, paths)
	text, err := paths.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, "metadata.order_id|reference", string(text))
	for _, wrong := range []string{"", ".", "a..b", "a|", "|a", "a.", " "} {
		assert.ErrorContains(t, paths.UnmarshalText([]byte(wrong)), "must be names with dots between", wrong)
	}
}
