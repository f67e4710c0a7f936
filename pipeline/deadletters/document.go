package deadletters

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
)

// Document is a letter for programs: what `dead-letters list` prints.
type Document struct {
	Letter   string    `json:"letter"` // PARTITION/OFFSET, its name
	FailedAt time.Time `json:"failed_at"`
	Reason   string    `json:"reason"`
	Detail   string    `json:"detail"`
	Handler  string    `json:"handler"` // that gave it up

	Provider  string `json:"provider"`   // as the letter claims; empty: it does not say
	Account   string `json:"account"`    // the same
	PaymentID string `json:"payment_id"` // the same; the record's key where nothing better is known

	Topic     string `json:"topic"` // the record that first could not go on
	Partition string `json:"partition"`
	Offset    string `json:"offset"`

	Bytes        int            `json:"bytes"`
	RedriveCount int            `json:"redrive_count"` // how often it was given back before it became this letter
	Redriven     *GivenDocument `json:"redriven"`      // null: not since then
}

// GivenDocument tells when a letter was given back, and by whom.
type GivenDocument struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	Why string    `json:"why,omitempty"`
}

// Document makes a letter's document.
func (l *Letter) Document() Document {
	d := Document{
		Letter: l.String(), FailedAt: l.FailedAt.UTC(), Reason: string(l.Reason), Detail: l.Detail, Handler: l.Handler,
		Provider: l.About.Provider, Account: l.About.Account, PaymentID: l.About.PaymentID,
		Topic: l.From.Topic, Partition: l.From.Partition, Offset: l.From.Offset,
		Bytes: len(l.Value), RedriveCount: l.RedriveCount,
	}
	if g := l.Given; g != nil {
		d.Redriven = &GivenDocument{At: g.At.UTC(), By: g.By, Why: g.Why}
	}
	return d
}

// FullDocument is a letter with all that is in it: what `dead-letters show` prints.
type FullDocument struct {
	Document

	Meaning string           `json:"meaning"` // of the reason
	Remedy  string           `json:"remedy"`
	Key     *Content         `json:"key"`              // null: the record had none
	Headers []HeaderDocument `json:"headers"`          // the original ones, secrets hidden
	Value   Content          `json:"value"`            // the exact bytes that could not go on
	Answer  *AnswerDocument  `json:"answer,omitempty"` // the provider's, where it travels along; card numbers are masked
}

// HeaderDocument is one header.
type HeaderDocument struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Content is bytes as text, or as base64 where they are not UTF-8.
type Content struct {
	Encoding string `json:"encoding"` // utf-8 or base64
	Body     string `json:"body"`
}

// AnswerDocument is a provider's answer as a letter carries it.
type AnswerDocument struct {
	Content

	SHA256 string `json:"sha256"` // of the whole answer; the letter may hold but its beginning
}

// Full makes a letter's full document.
func (l *Letter) Full() FullDocument {
	info, _ := Explain(l.Reason)
	d := FullDocument{Document: l.Document(), Meaning: info.Meaning, Remedy: info.Remedy, Headers: []HeaderDocument{}, Value: content(l.Value)}
	if l.Key != nil {
		key := content(l.Key)
		d.Key = &key
	}
	d.Headers = append(d.Headers, l.original()...)
	if answer, sum, ok := l.answer(); ok {
		d.Answer = &AnswerDocument{Content: content(answer), SHA256: sum}
	}
	return d
}

func content(text []byte) Content {
	if utf8.Valid(text) {
		return Content{"utf-8", string(text)}
	}
	return Content{"base64", base64.StdEncoding.EncodeToString(text)}
}

// original are the headers that the record came with; those that prove who sent it are secret.
func (l *Letter) original() []HeaderDocument {
	own := []string{
		handlers.HeaderReason, handlers.HeaderDetail, handlers.HeaderTopic, handlers.HeaderPartition, handlers.HeaderOffset,
		handlers.HeaderFailedAt, handlers.HeaderHandler, handlers.HeaderAnswer, handlers.HeaderAnswerSHA256, handlers.HeaderRedriveCount,
	}
	var all []HeaderDocument
	for _, h := range l.Headers {
		value := string(h.Value)
		switch name := strings.ToLower(h.Key); {
		case slices.Contains(own, h.Key):
			continue
		case strings.Contains(name, "authorization"), strings.Contains(name, "cookie"):
			value = "(hidden)"
		}
		all = append(all, HeaderDocument{h.Key, value})
	}
	return all
}

// check is the check that the letter is; nil when it is none.
func (l *Letter) check() *watch.Check {
	if l.Handler != handlers.NameCheck {
		return nil
	}
	c, err := watch.DecodeCheck(l.Value)
	if err != nil || !c.Ours() || c.PaymentID == "" {
		return nil
	}
	return &c
}

// answer is the provider's answer that travels with the letter.
func (l *Letter) answer() (body []byte, sum string, ok bool) {
	text := header(l.Headers, handlers.HeaderAnswer)
	if sum = header(l.Headers, handlers.HeaderAnswerSHA256); sum == "" {
		return nil, "", false
	}
	body, err := base64.StdEncoding.DecodeString(text)
	return body, sum, err == nil
}

// indented is JSON with a line for each field; false for what is not JSON.
func indented(text []byte) ([]byte, bool) {
	var b bytes.Buffer
	if !utf8.Valid(text) || json.Indent(&b, text, "", "  ") != nil {
		return nil, false
	}
	return b.Bytes(), true
}
