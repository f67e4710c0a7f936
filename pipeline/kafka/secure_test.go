package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestEveryConnectionIsEncryptedAndAuthenticated(t *testing.T) {
	t.Parallel()
	certified := httptest.NewTLSServer(nil) // lends its certificate for 127.0.0.1
	t.Cleanup(certified.Close)
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	server := &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	trusting := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}

	for name, test := range map[string]struct {
		broker []kfake.Opt
		tls    *tls.Config
		sasl   kafka.SASL
		fails  bool
	}{
		"tls":                  {broker: []kfake.Opt{kfake.TLS(server)}, tls: trusting},
		"an unknown authority": {broker: []kfake.Opt{kfake.TLS(server)}, tls: &tls.Config{MinVersion: tls.VersionTLS12}, fails: true},
		"plain": {
			broker: []kfake.Opt{kfake.EnableSASL(), kfake.Superuser("PLAIN", "user", "secret")},
			sasl:   kafka.SASL{Mechanism: kafka.SASLPlain, Username: "user", Password: "secret"},
		},
		"scram-sha-256 over tls": {
			broker: []kfake.Opt{kfake.TLS(server), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "user", "secret")}, tls: trusting,
			sasl: kafka.SASL{Mechanism: kafka.SASLScramSHA256, Username: "user", Password: "secret"},
		},
		"scram-sha-512": {
			broker: []kfake.Opt{kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "user", "secret")},
			sasl:   kafka.SASL{Mechanism: kafka.SASLScramSHA512, Username: "user", Password: "secret"},
		},
		"a wrong password": {
			broker: []kfake.Opt{kfake.EnableSASL(), kfake.Superuser("PLAIN", "user", "secret")},
			sasl:   kafka.SASL{Mechanism: kafka.SASLPlain, Username: "user", Password: "wrong"}, fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := slices.Concat(test.broker, []kfake.Opt{
				kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100 * time.Millisecond), kfake.SeedTopics(1, "secure"),
			})
			fake, err := kfake.NewCluster(options...)
			require.NoError(t, err)
			t.Cleanup(fake.Close)
			c := clusterAt(t, fake.ListenAddrs()...)
			c.config.TLS, c.config.SASL = test.tls, test.sasl
			publisher, err := kafka.NewPublisher(c.config, kafka.PublisherOptions{Deadline: 500 * time.Millisecond})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, publisher.Close()) })
			err = publisher.Publish("secure", keyed("k", "payload"))
			if test.fails {
				require.Error(t, err)
				assert.NotContains(t, err.Error(), "wrong", "the password")
				return
			}
			require.NoError(t, err)
			msg := receive(t, c.subscribe(c.subscriber(kafka.SubscriberOptions{}), "secure"))
			assert.Equal(t, "payload", string(msg.Payload))
			msg.Ack()
		})
	}
}
