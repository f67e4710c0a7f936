package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// dialTimeout bounds one connection attempt, with TLS handshake and authentication.
const dialTimeout = 5 * time.Second

// Config says how to reach the brokers. The same value serves a Publisher, a Subscriber and a Client.
type Config struct {
	// Brokers are the host:port addresses to begin with; the others are learned from them. Required.
	Brokers []string
	// ClientID names this program in the brokers' logs and quotas.
	ClientID string
	// TLS encrypts all connections; nil: plain TCP. An empty ServerName is filled in per broker.
	TLS *tls.Config
	// SASL authenticates all connections; the zero value: none.
	SASL SASL
	// Logger receives what an operator should know; nil: slog.Default().
	Logger *slog.Logger
}

// SASL mechanisms.
const (
	SASLPlain       = "plain"
	SASLScramSHA256 = "scram-sha-256"
	SASLScramSHA512 = "scram-sha-512"
)

// SASL is a user name and password with the mechanism that proves them. It never prints the password.
type SASL struct {
	// Mechanism is SASLPlain, SASLScramSHA256 or SASLScramSHA512; empty: no authentication.
	Mechanism string
	Username  string
	Password  string
}

// String shows the mechanism and the user, with the password masked.
func (s SASL) String() string {
	if s.Mechanism == "" {
		return "none"
	}
	return fmt.Sprintf("%s user %q password ***", s.Mechanism, s.Username)
}

// GoString masks the password for %#v, too.
func (s SASL) GoString() string { return s.String() }

// MarshalText masks the password in JSON and the like.
func (s SASL) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue masks the password in structured logs.
func (s SASL) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s SASL) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "":
		return nil, nil //nolint:nilnil // kafka-go takes a nil mechanism for "none"
	case SASLPlain:
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case SASLScramSHA256:
		return scramMechanism(scram.SHA256, s)
	case SASLScramSHA512:
		return scramMechanism(scram.SHA512, s)
	default:
		return nil, fmt.Errorf("kafka: sasl mechanism %q is not one of %s, %s, %s",
			s.Mechanism, SASLPlain, SASLScramSHA256, SASLScramSHA512)
	}
}

func scramMechanism(algorithm scram.Algorithm, s SASL) (sasl.Mechanism, error) {
	m, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil {
		// The cause may quote what it could not prepare.
		return nil, fmt.Errorf("kafka: sasl %s: user name or password holds forbidden characters", s.Mechanism)
	}
	return m, nil
}

// network is a validated Config, from which every connection of this package is built.
type network struct {
	Config
	mechanism sasl.Mechanism
	log       *slog.Logger
}

func (c Config) network() (*network, error) {
	if len(c.Brokers) == 0 {
		return nil, errors.New("kafka: no brokers")
	}
	for _, broker := range c.Brokers {
		if _, _, err := net.SplitHostPort(broker); err != nil {
			return nil, fmt.Errorf("kafka: broker %q is not host:port: %w", broker, err)
		}
	}
	mechanism, err := c.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	log := c.Logger
	if log == nil {
		log = slog.Default()
	}
	return &network{Config: c, mechanism: mechanism, log: log}, nil
}

func (n *network) addr() net.Addr { return kafkago.TCP(n.Brokers...) }

// dialer is what kafka.ConsumerGroup connects with.
func (n *network) dialer() *kafkago.Dialer {
	return &kafkago.Dialer{
		ClientID: n.ClientID, Timeout: dialTimeout, DualStack: true, TLS: n.TLS, SASLMechanism: n.mechanism,
	}
}

// transport is what kafka.Writer and kafka.Client send through. Without topics it learns about all topics of the cluster.
// A short metadata lifetime makes a moved leader known within a second.
func (n *network) transport(topics ...string) *kafkago.Transport {
	return &kafkago.Transport{
		Dial: (&net.Dialer{}).DialContext, DialTimeout: dialTimeout, MetadataTTL: time.Second, MetadataTopics: topics,
		ClientID: n.ClientID, TLS: n.TLS, SASL: n.mechanism,
	}
}

// authenticated opens a connection to one broker that is ready for raw requests: encrypted and authenticated as configured.
// kafka-go's dialer does the authentication on the connection that it is handed.
func (n *network) authenticated(ctx context.Context, address string) (net.Conn, error) {
	var raw net.Conn
	dialer := n.dialer()
	dialer.TLS = nil
	dialer.DialFunc = func(ctx context.Context, netw, _ string) (net.Conn, error) {
		var err error
		if n.TLS == nil {
			raw, err = (&net.Dialer{}).DialContext(ctx, netw, address)
		} else {
			raw, err = (&tls.Dialer{Config: n.TLS}).DialContext(ctx, netw, address)
		}
		return raw, err
	}
	if _, err := dialer.DialContext(ctx, "tcp", address); err != nil {
		if raw != nil {
			_ = raw.Close()
		}
		return nil, err
	}
	return raw, nil
}
