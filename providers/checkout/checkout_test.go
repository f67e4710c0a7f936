package checkout

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// The payment of most tests.
const (
	payID   = "pay_mbabizu24mvu3mela5njyhpit4"
	otherID = "pay_fldc2qja2rsezn3o4tfakdwzgq"
	sid     = "sid_y3oqhf46pyzuxjbcn2giaqnb44"
	order   = "ORD-1001"
)

// The references that its events give. They are only read.
var (
	byID      = schemas.Reference{refPayment: payID}
	bySession = schemas.Reference{refSession: sid}
	byOrder   = schemas.Reference{refReference: order}
)

var initiatedAt = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// initiated is an event about 80 EUR.
func initiated(reference schemas.Reference) schemas.Initiated {
	return schemas.Initiated{
		PaymentID: "order-1", Provider: name, Account: schemas.DefaultAccount, Amount: schemas.Amount{Value: 8000, Currency: "EUR"},
		InitiatedAt: initiatedAt, Capture: schemas.CaptureAutomatic, Reference: reference,
	}
}

func known(reference schemas.Reference) providers.Payment {
	return providers.PaymentOf(initiated(reference), reference)
}

// reader is a provider that only reads.
func reader() *provider { return newProvider(defaults(), providers.Options{}) }

func query(request, body string) providers.Answer {
	return providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{page(request, http.StatusOK, body)}}
}

func page(request string, status int, body string) providers.Page {
	return providers.Page{Request: request, HTTPStatus: status, Header: http.Header{}, Body: []byte(body), ReceivedAt: initiatedAt.Add(time.Minute)}
}

func TestFixtures(t *testing.T) {
	t.Parallel()
	providertest.RunFixtures(t, reader(), "testdata")
}

func TestEveryRowOfTheMappingIsShownByAFixture(t *testing.T) {
	t.Parallel()
	provider := reader()
	statuses := map[string]schemas.Status{}
	for _, row := range provider.Mapping() {
		statuses[rowName(row)] = row.Status
	}
	shown := map[string]bool{}
	for _, f := range providertest.Fixtures(t, provider, "testdata") {
		row := f.Circumstances.Row
		if row == "" {
			continue
		}
		shown[row] = true
		want, exists := statuses[row]
		if assert.True(t, exists, "%s shows %q, which is no row", f.Name, row) {
			o := provider.Read(f.Answer(), f.Payment)
			require.Equal(t, providers.Observed, o.Kind, "%s: %s", f.Name, o.Message)
			assert.Equal(t, want, o.Observation.Status, f.Name)
		}
	}
	for row := range statuses {
		assert.True(t, shown[row], "no fixture shows %q", row)
	}
}

func rowName(row providers.Row) string {
	if row.Condition == "" {
		return row.Value
	}
	return row.Value + " / " + row.Condition
}

func TestConformance(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile(filepath.Join("testdata", "conformance", "answer.json"))
	require.NoError(t, err)
	list, err := os.ReadFile(filepath.Join("testdata", "list_conformance", "answer.json"))
	require.NoError(t, err)

	subject := providertest.Subject{
		Definition: Definition, Simulator: sandbox.Checkout(), TokenPath: "",
		Spoil: func(ps providers.ProviderSettings) {
			settings := ps.(*Settings)
			for name, a := range settings.Accounts {
				if a.SecretKey != "" {
					a.SecretKey = "sk_sbox_aaaaaaaaaaaaaaaaaaaaaaaaaaa"
				} else {
					a.ClientSecret = "wrong"
				}
				settings.Accounts[name] = a
			}
		},
		Event: initiated(schemas.Reference{refPayment: payID, refReference: order}), Scripted: payID,
		Script: sandbox.Script{
			Amount: sandbox.Amount{Value: 8000, Currency: "EUR"}, Aliases: []string{order, sid},
			Steps: []sandbox.Step{{Status: "Captured"}},
		},
		Good: good, Request: requestPayment, GoodStatus: schemas.Captured, StatusName: "status",
		Identity: []providertest.Swap{
			{Old: payID, New: otherID, Code: providers.CodeOtherPayment},
			{Old: order, New: "ORD-1002", Code: providers.CodeOtherPayment},
			{Old: `"EUR"`, New: `"USD"`, Code: providers.CodeOtherCurrency},
			{Old: `"amount": 8000, "currency"`, New: `"amount": 100, "currency"`, Code: providers.CodeOtherAmount},
		},
	}
	t.Run("by payment id, with a secret key", func(t *testing.T) {
		t.Parallel()
		providertest.Run(t, subject)
	})
	t.Run("by session id, with OAuth", func(t *testing.T) {
		t.Parallel()
		s := subject
		s.Event = initiated(schemas.Reference{refSession: sid, refReference: order})
		s.Event.Account = "oauth"
		s.TokenPath, s.Request = "/connect/token", requestSession
		s.Identity = s.Identity[1:]
		providertest.Run(t, s)
	})
	t.Run("by reference, with an ABC key", func(t *testing.T) {
		t.Parallel()
		s := subject
		s.Event = initiated(byOrder)
		s.Event.Account = "abc"
		s.Good, s.Request, s.Gone = list, requestList, providers.NotFound
		s.Identity = []providertest.Swap{
			{Old: order, New: "ORD-1002", Code: providers.CodeNotFound},
			{Old: `"EUR"`, New: `"USD"`, Code: providers.CodeNotFound},
			{Old: `"amount": 8000`, New: `"amount": 100`, Code: providers.CodeNotFound},
		}
		providertest.Run(t, s)
	})
}
