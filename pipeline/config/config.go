package config

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers"
)

// Config is the whole configuration. Its sections are in the order of the file.
type Config struct {
	Kafka         Kafka         `yaml:"kafka"`
	Embedded      Embedded      `yaml:"embedded"`
	Topics        Topics        `yaml:"topics"`
	Events        Events        `yaml:"events"`
	HTTP          HTTP          `yaml:"http"`
	Notifications Notifications `yaml:"notifications"`
	Log           Log           `yaml:"log"`
	Limits        Limits        `yaml:"limits"`
	Providers     Providers     `yaml:"providers"`
	Schedules     Schedules     `yaml:"schedules"`
}

// Kafka says how to reach the brokers and as whom.
type Kafka struct {
	// Brokers are host:port addresses to begin with. Empty: the embedded broker, where a command has one.
	Brokers []string `yaml:"brokers"`

	// Group is the prefix of the consumer groups ("paystatus.check", …) and the client id. Default: paystatus.
	Group string `yaml:"group"`

	// SessionTimeout is after how long without a heartbeat a group gives an instance's partitions to others. Default: 10s.
	SessionTimeout time.Duration `yaml:"session_timeout"`

	TLS  TLS  `yaml:"tls"`
	SASL SASL `yaml:"sasl"`

	// InitiatedStart is where the very first start begins to read initiated events. Default: earliest.
	InitiatedStart Start `yaml:"initiated_start"`
}

// TLS encrypts the connections to the brokers.
type TLS struct {
	Enabled    bool   `yaml:"enabled"`
	CAFile     File   `yaml:"ca_file"`     // PEM; empty: the system's authorities
	CertFile   File   `yaml:"cert_file"`   // PEM, for brokers that ask for a client certificate
	KeyFile    File   `yaml:"key_file"`    // PEM
	ServerName string `yaml:"server_name"` // empty: the broker's host
}

// SASL authenticates at the brokers.
type SASL struct {
	Mechanism string           `yaml:"mechanism"` // plain, scram-sha-256 or scram-sha-512; empty: no authentication
	Username  string           `yaml:"username"`
	Password  providers.Secret `yaml:"password"`
}

// Embedded is the broker inside this process.
type Embedded struct {
	Enabled bool   `yaml:"enabled"`
	DataDir string `yaml:"data_dir"` // relative to the working directory. Default: ./paystatus-data
	Listen  string `yaml:"listen"`   // port 0: any free one. Default: 127.0.0.1:9092
}

// Topics names the topics, and how this program creates them.
type Topics struct {
	Initiated     string `yaml:"initiated"`      // Default: payments.initiated
	Notified      string `yaml:"notified"`       // Default: payments.notified
	StatusChanged string `yaml:"status_changed"` // Default: payments.status_changed
	Prefix        string `yaml:"prefix"`         // of the internal topics. Default: "paystatus."
	Partitions    int    `yaml:"partitions"`     // Default: 12
	Replication   int    `yaml:"replication"`    // Default: 3; embedded: 1
	MinInsync     int    `yaml:"min_insync"`     // Default: 2; embedded: 1
}

// Internal is the name of an internal topic: "checks" is "paystatus.checks".
func (t Topics) Internal(name string) string { return t.Prefix + name }

// The internal topics, without their prefix. A tier's topic is DelayTopic and the tier's delay: "delay.5s".
const (
	ChecksTopic      = "checks"
	DelayTopic       = "delay."
	DeadLettersTopic = "dead_letters"
	RedrivenTopic    = "redriven"
	ReplaysTopic     = "replays"
)

// isInternal reports whether a topic has the name of an internal one.
func (t Topics) isInternal(topic string) bool {
	name, ours := strings.CutPrefix(topic, t.Prefix)
	return ours && (slices.Contains([]string{ChecksTopic, DeadLettersTopic, RedrivenTopic, ReplaysTopic}, name) || strings.HasPrefix(name, DelayTopic))
}

// Events says which events come in and what leaves.
type Events struct {
	Mode           string   `yaml:"mode"`            // CloudEvents: binary or structured. Default: binary
	InitiatedTypes []string `yaml:"initiated_types"` // CloudEvents types that are ours. Default: payment.initiated
	Raw            string   `yaml:"raw"`             // inline or none. Default: inline
	Source         string   `yaml:"source"`          // CloudEvents source. Default: /paystatus
}

// HTTP is the listener for health and metrics.
type HTTP struct {
	Listen string `yaml:"listen"` // Default: 127.0.0.1:8080
}

// Notifications is the listener for the providers' webhooks, and what becomes of their notifications.
type Notifications struct {
	Listen          string        `yaml:"listen"`           // empty: none
	MaxAge          time.Duration `yaml:"max_age"`          // from signing to receipt, where the signature states a time. Default: 5m
	UnknownPayments string        `yaml:"unknown_payments"` // dead_letter or ignore. Default: dead_letter

	// TrustProducer takes what stands on the topic of notifications for verified, and does not verify it again. For when
	// nobody but a receiver of the company's own, which verifies, can write there.
	TrustProducer bool `yaml:"trust_producer"`

	// PaymentID leads, by provider, to the payment_id in a notification. Default: the merchant's own reference there.
	PaymentID map[string]providers.Paths `yaml:"payment_id"`

	// Allow are, by provider, the networks that its webhooks come from. Default: all.
	Allow map[string][]Network `yaml:"allow"`

	// TrustedProxies are the networks of the proxies in front of the listener, whose X-Forwarded-For tells where a request
	// came from. Default: none, the header is not looked at.
	TrustedProxies []Network `yaml:"trusted_proxies"`
}

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error. Default: info
	Format string `yaml:"format"` // auto (text on a terminal, else json), text or json. Default: auto
}

// Limits bound what one process takes on.
type Limits struct {
	InFlight int           `yaml:"in_flight"` // checks running at once. Default: 4096
	Lookback time.Duration `yaml:"lookback"`  // how far back the emitted log is read on assignment. Default: 15m
	Drain    time.Duration `yaml:"drain"`     // how long running checks may finish on a rebalance or shutdown. Default: 10s
}

// Providers are the settings of the providers that are served, by name.
type Providers map[string]providers.ProviderSettings

// The words of keys that know only some.
const (
	ModeBinary     = "binary"
	ModeStructured = "structured"
	RawInline      = "inline"
	RawNone        = "none"
	DeadLetter     = "dead_letter"
	Ignore         = "ignore"
	FormatAuto     = "auto"
	FormatText     = "text"
	FormatJSON     = "json"
)

// defaults is the configuration of an empty file, but for the schedules.
func defaults() *Config {
	return &Config{
		Kafka:    Kafka{Brokers: []string{}, Group: "paystatus", SessionTimeout: 10 * time.Second},
		Embedded: Embedded{DataDir: "./paystatus-data", Listen: "127.0.0.1:9092"},
		Topics: Topics{
			Initiated: "payments.initiated", Notified: "payments.notified", StatusChanged: "payments.status_changed", Prefix: "paystatus.",
			Partitions: 12, Replication: 3, MinInsync: 2,
		},
		Events:        Events{Mode: ModeBinary, InitiatedTypes: []string{"payment.initiated"}, Raw: RawInline, Source: "/paystatus"},
		HTTP:          HTTP{Listen: "127.0.0.1:8080"},
		Notifications: Notifications{MaxAge: providers.DefaultMaxNotificationAge, UnknownPayments: DeadLetter},
		Log:           Log{Level: "info", Format: FormatAuto},
		Limits:        Limits{InFlight: 4096, Lookback: 15 * time.Minute, Drain: 10 * time.Second},
		Providers:     Providers{},
		Schedules:     Schedules{},
	}
}

// Embed makes this the configuration of a process with its own broker, which is one node: what --embedded asks for.
func (c *Config) Embed() {
	c.Embedded.Enabled = true
	c.Topics.Replication, c.Topics.MinInsync = 1, 1
}

// File is the path of a file that must be there. In the file it is relative to the configuration file; here it is absolute.
type File string

// Start is where reading begins: the earliest record, as the zero value, the latest, or the first after a time.
type Start struct {
	Latest bool
	At     time.Time // zero: not by time
}

// UnmarshalText reads "earliest", "latest" or an RFC 3339 time.
func (s *Start) UnmarshalText(text []byte) error {
	switch string(text) {
	case "earliest":
		*s = Start{}
	case "latest":
		*s = Start{Latest: true}
	default:
		at, err := time.Parse(time.RFC3339, string(text))
		if err != nil {
			return errors.New("must be earliest, latest or an RFC 3339 time like 2026-01-31T12:00:00Z")
		}
		*s = Start{At: at.UTC()}
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (s Start) MarshalText() ([]byte, error) {
	switch {
	case s.Latest:
		return []byte("latest"), nil
	case !s.At.IsZero():
		return []byte(s.At.Format(time.RFC3339Nano)), nil
	default:
		return []byte("earliest"), nil
	}
}
