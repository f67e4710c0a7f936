package pipeline

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers"
)

// KafkaConfig says how the configuration reaches the brokers.
func KafkaConfig(c *config.Config, log *slog.Logger) (kafka.Config, error) {
	k := kafka.Config{
		Brokers: c.Kafka.Brokers, ClientID: c.Kafka.Group, Logger: log,
		SASL: kafka.SASL{Mechanism: c.Kafka.SASL.Mechanism, Username: c.Kafka.SASL.Username, Password: c.Kafka.SASL.Password.Reveal()},
	}
	if !c.Kafka.TLS.Enabled {
		return k, nil
	}
	k.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.Kafka.TLS.ServerName}
	if path := string(c.Kafka.TLS.CAFile); path != "" {
		pem, err := os.ReadFile(path)
		if err != nil {
			return kafka.Config{}, fmt.Errorf("kafka.tls.ca_file: %w", err)
		}
		k.TLS.RootCAs = x509.NewCertPool()
		if !k.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return kafka.Config{}, fmt.Errorf("kafka.tls.ca_file: %s holds no certificate in PEM", path)
		}
	}
	if cert := string(c.Kafka.TLS.CertFile); cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, string(c.Kafka.TLS.KeyFile))
		if err != nil {
			return kafka.Config{}, fmt.Errorf("kafka.tls.cert_file: %w", err)
		}
		k.TLS.Certificates = []tls.Certificate{pair}
	}
	return k, nil
}

// FromConfig makes the options of a pipeline that the configuration describes, at the brokers of k.
func FromConfig(c *config.Config, k kafka.Config, log *slog.Logger) (Options, error) {
	share := &providers.Share{}
	connected, err := connect(c, providers.Options{Share: share})
	if err != nil {
		return Options{}, err
	}
	return Options{
		Kafka: k, Group: c.Kafka.Group, SessionTimeout: c.Kafka.SessionTimeout, Start: startOf(c.Kafka.InitiatedStart),
		Topics: Topics{Topics: c.Topics}, InFlight: c.Limits.InFlight, Lookback: c.Limits.Lookback, Drain: c.Limits.Drain,
		Providers: connected, Share: share, Schedule: c.Schedules.Table(),
		Events: handlers.Events{
			Structured: c.Events.Mode == config.ModeStructured, OmitRaw: c.Events.Raw == config.RawNone, Source: c.Events.Source,
		},
		InitiatedTypes:        c.Events.InitiatedTypes,
		IgnoreUnknownPayments: c.Notifications.UnknownPayments == config.Ignore, TrustProducer: c.Notifications.TrustProducer,
		Log: log,
	}, nil
}

func startOf(s config.Start) kafka.Start {
	switch {
	case s.Latest:
		return kafka.Latest
	case !s.At.IsZero():
		return kafka.At(s.At)
	default:
		return kafka.Earliest
	}
}
