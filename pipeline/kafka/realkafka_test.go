//go:build realkafka

package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

const howToRun = "run: deployments/kafka/kafka run -- go test -tags=realkafka -run RealKafka ./..."

// realCluster is an Apache Kafka.
func realCluster(t *testing.T) *cluster {
	t.Helper()
	require.NotEmpty(t, os.Getenv("KAFKA_BROKERS"), howToRun)
	return newCluster(t)
}

func TestRealKafkaWatermillsSuite(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, os.Getenv("KAFKA_BROKERS"), howToRun)
	watermillsSuite(t, false)
}

func TestRealKafkaSASLSSL(t *testing.T) {
	t.Parallel()
	broker, ca := os.Getenv("KAFKA_SASL_BROKERS"), os.Getenv("KAFKA_CA_FILE")
	require.NotEmpty(t, broker, howToRun)
	pem, err := os.ReadFile(ca)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem))
	trusting := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}

	for _, mechanism := range []string{kafka.SASLPlain, kafka.SASLScramSHA256, kafka.SASLScramSHA512} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			plain := realCluster(t) // for the names
			c := clusterAt(t, broker)
			c.suffix, c.session = plain.suffix, plain.session
			c.config.TLS, c.config.SASL = trusting, kafka.SASL{Mechanism: mechanism, Username: "client", Password: "client-secret"}
			var err error
			c.client, err = kafka.NewClient(c.config)
			require.NoError(t, err)
			defer func() { assert.NoError(t, c.client.Close()) }()

			topic := c.topic("secure-"+mechanism, 1)
			require.NoError(t, c.publisher().Publish(topic, keyed("k", "payload")))
			s := c.subscriber(kafka.SubscriberOptions{})
			msg := receive(t, c.subscribe(s, topic))
			assert.Equal(t, "payload", string(msg.Payload))
			msg.Ack()
			require.NoError(t, s.Close())
			assert.Equal(t, int64(1), c.committed(c.group(), topic))
		})
	}
	for name, config := range map[string]kafka.Config{
		"a wrong password":     {TLS: trusting, SASL: kafka.SASL{Mechanism: kafka.SASLScramSHA512, Username: "client", Password: "wrong"}},
		"an unknown authority": {TLS: &tls.Config{MinVersion: tls.VersionTLS12}, SASL: kafka.SASL{Mechanism: kafka.SASLPlain, Username: "client", Password: "client-secret"}},
		"no authentication":    {TLS: trusting},
		"no encryption":        {SASL: kafka.SASL{Mechanism: kafka.SASLPlain, Username: "client", Password: "client-secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config.Brokers = []string{broker}
			publisher, err := kafka.NewPublisher(config, kafka.PublisherOptions{Deadline: time.Second})
			require.NoError(t, err)
			defer func() { assert.NoError(t, publisher.Close()) }()
			require.Error(t, publisher.Publish("any", keyed("k", "payload")))
		})
	}
}
