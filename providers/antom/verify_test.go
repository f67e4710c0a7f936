package antom

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

const (
	clientID = "SANDBOX_1"
	signedAt = "2026-01-02T11:04:04+08:00"
)

// receivedAt is one second after signedAt.
var receivedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// signed is a page as Antom would send it.
func signed(t *testing.T, path, timeHeader, body string) providers.Page {
	t.Helper()
	signature, err := sign(theirKey(), 1, signedText(path, clientID, signedAt, []byte(body)))
	require.NoError(t, err)
	header := http.Header{}
	header.Set("Signature", signature)
	header.Set("Client-Id", clientID)
	header.Set(timeHeader, signedAt)
	return providers.Page{HTTPStatus: http.StatusOK, Header: header, Body: []byte(body), ReceivedAt: receivedAt}
}

func verifier(t *testing.T, change func(*Account)) providers.Provider {
	t.Helper()
	p, err := Definition.New(settingsWith(func(a *Account) {
		a.ClientID, a.AntomPublicKey = clientID, publicText(t, theirKey())
		change(a)
	}), providers.Options{})
	require.NoError(t, err)
	return p
}

func same(*Account) {}

func asSent(*providers.Page) {}

func TestAnswersAreVerified(t *testing.T) {
	t.Parallel()
	const path = "/ams/sandbox/api/v1/payments/inquiryPayment"
	const body = `{"result":{"resultStatus":"S"},"paymentStatus":"SUCCESS","paymentRequestId":"P"}`
	off := false
	for name, tc := range map[string]struct {
		account func(*Account)
		page    func(p *providers.Page)
		// accepted when a signature is required, and when it is not
		required, optional bool
	}{
		"as signed":    {same, asSent, true, true},
		"another body": {same, func(p *providers.Page) { p.Body = append(p.Body, '\n') }, false, false},
		"another time": {same, func(p *providers.Page) { p.Header.Set("Response-Time", "2026-01-02T11:04:05+08:00") }, false, false},
		"no time":      {same, func(p *providers.Page) { p.Header.Del("Response-Time") }, false, false},
		"no signature": {same, func(p *providers.Page) { p.Header.Del("Signature") }, false, true},
		"the Client-Id header counts for nothing": {same, func(p *providers.Page) { p.Header.Del("Client-Id") }, true, true},
		"signed for another client":               {func(a *Account) { a.ClientID = "SANDBOX_2" }, asSent, false, false},
		"signed for the other path":               {func(a *Account) { a.ClientID = "1" }, asSent, false, false},
		"signed with another key":                 {func(a *Account) { a.AntomPublicKey = publicText(t, ourKey()) }, asSent, false, false},
		"verification is off": {
			func(a *Account) { a.VerifyAnswers = &off }, func(p *providers.Page) { p.Header.Set("Signature", "x") }, true, true,
		},
		"no key":                       {func(a *Account) { a.AntomPublicKey = "" }, asSent, false, true},
		"the HTTP status says more":    {same, func(p *providers.Page) { p.HTTPStatus, p.Header = 502, nil }, true, true},
		"the body is no answer at all": {same, func(p *providers.Page) { p.Header, p.Body = http.Header{}, []byte("<html>") }, true, true},
		"the body is cut off":          {same, func(p *providers.Page) { p.Cut = true; p.Body = p.Body[:9] }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := signed(t, path, "Response-Time", body)
			tc.page(&page)
			answer := providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{page}}
			p := verifier(t, tc.account)
			for required, accepted := range map[bool]bool{true: tc.required, false: tc.optional} {
				err := p.Verify(answer, "", required)
				assert.Equal(t, accepted, err == nil, "required %v: %v", required, err)
				o := providers.Interpret(p, answer, providers.Payment{}, required)
				if !accepted {
					assert.Equal(t, providers.Unreadable, o.Kind)
					assert.Equal(t, providers.CodeBadSignature, o.Code)
				}
			}
		})
	}
}

func TestWhatIsNotVerifiedIsNeverAStatus(t *testing.T) {
	t.Parallel()
	p := verifier(t, same)
	for _, page := range []providers.Page{
		{HTTPStatus: 500, Body: []byte(`{"result":{"resultStatus":"S"},"paymentStatus":"SUCCESS","paymentRequestId":"P"}`)},
		{HTTPStatus: 200, Body: []byte(`{"result":{"resultStatus":"S"},"paymentStatus":"SUCCESS","paymentRequestId":"P"`)},
		{HTTPStatus: 200, TooLarge: true, Body: []byte(`{"result":{"resultStatus":"S"},"paymentStatus":"SUCCESS","paymentRequestId":"P"}`)},
		{HTTPStatus: 404, Body: []byte(`{"result":{"resultStatus":"F","resultCode":"ORDER_NOT_EXIST"}}`)},
		{HTTPStatus: 200, Body: []byte(`{"result":{"resultStatus":"F","resultCode":"ORDER_NOT_EXIST"}}`)},
	} {
		o := providers.Interpret(p, providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{page}}, providers.Payment{}, true)
		assert.NotContains(t, []providers.Kind{providers.Observed, providers.NotFound}, o.Kind, "%s", page.Body)
	}
}

func TestAnUnsignedRefusalSaysWhatItIs(t *testing.T) {
	t.Parallel()
	page := providers.Page{HTTPStatus: 200, Body: []byte(`{"result":{"resultStatus":"F","resultCode":"INVALID_CLIENT"}}`)}
	err := verifier(t, same).Verify(providers.Answer{Pages: []providers.Page{page}}, "default", true)
	require.ErrorContains(t, err, "INVALID_CLIENT")
}

func TestAnswersOfUnknownAccountsAreNotAccepted(t *testing.T) {
	t.Parallel()
	answer := providers.Answer{Pages: []providers.Page{{HTTPStatus: 200, Body: []byte(`{}`)}}}
	require.ErrorContains(t, verifier(t, same).Verify(answer, "other", true), `no account "other"`)
	require.NoError(t, verifier(t, same).Verify(answer, "other", false))
	require.NoError(t, verifier(t, same).Verify(providers.Answer{}, "default", true), "without any page there is nothing to verify")
}

func TestPaysAnswerIsVerifiedWhereItHasASignature(t *testing.T) {
	t.Parallel()
	p := verifier(t, same)
	page := signed(t, "/ams/sandbox/api/v1/payments/pay", "Response-Time", `{"result":{"resultStatus":"U"}}`)
	answer := providers.Answer{From: schemas.SourceInitiation, Pages: []providers.Page{page}}
	require.NoError(t, p.Verify(answer, "default", true))
	answer.Pages[0].Body = []byte(`{"result":{"resultStatus":"S"}}`)
	require.Error(t, p.Verify(answer, "default", true))
	answer.Pages[0].Header = nil
	require.NoError(t, p.Verify(answer, "default", true), "inside an event it has no headers")
}

func TestNotificationsAreVerifiedForThePathThatAntomWasTold(t *testing.T) {
	t.Parallel()
	const body = `{"notifyType":"PAYMENT_RESULT","result":{"resultStatus":"S"},"paymentRequestId":"P"}`
	const told = "/notifications/antom/default"
	late := func(by time.Duration) func(*providers.Page) {
		return func(p *providers.Page) { p.ReceivedAt = receivedAt.Add(by) }
	}
	arrived := func(path string) func(*providers.Page) {
		return func(p *providers.Page) { p.Header.Set("Paystatus-Path", path) }
	}
	off := false
	for name, tc := range map[string]struct {
		path     string // what Antom signed
		account  func(*Account)
		page     func(*providers.Page)
		required bool
		ok       bool
	}{
		"the default path":               {told, same, asSent, true, true},
		"a stripped path":                {"/notify", same, asSent, true, false},
		"the configured path":            {"/pay/notify?x=1", func(a *Account) { a.Notifications.Path = "/pay/notify?x=1" }, arrived("/notify"), true, true},
		"the path it arrived on":         {"/hooks/a", same, arrived("/hooks/a"), true, true},
		"another path":                   {"/hooks/a", same, arrived("/hooks/b"), true, false},
		"a changed body":                 {told, same, func(p *providers.Page) { p.Body = []byte(body + " ") }, true, false},
		"no JSON and no signature":       {told, same, func(p *providers.Page) { p.Body, p.Header = []byte("x"), nil }, true, false},
		"no signature":                   {told, same, func(p *providers.Page) { p.Header.Del("Signature") }, true, false},
		"no signature, none required":    {told, same, func(p *providers.Page) { p.Header.Del("Signature") }, false, true},
		"answers are not verified":       {"/x", func(a *Account) { a.VerifyAnswers = &off }, asSent, true, false},
		"signed long ago":                {told, same, late(5 * time.Minute), true, false},
		"signed long ago, none required": {told, same, late(5 * time.Minute), false, true},
		"signed a while ago":             {told, same, late(4 * time.Minute), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := signed(t, tc.path, "Request-Time", body)
			page.HTTPStatus = 0
			tc.page(&page)
			err := verifier(t, tc.account).Verify(providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page}}, "default", tc.required)
			assert.Equal(t, tc.ok, err == nil, "%v", err)
		})
	}
}

func TestANotificationsAgeIsThatOfMilliseconds(t *testing.T) {
	t.Parallel()
	p := verifier(t, same).(*provider)
	page := providers.Page{Header: http.Header{}, ReceivedAt: time.UnixMilli(1_700_000_000_000)}
	for text, ok := range map[string]bool{"1699999990000": true, "1699999000000": false, "some day": true} {
		page.Header.Set("Request-Time", text)
		assert.Equal(t, ok, p.fresh(page) == nil, text)
	}
}

func TestANotificationThatIsNotAuthenticIsNotLookedInto(t *testing.T) {
	t.Parallel()
	page := providers.Page{
		HTTPStatus: http.StatusOK, Header: http.Header{"Signature": {"algorithm=RSA256,keyVersion=1,signature=AAAA"}},
		Body: []byte(`{"result":{"resultStatus":"F","resultCode":"SOMEBODYS_WORDS"}}`),
	}
	err := verifier(t, same).Verify(providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page}}, "default", true)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "SOMEBODYS_WORDS")
}
