// Package providertest is what every provider passes: fixtures of its answers with the documents they come to, and a
// conformance suite of the rules that hold for all providers.
package providertest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

var update = flag.Bool("update", false, "write the documents that answers come to into the fixtures")

// ReceivedAt is when every fixture's answer was received.
var ReceivedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Circumstances are what a fixture's answer came with, in its case.json. All is optional.
type Circumstances struct {
	From       schemas.Source    `json:"from,omitempty"` // default: query
	Request    string            `json:"request,omitempty"`
	HTTPStatus int               `json:"http_status,omitempty"` // default: 200
	Header     map[string]string `json:"header,omitempty"`
	Previous   schemas.Status    `json:"previous,omitempty"`
	Row        string            `json:"row,omitempty"` // "value" or "value / condition" of the mapping row that this fixture shows
}

// Fixture is one folder of testdata: an answer as the provider sent it (answer.*), the circumstances (case.json), the
// initiated event's data (payment.json, optional) and the document that it comes to (want.json).
type Fixture struct {
	Name          string
	Body          []byte
	Circumstances Circumstances
	Payment       providers.Payment
	Want          []byte
}

// Fixtures reads every fixture below dir; the provider completes the references of the payments.
func Fixtures(t testing.TB, provider providers.Provider, dir string) []Fixture {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(dir, "*", "answer.*"))
	require.NoError(t, err)
	require.NotEmpty(t, folders, "no fixtures below %s", dir)
	all := make([]Fixture, 0, len(folders))
	for _, answer := range folders {
		folder := filepath.Dir(answer)
		f := Fixture{Name: filepath.Base(folder)}
		f.Body = read(t, answer)
		if text, ok := optional(t, filepath.Join(folder, "case.json")); ok {
			require.NoError(t, json.Unmarshal(text, &f.Circumstances), folder)
		}
		if text, ok := optional(t, filepath.Join(folder, "payment.json")); ok {
			event, err := schemas.ParseInitiated(text)
			require.NoError(t, err, folder)
			reference, err := provider.Identify(event)
			require.NoError(t, err, folder)
			f.Payment = providers.PaymentOf(event, reference)
		}
		f.Want, _ = optional(t, filepath.Join(folder, "want.json"))
		all = append(all, f)
	}
	return all
}

// Answer is the fixture's answer.
func (f Fixture) Answer() providers.Answer {
	c := f.Circumstances
	page := providers.Page{Request: c.Request, HTTPStatus: c.HTTPStatus, Header: http.Header{}, Body: f.Body, ReceivedAt: ReceivedAt}
	if page.HTTPStatus == 0 {
		page.HTTPStatus = http.StatusOK
	}
	for name, value := range c.Header {
		page.Header.Set(name, value)
	}
	from := c.From
	if from == "" {
		from = schemas.SourceQuery
	}
	return providers.Answer{From: from, Pages: []providers.Page{page}}
}

// RunFixtures holds every fixture's document against what the provider reads, and the raw body against the bytes of the
// answer. With -update it writes the documents instead; read the difference before you keep it.
func RunFixtures(t *testing.T, provider providers.Provider, dir string) {
	t.Helper()
	for _, f := range Fixtures(t, provider, dir) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			answer := f.Answer()
			outcome := provider.Read(answer, f.Payment)
			document := providers.Describe(provider, answer, outcome, f.Payment, f.Circumstances.Previous)
			if document.Data != nil && !document.Data.Raw.Masked {
				requireRaw(t, f.Body, document.Data.Raw)
			}
			got, err := json.MarshalIndent(document, "", "  ")
			require.NoError(t, err)
			if *update {
				require.NoError(t, os.WriteFile(filepath.Join(dir, f.Name, "want.json"), append(got, '\n'), 0o600))
				return
			}
			require.JSONEq(t, string(f.Want), string(got))
		})
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}

func optional(t testing.TB, path string) ([]byte, bool) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		return nil, false
	}
	return read(t, path), true
}

// requireRaw holds a raw part against the bytes it was made from.
func requireRaw(t testing.TB, body []byte, raw *schemas.Raw) {
	t.Helper()
	text := []byte(raw.Body)
	if raw.Encoding == providers.EncodingBase64 {
		var err error
		text, err = base64.StdEncoding.DecodeString(raw.Body)
		require.NoError(t, err)
	}
	require.Equal(t, string(body), string(text), "raw.body must be the answer byte for byte")
	sum := sha256.Sum256(body)
	require.Equal(t, hex.EncodeToString(sum[:]), raw.SHA256)
}
