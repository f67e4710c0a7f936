package handlers

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
)

// The headers that a dead letter has beside the original ones.
const (
	HeaderReason       = "paystatus_reason"    // a stable code
	HeaderDetail       = "paystatus_detail"    // a sentence for people
	HeaderTopic        = "paystatus_topic"     // where the original came from
	HeaderPartition    = "paystatus_partition" //
	HeaderOffset       = "paystatus_offset"    //
	HeaderFailedAt     = "paystatus_failed_at" // RFC 3339
	HeaderHandler      = "paystatus_handler"   // the handler that gave it up
	HeaderAnswer       = "paystatus_answer"    // the provider's answer, base64, at most maxAnswerHeader bytes of it
	HeaderAnswerSHA256 = "paystatus_answer_sha256"

	// HeaderRedriveCount says how often the message was given back; none: never. It travels on into what becomes of it.
	HeaderRedriveCount = "paystatus_redrive_count"
)

// maxAnswerHeader bounds the answer in a dead letter's header, in bytes before base64.
const maxAnswerHeader = 32 << 10

// The codes of dead letters beside those that checks make (see Reasons).
const (
	CodeEmpty            watch.Code = "empty"
	CodeInvalidEnvelope  watch.Code = "invalid_envelope"
	CodeNotJSON          watch.Code = "not_json"
	CodeInvalidEvent     watch.Code = "invalid_event"
	CodeInvalidReference watch.Code = "invalid_reference"
	CodeInvalidCheck     watch.Code = "invalid_check"
	CodeUnknownProvider  watch.Code = "unknown_provider"
	CodeUnknownAccount   watch.Code = "unknown_account"
	CodeBadSignature     watch.Code = "bad_signature"
	CodeNoReference      watch.Code = "no_reference"
	CodeUnreadableBody   watch.Code = "unreadable_notification"
	CodeInternalError    watch.Code = "internal_error"
)

// ReasonInfo explains one code of dead letters.
type ReasonInfo struct {
	Code    watch.Code
	Meaning string
	Remedy  string
}

// Reasons lists every code of dead letters.
var Reasons = []ReasonInfo{
	{CodeEmpty, "the record has no value", "find out who produces it; there is nothing to redrive"},
	{CodeInvalidEnvelope, "the CloudEvent around the event cannot be read", "mend the producer, produce the event again"},
	{CodeNotJSON, "the event's data is not JSON that can be read without doubt", "mend the producer, produce the event again"},
	{CodeInvalidEvent, "a field of the event is missing or wrong", "mend the producer, produce the event again"},
	{CodeInvalidReference, "the identifiers of the payment are missing, malformed, or point to a foreign host", "mend the producer, produce the event again"},
	{CodeUnknownProvider, "the provider is not configured", "configure it, then redrive"},
	{CodeUnknownAccount, "the provider's account is not configured", "configure it, then redrive"},
	{watch.CodeConflictingInitiation, "a later initiated event of the same payment says something else", "give every attempt a payment_id of its own"},
	{
		watch.CodeMismatch, "the provider's answer is about another payment, account, currency or amount",
		"compare the answer with the order; the reference may be wrong, or somebody tampers",
	},
	{watch.CodeUnreadable, "the provider's answers cannot be read, many times in a row", "look at the answer; the payment is still watched, slowly"},
	{watch.CodeNoContext, "a notification came for a payment of which no initiated event is known", "produce the initiated event, then redrive"},
	{CodeBadSignature, "the notification is not authentic", "check the keys of the account; somebody may be forging"},
	{
		CodeNoReference, "the notification names no payment of ours", "see whether notifications.payment_id can find it; then redrive, " +
			"also when the provider could not be asked",
	},
	{CodeUnreadableBody, "the notification cannot be read", "look at the body; the payment is still watched by its schedule"},
	{CodeInvalidCheck, "a record on the work topic is not a check", "find out who writes to the internal topic"},
	{CodeInternalError, "a handler failed five times on this message", "report the error, then redrive with a mended version"},
}

// maxDetail bounds the sentence, in bytes: names of fields come from the input.
const maxDetail = 1 << 10

// answer is a provider's answer that goes with a dead letter.
type answer struct{ body []byte }

// deadLetter is the original message with the reason why it cannot go on.
func deadLetter(m Message, handler string, reason watch.Code, detail string, now time.Time, a *answer) Out {
	headers := make([]Header, 0, len(m.Headers)+9)
	for _, h := range m.Headers {
		if !ownHeader(h.Key) {
			headers = append(headers, h)
		}
	}
	add := func(name, value string) { headers = append(headers, Header{Key: name, Value: []byte(value)}) }
	add(HeaderReason, string(reason))
	add(HeaderDetail, strings.ToValidUTF8(detail[:min(len(detail), maxDetail)], ""))
	add(HeaderTopic, m.Topic)
	add(HeaderPartition, strconv.Itoa(m.Partition))
	add(HeaderOffset, strconv.FormatInt(m.Offset, 10))
	add(HeaderFailedAt, now.UTC().Format(time.RFC3339Nano))
	add(HeaderHandler, handler)
	if a != nil {
		sum := sha256.Sum256(a.body)
		add(HeaderAnswerSHA256, hex.EncodeToString(sum[:]))
		add(HeaderAnswer, base64.StdEncoding.EncodeToString(a.body[:min(len(a.body), maxAnswerHeader)]))
	}
	return Out{To: ToDeadLetters, Key: m.Key, Value: m.Value, Headers: headers}
}

// ownHeader tells the headers that a dead letter sets, so that one given back and given up again has each once.
func ownHeader(name string) bool {
	switch name {
	case HeaderReason, HeaderDetail, HeaderTopic, HeaderPartition, HeaderOffset, HeaderFailedAt, HeaderHandler, HeaderAnswer, HeaderAnswerSHA256:
		return true
	}
	return false
}
