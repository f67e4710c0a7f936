package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// state is how far an import has come, in a file beside the archive while it is under way.
type state struct {
	Version int           `json:"v"`
	SHA256  string        `json:"sha256"` // of the archive
	Topic   string        `json:"topic"`
	Lines   int64         `json:"lines"` // that are written
	Batch   int           `json:"batch"` // how many lines after these are being written
	Ends    map[int]int64 `json:"ends"`  // of the topic's partitions, before those
}

// StateFile is where an import of a file keeps how far it has come.
func StateFile(file string) string { return file + ".import" }

// remember notes what is about to be written, up to a line.
func (i *importing) remember(ctx context.Context, line int64) error {
	i.state.Batch = int(line - i.state.Lines)
	if !i.resumed {
		var err error
		if i.state.Ends, err = i.ends(ctx); err != nil {
			return err
		}
	}
	text, err := json.Marshal(i.state)
	if err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	name := StateFile(i.File)
	if err := os.WriteFile(name+partial, text, 0o600); err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	if err := os.Rename(name+partial, name); err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	return nil
}

// forget ends the import.
func (i *importing) forget() error {
	if err := os.Remove(StateFile(i.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("import: everything is written; remove the state: %w", err)
	}
	return nil
}

// ends are those of the topic's partitions.
func (m *Import) ends(ctx context.Context) (map[int]int64, error) {
	ends, err := m.Client.ListOffsets(ctx, m.Topic, kafka.Latest)
	switch {
	case errors.Is(err, kafkago.UnknownTopicOrPartition):
		return nil, fmt.Errorf("there is no topic %s, create it first: %w", m.Topic, err)
	case err != nil:
		return nil, fmt.Errorf("end of %s: %w", m.Topic, err)
	}
	return ends, nil
}

// resume takes up the state of an import that was interrupted, and looks up what it wrote last.
func (i *importing) resume(ctx context.Context) error {
	text, err := os.ReadFile(StateFile(i.File))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("import: %w", err)
	}
	var old state
	if err := json.Unmarshal(text, &old); err != nil || old.Version != i.state.Version || old.SHA256 != i.state.SHA256 || old.Topic != i.state.Topic {
		return fmt.Errorf("import: %s is %w; finish that import, or remove it to begin anew", StateFile(i.File), errOtherFile)
	}
	i.state, i.resumed = old, true
	since, err := snapshot.From(ctx, i.Client, i.Topic, old.Ends)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	i.there = map[event]int{}
	err = since.Each(ctx, func(r kafka.Record) error {
		if e, err := handlers.ReadStatusEvent(snapshot.MessageOf(r)); err == nil { // else it is somebody else's
			i.there[event{string(r.Key), e.ID}]++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}
