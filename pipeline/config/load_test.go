package config_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/providers"
)

func TestAnEmptyFileIsTheDefaults(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "---\n", "null\n", "kafka:\ntopics:\nproviders:\nschedules:\n"} {
		c := loaded(t, text, nil)
		assert.Empty(t, c.Kafka.Brokers)
		assert.Equal(t, "paystatus", c.Kafka.Group)
		assert.Equal(t, 10*time.Second, c.Kafka.SessionTimeout)
		assert.Equal(t, config.Start{}, c.Kafka.InitiatedStart)
		assert.Equal(t, config.Embedded{DataDir: "./paystatus-data", Listen: "127.0.0.1:9092"}, c.Embedded)
		assert.Equal(t, config.Topics{
			Initiated: "payments.initiated", Notified: "payments.notified", StatusChanged: "payments.status_changed", Prefix: "paystatus.",
			Partitions: 12, Replication: 3, MinInsync: 2,
		}, c.Topics)
		assert.Equal(t, "paystatus.checks", c.Topics.Internal(config.ChecksTopic))
		assert.Equal(t, config.Events{Mode: "binary", InitiatedTypes: []string{"payment.initiated"}, Raw: "inline", Source: "/paystatus"}, c.Events)
		assert.Equal(t, "127.0.0.1:8080", c.HTTP.Listen)
		assert.Equal(t, config.Notifications{MaxAge: 5 * time.Minute, UnknownPayments: "dead_letter"}, c.Notifications)
		assert.Equal(t, config.Log{Level: "info", Format: "auto"}, c.Log)
		assert.Equal(t, config.Limits{InFlight: 4096, Lookback: 15 * time.Minute, Drain: 10 * time.Second}, c.Limits)
		assert.Empty(t, c.Providers)
	}
}

func TestWithoutAFileTheEnvironmentIsEnough(t *testing.T) {
	t.Parallel()
	c, problems := config.Load("", []string{"PAYSTATUS_KAFKA_BROKERS=kafka-1:9092"}, definitions)
	require.Empty(t, problems)
	assert.Equal(t, []string{"kafka-1:9092"}, c.Kafka.Brokers)
}

func TestAFileThatIsNotThereIsAProblem(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	c, problems := config.Load(path, nil, definitions)
	assert.Nil(t, c)
	assert.Equal(t, []config.Problem{{File: path, Text: "the configuration file cannot be read: no such file or directory"}}, problems)
}

func TestOnlyProvidersWithASectionAreServed(t *testing.T) {
	t.Parallel()
	c := loaded(t, "providers:\n  alpha: {}\n  beta:\n", nil)
	require.Len(t, c.Providers, 1)
	want := definition("alpha").Settings()
	assert.Equal(t, want, c.Providers["alpha"])
	assert.Equal(t, providers.Size(256<<10), c.Providers["alpha"].Common().MaxAnswer)
}

func TestValuesOfEveryTypeAreRead(t *testing.T) {
	t.Parallel()
	c := loaded(t, `
kafka:
  brokers: [kafka-1:9092, "kafka-2:9092"]
  initiated_start: 2026-01-31T12:00:00+01:00
events: {initiated_types: []}
providers:
  alpha:
    timeout: 1m30s
    rate: 2.5
    max_answer: 1MiB
    accept_other_amount: true
    breaker: {open: 5s}
    accounts:
      default: {client_id: 0815, secret_key: "a: b # c", verify_answers: false}
      second: {secret_key: s2, key_version: 2, notifications: {path: /n, keys: {"1": k1, "2": k2}}}
limits: {drain: 2m}
`, nil)
	assert.Equal(t, []string{"kafka-1:9092", "kafka-2:9092"}, c.Kafka.Brokers)
	assert.Equal(t, config.Start{At: time.Date(2026, 1, 31, 11, 0, 0, 0, time.UTC)}, c.Kafka.InitiatedStart)
	assert.Empty(t, c.Events.InitiatedTypes)
	common := c.Providers["alpha"].Common()
	assert.Equal(t, 90*time.Second, common.Timeout)
	assert.InDelta(t, 2.5, common.Rate, 0)
	assert.Equal(t, providers.Size(1<<20), common.MaxAnswer)
	assert.True(t, common.AcceptOtherAmount)
	assert.Equal(t, providers.BreakerSettings{Failures: 20, Open: 5 * time.Second}, common.Breaker)
	first, second := accountOf(t, c, "alpha", "default"), accountOf(t, c, "alpha", "second")
	assert.Equal(t, "0815", first.ClientID, "numbers stay as they are written where a text is wanted")
	assert.Equal(t, "a: b # c", first.SecretKey.Reveal())
	require.NotNil(t, first.VerifyAnswers)
	assert.False(t, *first.VerifyAnswers)
	assert.Equal(t, notifications{Path: "/n", Keys: map[string]providers.Secret{"1": "k1", "2": "k2"}}, second.Notifications)
}

func TestAnchorsMayBeUsed(t *testing.T) {
	t.Parallel()
	c := loaded(t, "providers:\n  alpha:\n    accounts:\n      default: &a {client_id: one, secret_key: s}\n      second: *a\n",
		[]string{"PAYSTATUS_PROVIDERS_ALPHA_ACCOUNTS_SECOND_CLIENT_ID=two"})
	assert.Equal(t, "one", accountOf(t, c, "alpha", "default").ClientID)
	assert.Equal(t, account{ClientID: "two", SecretKey: "s"}, accountOf(t, c, "alpha", "second"))
}

func TestTheEmbeddedBrokerIsOneNode(t *testing.T) {
	t.Parallel()
	c := loaded(t, "embedded: {enabled: true}", nil)
	assert.Equal(t, 1, c.Topics.Replication)
	assert.Equal(t, 1, c.Topics.MinInsync)

	c = loaded(t, "topics: {replication: 3}", nil)
	c.Embed()
	assert.True(t, c.Embedded.Enabled)
	assert.Equal(t, 1, c.Topics.Replication, "what a command line asks for outranks the file")
	assert.Equal(t, 1, c.Topics.MinInsync)
}

func TestSecretsMayStandInFilesBesideTheConfiguration(t *testing.T) {
	t.Parallel()
	c := loaded(t, `
kafka: {sasl: {mechanism: plain, username: u, password_file: kafka.txt}, tls: {enabled: true, ca_file: ca.pem}}
providers:
  alpha:
    accounts:
      default: {secret_key_file: "${DIR:-.}/key.pem", notifications: {keys: {"1": k1, "2_file": key.txt}}}
`, nil, "kafka.txt", "swordfish\r\n", "key.pem", "-----BEGIN-----\nabc\n-----END-----\n\n", "key.txt", "k2", "ca.pem", "x")
	assert.Equal(t, "swordfish", c.Kafka.SASL.Password.Reveal())
	assert.True(t, filepath.IsAbs(string(c.Kafka.TLS.CAFile)))
	a := accountOf(t, c, "alpha", "default")
	assert.Equal(t, "-----BEGIN-----\nabc\n-----END-----\n", a.SecretKey.Reveal(), "one newline at the end goes, no more")
	assert.Equal(t, map[string]providers.Secret{"1": "k1", "2": "k2"}, a.Notifications.Keys)
}
