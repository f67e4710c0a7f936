// Package archive keeps status events outside Kafka, to the byte: an exported line holds all of a record, so that an import
// writes the record that was, with its id, key, headers and value.
//
// An archive is JSON lines, one record each, compressed when the file's name ends in .gz:
//
//	{"v":1,"topic":"payments.status_changed","partition":3,"offset":17,"time":"2026-03-02T09:14:37.402Z",
//	 "key":"order-10427-1","headers":[["ce_id","72e75783-…"],["ce_type","payment.status_changed"],…],"value":"{\"payment_id\":…}"}
//
// Bytes are text where they are UTF-8, {"base64":"…"} where they are not, and null where there are none. The lines of one
// payment stand in the order of its events; those of different payments in any.
package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Version is the version of the line format.
const Version = 1

// line is a record as an archive holds it.
type line struct {
	Version   int       `json:"v"`
	Topic     string    `json:"topic"`
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
	Time      time.Time `json:"time"` // when the record was appended
	Key       exact     `json:"key"`
	Headers   []header  `json:"headers"`
	Value     exact     `json:"value"`
}

// exact is bytes, none when nil.
type exact []byte

// MarshalJSON writes text, {"base64": …} or null.
func (b exact) MarshalJSON() ([]byte, error) {
	switch {
	case b == nil:
		return []byte("null"), nil
	case utf8.Valid(b):
		return plainJSON(string(b))
	default:
		return plainJSON(map[string][]byte{"base64": b})
	}
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *exact) UnmarshalJSON(text []byte) error {
	switch {
	case bytes.Equal(text, []byte("null")):
		*b = nil
		return nil
	case text[0] == '"':
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return fmt.Errorf("text: %w", err)
		}
		*b = []byte(s)
		return nil
	}
	var s struct {
		Base64 *[]byte `json:"base64"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil || s.Base64 == nil {
		return errors.New(`bytes are text, {"base64": "…"} or null`)
	}
	*b = *s.Base64
	return nil
}

// header is a name and a value.
type header kafka.Header

// MarshalJSON writes an array of two.
func (h header) MarshalJSON() ([]byte, error) { return plainJSON([]any{h.Key, exact(h.Value)}) }

// UnmarshalJSON reads what MarshalJSON writes.
func (h *header) UnmarshalJSON(text []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(text, &pair); err != nil || len(pair) != 2 {
		return errors.New("a header is an array of its name and its value")
	}
	if err := json.Unmarshal(pair[0], &h.Key); err != nil {
		return errors.New("the name of a header is text")
	}
	var value exact
	if err := json.Unmarshal(pair[1], &value); err != nil {
		return fmt.Errorf("header %s: %w", h.Key, err)
	}
	h.Value = value
	return nil
}

// plainJSON is JSON without a line's end and without escapes that only HTML needs.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a line: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// appendLine appends the line of a record.
func appendLine(to *bytes.Buffer, r kafka.Record) error {
	l := line{
		Version: Version, Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time.UTC(), Key: r.Key, Value: r.Value,
		Headers: make([]header, len(r.Headers)),
	}
	for i, h := range r.Headers {
		if !utf8.ValidString(h.Key) {
			return fmt.Errorf("%s/%d, offset %d: the name of a header is not UTF-8", r.Topic, r.Partition, r.Offset)
		}
		l.Headers[i] = header(h)
	}
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return fmt.Errorf("encode a line: %w", err)
	}
	return nil
}

// parse reads a line.
func parse(text []byte) (kafka.Record, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return kafka.Record{}, fmt.Errorf("it is no line of an archive: %w", plain(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return kafka.Record{}, errors.New("it holds more than one document")
	}
	if l.Version != Version {
		return kafka.Record{}, fmt.Errorf("it is a line of version %d, and this program reads version %d", l.Version, Version)
	}
	r := kafka.Record{Topic: l.Topic, Partition: l.Partition, Offset: l.Offset, Time: l.Time, Key: l.Key, Value: l.Value}
	for _, h := range l.Headers {
		r.Headers = append(r.Headers, kafka.Header(h))
	}
	return r, nil
}

// plain is a decoder's error without the text that it stumbled over.
func plain(err error) error {
	if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("it is not whole JSON")
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is of the wrong type", wrong.Field)
	}
	return err
}
