package antom

import (
	"errors"
	"fmt"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// pathHeader is where a caller puts the path on which a notification arrived.
const pathHeader = "Paystatus-Path"

// notificationsPath is where notifications arrive unless the configuration says otherwise; the account's name follows.
const notificationsPath = "/notifications/antom/"

// Verify checks the signature of an answer or notification over its exact bytes, for our own client id. Answers that hold
// nothing that could be read are left to Read, which says better what they are.
func (p *provider) Verify(a providers.Answer, accountName string, required bool) error {
	if len(a.Pages) == 0 {
		return nil
	}
	page := a.Last()
	name, acc, ok := p.account(accountName)
	signature := page.Header.Get("Signature")
	notified := a.From == schemas.SourceNotification
	switch {
	case a.From == schemas.SourceInitiation && signature == "": // it came inside an event, without headers
		return nil
	case !notified && ok && !acc.verifies():
		return nil
	case !required && (signature == "" || !ok || acc.public == nil):
		return nil
	}
	var err error
	switch {
	case !ok:
		err = fmt.Errorf("no account %q is configured", name)
	case acc.public == nil:
		err = fmt.Errorf("account %q has no antom_public_key", name)
	case signature == "":
		err = errors.New("it carries no signature")
	case notified:
		err = checkSignature(acc.public, signature, signedText(acc.notificationPath(name, page), acc.ClientID, page.Header.Get("Request-Time"), page.Body))
	default:
		err = checkSignature(acc.public, signature, signedText(acc.path(apiOf(a.From)), acc.ClientID, page.Header.Get("Response-Time"), page.Body))
	}
	if err == nil {
		return nil
	}
	body, fault := open(page)
	if !notified && fault != nil {
		return nil
	}
	if stated := page.Header.Get("Client-Id"); stated != "" && ok && stated != acc.ClientID {
		return fmt.Errorf("antom: verify: %w; it names another client id than the account's", err)
	}
	if code := word(body.Get("result", "resultCode")); word(body.Get("result", "resultStatus")) == "F" && isCode(code) && len(code) <= 64 {
		return fmt.Errorf("antom: verify: %w; it says %s", err, code)
	}
	return fmt.Errorf("antom: verify: %w", err)
}

// apiOf is the API whose answer comes from a source.
func apiOf(from schemas.Source) string {
	if from == schemas.SourceInitiation {
		return payPath
	}
	return inquiryPath
}

// notificationPath is the path that a notification was signed for.
func (a account) notificationPath(name string, page providers.Page) string {
	if a.Notifications.Path != "" {
		return a.Notifications.Path
	}
	return firstOf(page.Header.Get(pathHeader), notificationsPath+name)
}
