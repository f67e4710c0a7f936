package antom

import (
	"errors"
	"fmt"
	"strconv"
	"time"

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
	err := acc.authentic(a.From, name, page)
	switch {
	case !ok:
		err = fmt.Errorf("no account %q is configured", name)
	case err == nil && notified && required:
		err = p.fresh(page)
	}
	if err == nil {
		return nil
	}
	says := ""
	if !notified { // what anybody may have pushed is not looked into
		body, fault := open(page)
		if fault != nil {
			return nil
		}
		if code := word(body.Get("result", "resultCode")); word(body.Get("result", "resultStatus")) == "F" && isCode(code) && len(code) <= 64 {
			says = "; it says " + code
		}
	}
	if stated := page.Header.Get("Client-Id"); stated != "" && stated != acc.ClientID {
		says = "; it names another client id than the account's"
	}
	return fmt.Errorf("antom: verify: %w%s", err, says)
}

// authentic holds a page against its signature.
func (a account) authentic(from schemas.Source, name string, page providers.Page) error {
	path, at := a.path(inquiryPath), page.Header.Get("Response-Time")
	switch from { //nolint:exhaustive // all others are answers to inquiries
	case schemas.SourceInitiation:
		path = a.path(payPath)
	case schemas.SourceNotification:
		path, at = a.notificationPath(name, page), page.Header.Get("Request-Time")
	}
	signature := page.Header.Get("Signature")
	switch {
	case a.public == nil:
		return fmt.Errorf("account %q has no antom_public_key", name)
	case signature == "":
		return errors.New("it carries no signature")
	default:
		return checkSignature(a.public, signature, signedText(path, a.ClientID, at, page.Body))
	}
}

// fresh refuses a notification that was signed too long before it came: somebody may send it again. A time in a form that
// we do not know is still one that Antom signed.
func (p *provider) fresh(page providers.Page) error {
	text := page.Header.Get("Request-Time")
	at, err := time.Parse(time.RFC3339, text)
	if milliseconds, failed := strconv.ParseInt(text, 10, 64); failed == nil {
		at, err = time.UnixMilli(milliseconds), nil
	}
	if err == nil && page.ReceivedAt.Sub(at) > p.maxAge {
		return fmt.Errorf("it was signed more than %s before it came", p.maxAge)
	}
	return nil
}

// notificationPath is the path that a notification was signed for.
func (a account) notificationPath(name string, page providers.Page) string {
	if a.Notifications.Path != "" {
		return a.Notifications.Path
	}
	return firstOf(page.Header.Get(pathHeader), notificationsPath+name)
}
