package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/config"
)

func TestEveryMistakeIsNamedWithItsLineAndKey(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text  string
		env   []string
		files []string
		want  []string
	}{
		"an unknown section": {
			text: "kafka: {}\nkafak: {}\n",
			want: []string{"paystatus.yaml:2: kafak: is not a key; the keys here are " +
				"embedded, events, http, kafka, limits, log, notifications, providers, schedules, topics"},
		},
		"an unknown key": {
			text: "http:\n  lisen: :80\n",
			want: []string{"paystatus.yaml:2: http.lisen: is not a key; the keys here are listen"},
		},
		"a key in another letter case": {
			text: "http:\n  Listen: :80\n",
			want: []string{"paystatus.yaml:2: http.Listen: is not a key; the keys here are listen"},
		},
		"an unknown provider": {
			text: "providers:\n  gamma: {}\n",
			want: []string{"paystatus.yaml:2: providers.gamma: is not a provider; there are alpha, beta, liquido, worldpay"},
		},
		"an unknown key of a provider": {
			text: "providers:\n  alpha:\n    accounts:\n      default:\n        secret_key: s\n        secret: s\n",
			want: []string{"paystatus.yaml:6: providers.alpha.accounts.default.secret: is not a key; the keys here are " +
				"client_id, key_version, notifications, secret_key, verify_answers"},
		},
		"a key that stands twice": {
			text: "http:\n  listen: 127.0.0.1:1\n  listen: 127.0.0.1:2\n",
			want: []string{"paystatus.yaml:3: http.listen: stands twice, first in line 2"},
		},
		"a text for a section": {
			text: "kafka: yes please\n",
			want: []string{"paystatus.yaml:1: kafka: must be a mapping of keys to values"},
		},
		"a section for a text": {
			text: "kafka:\n  group: {a: b}\n",
			want: []string{"paystatus.yaml:2: kafka.group: must be a single value"},
		},
		"a text for a list": {
			text: "kafka:\n  brokers: kafka-1:9092\n",
			want: []string{"paystatus.yaml:2: kafka.brokers: must be a list: [a, b]"},
		},
		"a word for a number": {
			text: "topics:\n  partitions: many\n",
			want: []string{"paystatus.yaml:2: topics.partitions: must be a whole number"},
		},
		"a fraction for a whole number": {
			text: "topics:\n  partitions: 1.5\n",
			want: []string{"paystatus.yaml:2: topics.partitions: must be a whole number"},
		},
		"a number in quotes": {
			text: "topics:\n  partitions: \"12\"\n",
			want: []string{"paystatus.yaml:2: topics.partitions: must not stand in quotes"},
		},
		"a word for a truth value": {
			text: "embedded:\n  enabled: 1\n",
			want: []string{"paystatus.yaml:2: embedded.enabled: must be true or false"},
		},
		"a truth value for a text": {
			text: "kafka:\n  group: true\n",
			want: []string{"paystatus.yaml:2: kafka.group: must be a text; put it in quotes if it is meant"},
		},
		"a word for a rate": {
			text: "providers:\n  alpha:\n    rate: .nan\n",
			want: []string{"paystatus.yaml:3: providers.alpha.rate: must be a number"},
		},
		"a duration without a unit": {
			text: "kafka:\n  session_timeout: 10\n",
			want: []string{"paystatus.yaml:2: kafka.session_timeout: must have a unit, like 500ms, 10s, 5m or 72h"},
		},
		"a duration without a unit in a list": {
			text: "schedules:\n  default:\n    open:\n      delays:\n        - 2s\n        - 5\n",
			want: []string{"paystatus.yaml:6: schedules.default.open.delays[1]: must have a unit, like 500ms, 10s, 5m or 72h"},
		},
		"a duration in a unit that is none": {
			text: "limits:\n  lookback: 3 days\n",
			want: []string{"paystatus.yaml:2: limits.lookback: must be a duration like 500ms, 10s, 5m or 72h"},
		},
		"a negative duration": {
			text: "limits:\n  lookback: -3s\n",
			want: []string{"paystatus.yaml:2: limits.lookback: must not be negative"},
		},
		"a size without a unit": {
			text: "providers:\n  alpha:\n    max_answer: 1024\n",
			want: []string{"paystatus.yaml:3: providers.alpha.max_answer: must be a size with a unit, like 256KiB or 1MiB"},
		},
		"a start that is none": {
			text: "kafka:\n  initiated_start: newest\n",
			want: []string{"paystatus.yaml:2: kafka.initiated_start: must be earliest, latest or an RFC 3339 time like 2026-01-31T12:00:00Z"},
		},
		"a missing credential": {
			text: "providers:\n  alpha:\n    accounts:\n      default: {client_id: c}\n",
			want: []string{"paystatus.yaml:4: providers.alpha.accounts.default.secret_key: is missing"},
		},
		"a credential without a value": {
			text: "providers:\n  alpha:\n    accounts:\n      default:\n        secret_key:\n",
			want: []string{"paystatus.yaml:5: providers.alpha.accounts.default.secret_key: is missing"},
		},
		"a variable that is not set": {
			text: "providers:\n  alpha:\n    accounts:\n      default: {secret_key: ${ALPHA_KEY}}\n",
			want: []string{"paystatus.yaml:4: providers.alpha.accounts.default.secret_key: the environment variable ALPHA_KEY is not set; " +
				"set it, or give a default with ${ALPHA_KEY:-default}"},
		},
		"a variable that cannot be read": {
			text: "kafka:\n  group: ${not a name}\n  sasl: {username: \"${OPEN\"}\n",
			want: []string{
				"paystatus.yaml:2: kafka.group: holds ${…} that cannot be read; write ${NAME} or ${NAME:-default}, or $${…} for the characters themselves",
				"paystatus.yaml:3: kafka.sasl.username: holds ${…} that cannot be read; " +
					"write ${NAME} or ${NAME:-default}, or $${…} for the characters themselves",
			},
		},
		"a variable in a key": {
			text: "${SECTION}: {}\n", env: []string{"SECTION=kafka"},
			want: []string{"paystatus.yaml:1: ${…} stands in a key; it is replaced inside values only"},
		},
		"a variable of the wrong type": {
			text: "topics: {partitions: ${N}}\n", env: []string{"N=many"},
			want: []string{"paystatus.yaml:1: topics.partitions: must be a whole number"},
		},
		"a secret given twice": {
			text:  "providers:\n  alpha:\n    accounts:\n      default:\n        secret_key: s\n        secret_key_file: key.txt\n",
			files: []string{"key.txt", "s"},
			want:  []string{"paystatus.yaml:6: providers.alpha.accounts.default.secret_key_file: is given and secret_key, too; give one of them"},
		},
		"a secret in a file that is not there": {
			text: "kafka:\n  sasl: {mechanism: plain, username: u, password_file: nowhere.txt}\n",
			want: []string{"paystatus.yaml:2: kafka.sasl.password_file: the file cannot be read: stat nowhere.txt: no such file or directory"},
		},
		"a secret in a file that is empty": {
			text: "kafka:\n  sasl: {mechanism: plain, username: u, password_file: empty.txt}\n", files: []string{"empty.txt", "\n"},
			want: []string{"paystatus.yaml:2: kafka.sasl.password_file: the file is empty"},
		},
		"a certificate that is not there": {
			text: "kafka:\n  tls: {enabled: true, ca_file: ca.pem}\n",
			want: []string{"paystatus.yaml:2: kafka.tls.ca_file: the file cannot be read: stat ca.pem: no such file or directory"},
		},
		"a file for what is no secret": {
			text: "kafka:\n  group_file: group.txt\n", files: []string{"group.txt", "g"},
			want: []string{"paystatus.yaml:2: kafka.group_file: is not a key; the keys here are brokers, group, initiated_start, sasl, session_timeout, tls"},
		},
		"what is not YAML": {
			text: "kafka:\n  group: a\n   brokers: []\n",
			want: []string{"paystatus.yaml:3: is not YAML: mapping values are not allowed in this context"},
		},
		"a list for everything": {
			text: "\n- kafka\n",
			want: []string{"paystatus.yaml:2: must be a mapping of sections like kafka: and providers:"},
		},
		"two documents": {
			text: "kafka: {}\n---\nhttp: {}\n",
			want: []string{"paystatus.yaml:2: a second document begins; one file holds one configuration"},
		},
		"a variable of ours that sets nothing": {
			env: []string{"PAYSTATUS_KAFKA_GRUOP=g", "PAYSTATUS_PROVIDERS_GAMMA_RATE=1"},
			want: []string{
				"environment variable PAYSTATUS_KAFKA_GRUOP: sets no key: none has this name",
				"environment variable PAYSTATUS_PROVIDERS_GAMMA_RATE: sets no key: none has this name",
			},
		},
		"a variable of ours with a wrong value": {
			text: "kafka:\n  session_timeout: 10s\n", env: []string{"PAYSTATUS_KAFKA_SESSION_TIMEOUT=10", "PAYSTATUS_TOPICS_PARTITIONS=0"},
			want: []string{
				"environment variable PAYSTATUS_KAFKA_SESSION_TIMEOUT: kafka.session_timeout: must have a unit, like 500ms, 10s, 5m or 72h",
				"environment variable PAYSTATUS_TOPICS_PARTITIONS: topics.partitions: must be more than zero",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := load(t, row.text, row.env, row.files...)
			requireProblems(t, row.want, problems)
		})
	}
}

func TestValuesThatDoNotGoTogetherAreNamed(t *testing.T) {
	t.Parallel()
	const line = "paystatus.yaml:1: "
	for name, row := range map[string]struct{ text, want string }{
		"a broker without a port": {
			"kafka: {brokers: [kafka-1]}",
			"kafka.brokers: must be host:port, like kafka-1:9092",
		},
		"a broker without a host": {
			"kafka: {brokers: [':9092']}",
			"kafka.brokers: must be host:port, like kafka-1:9092",
		},
		"an empty group": {
			"kafka: {group: ''}",
			"kafka.group: must be letters, digits, '.', '_' and '-'",
		},
		"a session that is too short": {
			"kafka: {session_timeout: 10ms}",
			"kafka.session_timeout: must be from 1s to 30m; brokers accept 6s and more unless configured otherwise",
		},
		"a session that is too long": {
			"kafka: {session_timeout: 1h}",
			"kafka.session_timeout: must be from 1s to 30m; brokers accept 6s and more unless configured otherwise",
		},
		"TLS that is off but described": {
			"kafka: {tls: {server_name: kafka}}",
			"kafka.tls.enabled: must be true for the other keys of tls to mean anything",
		},
		"an unknown mechanism": {
			"kafka: {sasl: {mechanism: gssapi, username: u, password: p}}",
			"kafka.sasl.mechanism: must be one of plain, scram-sha-256, scram-sha-512",
		},
		"a user without a mechanism": {
			"kafka: {sasl: {username: u}}",
			"kafka.sasl.mechanism: is missing: plain, scram-sha-256 or scram-sha-512",
		},
		"a mechanism without a user": {
			"kafka: {sasl: {mechanism: plain, password: p}}",
			"kafka.sasl.username: is missing",
		},
		"a user without a password": {
			"kafka: {sasl: {mechanism: plain, username: u}}",
			"kafka.sasl.password: is missing",
		},
		"an embedded broker for nobody": {
			"embedded: {enabled: true, listen: ':9092'}",
			"embedded.listen: needs a host, because clients are told to connect to it",
		},
		"an embedded broker for a day": {
			"embedded: {enabled: true, data_dir: ''}",
			"embedded.data_dir: is missing: without a directory nothing survives a restart",
		},
		"replicas of one node": {
			"{embedded: {enabled: true}, topics: {replication: 3}}",
			"topics.replication: must be 1 with the embedded broker, which is one node",
		},
		"a topic without a name": {
			"topics: {initiated: ''}",
			"topics.initiated: must be the name of a Kafka topic: letters, digits, '.', '_' and '-', at most 249 of them",
		},
		"one topic for two": {
			"topics: {notified: payments.initiated}",
			"topics.notified: is the same topic as topics.initiated",
		},
		"the topic of the checks": {
			"topics: {status_changed: paystatus.checks}",
			"topics.status_changed: is the name of an internal topic; change it or topics.prefix",
		},
		"the topic of a tier": {
			"topics: {prefix: p., initiated: p.delay.5s}",
			"topics.initiated: is the name of an internal topic; change it or topics.prefix",
		},
		"a prefix that is none": {
			"topics: {prefix: 'a b'}",
			"topics.prefix: must be the beginning of a topic's name: letters, digits, '.', '_' and '-'",
		},
		"no partitions": {
			"topics: {partitions: 0}",
			"topics.partitions: must be more than zero",
		},
		"no replicas": {
			"topics: {replication: 0}",
			"topics.replication: must be more than zero",
		},
		"more in sync than there are": {
			"topics: {min_insync: 4}",
			"topics.min_insync: must not be more than topics.replication (3)",
		},
		"an unknown mode": {
			"events: {mode: avro}",
			"events.mode: must be one of binary, structured",
		},
		"an unknown raw": {
			"events: {raw: some}",
			"events.raw: must be one of inline, none",
		},
		"no source": {
			"events: {source: ''}",
			"events.source: must not be empty: CloudEvents demands a source",
		},
		"an address without a port": {
			"http: {listen: localhost}",
			"http.listen: must be host:port, like 127.0.0.1:8080",
		},
		"a port that is none": {
			"http: {listen: '127.0.0.1:http'}",
			"http.listen: must be host:port, like 127.0.0.1:8080",
		},
		"one address for two": {
			"notifications: {listen: '127.0.0.1:8080'}",
			"notifications.listen: is the address of http.listen; the outside world needs one of its own",
		},
		"notifications of no age": {
			"notifications: {max_age: 0s}",
			"notifications.max_age: must be more than zero",
		},
		"an unknown fate": {
			"notifications: {unknown_payments: drop}",
			"notifications.unknown_payments: must be one of dead_letter, ignore",
		},
		"a payment id that stands nowhere": {
			"notifications: {payment_id: {alpha: metadata..order_id}}",
			"notifications.payment_id.alpha: must be names with dots between, like metadata.order_id, or several of these with | between",
		},
		"a payment id of nobody": {
			"notifications: {payment_id: {gamma: metadata.order_id}}",
			"notifications.payment_id.gamma: is not a provider; there are alpha, beta, liquido, worldpay",
		},
		"an address list of nobody": {
			"notifications: {allow: {gamma: [203.0.113.7]}}",
			"notifications.allow.gamma: is not a provider; there are alpha, beta, liquido, worldpay",
		},
		"an empty address list": {
			"notifications: {allow: {alpha: []}}",
			"notifications.allow.alpha: names no network; leave it out where webhooks may come from anywhere",
		},
		"an address that is none": {
			"notifications: {allow: {alpha: [203.0.113.256]}}",
			"notifications.allow.alpha[0]: must be an address or a network, like 203.0.113.7 or 203.0.113.0/24",
		},
		"a network that begins elsewhere": {
			"notifications: {trusted_proxies: [203.0.113.7/24]}",
			"notifications.trusted_proxies[0]: has bits set that are not the network's: 203.0.113.0/24 holds it",
		},
		"an unknown level": {
			"log: {level: chatty}",
			"log.level: must be one of debug, info, warn, error",
		},
		"an unknown format": {
			"log: {format: xml}",
			"log.format: must be one of auto, text, json",
		},
		"nothing in flight": {
			"limits: {in_flight: 0}",
			"limits.in_flight: must be more than zero",
		},
		"no time to drain": {
			"limits: {drain: 0s}",
			"limits.drain: must be more than zero",
		},
		"a check longer than the drain": {
			"providers: {alpha: {timeout: 11s}}",
			"providers.alpha.timeout: must not be more than limits.drain (10s): a whole check must fit into what a shutdown waits for",
		},
		"plain http": {
			"providers: {alpha: {base_url: 'http://api.example.com'}}",
			"providers.alpha.base_url: plain http would show credentials on the network; use https, or set allow_plain_http: true " +
				"(host api.example.com)",
		},
		"a schedule of nobody": {
			"schedules: {gamma: {recheck: 1s}}",
			"schedules.gamma: is not a provider",
		},
		"methods of everybody": {
			"schedules: {default: {methods: {pse: {recheck: 1s}}}}",
			"schedules.default.methods: methods differ by provider; put them below one",
		},
		"a delay of nothing": {
			"schedules: {default: {open: {delays: [1s, 0s]}}}",
			"schedules.default.open.delays: must all be more than zero",
		},
		"asking without a pause": {
			"schedules: {alpha: {refund: {every: 0s}}}",
			"schedules.alpha.refund.every: must be more than zero",
		},
		"asking until never": {
			"schedules: {liquido: {methods: {pse: {authorized: {deadline: 0s}}}}}",
			"schedules.liquido.methods.pse.authorized.deadline: must be more than zero",
		},
		"rechecks without a pause": {
			"schedules: {default: {recheck: 0s}}",
			"schedules.default.recheck: must be more than zero",
		},
		"too much jitter": {
			"schedules: {default: {jitter: 1}}",
			"schedules.default.jitter: must be at least 0 and less than 1",
		},
		"a backoff that shrinks": {
			"schedules: {default: {unavailable: {initial: 1h}}}",
			"schedules.default.unavailable.max: must not be less than initial",
		},
		"a backoff of nothing": {
			"schedules: {default: {unreadable: {initial: 0s}}}",
			"schedules.default.unreadable.initial: must be more than zero",
		},
		"no answer at all": {
			"schedules: {default: {unreadable: {limit: 0}}}",
			"schedules.default.unreadable.limit: must be more than zero",
		},
		"hammering a closed door": {
			"schedules: {default: {refused: {every: 0s}}}",
			"schedules.default.refused.every: must be more than zero",
		},
		"a limit that does not exist": {
			"schedules: {default: {unavailable: {limit: 3}}}",
			"schedules.default.unavailable.limit: is not a key; the keys here are initial, max",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := load(t, row.text, nil)
			requireProblems(t, []string{line + row.want}, problems)
		})
	}
}

func TestAllMistakesAreNamedAtOnceInTheOrderOfTheFileThenTheEnvironment(t *testing.T) {
	t.Parallel()
	_, problems := load(t, `kafka:
  session_timeout: 10
topics:
  partitions: 0
  colour: red
providers:
  alpha:
    base_url: nowhere
    accounts:
      default: {secret_key: ${MISSING}, key_version: one}
`, []string{"PAYSTATUS_NOTHING=1"})
	var keys []string
	for _, p := range problems {
		keys = append(keys, p.Key)
	}
	assert.Equal(t, []string{
		"kafka.session_timeout", "topics.partitions", "topics.colour", "providers.alpha.base_url",
		"providers.alpha.accounts.default.key_version", "providers.alpha.accounts.default.secret_key", "",
	}, keys)
	require.ErrorContains(t, config.Err(problems), "paystatus.yaml:2: kafka.session_timeout: must have a unit")
	assert.NoError(t, config.Err(nil))
}

func TestAProblemHoldsNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-4711"
	_, problems := load(t, `
kafka: {sasl: {mechanism: plain, username: u, password: {a: hunter2-4711}}}
providers:
  alpha: {base_url: "${S}", rate: "${S}", max_answer: "${S}", timeout: "${S}", accounts: {default: {secret_key: [hunter2-4711], key_version: "${S}"}}}
`, []string{"S=" + secret, "PAYSTATUS_TOPICS_PARTITIONS=" + secret})
	require.Len(t, problems, 8)
	assert.NotContains(t, config.Err(problems).Error(), secret)
}

func requireProblems(t *testing.T, want []string, problems []config.Problem) {
	t.Helper()
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	require.ElementsMatch(t, want, got)
}
