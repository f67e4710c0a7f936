package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
)

func TestValuesHoldVariables(t *testing.T) {
	t.Parallel()
	env := []string{"NAME=blue", "EMPTY=", "TRICKY=a: b, {c} # d\n- e", "N=24", "YES=true", "D=7s", "PAIR=a=b"}
	for name, row := range map[string]struct{ text, want string }{
		"alone":                                {"${NAME}", "blue"},
		"inside a text":                        {"x-${NAME}-${N}", "x-blue-24"},
		"in double quotes":                     {`"${NAME}"`, "blue"},
		"in single quotes":                     {`'${NAME}'`, "blue"},
		"with a default that is not needed":    {"${NAME:-red}", "blue"},
		"with a default for one not set":       {"${MISSING:-red}", "red"},
		"with a default for one that is empty": {"${EMPTY:-red}", "red"},
		"with an empty default":                {"x${MISSING:-}", "x"},
		"with a default full of signs":         {"${MISSING:-a, b: c #d}", "a, b: c #d"},
		"empty":                                {"x${EMPTY}", "x"},
		"holding what YAML would read":         {"${TRICKY}", "a: b, {c} # d\n- e"},
		"holding an equals sign":               {"${PAIR}", "a=b"},
		"escaped":                              {"$${NAME}", "${NAME}"},
		"with a dollar sign alone":             {"5$ $NAME", "5$ $NAME"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{
				"kafka:\n  tls:\n    enabled: true\n    server_name: " + row.text + "\n", "kafka: {tls: {enabled: true, server_name: " + row.text + "}}",
			} {
				assert.Equal(t, row.want, loaded(t, text, env).Kafka.TLS.ServerName)
			}
		})
	}
	c := loaded(t, "{topics: {partitions: ${N}}, embedded: {enabled: ${YES}}, limits: {drain: \"${D}\", lookback: ${L:-1m}}}", env)
	assert.Equal(t, 24, c.Topics.Partitions)
	assert.True(t, c.Embedded.Enabled)
	assert.Equal(t, 7*time.Second, c.Limits.Drain)
	assert.Equal(t, time.Minute, c.Limits.Lookback)
}

func TestVariablesInCommentsAreNotRead(t *testing.T) {
	t.Parallel()
	loaded(t, "# set ${NOBODY} or ${not a name\nkafka: {} # ${NOBODY}\n", nil)
}

func TestKeysAreSetByTheEnvironmentAlone(t *testing.T) {
	t.Parallel()
	c := loaded(t, `
kafka: {group: from-the-file, sasl: {password_file: not-there.txt}}
providers:
  alpha:
    accounts:
      eu-west: {client_id: c, secret_key: s}
`, []string{
		"PAYSTATUS_KAFKA_GROUP=from-the-environment", "PAYSTATUS_KAFKA_BROKERS=kafka-1:9092, kafka-2:9092",
		"PAYSTATUS_KAFKA_SASL_MECHANISM=plain", "PAYSTATUS_KAFKA_SASL_USERNAME=true", "PAYSTATUS_KAFKA_SASL_PASSWORD=${as it is}",
		"PAYSTATUS_EVENTS_INITIATED_TYPES=", "PAYSTATUS_TOPICS_PARTITIONS=3", "PAYSTATUS_TOPICS_STATUS_CHANGED=changes",
		"PAYSTATUS_PROVIDERS_ALPHA_MAX_ANSWER=1MiB", "PAYSTATUS_PROVIDERS_ALPHA_BREAKER_OPEN=3s",
		"PAYSTATUS_PROVIDERS_ALPHA_ACCOUNTS_EU_WEST_SECRET_KEY=rotated", "PAYSTATUS_PROVIDERS_ALPHA_ACCOUNTS_EU_WEST_NOTIFICATIONS_KEYS_7=k7",
		"PAYSTATUS_PROVIDERS_BETA_ACCOUNTS_DEFAULT_SECRET_KEY=sk", "PAYSTATUS_PROVIDERS_BETA_ACCOUNTS_SECOND_SHOP_SECRET_KEY=sk2",
		"PAYSTATUS_SCHEDULES_DEFAULT_OPEN_DELAYS=1s,2s", "PAYSTATUS_SCHEDULES_LIQUIDO_METHODS_PSE_OPEN_EVERY=9m",
		"PATH=/bin", "PAYSTATUS_SERVICE_HOST=10.0.0.1", "PAYSTATUS_PORT_8080_TCP=tcp://10.0.0.1:8080", "PAYSTATUS_WEBHOOK_SERVICE_PORT_HTTP=80",
	})
	assert.Equal(t, "from-the-environment", c.Kafka.Group)
	assert.Equal(t, []string{"kafka-1:9092", "kafka-2:9092"}, c.Kafka.Brokers)
	assert.Equal(t, "true", c.Kafka.SASL.Username)
	assert.Equal(t, "${as it is}", c.Kafka.SASL.Password.Reveal(), "and the file that would hold it is not looked for")
	assert.Empty(t, c.Events.InitiatedTypes)
	assert.Equal(t, 3, c.Topics.Partitions)
	assert.Equal(t, "changes", c.Topics.StatusChanged)
	assert.Equal(t, providers.Size(1<<20), c.Providers["alpha"].Common().MaxAnswer)
	assert.Equal(t, 3*time.Second, c.Providers["alpha"].Common().Breaker.Open)
	assert.Equal(t, account{ClientID: "c", SecretKey: "rotated", Notifications: notifications{Keys: map[string]providers.Secret{"7": "k7"}}},
		accountOf(t, c, "alpha", "eu-west"))
	assert.Equal(t, "sk", accountOf(t, c, "beta", "default").SecretKey.Reveal())
	assert.Equal(t, "sk2", accountOf(t, c, "beta", "second_shop").SecretKey.Reveal())
	assert.Equal(t, []time.Duration{time.Second, 2 * time.Second}, c.Schedules.For("alpha", "").Open.Delays)
	assert.Equal(t, 9*time.Minute, c.Schedules.For("liquido", "pse").Open.Every)
}

func TestTheEnvironmentNamesFilesOfSecrets(t *testing.T) {
	t.Parallel()
	c := loaded(t, "providers: {alpha: {accounts: {default: {secret_key: old}}}}",
		[]string{"PAYSTATUS_PROVIDERS_ALPHA_ACCOUNTS_DEFAULT_SECRET_KEY_FILE=key.txt"}, "key.txt", "new\n")
	assert.Equal(t, "new", accountOf(t, c, "alpha", "default").SecretKey.Reveal())

	_, problems := load(t, "", []string{
		"PAYSTATUS_PROVIDERS_ALPHA_ACCOUNTS_DEFAULT_SECRET_KEY_FILE=key.txt", "PAYSTATUS_PROVIDERS_ALPHA_ACCOUNTS_DEFAULT_SECRET_KEY=s",
	}, "key.txt", "new\n")
	require.Len(t, problems, 1)
	assert.Equal(t, "environment variable PAYSTATUS_PROVIDERS_ALPHA_ACCOUNTS_DEFAULT_SECRET_KEY_FILE: "+
		"providers.alpha.accounts.default.secret_key_file: is given and secret_key, too; give one of them", problems[0].String())
}

func TestAVariableThatTheFileNamesIsTheUsersOwn(t *testing.T) {
	t.Parallel()
	c := loaded(t, "kafka: {group: \"${PAYSTATUS_STAGE}\"}", []string{"PAYSTATUS_STAGE=test"})
	assert.Equal(t, "test", c.Kafka.Group)
}
