package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/failsafe-go/failsafe-go/ratelimiter"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// Import writes the records of an archive to a topic: the same keys, headers and values, and so the same ids, in the same order.
// The partition follows from the key, as everywhere.
//
// Every line is looked at before the first is written, but from standard input, which can be read only once. An import that is
// interrupted goes on where it stopped: beside the file it keeps how far it has come and, of what it was about to write, where the
// topic ended then; of that it looks up what is there.
type Import struct {
	Client    *kafka.Client
	Publisher message.Publisher
	Topic     string
	File      string    // "-": Stdin
	Stdin     io.Reader // what "-" is
	Rate      int       // records a second; 0: as fast as it goes
	DryRun    bool      // look at every line, write nothing

	// Progress is told how many bytes of the file were read, in which pass, and how many records written. It may be nil.
	Progress func(pass Pass, bytes, written int64)
}

// Pass is what an import does with the file.
type Pass string

// The passes.
const (
	Checking Pass = "checked"
	Writing  Pass = "written"
)

// Imported is what an import came to.
type Imported struct {
	Lines   int64 `json:"lines"`   // looked at
	Written int64 `json:"written"` // now
	Before  int64 `json:"before"`  // written by the run that this one goes on with
}

// What is written at once.
const (
	batch      = 500     // records at most
	batchBytes = 4 << 20 // and a little more than this
)

// Run imports. After an error the result says how far it came.
func (m *Import) Run(ctx context.Context) (Imported, error) {
	if _, err := m.ends(ctx); err != nil {
		return Imported{}, fmt.Errorf("import: %w", err)
	}
	if m.File == "-" {
		run := &importing{Import: m}
		err := run.write(ctx, m.Stdin)
		return run.sum, err
	}
	sum, digest, err := m.check(ctx)
	if err != nil || m.DryRun {
		return sum, err
	}
	run := &importing{Import: m, state: state{Version: Version, SHA256: digest, Topic: m.Topic}}
	if err := run.resume(ctx); err != nil {
		return sum, err
	}
	file, err := os.Open(m.File)
	if err != nil {
		return sum, fmt.Errorf("import: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := run.write(ctx, file); err != nil {
		return run.sum, err
	}
	return run.sum, run.forget()
}

// check looks at every line.
func (m *Import) check(ctx context.Context) (sum Imported, digest string, err error) {
	file, err := os.Open(m.File)
	if err != nil {
		return sum, "", fmt.Errorf("import: %w", err)
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	err = Read(m.File, io.TeeReader(file, hash), func(line, bytes int64, r kafka.Record) error {
		sum.Lines = line
		if _, err := m.event(line, r); err != nil {
			return err
		}
		if m.Progress != nil && line%256 == 0 {
			m.Progress(Checking, bytes, 0)
		}
		return ctx.Err()
	})
	if err != nil {
		return sum, "", fmt.Errorf("import: nothing was written: %w", err)
	}
	return sum, hex.EncodeToString(hash.Sum(nil)), nil
}

// event is the status event that a line must hold.
func (m *Import) event(line int64, r kafka.Record) (handlers.StatusEvent, error) {
	e, err := handlers.ReadStatusEvent(snapshot.MessageOf(r))
	if err != nil {
		return e, fmt.Errorf("%s: %w", m.File, &LineError{line, err})
	}
	return e, nil
}

// importing is an import under way.
type importing struct {
	*Import

	state   state
	resumed bool          // and the batch that was being written then is not written yet
	there   map[event]int // of which the topic holds these
	sum     Imported
	waiting []*message.Message
	bytes   int
	limiter ratelimiter.RateLimiter[any]
	size    int
}

// event is what tells a record of the topic.
type event struct{ key, id string }

func (i *importing) write(ctx context.Context, from io.Reader) error {
	i.size = batch
	if i.Rate > 0 {
		i.limiter = ratelimiter.NewSmooth[any](uint(i.Rate), time.Second)
		i.size = min(max(i.Rate/10, 1), batch) // what is written in a tenth of a second
	}
	i.sum.Before = i.state.Lines
	begun := i.state
	err := Read(i.File, from, func(line, bytes int64, r kafka.Record) error {
		i.sum.Lines = line
		e, err := i.event(line, r)
		if err != nil {
			return err
		}
		if i.Progress != nil {
			i.Progress(Writing, bytes, i.sum.Written)
		}
		if line <= begun.Lines || i.DryRun {
			return ctx.Err()
		}
		if at := (event{string(r.Key), e.ID}); line <= begun.Lines+int64(begun.Batch) && i.there[at] > 0 {
			i.there[at]--
			i.sum.Before++
			return ctx.Err()
		}
		return i.put(ctx, line, r)
	})
	if err == nil {
		err = i.flush(ctx, i.sum.Lines)
	}
	if err != nil {
		return fmt.Errorf("import: %d records were written to %s: %w", i.sum.Written, i.Topic, err)
	}
	return nil
}

func (i *importing) put(ctx context.Context, line int64, r kafka.Record) error {
	if i.limiter != nil {
		if err := i.limiter.AcquirePermit(ctx); err != nil {
			return fmt.Errorf("keep to the rate: %w", err)
		}
	}
	msg := message.NewMessage("", r.Value)
	kafka.SetKey(msg, r.Key)
	kafka.SetHeaders(msg, r.Headers)
	i.waiting, i.bytes = append(i.waiting, msg), i.bytes+len(r.Value)
	full := len(i.waiting) >= i.size || i.bytes >= batchBytes
	if !full || i.resumed && line < i.state.Lines+int64(i.state.Batch) {
		return nil
	}
	return i.flush(ctx, line)
}

// flush writes what waits, which ends with a line.
func (i *importing) flush(ctx context.Context, line int64) error {
	if err := ctx.Err(); err != nil || len(i.waiting) == 0 {
		return err //nolint:wrapcheck // interrupted
	}
	if i.File != "-" {
		if err := i.remember(ctx, line); err != nil {
			return err
		}
	}
	if err := i.Publisher.Publish(i.Topic, i.waiting...); err != nil {
		return err //nolint:wrapcheck // names the topic
	}
	i.sum.Written += int64(len(i.waiting))
	i.state.Lines, i.resumed = line, false
	i.waiting, i.bytes = nil, 0
	return nil
}

// errOtherFile says that the state beside a file is not that of this import.
var errOtherFile = errors.New("the state of an import of another file or to another topic")
