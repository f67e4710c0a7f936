package main

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func TestVersionSaysWhatItWasBuiltFrom(t *testing.T) {
	t.Parallel()
	text := inProcess(t.Context(), "", "version").stdout
	assert.Regexp(t, `^paystatus \S+ \(.+, go1\.\d+.*\)\n$`, text)
	assert.Equal(t, text, inProcess(t.Context(), "", "--version").stdout)
	var v map[string]string
	require.NoError(t, json.Unmarshal([]byte(oneLine(t, inProcess(t.Context(), "", "version", "--output", "json").stdout)), &v))
	assert.Equal(t, runtime.Version(), v["go"])
	assert.Contains(t, text, v["version"])
	assert.Contains(t, text, v["revision"])
}

func TestStatusesPrintsTheVocabularyAndEveryMapping(t *testing.T) {
	t.Parallel()
	var printed struct {
		Statuses []struct {
			Status schemas.Status `json:"status"`
			Final  *bool          `json:"final"`
			Funds  schemas.Funds  `json:"funds"`
		} `json:"statuses"`
		Transitions []schemas.Transition       `json:"transitions"`
		Mappings    map[string][]providers.Row `json:"mappings"`
	}
	require.NoError(t, json.Unmarshal([]byte(oneLine(t, inProcess(t.Context(), "", "statuses", "-o", "json").stdout)), &printed))
	require.Len(t, printed.Statuses, len(schemas.Statuses))
	for i, s := range schemas.Statuses {
		assert.Equal(t, s.Status, printed.Statuses[i].Status)
		assert.Equal(t, s.Final, *printed.Statuses[i].Final)
		assert.Equal(t, s.Funds, printed.Statuses[i].Funds)
	}
	assert.Equal(t, schemas.Transitions(), printed.Transitions)
	assert.Len(t, printed.Mappings, len(pipeline.ProviderNames()))
	for _, name := range pipeline.ProviderNames() {
		provider, err := pipeline.Reader(name)
		require.NoError(t, err)
		assert.Equal(t, provider.Mapping(), printed.Mappings[name])
	}

	text := inProcess(t.Context(), "", "statuses").stdout
	for _, s := range schemas.Statuses {
		assert.Contains(t, text, "\n"+string(s.Status)+" ")
	}
	assert.Regexp(t, `\npartially_refunded +refunded, disputed, charged_back\n`, text)
	for _, name := range pipeline.ProviderNames() {
		assert.Contains(t, text, "\n"+name+" SAYS ")
	}
}

// oneLine requires a text to be one line.
func oneLine(t *testing.T, text string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, "\n"), text)
	require.True(t, strings.HasSuffix(text, "\n"), text)
	return text
}
