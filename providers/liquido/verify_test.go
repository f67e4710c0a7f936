package liquido_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// The vector was computed apart from this code, by the rule of Liquido's documentation.
const (
	vectorSecret    = "test-client-secret"
	vectorTimestamp = "1646169402"
	vectorBody      = `{"eventType":"CHARGE_SUCCEEDED","data":{"chargeDetails":{"idempotencyKey":"2022030214000008","transferStatus":"SETTLED"}}}`
	vectorMAC       = "89cd394e35acdb114027940e6ed836cbf692fd9071575a906379d40905f0bd0a"
)

var vectorTime = time.Unix(1646169402, 0)

func newVerifier(t *testing.T, options providers.Options) providers.Provider {
	t.Helper()
	settings := liquido.Definition.Settings().(*liquido.Settings)
	settings.Accounts = map[string]liquido.Account{
		"default": {ClientID: "id", ClientSecret: vectorSecret, APIKey: "key"},
		"brazil":  {ClientID: "id", ClientSecret: "another-secret", APIKey: "key"},
	}
	provider, err := liquido.Definition.New(settings, options)
	require.NoError(t, err)
	return provider
}

func signed(body, header string, receivedAt time.Time) providers.Answer {
	page := providers.Page{Header: http.Header{}, Body: []byte(body), ReceivedAt: receivedAt}
	if header != "" {
		page.Header.Set("Liquido-Signature", header)
	}
	return providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page}}
}

func TestSignaturesOfCallbacksAreVerified(t *testing.T) {
	t.Parallel()
	good := "algorithm=HmacSHA256,timestamp=" + vectorTimestamp + ",signature=" + vectorMAC
	for name, tc := range map[string]struct {
		header, body, account string
		required              bool
		accepted              bool
	}{
		"the documented form": {good, vectorBody, "", true, true},
		"capital hexadecimal": {strings.Replace(good, vectorMAC, strings.ToUpper(vectorMAC), 1), vectorBody, "", true, true},
		"blanks and another order": {
			"signature=" + vectorMAC + ", timestamp=" + vectorTimestamp + ", algorithm=hmacsha256", vectorBody, "", true, true,
		},
		"another body":                            {good, vectorBody + " ", "", true, false},
		"another body where none is required":     {good, vectorBody + " ", "", false, false},
		"another timestamp":                       {strings.Replace(good, vectorTimestamp, "1646169403", 1), vectorBody, "", true, false},
		"a timestamp with a leading zero":         {strings.Replace(good, vectorTimestamp, "0"+vectorTimestamp, 1), vectorBody, "", true, false},
		"another account's secret":                {good, vectorBody, "brazil", true, false},
		"an account that is not configured":       {good, vectorBody, "mexico", true, false},
		"no account to check with, none required": {good, vectorBody, "mexico", false, true},
		"no header":                        {"", vectorBody, "", true, false},
		"no header where none is required": {"", vectorBody, "", false, true},
		"another algorithm":                {strings.Replace(good, "HmacSHA256", "none", 1), vectorBody, "", true, false},
		"no algorithm":                     {"timestamp=" + vectorTimestamp + ",signature=" + vectorMAC, vectorBody, "", true, false},
		"no signature":                     {"algorithm=HmacSHA256,timestamp=" + vectorTimestamp, vectorBody, "", true, false},
		"half a signature":                 {strings.Replace(good, vectorMAC, vectorMAC[:32], 1), vectorBody, "", true, false},
		"a timestamp that is none":         {strings.Replace(good, vectorTimestamp, "now", 1), vectorBody, "", true, false},
		"two signatures":                   {good + ",signature=" + vectorMAC, vectorBody, "", true, false},
		"something else":                   {"x", vectorBody, "", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := newVerifier(t, providers.Options{}).Verify(signed(tc.body, tc.header, vectorTime), tc.account, tc.required)
			if tc.accepted {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.NotContains(t, err.Error(), vectorMAC)
			assert.NotContains(t, err.Error(), vectorSecret)
		})
	}
}

func TestTheAgeOfACallbackCountsWhereSignaturesAreRequired(t *testing.T) {
	t.Parallel()
	header := "algorithm=HmacSHA256,timestamp=" + vectorTimestamp + ",signature=" + vectorMAC
	for _, tc := range []struct {
		name     string
		maxAge   time.Duration
		age      time.Duration
		required bool
		accepted bool
	}{
		{"five minutes by default", 0, 5 * time.Minute, true, true},
		{"and no more", 0, 5*time.Minute + time.Second, true, false},
		{"nor from the future", 0, -5*time.Minute - time.Second, true, false},
		{"a clock that is a little behind", 0, -time.Minute, true, true},
		{"as configured", time.Hour, 59 * time.Minute, true, true},
		{"not where none is required", 0, 24 * time.Hour, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := newVerifier(t, providers.Options{MaxNotificationAge: tc.maxAge}).Verify(signed(vectorBody, header, vectorTime.Add(tc.age)), "", tc.required)
			assert.Equal(t, tc.accepted, err == nil, "%v", err)
		})
	}
}

func TestAnswersToQueriesAreNotSigned(t *testing.T) {
	t.Parallel()
	require.NoError(t, newVerifier(t, providers.Options{}).Verify(answerOf(schemas.SourceQuery, 200, nil), "", true))
}

func TestTheSimulatorsCallbacksAreAuthentic(t *testing.T) {
	t.Parallel()
	provider := newAsker(t, sandbox.Liquido(), "https://sandbox.invalid/liquido")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for fault, code := range map[string]string{
		"": "", sandbox.FaultBadSignature: providers.CodeBadSignature, sandbox.FaultNoSignature: providers.CodeBadSignature,
	} {
		body, header := sandbox.LiquidoCallback("CHARGE_SUCCEEDED", sandbox.Payment{
			Reference: "order-7001", Status: "SETTLED", Step: sandbox.Step{Fault: fault},
			Script: sandbox.Script{Amount: sandbox.Amount{Value: 30000, Currency: "COP"}},
		}, now)
		o := providers.Interpret(provider, signed(string(body), header, now), paymentOf(t, initiated()), true)
		assert.Equal(t, code, o.Code, o.Message)
		if code == "" {
			assert.Equal(t, schemas.Captured, observed(t, o).Status)
		}
	}
}
