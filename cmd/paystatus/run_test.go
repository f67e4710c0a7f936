package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// at is a broker that is written to and read from.
func at(t *testing.T, address string) *pipelinetest.Broker {
	t.Helper()
	return pipelinetest.Connect(t, kafka.Config{Brokers: []string{address}})
}

// produce writes the data of an initiated event, as any producer would.
func produce(b *pipelinetest.Broker, data []byte) {
	b.T.Helper()
	b.Produce("payments.initiated", "", data)
}

// statusesOf are the statuses of one payment so far, in order, each event held against its schema.
func statusesOf(b *pipelinetest.Broker, payment string) string {
	b.T.Helper()
	var words []string
	for _, r := range b.Records("payments.status_changed") {
		schematest.ValidateChange(b.T, r.Value)
		var c schemas.Change
		require.NoError(b.T, json.Unmarshal(r.Value, &c))
		assert.Equal(b.T, c.PaymentID, string(r.Key))
		if c.PaymentID == payment {
			words = append(words, string(c.Status))
		}
	}
	return strings.Join(words, " ")
}

// get asks a health endpoint: the HTTP status and what it says.
func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "no answer"
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return fmt.Sprintf("%d %s", answer.StatusCode, strings.TrimSpace(string(body)))
}

// serving waits until a run is ready and gives where its health is.
func serving(p *process) (health string) {
	p.t.Helper()
	health = p.logged("answering /healthz, /readyz and /metrics", "url")
	eventually(p.t, func() bool { return get(p.t, health+"/readyz") == "200 ok" }, "the process is ready")
	return health
}

// unhurried gives Checkout.com's answers and a drain more time than tests take.
func unhurried(providers string) string {
	return "limits: {drain: 5m}\n" + strings.Replace(providers, "  checkout:\n", "  checkout:\n    timeout: 5m\n", 1)
}

// often asks again every second.
const often = "schedules: {default: {open: {delays: [1s], every: 1s}, jitter: 0}}\n"

// The whole way of a new user: broker, sandbox, topics, run; all as programs of their own.
func TestRunServesUntilItIsToldToStopAndGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	kafkas := start(t, "broker", "--listen", "127.0.0.1:0")
	eventually(t, func() bool { return strings.HasSuffix(kafkas.stdout.String(), "\n") }, "the broker's address")
	address := strings.TrimSpace(kafkas.stdout.String())
	log := at(t, address)
	simulators := start(t, "sandbox", "--listen", "127.0.0.1:0", "--print-config")
	eventually(t, func() bool {
		return strings.Contains(simulators.stdout.String(), "\n  liquido:") && strings.Contains(simulators.stderr.String(), "/_script/")
	}, "the sandbox's configuration and address")
	url := strings.Fields(strings.SplitAfter(simulators.stderr.String(), "listen on ")[1])[0]
	url = strings.TrimSuffix(url, ";")
	config := file(t, "paystatus.yaml", fmt.Sprintf("kafka: {brokers: [%q]}\ntopics: {partitions: 2, replication: 1, min_insync: 1}\n", address)+
		"http: {listen: \"127.0.0.1:0\"}\n"+often+simulators.stdout.String())
	put(t, url+"/_script/checkout/"+payA, `[{"status": "Pending"}]`)

	// Without its topics it does not start, and names them.
	r := paystatus(t, "run", "--config", config)
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Contains(t, r.stderr, "paystatus: the topics are not as they must be; `paystatus topics create` creates what is missing:\n")
	for _, topic := range allTopics {
		assert.Contains(t, r.stderr, "\n  topic "+topic+" does not exist\n")
	}
	require.Zero(t, paystatus(t, "topics", "create", "--config", config).code)

	p := start(t, "run", "--config", config)
	health := serving(p)
	assert.Equal(t, "200 ok", get(t, health+"/healthz"))
	assert.Contains(t, get(t, health+"/metrics"), "go_goroutines")
	produce(log, paymentOf(t, "order-1", "checkout", map[string]string{"payment_id": payA}))
	eventually(t, func() bool { return statusesOf(log, "order-1") == "pending" }, "the first status")
	assert.Zero(t, p.end(syscall.SIGTERM))
	assert.Empty(t, p.stdout.String())
	requireReadableLog(t, p.stderr.String())

	put(t, url+"/_script/checkout/"+payA, `[{"status": "Captured"}]`)
	put(t, url+"/_script/liquido/order-2", `[{"status": "SETTLED"}]`)
	p = start(t, "run", "--config", config)
	produce(log, paymentOf(t, "order-2", "liquido", map[string]string{"idempotency_key": "order-2"}))
	eventually(t, func() bool { return statusesOf(log, "order-1") == "pending captured" }, "the payment of the first start")
	eventually(t, func() bool { return statusesOf(log, "order-2") == "captured" }, "a payment of the second")
	serving(p)
	assert.Zero(t, p.end(os.Interrupt))

	assert.Zero(t, simulators.end(syscall.SIGTERM))
	assert.Zero(t, kafkas.end(os.Interrupt))
	assert.Equal(t, address+"\n", kafkas.stdout.String())
}

// put sets a script in the sandbox.
func put(t *testing.T, url, steps string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(steps))
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusNoContent, answer.StatusCode)
}

// requireReadableLog holds the log of a start and a stop against what an operator wants to read: a line for each thing, and
// no secret.
func requireReadableLog(t *testing.T, log string) {
	t.Helper()
	var messages []string
	for line := range strings.Lines(log) {
		var entry map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &entry), line)
		if entry["level"] == "WARN" { // a busy broker is asked again
			continue
		}
		assert.Equal(t, "INFO", entry["level"], line)
		messages = append(messages, entry["msg"].(string))
		switch entry["msg"] {
		case "serving":
			assert.Equal(t, []any{"antom/default", "checkout/abc", "checkout/default", "checkout/oauth", "liquido/default", "worldpay/default"}, entry["providers"])
		case "consuming":
			assert.InDelta(t, 11*2, entry["partitions"], 0)
		case "draining":
			assert.Equal(t, "10s", entry["at_most"])
		}
	}
	assert.Equal(t, []string{
		"paystatus", "answering /healthz, /readyz and /metrics", "serving", "restored what was said", "consuming", "draining", "drained",
	}, messages)
	for _, word := range []string{"sk_sbox", "secret", "password", "MII"} {
		assert.NotContains(t, log, word)
	}
}

func TestRunEmbeddedKeepsItsDataOverARestart(t *testing.T) {
	t.Parallel()
	server, providers := simulated(t)
	config := file(t, "paystatus.yaml", "embedded: {listen: \"127.0.0.1:0\", data_dir: data}\ntopics: {partitions: 1}\nhttp: {listen: \"127.0.0.1:0\"}\n"+often+providers)
	folder := t.TempDir()
	run := func() (p *process, log *pipelinetest.Broker) {
		cmd := program(t, "run", "--embedded", "--config", config)
		cmd.Dir = folder
		p = started(t, cmd)
		address := p.logged("the embedded broker is listening", "address")
		serving(p)
		return p, at(t, address)
	}
	script := func(status string) {
		require.NoError(t, server.Store("checkout").Put(payA, sandbox.Script{Steps: []sandbox.Step{{Status: status}}}))
	}
	script("Authorized")
	p, log := run()
	produce(log, paymentOf(t, "order-1", "checkout", map[string]string{"payment_id": payA}))
	eventually(t, func() bool { return statusesOf(log, "order-1") == "authorized" }, "the first status")
	assert.Zero(t, p.end(os.Interrupt))
	entries, err := os.ReadDir(filepath.Join(folder, "data"))
	require.NoError(t, err)
	assert.NotEmpty(t, entries)

	script("Captured")
	// Of the phase "authorized" the next question comes after a minute; the customer's second notice asks at once.
	p, log = run()
	assert.Equal(t, "authorized", statusesOf(log, "order-1"))
	produce(log, paymentOf(t, "order-1", "checkout", map[string]string{"payment_id": payA}))
	eventually(t, func() bool { return statusesOf(log, "order-1") == "authorized captured" }, "the second start remembers what the first said")
	assert.Zero(t, p.end(syscall.SIGTERM))
}

func TestRunIsNotReadyWhileItDrainsAndFinishesTheCheckThatRuns(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	server, providers := simulatedBehind(t, func(server http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			select {
			case <-answer:
				server.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		})
	})
	address, config := broker(t, often+unhurried(providers))
	log := at(t, address)
	require.Zero(t, inProcess(t.Context(), "", "topics", "create", "--config", config).code)
	require.NoError(t, server.Store("checkout").Put(payA, sandbox.Script{Steps: []sandbox.Step{{Status: "Captured"}}}))
	p := start(t, "run", "--config", config)
	health := serving(p)
	produce(log, paymentOf(t, "order-1", "checkout", map[string]string{"payment_id": payA}))
	eventually(t, func() bool { return len(asked) == 1 }, "the provider is asked")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	p.logged("draining", "at_most")
	assert.Equal(t, "503 draining", get(t, health+"/readyz"))
	assert.Equal(t, "200 ok", get(t, health+"/healthz"))
	close(answer)
	assert.Zero(t, p.exit())
	assert.Equal(t, "no answer", get(t, health+"/readyz"))
	assert.Equal(t, "captured", statusesOf(log, "order-1"), "the answer that was awaited is an event")
	assert.Equal(t, 1, server.Store("checkout").Answers(payA))
}

func TestASecondSignalEndsADrain(t *testing.T) {
	t.Parallel()
	server, providers := simulated(t)
	address, config := broker(t, often+unhurried(providers))
	log := at(t, address)
	require.Zero(t, inProcess(t.Context(), "", "topics", "create", "--config", config).code)
	require.NoError(t, server.Store("checkout").Put(payA, sandbox.Script{Steps: []sandbox.Step{{Fault: sandbox.FaultHang}}}))
	cmd := program(t, "run", "--config", config)
	// A script starts its background processes so.
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" INT; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	p := started(t, cmd)
	serving(p)
	produce(log, paymentOf(t, "order-1", "checkout", map[string]string{"payment_id": payA}))
	eventually(t, func() bool { return server.Store("checkout").Answers(payA) == 1 }, "the provider is asked")
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	p.logged("draining", "at_most")
	assert.Equal(t, 128+int(syscall.SIGINT), p.end(os.Interrupt))
	assert.NotContains(t, p.stderr.String(), `"drained"`)
}

func TestRunThatIsStoppedBeforeItServesIsNoFailure(t *testing.T) {
	t.Parallel()
	_, providers := simulated(t)
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // a broker that takes connections and says nothing
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	config := file(t, "paystatus.yaml", fmt.Sprintf("kafka: {brokers: [%q]}\nhttp: {listen: \"127.0.0.1:0\"}\n", silent.Addr())+providers)
	p := start(t, "run", "--config", config)
	health := p.logged("answering /healthz, /readyz and /metrics", "url")
	assert.Equal(t, "503 starting", get(t, health+"/readyz"))
	assert.Equal(t, "200 ok", get(t, health+"/healthz"))
	assert.Zero(t, p.end(syscall.SIGTERM))
}

func TestRunSaysWhyItCannotStart(t *testing.T) {
	t.Parallel()
	_, providers := simulated(t)
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	tests := []struct{ name, config, says string }{
		{"no broker answers", "kafka: {brokers: [\"127.0.0.1:1\"]}\nhttp: {listen: \"127.0.0.1:0\"}\n", "dial tcp 127.0.0.1:1: connect: connection refused"},
		{"its address is taken", fmt.Sprintf("kafka: {brokers: [\"127.0.0.1:1\"]}\nhttp: {listen: %q}\n", taken.Addr()), "http.listen: listen tcp " + taken.Addr().String() + ": bind: address already in use"},
		{"the embedded broker's address is taken", fmt.Sprintf("embedded: {enabled: true, listen: %q}\nhttp: {listen: \"127.0.0.1:0\"}\n", taken.Addr()), "embedded: start broker: listen tcp " + taken.Addr().String() + ": bind: address already in use"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := paystatus(t, "run", "--config", file(t, "paystatus.yaml", tt.config+providers))
			assert.Equal(t, cli.ExitFailed, r.code)
			assert.Empty(t, r.stdout)
			assert.Regexp(t, `(?m)^paystatus: .*`+tt.says+`$`, r.stderr)
		})
	}
}
