// Package embedded runs a Kafka broker inside the process (kfake, one node), for the demo, for tests, and for installations that
// are too small for a cluster. What it stores survives restarts when it is given a directory; it is not replicated.
package embedded

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Options say how the broker runs; the zero value is a broker in memory on a free port.
type Options struct {
	// Listen is the host:port to listen on; default 127.0.0.1:0, any free port.
	Listen string
	// DataDir keeps topics, records and offsets over restarts; every write is synced. Empty: in memory.
	DataDir string
	// MinSessionTimeout is the shortest session timeout that a consumer group may ask for; default 6s.
	MinSessionTimeout time.Duration
}

// Broker is a running broker.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	close   sync.Once
}

// Start runs a broker until Close. Topics are created by request only, never by use.
func Start(o Options) (*Broker, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("embedded: listen address %q: %w", o.Listen, err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("embedded: listen address %q: %w", o.Listen, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return nil, fmt.Errorf("embedded: listen address %q needs a host: clients are told to connect to it", o.Listen)
	}
	options := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(number), kfake.DefaultNumPartitions(1),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return new(net.ListenConfig).Listen(context.Background(), network, net.JoinHostPort(host, port))
		}),
	}
	if o.DataDir != "" {
		options = append(options, kfake.DataDir(o.DataDir), kfake.SyncWrites())
	}
	if o.MinSessionTimeout > 0 {
		options = append(options, kfake.GroupMinSessionTimeout(o.MinSessionTimeout))
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, fmt.Errorf("embedded: start broker: %w", err)
	}
	stampAppendTimes(cluster)
	return &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0]}, nil
}

// Addr is the host:port that clients connect to.
func (b *Broker) Addr() string { return b.addr }

// Close stops the broker; with a data directory everything is on disk then. It may be called more than once.
func (b *Broker) Close() { b.close.Do(b.cluster.Close) }
