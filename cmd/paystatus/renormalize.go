package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/renormalize"
	"github.com/paystatus/paystatus/providers"
)

// renormalizeFlags are the flags of renormalize.
type renormalizeFlags struct {
	rangeFlags

	config, output string
	file, replayID string
	emit, dry      bool
	rate           int
	patience       time.Duration

	conn    *connection // nil: no broker is needed
	reader  *renormalize.Reader
	source  renormalize.Source
	onwards map[int]int64 // where the log goes on behind the range; nil: the source is a file
	what    string        // the source, for people
	length  int64         // in records; 0: not known
}

func renormalizeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "renormalize",
		Short: "Read the answers behind status events again, and say or correct what would be said otherwise",
		Long: `Read the provider's answers in status events again, as this program's mapping reads them now, and count what would be said otherwise.
No provider is asked. Without --emit nothing is written. What an event says besides status, end and sums is not compared.

` + findingTable() + `
An event keeps one page of an answer, the one that decided; where there were more, or may have been, nothing is concluded.

--emit has the last event of each payment corrected, where it differs: the running service reads the answer once more with its own mapping
and writes a payment.status_corrected that names the event it corrects. Run it once every instance has the new mapping. A payment that
is corrected to a status that is not final is watched again. What is done is counted from the outcomes that the service writes; an
interrupted run goes on with --replay-id.

--output json prints a line for each row, then one for the sum:
  {"provider": "checkout", "finding": "differs", "old": {"status": "captured", "final": true}, "new": {"status": "authorized", "final": false},
   "events": 12, "last": 9,                                   last: of these, how many are the last of their payments
   "examples": [{"payment_id": "order-1", "account": "default", "event_id": "72e75783-…", "at": "3/17", "last": true}, …]}
  {"provider": "checkout", "finding": "no_status", "code": "not_json", …}; other sums: old and new have "sums": true and the examples
   "old_sums": {"captured": 60}, "new_sums": {"captured": 30}, in minor units, without those that equal the payment's amount
  {"records": 120, "events": 118, "foreign": 2, "differs": 12, "last": 9, "emitted": null}    or with --emit
   "emitted": {"replay_id": "…", "due": 9, "before": 0, "superseded": 1, "asked": 8, "outcomes": {"corrected": 8}, "waiting": 0}`,
		Args: cobra.NoArgs,
	}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	var f renormalizeFlags
	f.add(cmd)
	cmd.Flags().StringVar(&f.file, "file", "", "read an exported file instead of the topic")
	_ = cmd.MarkFlagFilename("file")
	cmd.Flags().BoolVar(&f.emit, "emit", false, "have corrections made of what is the last event of its payment")
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "write nothing; so it is without --emit")
	cmd.Flags().StringVar(&f.replayID, "replay-id", "", "the name of this run in events and outcomes, or that of an interrupted one; default: a new one")
	cli.AtLeast(cmd, 0, &f.rate, "rate", "corrections a second at most; 0: as fast as it goes")
	cmd.Flags().DurationVar(&f.patience, "patience", renormalize.DefaultPatience, "how long to wait for outcomes when none come")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case f.emit && f.dry:
			return cli.Misuse(errors.New("--emit and --dry-run exclude each other"))
		case f.replayID != "" && !f.emit:
			return cli.Misuse(errors.New("--replay-id is for --emit"))
		}
		f.config, f.output = *path, *output
		if err := f.read(cmd); err != nil {
			return err
		}
		if err := f.open(cmd.Context()); err != nil {
			return err
		}
		if f.conn != nil {
			defer f.conn.close()
		}
		return f.run(cmd)
	}
	return cmd
}

func findingTable() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range renormalize.Findings {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", row.Finding, row.Meaning)
	}
	_ = w.Flush()
	return b.String()
}

// open makes the reader and the source. A file can be read without a configuration; then the providers' defaults hold.
func (f *renormalizeFlags) open(ctx context.Context) error {
	f.reader = &renormalize.Reader{Providers: map[string]providers.Provider{}, Now: time.Now()}
	for _, name := range pipeline.ProviderNames() {
		reader, err := pipeline.Reader(name)
		if err != nil {
			return err
		}
		f.reader.Providers[name] = reader
	}
	if f.file != "" && !f.emit && f.config == "" {
		f.reader.Schedule = func(string, string) watch.Schedule { return watch.Schedule{} }
	} else if err := f.connect(); err != nil {
		return err
	}
	if f.file != "" {
		f.source, f.what = renormalize.File{Name: f.file, Range: f.Range}, f.file
		return nil
	}
	frozen, err := f.Freeze(ctx, f.conn.client, f.conn.topics.StatusChanged)
	if err != nil {
		return err
	}
	f.source, f.onwards, f.length = renormalize.Log{Range: frozen}, frozen.Onwards(), frozen.Records()
	f.what = fmt.Sprintf("%d partitions of %s", len(frozen.Spans), frozen.Topic)
	return nil
}

// connect takes the configured providers, and the broker where there is something to do there.
func (f *renormalizeFlags) connect() error {
	c, err := loadConfig(f.config)
	if err != nil {
		return err
	}
	if f.file == "" || f.emit {
		if f.conn, err = connect(f.config); err != nil {
			return err
		}
	}
	connected, err := pipeline.Connect(c, nil)
	if err != nil {
		return err
	}
	maps.Copy(f.reader.Providers, connected)
	f.reader.Schedule = c.Schedules.For
	return nil
}

func (f *renormalizeFlags) run(cmd *cobra.Command) error {
	bar := cli.NewProgress(cmd.ErrOrStderr(), "records read again", f.length)
	scan := &renormalize.Scan{Reader: f.reader, Source: f.source, Range: f.Range}
	scan.Progress = func(records int64) { bar.At(records, "no provider is asked") }
	scanned, err := scan.Run(cmd.Context())
	bar.Clear()
	if err != nil {
		return err
	}
	if err := f.printRows(cmd, &scanned.Report); err != nil {
		return err
	}
	if !f.emit {
		return f.printSum(cmd, &scanned.Report, nil)
	}
	sum, err := f.correct(cmd, scanned)
	return errors.Join(err, f.printSum(cmd, &scanned.Report, &sum))
}

func (f *renormalizeFlags) correct(cmd *cobra.Command, scanned *renormalize.Scanned) (renormalize.Emitted, error) {
	b := f.conn
	publisher, err := b.publisher(b.topics.Checks())
	if err != nil {
		return renormalize.Emitted{}, err
	}
	defer func() { _ = publisher.Close() }()
	if f.replayID == "" {
		f.replayID = "renormalize-" + time.Now().UTC().Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:6])
	}
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "Correcting; if this is interrupted, go on with --replay-id %s\n", f.replayID)
	_, due := scanned.Differences()
	bar := cli.NewProgress(cmd.ErrOrStderr(), "corrections done", due)
	defer bar.Clear()
	x := &renormalize.Emit{
		Client: b.client, Publisher: publisher, Checks: b.topics.Checks(), Replays: b.topics.Replays(), StatusChanged: b.topics.StatusChanged,
		Reader: f.reader, Source: f.source, ReplayID: f.replayID, Rate: f.rate, Patience: f.patience, From: f.onwards,
		Progress: func(asked, done int) { bar.At(int64(done), fmt.Sprintf("%d asked", asked)) },
		Starts:   b.starts,
	}
	return x.Run(cmd.Context(), scanned)
}
