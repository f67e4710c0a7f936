package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/webhooks"
	"github.com/paystatus/paystatus/providers"
)

// webhookDeadline is how long a notification is tried to be written, so that the provider hears in time that it must send again.
const webhookDeadline = 5 * time.Second

// Webhooks are how the known providers call, by name.
func Webhooks() map[string]providers.Webhook {
	all := map[string]providers.Webhook{}
	for _, d := range Providers {
		all[d.Name] = d.Webhook
	}
	return all
}

// webhookListener is the listener of notifications.listen, with a publisher of its own: what it accepts goes to Kafka whatever
// the pipeline does.
type webhookListener struct {
	endpoint  *webhooks.Endpoint
	publisher *kafka.Publisher
	listener  net.Listener
	drain     time.Duration
}

// listenWebhooks makes the listener; nil where the configuration has none.
func (s *Service) listenWebhooks(ctx context.Context, o Options, registry *prometheus.Registry) (*webhookListener, error) {
	c, listener := s.Config.Notifications, s.Webhooks
	if listener == nil && c.Listen == "" {
		return nil, nil //nolint:nilnil // it is off
	}
	if listener == nil {
		var err error
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen); err != nil {
			return nil, fmt.Errorf("notifications.listen: %w", err)
		}
	}
	publisher, err := kafka.NewPublisher(o.Kafka, kafka.PublisherOptions{Deadline: webhookDeadline, Topics: []string{o.Topics.Notified}, OmitUUID: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("webhooks: %w", err), listener.Close())
	}
	allow := map[string][]netip.Prefix{}
	for name, networks := range c.Allow {
		allow[name] = prefixes(networks)
	}
	endpoint := webhooks.New(webhooks.Options{
		Providers: o.Providers, Webhooks: Webhooks(), Publisher: publisher, Topic: o.Topics.Notified,
		Allow: allow, TrustedProxies: prefixes(c.TrustedProxies), Metrics: webhooks.NewMetrics(registry), Log: s.Log,
	})
	s.Log.InfoContext(ctx, "listening for webhooks", "address", listener.Addr().String())
	return &webhookListener{endpoint: endpoint, publisher: publisher, listener: listener, drain: o.Drain}, nil
}

func prefixes(networks []config.Network) []netip.Prefix {
	all := make([]netip.Prefix, len(networks))
	for i, n := range networks {
		all[i] = n.Prefix
	}
	return all
}

// run answers until ctx ends, and drains. Of no listener it does nothing.
func (l *webhookListener) run(ctx context.Context) error {
	if l == nil {
		return nil
	}
	return errors.Join(l.endpoint.Serve(ctx, l.listener, l.drain), l.publisher.Close())
}

// close gives up a listener that never ran.
func (l *webhookListener) close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.listener.Close(), l.publisher.Close())
}
