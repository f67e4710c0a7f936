package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/schemas"
)

// The modes of a backfill.
const (
	modeCheck  = "check"
	modeVerify = "verify"
)

func backfillCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backfill [--mode check|verify]",
		Short: "Ask the providers again about payments of the past",
		Long: `Ask the providers again about payments of the past: those of the initiated events in a range of time or offsets, or on a list, or in a file.

--mode check asks through the pipeline, so that 'paystatus run' must be serving. What it finds is emitted with the ids that it would have
had at the time, and marked with the replay id: a consumer that has seen an event drops it. A payment that is not found, or could not be
asked about, makes no event. The outcome of each payment is recorded in the topic of replays. Ended at any moment, it goes on when the
same command is given with the --replay-id that it printed: what was done is not done again, what is on its way is waited for. Give the
--offsets, --since and --until that it printed, too, so that the range is the same.

--mode verify asks by itself, compares with what was last emitted, emits nothing and prints what differs:
` + kindTable() + `
Both read in the emitted log what was last said about each payment. --rate is on top of what the service asks; the limits of the
providers in the configuration hold for a verify, too.

--file is CSV (.csv) with a line of column names and then a payment a line, or JSON lines: the data of an initiated event a line. The columns are
` + wrapped(backfill.Columns) + `
and reference.NAME, metadata.NAME; value is in minor units. Empty cells state nothing.

--output json prints a line for each outcome, and a summary, for a check:
  {"replay_id": "…", "provider": "liquido", "account": "default", "payment_id": "order-1", "outcome": "observed", "status": "captured",
   "events": ["id", …], "at": "2026-01-31T12:00:00Z"}        or with a "code" why there is no status
  {"summary": {"replay_id": "…", "dry_run": false, "payments": 2, "done_before": 0, "underway": 0, "asked": 2, "open": 0,
   "by_provider": {"liquido": 2}, "outcomes": {"observed": 2}, "statuses": {"captured": 2}, "events": 2}}
and for a verify a line for each difference, then for each payment that could not be asked about (kind unasked):
  {"provider": "liquido", "account": "default", "payment_id": "order-1", "kind": "behind",
   "said": {"status": "pending", "final": false, "sums": {}},         or null: nothing was
   "found": {"status": "charged_back", "final": true, "sums": {"authorized": 300, "captured": 300, "refunded": 100},
    "dispute": {"id": "…", "outcome": "lost"}},                       or null: the provider states none
   "reason": {"code": "not_found", "message": "…"}}                   why it states none, or null
  {"summary": {"payments": 2, "agree": 1, "by_kind": {"behind": 1}}}

The exit code is 1 when some payments could not be asked about, and for a verify when anything differs.`,
		Args: cobra.NoArgs,
	}
	f := &backfillFlags{mode: modeCheck, rate: 20, concurrency: 100}
	f.config, f.output = configFlag(cmd), cli.OutputFlag(cmd)
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.check(cmd); err != nil {
			return cli.Misuse(err)
		}
		conn, err := connect(*f.config)
		if err != nil {
			return err
		}
		defer conn.close()
		return (&backfilling{backfillFlags: f, connection: conn, cmd: cmd}).run(cmd.Context())
	}
	return cmd
}

// backfillFlags are the flags of a backfill.
type backfillFlags struct {
	config, output *string

	mode              string
	what              snapshot.Range
	partitions        []int
	list, file        string
	logSince          time.Time
	choice            backfill.Selection
	replayID          string
	rate, concurrency int
	dryRun            bool
}

func (f *backfillFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	cli.OneOf(cmd, &f.mode, "mode", "check: through the pipeline, emitting what is found; verify: compare and emit nothing", modeCheck, modeVerify)
	cli.Time(cmd, &f.what.Since, "since", "payments whose initiated event was written then or later")
	cli.Time(cmd, &f.what.Until, "until", "payments whose initiated event was written before")
	flags.IntSliceVar(&f.partitions, "partition", nil, "only this partition of the initiated events; may be repeated")
	offsetsFlag(cmd, &f.what.Offsets, "only these offsets of the initiated events")
	flags.StringVar(&f.list, "payments", "", "a file with a payment_id a line, or - for standard input: only these")
	flags.StringVar(&f.file, "file", "", "a file of payments instead of initiated events in Kafka: .csv, or JSON lines; - for JSON lines from standard input")
	providerFlag(cmd, &f.choice.Provider, "only payments at this provider")
	flags.StringVar(&f.choice.Account, "account", "", "only payments of this account")
	flags.StringSliceVar(&f.choice.Statuses, "status", nil,
		"only payments of which this status was last said, or "+backfill.StatusNone+", or "+backfill.StatusOpen+" (nothing final was); may be repeated")
	cli.Time(cmd, &f.logSince, "log-since", "read the emitted log from then on, and not all of it")
	flags.StringVar(&f.replayID, "replay-id", "", "go on with this backfill, or give a new one its name (default: a new one)")
	cli.AtLeast(cmd, 0, &f.rate, "rate", "payments a second at most; 0: as many as --concurrency allows")
	cli.AtLeast(cmd, 1, &f.concurrency, "concurrency", "payments at once of each provider: without an outcome yet, or being asked about")
	flags.BoolVar(&f.dryRun, "dry-run", false, "only say what would be asked, and how long it takes")
	_ = cmd.MarkFlagFilename("payments")
	_ = cmd.MarkFlagFilename("file", "csv", "jsonl")
}

// check says what is wrong with the flags together.
func (f *backfillFlags) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	switch {
	case f.file != "" && slices.ContainsFunc([]string{"since", "until", "partition", "offsets", "payments"}, given):
		return errors.New("--file names the payments itself: it takes no --since, --until, --partition, --offsets or --payments")
	case given("partition") && given("offsets"):
		return errors.New("--offsets names the partitions itself: it takes no --partition")
	case f.mode == modeVerify && (given("replay-id") || given("dry-run")):
		return errors.New("--mode verify writes nothing: it takes no --replay-id and no --dry-run")
	case given("replay-id") && f.replayID == "":
		return errors.New("--replay-id must not be empty")
	}
	if len(f.partitions) > 0 {
		f.what.Offsets = snapshot.Spans{}
	}
	for _, p := range f.partitions {
		f.what.Offsets[p] = snapshot.Span{}
	}
	for _, s := range f.choice.Statuses {
		if !schemas.Status(s).Valid() && s != backfill.StatusNone && s != backfill.StatusOpen {
			return fmt.Errorf("there is no status %q; see 'paystatus statuses'", s)
		}
	}
	return nil
}

// backfilling is a backfill under way.
type backfilling struct {
	*backfillFlags
	*connection

	cmd      *cobra.Command
	payments *backfill.Payments
}

func (b *backfilling) run(ctx context.Context) error {
	options, err := pipeline.FromConfig(b.connection.config, b.kafka, b.log)
	if err != nil {
		return err
	}
	if b.list != "" {
		if b.choice.IDs, err = readIDs(b.cmd, b.list); err != nil {
			return err
		}
	}
	b.payments = backfill.NewPayments(&handlers.Intake{Providers: options.Providers, Types: options.InitiatedTypes}, b.choice)
	if err := b.read(ctx); err != nil {
		return err
	}
	if err := b.reread(ctx); err != nil {
		return err
	}
	if err := printSources(b.cmd.ErrOrStderr(), b.payments); err != nil {
		return err
	}
	if b.mode == modeVerify {
		err = b.verify(ctx, options)
	} else {
		err = b.ask(ctx, options)
	}
	if missing := b.payments.Missing(); err == nil && len(missing) > 0 {
		err = fmt.Errorf("%d payments of the list are unknown to the initiated events that were read and to the emitted log", len(missing))
	}
	return err
}

// read lists the payments.
func (b *backfilling) read(ctx context.Context) error {
	if b.file != "" {
		read, from := b.payments.ReadJSON, b.cmd.InOrStdin()
		if strings.EqualFold(filepath.Ext(b.file), ".csv") {
			read = b.payments.ReadCSV
		}
		if b.file != "-" {
			file, err := os.Open(b.file)
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			from = file
		}
		return read(inputName(b.file), from)
	}
	frozen, err := b.what.Freeze(ctx, b.client, b.topics.Initiated)
	if err != nil {
		return err
	}
	b.cmd.PrintErrf("reading %d initiated events: %s\n", frozen.Records(), flagsOf(frozen))
	bar := cli.NewProgress(b.cmd.ErrOrStderr(), "initiated events read", frozen.Records())
	defer bar.Clear()
	frozen.Progress = func(records int64) { bar.At(records, "") }
	return b.payments.ReadInitiated(ctx, frozen)
}

// reread reads what was said, from the beginning or from where it was read before.
func (b *backfilling) reread(ctx context.Context) error {
	var bar *cli.Progress
	err := b.payments.ReadSaid(ctx, b.client, b.topics, b.logSince, func(records, total int64) {
		if bar == nil {
			bar = cli.NewProgress(b.cmd.ErrOrStderr(), "emitted events read", total)
		}
		bar.At(records, "")
	})
	if bar != nil {
		bar.Clear()
	}
	return err
}

// ask is a backfill of mode check.
func (b *backfilling) ask(ctx context.Context, options pipeline.Options) error {
	publisher, err := b.publisher(b.topics.Checks())
	if err != nil {
		return err
	}
	defer func() { _ = publisher.Close() }()
	c := &backfill.Check{
		Client: b.client, Publisher: publisher, Topics: b.topics, Group: options.Group, ReplayID: b.replayID, Resume: b.replayID != "",
		Starts: b.starts, Rate: b.rate, Concurrency: b.concurrency, DryRun: b.dryRun, Log: b.log,
	}
	if c.ReplayID == "" {
		c.ReplayID = uuid.NewString()
	}
	payments := b.payments.All()
	b.cmd.PrintErrf("backfill of %d payments: --replay-id %s\n", len(payments), c.ReplayID)
	bar := cli.NewProgress(b.cmd.ErrOrStderr(), "payments", int64(len(payments)))
	c.Progress = func(p backfill.Progress) { bar.At(int64(p.Done), paceWords(p)) }
	if *b.output == cli.OutputJSON {
		c.Told = func(o handlers.ReplayOutcome) error {
			bar.Clear()
			return cli.PrintJSON(b.cmd.OutOrStdout(), o)
		}
	}
	sum, err := c.Run(ctx, payments)
	bar.Clear()
	if printed := printBackfill(b.cmd.OutOrStdout(), sum, *b.output); printed != nil {
		return errors.Join(err, printed)
	}
	switch left := sum.Unasked(); {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted with %d payments to go: give the same command with --replay-id %s to go on", left, c.ReplayID)
	case err != nil:
		return err
	case left > 0 && !b.dryRun:
		return fmt.Errorf("%d payments could not be asked about: give the same command with --replay-id %s to ask again", left, c.ReplayID)
	default:
		return nil
	}
}

// How often a verify tries to ask about a payment, and how long it waits before the second time.
const (
	verifyAttempts = 4
	verifyPause    = time.Second
)

// verify is a backfill of mode verify.
func (b *backfilling) verify(ctx context.Context, options pipeline.Options) error {
	bar := cli.NewProgress(b.cmd.ErrOrStderr(), "payments", int64(len(b.payments.All())))
	v := &backfill.Verify{
		Providers: options.Providers, Schedule: options.Schedule, Reread: b.reread, Rate: b.rate, Concurrency: b.concurrency,
		Timeout: options.Drain, Attempts: verifyAttempts, Pause: verifyPause,
		Progress: func(p backfill.Progress) { bar.At(int64(p.Done), paceWords(p)) },
	}
	report, err := v.Run(ctx, b.payments)
	bar.Clear()
	if printed := printReport(b.cmd.OutOrStdout(), report, *b.output); printed != nil {
		return errors.Join(err, printed)
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: the payments that were not compared are not listed")
	case err != nil:
		return err
	case len(report.Differences) > 0 && len(report.Unasked) > 0:
		return fmt.Errorf("%d payments differ, and %d could not be asked about", len(report.Differences), len(report.Unasked))
	case len(report.Differences) > 0:
		return fmt.Errorf("%d payments differ", len(report.Differences))
	case len(report.Unasked) > 0:
		return fmt.Errorf("%d payments could not be asked about", len(report.Unasked))
	default:
		return nil
	}
}
