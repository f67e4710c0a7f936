package checkout

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/schemas"
)

// FuzzRead reads any bytes as any answer: it never panics, and a status never comes from anything but a JSON object that
// names the payment.
func FuzzRead(f *testing.F) {
	c := reader()
	for _, fixture := range providertest.Fixtures(f, c, "testdata") {
		f.Add(fixture.Body, uint8(0), 200)
	}
	f.Add([]byte(payment("Captured")), uint8(1), 422)
	f.Add([]byte(listPage(1, attempt("a", "Captured"))), uint8(2), 200)
	f.Add([]byte(`{"type":"payment_captured","data":{`+ourData+`}}`), uint8(3), 0)
	p := known(schemas.Reference{refPayment: payID, refSession: sid, refReference: order})
	f.Fuzz(func(t *testing.T, body []byte, form uint8, status int) {
		answer := providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{page("", status, string(body))}}
		switch form % 4 {
		case 1:
			answer.From = schemas.SourceInitiation
		case 2:
			answer.Pages[0].Request = requestList
		case 3:
			answer.From = schemas.SourceNotification
		}
		for _, payment := range []providers.Payment{p, {}, known(byOrder)} {
			o := c.Read(answer, payment)
			d := providers.Describe(c, answer, o, payment, "")
			_, err := json.Marshal(d)
			require.NoError(t, err)
			require.NoError(t, providertest.Earned(c, body, o))
			if o.Kind != providers.Observed {
				continue
			}
			object, _ := providers.ParseBody(body)
			if payment.Known() && answer.From == schemas.SourceQuery {
				require.Equal(t, 2, status/100)
				stated := append([]string{object.Get("id").Str(), object.Get("reference").Str()}, inList(t, body)...)
				require.True(t, slices.Contains(stated, payID) || slices.Contains(stated, order), "a status of what is not ours")
			}
		}
	})
}

// inList are the ids and references of the rows of a list.
func inList(t *testing.T, body []byte) []string {
	t.Helper()
	object, unreadable := providers.ParseBody(body)
	require.Nil(t, unreadable)
	var all []string
	for row := range object.Get("data").Items() {
		all = append(all, row.Get("id").Str(), row.Get("reference").Str())
	}
	return all
}

// BenchmarkRead makes an event's data of an answer of about 2 KB: parse, decide, hash and look for card numbers.
func BenchmarkRead(b *testing.B) {
	c := reader()
	body, err := os.ReadFile(filepath.Join("testdata", "guide_query_by_payment_id", "answer.json"))
	require.NoError(b, err)
	p := known(schemas.Reference{refPayment: "pay_g26ap2k3dtt2vdx5shygqfsk2e"})
	p.Amount.Value = 5000
	answer := providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{page(requestPayment, http.StatusOK, string(body))}}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if d := providers.Describe(c, answer, c.Read(answer, p), p, ""); d.Data == nil {
			b.Fatal(d.Reason)
		}
	}
}
