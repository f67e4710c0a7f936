package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Notify is a notification that a provider sends about a payment.
type Notify struct {
	// Type is the provider's own word for it (see Notifier.NotificationTypes). Empty: the one that goes with the status.
	Type string `json:"type,omitempty"`

	// After is how late it is sent, from the beginning of the step. Later than the next step's, the two are out of order.
	After Duration `json:"after,omitempty"`

	// Times is how often it is sent. Default: 1.
	Times int `json:"times,omitempty"`

	// Fault is how it goes wrong: bad_signature or no_signature. Empty: it does not.
	Fault string `json:"fault,omitempty"`

	// Fields replace or add fields of what it says about the payment.
	Fields map[string]any `json:"fields,omitempty"`
}

// NotificationType is a type of notification, and the status that the payment has when the provider sends it. Some providers
// have one type for several ends; a second word tells these apart.
type NotificationType struct {
	Type   string
	Status string // in the words of the simulator's steps; "" where it does not matter
}

// Notifier is a simulator that sends notifications.
type Notifier interface {
	Simulator

	// NotificationTypes are the types that it can send.
	NotificationTypes() []NotificationType

	// Notification is the body of a notification of a type about a payment, of what happened at a time. It says of the payment
	// what goes with the type, whatever the script has come to.
	Notification(kind string, p Payment, fields map[string]any, at time.Time) []byte

	// Signer signs with the simulator's own keys.
	Signer() Signer
}

// KnownNotification reports whether a simulator can send notifications of a type.
func KnownNotification(n Notifier, kind string) bool {
	for _, t := range n.NotificationTypes() {
		if t.Type == kind {
			return true
		}
	}
	return false
}

// notificationOf is the type that goes with a status: the first of those with the same words, else with the same first word.
func notificationOf(n Notifier, status string) string {
	first, _, _ := strings.Cut(status, " ")
	found := ""
	for _, t := range n.NotificationTypes() {
		switch {
		case t.Status == "":
		case t.Status == status:
			return t.Type
		case t.Status == first && found == "":
			found = t.Type
		}
	}
	return found
}

// about prepares what a body is made of: the payment in a status that goes with the type, and in no trouble.
func about(n Notifier, kind string, p Payment) Payment {
	p.Step = Step{}
	fitting := ""
	for _, t := range n.NotificationTypes() {
		switch {
		case t.Type != kind || t.Status == "":
		case t.Status == p.Status:
			return p
		case fitting == "":
			fitting = t.Status
		}
	}
	if fitting != "" {
		p.Status = fitting
	}
	return p
}

func replaced(answer, fields map[string]any) map[string]any {
	maps.Copy(answer, fields)
	return answer
}

// check says what is wrong with a notification that is to be sent in a status.
func (n Notify) check(by Notifier, status string) error {
	switch {
	case n.Type != "" && !KnownNotification(by, n.Type):
		return fmt.Errorf("%s sends no notification of type %q", by.Name(), n.Type)
	case n.Type == "" && notificationOf(by, status) == "":
		return fmt.Errorf("no notification of %s goes with the status %q; name a type", by.Name(), status)
	case n.Fault != "" && n.Fault != FaultBadSignature && n.Fault != FaultNoSignature:
		return fmt.Errorf("a notification's fault is %s or %s, not %q", FaultBadSignature, FaultNoSignature, n.Fault)
	}
	return nil
}

// Request is the call of a webhook at a URL's path, signed now by sign: one notification about a payment, of what happened at
// the same time.
func (n Notify) Request(by Notifier, sign Signer, p Payment, path string, now time.Time) (header http.Header, body []byte, err error) {
	if err := n.check(by, p.Status); err != nil {
		return nil, nil, err
	}
	body = n.body(by, p, now)
	header, err = signed(sign, path, body, now, n.Fault)
	return header, body, err
}

// body is that of the notification about a payment, of what happened at a time.
func (n Notify) body(by Notifier, p Payment, at time.Time) []byte {
	kind := n.Type
	if kind == "" {
		kind = notificationOf(by, p.Status)
	}
	return by.Notification(kind, p, n.Fields, at)
}
