package kafka_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestAPasswordIsNeverPrinted(t *testing.T) {
	t.Parallel()
	config := kafka.Config{
		Brokers: []string{"localhost:9092"},
		SASL:    kafka.SASL{Mechanism: kafka.SASLPlain, Username: "user", Password: "hunter2"},
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "config", config, "sasl", config.SASL)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "config", config, "sasl", config.SASL)
	marshalled, err := json.Marshal(config.SASL)
	require.NoError(t, err)
	for _, printed := range []string{
		fmt.Sprint(config), fmt.Sprintf("%+v", config), fmt.Sprintf("%#v", config), fmt.Sprintf("%v", config.SASL), log.String(), string(marshalled),
	} {
		assert.NotContains(t, printed, "hunter2")
	}
	assert.Equal(t, `plain user "user" password ***`, config.SASL.String())
	assert.Equal(t, "none", kafka.SASL{}.String())
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	brokers := []string{"localhost:9092"}
	for name, test := range map[string]struct {
		config  kafka.Config
		message string
	}{
		"no brokers":              {kafka.Config{}, "no brokers"},
		"a broker without a port": {kafka.Config{Brokers: []string{"localhost"}}, `"localhost" is not host:port`},
		"unknown mechanism":       {kafka.Config{Brokers: brokers, SASL: kafka.SASL{Mechanism: "gssapi"}}, `"gssapi" is not one of`},
		"a password that cannot be prepared": {
			kafka.Config{Brokers: brokers, SASL: kafka.SASL{Mechanism: kafka.SASLScramSHA256, Username: "u", Password: "bell\u0007"}}, "forbidden characters",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := kafka.NewPublisher(test.config, kafka.PublisherOptions{})
			require.ErrorContains(t, err, test.message)
			_, err = kafka.NewClient(test.config)
			require.ErrorContains(t, err, test.message)
			_, err = kafka.NewSubscriber(test.config, kafka.SubscriberOptions{Group: "group"})
			require.ErrorContains(t, err, test.message)
		})
	}
	_, err := kafka.NewSubscriber(kafka.Config{Brokers: brokers}, kafka.SubscriberOptions{})
	require.ErrorContains(t, err, "without a group")
	_, err = kafka.NewSubscriber(kafka.Config{Brokers: brokers}, kafka.SubscriberOptions{Group: "g", InFlight: -1})
	require.ErrorContains(t, err, "negative")
}
