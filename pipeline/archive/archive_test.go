package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/archive"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// world is a broker with a topic to export from and one to import to.
type world struct{ *pipelinetest.Broker }

const (
	source = "payments.status_changed"
	target = "restored"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{pipelinetest.Connect(t, kafka.Config{Brokers: pipelinetest.Embedded(t)})}
	require.NoError(t, w.Client.CreateTopics(t.Context(), kafka.Topic{Name: source, Partitions: 4, Replication: 1}, kafka.Topic{Name: target, Partitions: 3, Replication: 1}))
	return w
}

// exported is a world with so many payments of three events, and the archive of these.
func exported(t *testing.T, payments int, name string) (w *world, file string) {
	t.Helper()
	w, file = newWorld(t), filepath.Join(t.TempDir(), name)
	w.fill(payments)
	w.export(snapshot.Range{}, file)
	return w, file
}

// event is a status event of a payment, the nth, whose data is padded with any bytes that JSON holds.
func event(payment string, n int, provider, padding string) *message.Message {
	value := fmt.Sprintf("{\"payment_id\":%q,\"provider\":%q,  \"status\":\"pending\",\"padding\":%q}\n", payment, provider, padding)
	msg := message.NewMessage("", []byte(value))
	kafka.SetKey(msg, []byte(payment))
	kafka.SetHeaders(msg, []kafka.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: fmt.Appendf(nil, "%s-%d", payment, n)},
		{Key: "ce_type", Value: []byte("payment.status_changed")},
		{Key: "twice", Value: []byte{0xff, 0}},
		{Key: "twice", Value: []byte("<&>\u2028")},
		{Key: "empty", Value: []byte{}},
		{Key: "none"},
	})
	return msg
}

// fill writes three events of each of so many payments.
func (w *world) fill(payments int) {
	w.T.Helper()
	var all []*message.Message
	for n := range 3 {
		for p := range payments {
			provider := []string{"checkout", "liquido"}[p%2]
			all = append(all, event(fmt.Sprintf("order-%d", p), n, provider, "é<>\u2028"))
		}
	}
	require.NoError(w.T, w.Writer.Publish(source, all...))
}

// content is what a topic holds, by key, without what a topic gives by itself.
func (w *world) content(topic string) map[string][]kafka.Record {
	w.T.Helper()
	all := map[string][]kafka.Record{}
	for _, r := range w.Records(topic) {
		all[string(r.Key)] = append(all[string(r.Key)], kafka.Record{Key: r.Key, Value: r.Value, Headers: r.Headers})
	}
	return all
}

func (w *world) export(r snapshot.Range, file string) archive.Exported {
	w.T.Helper()
	frozen, err := r.Freeze(w.T.Context(), w.Client, source)
	require.NoError(w.T, err)
	sum, err := (&archive.Export{Range: frozen, File: file}).Run(w.T.Context())
	require.NoError(w.T, err)
	return sum
}

func (w *world) importing(file string) *archive.Import {
	return &archive.Import{Client: w.Client, Publisher: w.Writer, Topic: target, File: file}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestWhatIsExportedAndImportedIsWhatWas(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"events.jsonl", "events.jsonl.gz"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fill(40)
			file := filepath.Join(t.TempDir(), name)
			sum := w.export(snapshot.Range{}, file)
			assert.Equal(t, archive.Exported{Records: 120, Events: 120, Bytes: sum.Bytes}, sum)

			got, err := w.importing(file).Run(t.Context())
			require.NoError(t, err)
			assert.Equal(t, archive.Imported{Lines: 120, Written: 120}, got)
			assert.True(t, reflect.DeepEqual(w.content(source), w.content(target)))
			entries, err := os.ReadDir(filepath.Dir(file))
			require.NoError(t, err)
			assert.Len(t, entries, 1, "nothing is left beside the archive")
		})
	}
}

func TestARangeIsExported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(20)
	foreign := message.NewMessage("", []byte("somebody else's"))
	kafka.SetKey(foreign, []byte("order-1"))
	require.NoError(t, w.Writer.Publish(source, foreign))
	ends, err := w.Client.ListOffsets(t.Context(), source, kafka.Latest)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		chosen snapshot.Range
		events int64
	}{
		"everything":     {snapshot.Range{}, 60},
		"of payments":    {snapshot.Range{Payments: map[string]bool{"order-1": true, "order-2": true, "other": true}}, 6},
		"of a provider":  {snapshot.Range{Provider: "liquido"}, 30},
		"of a partition": {snapshot.Range{Offsets: map[int]snapshot.Span{2: {From: 1, To: 3}}}, 2},
		"until a time":   {snapshot.Range{Until: time.Now().Add(-time.Hour)}, 0},
		"since a time":   {snapshot.Range{Since: time.Now().Add(-time.Hour)}, 60},
	} {
		t.Run(name, func(t *testing.T) {
			require.Greater(t, ends[2], int64(3))
			file := filepath.Join(t.TempDir(), "events.jsonl")
			assert.Equal(t, tt.events, w.export(tt.chosen, file).Events)
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, int(tt.events), bytes.Count(text, []byte("\n")))
		})
	}
	t.Run("frozen at its beginning", func(t *testing.T) {
		frozen, err := snapshot.Range{}.Freeze(t.Context(), w.Client, source)
		require.NoError(t, err)
		require.NoError(t, w.Writer.Publish(source, event("order-1", 9, "checkout", "")))
		var out bytes.Buffer
		sum, err := (&archive.Export{Range: frozen, File: "-", Stdout: &out}).Run(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []int64{61, 60, 1}, []int64{sum.Records, sum.Events, sum.Foreign})
		assert.NotContains(t, out.String(), "order-1-9")
	})
	t.Run("of a partition that is not there", func(t *testing.T) {
		_, err := snapshot.Range{Offsets: map[int]snapshot.Span{7: {}}}.Freeze(t.Context(), w.Client, source)
		require.ErrorContains(t, err, "has no partition 7: it has 4, from 0")
	})
	t.Run("in a dry run writes nothing", func(t *testing.T) {
		frozen, err := snapshot.Range{}.Freeze(t.Context(), w.Client, source)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "events.jsonl")
		sum, err := (&archive.Export{Range: frozen, File: file, DryRun: true}).Run(t.Context())
		require.NoError(t, err)
		assert.Equal(t, int64(61), sum.Events)
		assert.NoFileExists(t, file)
	})
}

func TestABrokenArchiveIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	w, file := exported(t, 5, "events.jsonl")
	whole := lines(t, file)
	edit := func(from, to string) string {
		require.Contains(t, whole[6], from)
		return strings.Replace(whole[6], from, to, 1)
	}
	for name, bad := range map[string]string{
		"not whole":           whole[6][:len(whole[6])-20] + "\n",
		"empty":               "\n",
		"two documents":       strings.TrimSpace(whole[6]) + "{}\n",
		"another version":     edit(`{"v":1,`, `{"v":2,`),
		"a field too many":    edit(`"partition":`, `"part":1,"partition":`),
		"a field of a type":   edit(`"partition":`, `"partition":"x","offset":0,"v":1,"p":`),
		"a header too short":  edit(`["none",null]`, `["none"]`),
		"bytes in doubt":      edit(`{"base64":"/wA="}`, `{"base64":"/wA=","more":1}`),
		"bytes of no kind":    edit(`{"base64":"/wA="}`, `{}`),
		"no status event":     edit(`"payment.status_changed"`, `"order.shipped"`),
		"a key of another":    edit(`"key":"order-`, `"key":"order-x`),
		"without key":         edit(`"key":"order-`, `"key":null,"topic":"order-`),
		"longer than allowed": strings.Repeat("x", 17<<20) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			broken := filepath.Join(t.TempDir(), "broken.jsonl")
			text := strings.Join(slices.Concat(whole[:6], []string{bad}, whole[7:]), "")
			require.NoError(t, os.WriteFile(broken, []byte(text), 0o600))
			_, err := w.importing(broken).Run(t.Context())
			require.ErrorContains(t, err, "nothing was written")
			line := &archive.LineError{}
			require.ErrorAs(t, err, &line)
			assert.Equal(t, int64(7), line.Line)
			assert.NotContains(t, err.Error(), "padding", "an error holds nothing of the data")
		})
	}
	t.Run("and standard input at the line, with what was written", func(t *testing.T) {
		i := w.importing("-")
		i.Topic, i.Rate = source, 1000000
		i.Stdin = strings.NewReader(strings.Join(whole[:6], "") + "x\n")
		sum, err := i.Run(t.Context())
		require.ErrorContains(t, err, "0 records were written")
		require.ErrorContains(t, err, "line 7")
		assert.Zero(t, sum.Written)
	})
	t.Run("and what is not compressed by its name", func(t *testing.T) {
		zipped := filepath.Join(t.TempDir(), "events.gz")
		require.NoError(t, os.WriteFile(zipped, []byte(whole[0]), 0o600))
		_, err := w.importing(zipped).Run(t.Context())
		require.ErrorContains(t, err, "not compressed by gzip")

		var half bytes.Buffer
		z := gzip.NewWriter(&half)
		_, err = io.WriteString(z, strings.Join(whole, ""))
		require.NoError(t, err)
		require.NoError(t, z.Close())
		require.NoError(t, os.WriteFile(zipped, half.Bytes()[:half.Len()-9], 0o600))
		_, err = w.importing(zipped).Run(t.Context())
		require.ErrorContains(t, err, "nothing was written")
	})
	assert.Empty(t, w.content(target))
}

func TestADryRunLooksAtEveryLine(t *testing.T) {
	t.Parallel()
	w, file := exported(t, 5, "events.jsonl")
	i := w.importing(file)
	i.DryRun = true
	sum, err := i.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, archive.Imported{Lines: 15}, sum)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	i.File, i.Stdin = "-", bytes.NewReader(text)
	sum, err = i.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, archive.Imported{Lines: 15}, sum)
	assert.Empty(t, w.content(target))
}

// dying is a publisher of a process that is killed within one of its batches.
type dying struct {
	message.Publisher

	batches int // that it writes
	half    int // how many records of the next it writes
}

var errKilled = errors.New("killed")

func (d *dying) Publish(topic string, messages ...*message.Message) error {
	if d.batches == 0 {
		return errors.Join(d.Publisher.Publish(topic, messages[:d.half]...), errKilled)
	}
	d.batches--
	return d.Publisher.Publish(topic, messages...)
}

func TestAnInterruptedImportGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	w, file := exported(t, 50, "events.jsonl.gz")
	for _, killed := range []dying{{w.Writer, 1, 17}, {w.Writer, 0, 3}, {w.Writer, 0, 0}, {w.Writer, 1, 30}} {
		i := w.importing(file)
		i.Rate, i.Publisher = 400, &killed // forty records at once
		_, err := i.Run(t.Context())
		require.ErrorIs(t, err, errKilled)
	}
	sum, err := w.importing(file).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(150), sum.Before+sum.Written)
	assert.Greater(t, sum.Before, int64(80))
	assert.True(t, reflect.DeepEqual(w.content(source), w.content(target)), "nothing twice, nothing left out, in order")
	assert.NoFileExists(t, archive.StateFile(file))
}

func TestAStateOfAnotherImportIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	w, file := exported(t, 2, "events.jsonl")
	i := w.importing(file)
	i.Publisher = &dying{Publisher: w.Writer, half: 1}
	_, err := i.Run(t.Context())
	require.ErrorIs(t, err, errKilled)
	require.FileExists(t, archive.StateFile(file))
	i.Topic = source
	_, err = i.Run(t.Context())
	require.ErrorContains(t, err, "of an import of another file or to another topic")
}

func TestAnInterruptedExportLeavesNoArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(5)
	frozen, err := snapshot.Range{}.Freeze(t.Context(), w.Client, source)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err = (&archive.Export{Range: frozen, File: filepath.Join(dir, "events.jsonl")}).Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestEveryEventOfAnArchiveCanBeRead(t *testing.T) {
	t.Parallel()
	_, file := exported(t, 3, "events.jsonl")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	seen := 0
	require.NoError(t, archive.Read(file, bytes.NewReader(text), func(line, _ int64, r kafka.Record) error {
		seen++
		assert.Equal(t, int64(seen), line)
		assert.Equal(t, source, r.Topic)
		e, err := handlers.ReadStatusEvent(snapshot.MessageOf(r))
		assert.NoError(t, err)
		assert.Equal(t, string(r.Key), e.Data.PaymentID)
		return nil
	}))
	assert.Equal(t, 9, seen)
}
