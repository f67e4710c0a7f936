package bench

import (
	"context"
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheStubAnswersAfterTheTimeItDrewAndSaysHowLongItTook(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := newStub(10*time.Millisecond, 30*time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, listener) }()
	caller := NewCaller(Load{Provider: "http://" + listener.Addr().String(), InFlight: 1})
	defer caller.client.CloseIdleConnections()
	for _, reference := range []string{"p-00000001.0", "p-00000001.1"} {
		began := time.Now()
		body, err := caller.Ask(t.Context(), reference)
		took := time.Since(began)
		require.NoError(t, err)
		a, err := answerOf(Contender{}, body)
		require.NoError(t, err)
		assert.Equal(t, reference, a.Reference)
		assert.GreaterOrEqual(t, a.Held, s.draw(reference))
		assert.LessOrEqual(t, a.Held, took)
		assert.True(t, json.Valid(body))
	}
	stop()
	require.NoError(t, <-ended)
}

func TestEveryContenderDrawsTheSameTimes(t *testing.T) {
	t.Parallel()
	s := newStub(50*time.Millisecond, 500*time.Millisecond)
	drawn := map[time.Duration]bool{}
	for i := range 100 {
		reference := referenceOf(i, 0)
		d := s.draw(reference)
		assert.Equal(t, d, s.draw(reference))
		assert.GreaterOrEqual(t, d, s.least)
		assert.Less(t, d, s.most)
		drawn[d] = true
	}
	assert.Greater(t, len(drawn), 90)
	assert.Equal(t, time.Second, newStub(time.Second, time.Second).draw("any"))
}

func TestKeysTakeTurns(t *testing.T) {
	t.Parallel()
	load := Load{Messages: 10, Keys: 4}
	assert.Equal(t, 3, load.turns())
	for i, want := range []string{"p-00000000.0", "p-00000001.0", "p-00000002.0", "p-00000003.0", "p-00000000.1"} {
		m, err := load.message(i, time.Now())
		require.NoError(t, err)
		assert.Equal(t, want, string(m.Headers[0].Value))
		assert.Equal(t, KeyOf(want), string(m.Key))
		key, turn, err := load.parseReference(want)
		require.NoError(t, err)
		assert.Equal(t, i, key+turn*load.Keys)
	}
	for _, foreign := range []string{"", "p-00000000", "p-00000004.0", "p-00000002.2", "p-x.0", "p-00000001.-1"} {
		_, _, err := load.parseReference(foreign)
		require.ErrorIs(t, err, errReference, foreign)
	}
}

func TestKeysRecurButNotWhileTheirMessageIsInFlight(t *testing.T) {
	t.Parallel()
	o := Options{InFlight: 1000}
	assert.Equal(t, 500, o.keys(500))
	assert.Equal(t, 1000, o.keys(1500))
	assert.Equal(t, 10_000, o.keys(20_000))
	o.Keys = 7
	assert.Equal(t, 7, o.keys(20_000))
	assert.Equal(t, 5, o.keys(5))
}

func TestSummariesAreMediansAndRatiosOfTheSameRound(t *testing.T) {
	t.Parallel()
	r := Report{Runs: []Run{
		{Contender: NameBare, Round: 1, Throughput: 100, CPU: 10, PeakRSS: 50},
		{Contender: NameAdapter, Round: 1, Throughput: 90, CPU: 11, PeakRSS: 50},
		{Contender: NameAdapter, Round: 2, Throughput: 40, CPU: 22, PeakRSS: 60},
		{Contender: NameBare, Round: 2, Throughput: 50, CPU: 20, PeakRSS: 40}, // a busy machine
		{Contender: NameBare, Round: 3, Throughput: 100, CPU: 10, PeakRSS: 50},
		{Contender: NameAdapter, Round: 3, Throughput: 100, CPU: 10, PeakRSS: 50},
		{Contender: NameAdapter, Round: 0, Throughput: 1, Rate: 45, Latency: &Latency{P50: 3, P99: 9, Messages: 10}},
	}}
	r.summarise([]Contender{{Name: NameBare}, {Name: NameAdapter}})
	require.Len(t, r.Contenders, 2)
	adapter := r.Contenders[1]
	assert.InDelta(t, 90, adapter.Throughput, 1e-9)
	assert.Equal(t, int64(60), adapter.PeakRSS)
	assert.InDelta(t, 0.9, adapter.Ratios.Throughput, 1e-9)
	assert.InDelta(t, 1.1, adapter.Ratios.CPU, 1e-9)
	assert.InDelta(t, 1.0, adapter.Ratios.PeakRSS, 1e-9)
	assert.InDelta(t, 45, adapter.HalfLoad, 1e-9)
	assert.Equal(t, &Latency{P50: 3, P99: 9, Messages: 10}, adapter.Latency)
	assert.Nil(t, r.Contenders[0].Latency)
}

func TestMediansAndPercentiles(t *testing.T) {
	t.Parallel()
	assert.InDelta(t, 0, median(nil), 0)
	assert.InDelta(t, 2, median([]float64{3, 1, 2}), 0)
	assert.InDelta(t, 2.5, median([]float64{4, 1, 2, 3}), 0)
	var all []time.Duration
	for i := 100; i >= 0; i-- {
		all = append(all, time.Duration(i)*time.Millisecond)
	}
	assert.Equal(t, &Latency{P50: 50, P99: 99, Messages: 101}, latencyOf(all))
	assert.Equal(t, &Latency{}, latencyOf(nil))
	assert.Equal(t, "1,234,567", grouped(1_234_567))
	assert.Equal(t, "123", grouped(123))
}

func TestAStatusEventThatIsNotFinalIsNoResult(t *testing.T) {
	t.Parallel()
	body, err := rawBody([]byte(`{"status":"captured","final":true,"raw":{"body":"{}"}}`))
	require.NoError(t, err)
	assert.Equal(t, "{}", string(body))
	_, err = rawBody([]byte(`{"status":"pending","final":false,"raw":{"body":"{}"}}`))
	require.ErrorContains(t, err, `"pending" is not final`)
}
