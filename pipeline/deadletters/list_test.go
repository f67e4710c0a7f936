package deadletters_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
)

func TestEveryReasonHasASpecimen(t *testing.T) {
	t.Parallel()
	missing := map[watch.Code]bool{}
	for _, r := range handlers.Reasons {
		missing[r.Code] = true
	}
	for _, s := range specimens {
		delete(missing, s.reason)
	}
	assert.Empty(t, missing)
}

func TestAListFindsAndCountsWhatItIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const inputs = 200
	want := map[watch.Code]int64{}
	var letters int64
	var results []handlers.Result
	for i := range inputs {
		s := specimens[i%len(specimens)]
		results = append(results, s.make(to{t}, fmt.Sprintf("p-%d", i)))
		if s.reason != "" {
			want[s.reason]++
			letters++
		}
	}
	w.post(results...)
	list := func(f deadletters.Filter) int64 {
		found, counts := w.walk(f)
		require.Equal(t, counts.Chosen, int64(len(found)))
		require.Equal(t, letters, counts.Letters)
		return counts.Chosen
	}

	found, counts := w.walk(deadletters.Filter{})
	assert.Equal(t, want, counts.ByReason)
	assert.Equal(t, letters, counts.Chosen)
	assert.Equal(t, letters, counts.Records)
	for i := range found {
		assert.Regexp(t, `^p-\d+$`, found[i].About.PaymentID)
		assert.Equal(t, string(found[i].Key), found[i].About.PaymentID)
		if i > 0 {
			assert.False(t, found[i].Time.Before(found[i-1].Time), "the oldest first")
		}
	}

	for code, n := range want {
		assert.Equal(t, n, list(deadletters.Filter{Reasons: []watch.Code{code}}), code)
	}
	assert.Equal(t, want["mismatch"]+want["empty"], list(deadletters.Filter{Reasons: []watch.Code{"mismatch", "empty"}}))
	assert.Equal(t, want["bad_signature"]+want["no_reference"]+want["unreadable_notification"], list(deadletters.Filter{Handler: "notification"}))
	assert.Equal(t, int64(1), list(deadletters.Filter{Payment: found[0].About.PaymentID}))
	assert.Equal(t, int64(1), list(deadletters.Filter{Positions: []deadletters.Position{found[5].Position}}))
	assert.Zero(t, list(deadletters.Filter{Payment: "p"}))
	silent := want["empty"] + want["invalid_envelope"] + want["not_json"] + want["invalid_check"]
	assert.Equal(t, letters-silent, list(deadletters.Filter{Provider: "liquido"}), "those that say a provider")
	assert.Zero(t, list(deadletters.Filter{Provider: "antom"}))
}

func TestAListCanBeBoundedByTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for i := range 5 {
		result := unserved(t, initiated(fmt.Sprintf("p-%d", i), event("p", "300")))
		for j, h := range result.Out[0].Headers {
			if h.Key == handlers.HeaderFailedAt {
				result.Out[0].Headers[j].Value = []byte(noon.Add(time.Duration(i) * time.Hour).Format(time.RFC3339Nano))
			}
		}
		w.post(result)
	}
	keys := func(f deadletters.Filter) (keys []string) {
		found, _ := w.walk(f)
		for _, l := range found {
			keys = append(keys, string(l.Key))
		}
		return keys
	}
	after := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	assert.Equal(t, []string{"p-2", "p-3", "p-4"}, keys(deadletters.Filter{Since: after(2)}))
	assert.Equal(t, []string{"p-0", "p-1"}, keys(deadletters.Filter{Until: after(2)}))
	assert.Equal(t, []string{"p-1", "p-2"}, keys(deadletters.Filter{Since: after(1), Until: after(3)}))
	assert.Empty(t, keys(deadletters.Filter{Since: after(5)}))

	later, err := deadletters.Take(t.Context(), w.Client, w.Topics.DeadLetters(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	assert.Zero(t, later.Records(), "what the broker took long before is not read")
}

func TestALetterIsFoundByItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(unserved(t, initiated("p-1", event("p-1", "300"))))
	require.Equal(t, 1, w.given(deadletters.Redrive{Why: "a reason"}))
	all, _ := w.walk(deadletters.Filter{Given: true})
	require.Len(t, all, 1)
	place := all[0].Position

	l, err := deadletters.Find(t.Context(), w.Client, w.Topics.DeadLetters(), place)
	require.NoError(t, err)
	assert.Equal(t, "p-1", l.About.PaymentID)
	require.NotNil(t, l.Given)
	assert.Equal(t, "olga, because of a reason", l.Given.By+", because of "+l.Given.Why)

	for name, tc := range map[string]struct {
		deadletters.Position
		says string
	}{
		"a marker":          {deadletters.Position{Partition: place.Partition, Offset: place.Offset + 1}, "marks that " + place.String() + " was given back"},
		"beyond the end":    {deadletters.Position{Partition: place.Partition, Offset: place.Offset + 2}, "now holds the offsets 0 to 1"},
		"another partition": {deadletters.Position{Partition: 9}, "4 partitions"},
		"an empty one":      {deadletters.Position{Partition: (place.Partition + 1) % 4}, "is empty"},
	} {
		_, err := deadletters.Find(t.Context(), w.Client, w.Topics.DeadLetters(), tc.Position)
		require.ErrorContains(t, err, tc.says, name)
	}
	_, err = deadletters.Find(t.Context(), w.Client, "nowhere", place)
	require.ErrorContains(t, err, "there is no topic nowhere; `paystatus topics create`")
}

func TestAProducerCannotHideALetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := initiated("p-1", event("p-1", "300"))
	m.Headers = append(m.Headers, handlers.Header{Key: deadletters.HeaderMarks, Value: []byte("0/0")},
		handlers.Header{Key: handlers.HeaderReason, Value: []byte("a forged reason")})
	for range 8 {
		w.post(unserved(t, m))
	}
	found, counts := w.walk(deadletters.Filter{})
	assert.Len(t, found, 8)
	assert.Equal(t, map[watch.Code]int64{handlers.CodeUnknownProvider: 8}, counts.ByReason)
}

func TestWordsOfTheCommandLineAreRead(t *testing.T) {
	t.Parallel()
	p, err := deadletters.ParsePosition("3/17")
	require.NoError(t, err)
	assert.Equal(t, deadletters.Position{Partition: 3, Offset: 17}, p)
	assert.Equal(t, "3/17", p.String())
	for _, text := range []string{"", "3", "/17", "3/", "3/-1", "-3/1", "3/17/2", "a/b", "3/9223372036854775808"} {
		_, err := deadletters.ParsePosition(text)
		require.Error(t, err, text)
	}
	_, err = deadletters.ParseReasons([]string{"mismatch", "unknown-provider"})
	assert.ErrorContains(t, err, "unknown_provider")
}
