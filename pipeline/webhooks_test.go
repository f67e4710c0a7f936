package pipeline_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers/sandbox"
)

func TestTheServiceListensForWebhooksUntilItDrains(t *testing.T) {
	t.Parallel()
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	text := "kafka: {brokers: [" + broker.Addr() + "], session_timeout: 6s}\n" +
		"topics: {partitions: 2, replication: 1, min_insync: 1}\nhttp: {listen: '127.0.0.1:0'}\n" +
		"notifications: {payment_id: {liquido: description}, allow: {worldpay: [203.0.113.0/24]}}\n" +
		demo.SandboxConfig(demo.Simulators(), "http://127.0.0.1:1")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.NoError(t, config.Err(problems))
	client, err := kafka.NewClient(kafka.Config{Brokers: []string{broker.Addr()}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	topics := pipeline.Topics{Topics: c.Topics}
	_, err = pipeline.CreateTopics(t.Context(), client, topics)
	require.NoError(t, err)

	service := &pipeline.Service{Config: c, Log: slog.New(slog.DiscardHandler), Webhooks: listener}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	post := func(provider string, header http.Header, body []byte) (int, error) {
		return post(t.Context(), fmt.Sprintf("http://%s/notifications/%s/default", listener.Addr(), provider), header, body)
	}
	callback := func() (http.Header, []byte) {
		body, signature := sandbox.LiquidoCallback("CHARGE_SUCCEEDED", sandbox.Payment{Reference: "p", Status: "SETTLED"}, time.Now())
		return http.Header{"Liquido-Signature": {signature}}, body
	}
	header, body := callback()
	status, err := post("liquido", header, body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	var keys []string
	last, err := client.ListOffsets(t.Context(), topics.Notified, kafka.Latest)
	require.NoError(t, err)
	for partition, end := range last {
		require.NoError(t, client.Scan(t.Context(), topics.Notified, partition, 0, end, func(r kafka.Record) error {
			keys = append(keys, string(r.Key))
			assert.Equal(t, body, r.Value)
			return nil
		}))
	}
	assert.Equal(t, []string{"sandbox"}, keys, "the key is the payment_id, which stands where the configuration says")
	status, err = post("worldpay", http.Header{}, []byte("{}"))
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, status)

	broker.Close()
	header, body = callback()
	status, err = post("liquido", header, body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, status, "without Kafka the provider must send again")

	stop()
	select {
	case err := <-ended:
		t.Log("without its broker the service ends with:", err)
	case <-time.After(time.Minute):
		t.Fatal("the service does not end")
	}
	_, err = post("liquido", header, body)
	require.Error(t, err, "nobody listens any more")
}
