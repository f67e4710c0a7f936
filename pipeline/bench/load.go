package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// Load is the work of one run.
type Load struct {
	Brokers     []string `json:"brokers"`
	Source      string   `json:"source"` // topic of the messages
	Sink        string   `json:"sink"`   // topic for the answers
	Prefix      string   `json:"prefix"` // of all topics and consumer groups of the run
	Partitions  int      `json:"partitions"`
	Replication int      `json:"replication"`
	Provider    string   `json:"provider"` // URL
	Messages    int      `json:"messages"`
	Keys        int      `json:"keys"`
	InFlight    int      `json:"in_flight"`
}

// ReferenceHeader is the header of a message that holds the reference to ask the provider for.
const ReferenceHeader = "reference"

// maxTurns bounds the messages of a key: to the pipeline each is a payment of another account.
const maxTurns = 100

// turns are the messages of a key, at most.
func (l Load) turns() int { return (l.Messages + l.Keys - 1) / l.Keys }

// message makes the i-th message: a payment initiated event. The keys take turns.
func (l Load) message(i int, now time.Time) (kafkago.Message, error) {
	key, turn := i%l.Keys, i/l.Keys
	reference := referenceOf(key, turn)
	value, err := json.Marshal(map[string]any{
		"payment_id": keyName(key), "provider": "liquido", "account": accountName(turn), "method": "CARD", "initiated_at": now.UTC().Format(time.RFC3339),
		"amount": map[string]any{"value": amount, "currency": currency}, "reference": map[string]any{"idempotency_key": reference},
	})
	if err != nil {
		return kafkago.Message{}, fmt.Errorf("message %d: %w", i, err)
	}
	return kafkago.Message{
		Key: []byte(keyName(key)), Value: value, Headers: []kafkago.Header{{Key: ReferenceHeader, Value: []byte(reference)}},
	}, nil
}

// The sum of every payment.
const (
	amount   = 4200
	currency = "COP"
)

func keyName(key int) string { return fmt.Sprintf("p-%08d", key) }

func accountName(turn int) string { return "a" + strconv.Itoa(turn) }

func referenceOf(key, turn int) string { return keyName(key) + "." + strconv.Itoa(turn) }

// KeyOf is the key of the message that holds a reference.
func KeyOf(reference string) string {
	key, _, _ := strings.Cut(reference, ".")
	return key
}

var errReference = errors.New("a reference that is none of ours")

// parseReference reads what referenceOf wrote.
func (l Load) parseReference(reference string) (key, turn int, err error) {
	name, rest, _ := strings.Cut(reference, ".")
	key, err1 := strconv.Atoi(strings.TrimPrefix(name, "p-"))
	turn, err2 := strconv.Atoi(rest)
	if err1 != nil || err2 != nil || key < 0 || turn < 0 || key+turn*l.Keys >= l.Messages || key >= l.Keys {
		return 0, 0, errReference
	}
	return key, turn, nil
}
