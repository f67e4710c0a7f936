package handlers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// Redriven gives a dead letter back to the handler that gave it up, and a message that a handler has postponed back to that. One of
// the check handler's becomes a repeat, never its old step.
//
// The record of an initiated event that is given back is its own origin: topic, partition, offset and time are those on the
// topic of redriven letters, not of the event's first record. That one never became part of the payment, and giving it back is
// an operator's act of now: what other initiated events have said since is the earlier context and wins. The same letter
// given back twice has two origins, so that the second is a repeat, which costs a query and says nothing new.
type Redriven struct {
	Intake       Handler
	Notification Handler
}

// NameRedriven is the handler's name in consumer groups.
const NameRedriven = "redriven"

// Handle is the Handler.
func (h *Redriven) Handle(ctx context.Context, m Message) (Result, error) {
	var result Result
	var err error
	switch by := m.header(HeaderHandler); by {
	case NameIntake:
		result, err = h.Intake(ctx, m)
	case NameNotification:
		result, err = h.Notification(ctx, received(m))
	case NameCheck:
		result, err = repeat(m)
	default:
		detail := fmt.Sprintf("the letter names no handler that takes it back: %q", clip(by))
		result.Out = []Out{deadLetter(m, NameRedriven, CodeInvalidEnvelope, detail, time.Now(), nil)}
	}
	return goneOn(m, result), err
}

// again makes a message wait and come back to a handler by way of this one. It keeps where it first came from, and when.
func again(m Message, handler string, after time.Duration) Out {
	headers := slices.DeleteFunc(slices.Clone(m.Headers), func(h Header) bool { return h.Key == HeaderHandler })
	for _, first := range []Header{
		{HeaderTopic, []byte(m.Topic)},
		{HeaderPartition, []byte(strconv.Itoa(m.Partition))},
		{HeaderOffset, []byte(strconv.FormatInt(m.Offset, 10))},
		{HeaderReceivedAt, []byte(m.Time.UTC().Format(time.RFC3339Nano))},
	} {
		if m.header(first.Key) == "" {
			headers = append(headers, first)
		}
	}
	return Out{To: ToDelay, After: after, Key: m.Key, Value: m.Value, Headers: append(headers, Header{HeaderHandler, []byte(handler)})}
}

// Returning reports whether a message that has waited goes back to a handler that postponed it, by way of Redriven, and not to the
// work topic.
func Returning(headers []Header) bool { return Message{Headers: headers}.header(HeaderHandler) != "" }

// received is a notification that keeps the time it came at, by which its age is judged: it was not later than when it was
// given up.
func received(m Message) Message {
	if m.header(HeaderReceivedAt) == "" && m.header(HeaderFailedAt) != "" {
		m.Headers = append(slices.Clone(m.Headers), Header{Key: HeaderReceivedAt, Value: []byte(m.header(HeaderFailedAt))})
	}
	return m
}

// repeat asks about the payment of a check's dead letter anew.
func repeat(m Message) (Result, error) {
	old, err := watch.DecodeCheck(m.Value)
	detail := ""
	switch {
	case err != nil:
		detail = "the letter is not a check"
	case !old.Ours():
		detail = fmt.Sprintf("the letter is a check of version %d, which this program does not know", old.Version)
	case old.PaymentID == "":
		detail = "the letter is a check of no payment"
	}
	if detail != "" {
		letter := deadLetter(m, NameCheck, CodeInvalidCheck, detail, time.Now(), nil)
		return Result{Out: []Out{letter}}, nil
	}
	check := watch.Check{PaymentKey: old.PaymentKey, Kind: watch.KindRepeat, Context: old.Context, Said: old.Said, Cause: schemas.CauseRedrive}
	switch {
	case old.Kind == watch.KindRenormalize:
		check = old // asks nothing
	case old.Context == nil:
		check.Kind, check.Evidence = watch.KindNotification, old.Evidence
	}
	value, err := check.Encode()
	if err != nil {
		return Result{}, err
	}
	return Result{Out: []Out{{To: ToChecks, Key: []byte(check.PaymentID), Value: value}}}, nil
}

// goneOn makes what becomes of a letter remember how often it was given back and, when it is given up again, where it first
// came from.
func goneOn(m Message, r Result) Result {
	count := m.header(HeaderRedriveCount)
	for i := range r.Out {
		out := &r.Out[i]
		switch {
		case out.To == ToChecks && count != "":
			out.Headers = append(out.Headers, Header{Key: HeaderRedriveCount, Value: []byte(count)})
		case out.To == ToDeadLetters:
			for j, h := range out.Headers {
				first := m.header(h.Key)
				if slices.Contains([]string{HeaderTopic, HeaderPartition, HeaderOffset}, h.Key) && first != "" {
					out.Headers[j].Value = []byte(first)
				}
			}
		}
	}
	return r
}
