package renormalize

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/schemas"
)

// Event is as much of a status event as reading its answer again needs. To read all of it takes half as much time again.
type Event struct {
	handlers.StatusHead

	Data struct {
		schemas.PaymentKey

		Reference      schemas.Reference `json:"reference"`
		PreviousStatus schemas.Status    `json:"previous_status"`
		ProviderStatus struct {
			Candidates []string `json:"candidates"`
		} `json:"provider_status"`
		Amounts schemas.Amounts `json:"amounts"`
		Source  schemas.Source  `json:"source"`
		Raw     *raw            `json:"raw"`
	}
}

// ReadEvent reads a record of the emitted log. The error is a handlers.ErrNoStatusEvent.
func ReadEvent(m handlers.Message) (*Event, error) {
	e := &Event{}
	if err := e.Read(m, &e.Data, &e.Data.PaymentID); err != nil {
		return nil, err //nolint:wrapcheck // names what is wrong
	}
	return e, nil
}

// raw is a schemas.Raw with its body as bytes.
type raw struct {
	schemas.Raw

	Body content `json:"body"`
}

// content is the bytes of a text.
type content []byte

// UnmarshalJSONFrom reads a text.
func (c *content) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	text, err := dec.ReadValue()
	if err == nil {
		*c, err = jsontext.AppendUnquote(nil, text)
	}
	if err != nil {
		return fmt.Errorf("read a body: %w", err)
	}
	return nil
}
