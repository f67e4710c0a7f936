package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/paystatus/paystatus/cmd/internal/consumer"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Consumer is a program that consumes status events into a database.
type Consumer struct {
	Name       string
	Migrations fs.FS

	database string
}

// DatabaseFlag adds --database to a command and those below it.
func (c *Consumer) DatabaseFlag(cmd *cobra.Command) {
	variable := strings.ToUpper(c.Name) + "_DATABASE"
	fallback := os.Getenv(variable)
	shown := c.Name + ".db"
	if fallback == "" {
		fallback = shown
	}
	cmd.PersistentFlags().StringVar(&c.database, "database", fallback,
		"where the state is kept: a file for SQLite, or a URL postgres://…; better given as "+variable+" if it has a password")
	cmd.PersistentFlags().Lookup("database").DefValue = shown // the environment's may hold a password
}

// Look opens the database to read from it, and gives it to fn.
func (c *Consumer) Look(ctx context.Context, fn func(*store.DB) error) error {
	db, err := store.OpenExisting(ctx, c.database, c.Name, c.Migrations)
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}

// runFlags say where events come from.
type runFlags struct {
	brokers      []string
	topic, group string
	start        kafka.Start
	untilEnd     bool

	tls                               bool
	caFile                            string
	mechanism, username, passwordFile string
	batch                             int
}

// RunCommand is the command that consumes. Prepare reads the program's own flags once they are parsed.
func (c *Consumer) RunCommand(short, long string, prepare func(*cobra.Command) (consumer.Effect, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use: "run --brokers HOST:PORT", Short: short, Args: cobra.NoArgs,
		Long: long + `

An event counts once, however often it is delivered, backfilled or read again: the ids of a payment's events are kept in the transaction that
also holds the effect. So --group may change, and Kafka's offsets may be lost, and nothing is done twice. A group belongs to one database: with
another the command ends, for what was read into the one is not in the other. Without --until-end it serves until
SIGTERM or SIGINT, then finishes what is running and exits.`,
	}
	f := runFlags{start: kafka.Earliest, batch: 256}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.brokers, "brokers", nil, "the brokers to begin with, host:port")
	flags.StringVar(&f.topic, "topic", "payments.status_changed", "the topic of status events")
	flags.StringVar(&f.group, "group", c.Name, "the consumer group")
	Flag(cmd, &f.start, "from", "earliest", "string", "where a group begins that has committed nothing: earliest, latest or an RFC 3339 time", parseStart)
	flags.BoolVar(&f.untilEnd, "until-end", false, "take what the topic holds now, then exit")
	AtLeast(cmd, 1, &f.batch, "batch", "how many events share a transaction at most")
	flags.BoolVar(&f.tls, "tls", false, "connect to the brokers with TLS")
	flags.StringVar(&f.caFile, "ca-file", "", "certificates that the brokers' are held against, PEM; empty: the system's")
	flags.StringVar(&f.mechanism, "sasl-mechanism", "", "plain, scram-sha-256 or scram-sha-512; empty: none")
	flags.StringVar(&f.username, "sasl-username", "", "the user for SASL")
	flags.StringVar(&f.passwordFile, "sasl-password-file", "", "the file that holds the user's password")
	output := OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		log := newLogger()
		options, err := f.options(c.Name, log)
		if err != nil {
			return err
		}
		effect, err := prepare(cmd)
		if err != nil {
			return err
		}
		db, err := store.Open(cmd.Context(), c.database, c.Name, c.Migrations)
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		log.InfoContext(cmd.Context(), "consuming", "topic", options.Topic, "group", options.Group, "database", store.Masked(c.database))
		began := time.Now()
		if f.untilEnd {
			var progress *Progress
			options.Progress = func(done, total int64) {
				if progress == nil {
					progress = NewProgress(cmd.ErrOrStderr(), "records taken", total)
				}
				progress.At(done, "")
			}
			defer func() { progress.Clear() }()
		}
		counts, err := consumer.Run(cmd.Context(), db, effect, options)
		if err != nil {
			return err
		}
		return printCounts(cmd, counts, time.Since(began), *output)
	}
	return cmd
}

func (f *runFlags) options(name string, log *slog.Logger) (consumer.Options, error) {
	if len(f.brokers) == 0 {
		return consumer.Options{}, misuse{errors.New("--brokers is missing")}
	}
	if sasl := []string{f.mechanism, f.username, f.passwordFile}; slices.Contains(sasl, "") && strings.Join(sasl, "") != "" {
		return consumer.Options{}, misuse{errors.New("--sasl-mechanism, --sasl-username and --sasl-password-file belong together")}
	}
	var err error
	o := consumer.Options{
		Kafka: kafka.Config{Brokers: f.brokers, ClientID: name, Logger: log}, Topic: f.topic, Group: f.group, Start: f.start,
		UntilEnd: f.untilEnd, Batch: f.batch, Log: log,
	}
	if f.tls || f.caFile != "" {
		if o.Kafka.TLS, err = tlsConfig(f.caFile); err != nil {
			return o, err
		}
	}
	if f.mechanism != "" {
		password, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return o, fmt.Errorf("--sasl-password-file: %w", err)
		}
		o.Kafka.SASL = kafka.SASL{Mechanism: f.mechanism, Username: f.username, Password: strings.TrimRight(string(password), "\r\n")}
	}
	if _, err := kafka.NewClient(o.Kafka); err != nil { // it connects with its first request
		return o, misuse{err}
	}
	return o, nil
}

func parseStart(text string) (kafka.Start, error) {
	switch text {
	case "earliest":
		return kafka.Earliest, nil
	case "latest":
		return kafka.Latest, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("is earliest, latest or an RFC 3339 time, not %q", text)
	}
	return kafka.At(t), nil
}

func tlsConfig(caFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return config, nil
	}
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca-file: %s holds no certificate in PEM", caFile)
	}
	return config, nil
}

// newLogger writes logs to stderr: text on a terminal, else JSON.
func newLogger() *slog.Logger {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, nil))
}

// printCounts tells what came of the records that were read.
func printCounts(cmd *cobra.Command, c consumer.Counts, took time.Duration, output string) error {
	if output == OutputJSON {
		return PrintJSON(cmd.OutOrStdout(), c)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(),
		"%d changes taken, %d duplicates and %d late events dropped, %d records refused, %d of other types, in %s\n",
		c.News, c.Duplicates, c.Regressions, c.Refused, c.Others, took.Round(time.Millisecond))
	return err
}

// RefusedCommand lists what could not be taken.
func (c *Consumer) RefusedCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "refused", Short: "List the records that could not be taken", Args: cobra.NoArgs,
		Long: `List the records that could not be taken, with the reason: status events that cannot be read, or that make no sense here. The bytes
are kept, and printed with --output json (base64).`,
	}
	output := OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		table := NewTable(cmd, *output, "RECORD", "KEY", "REFUSED", "REASON")
		err := c.Look(cmd.Context(), func(db *store.DB) error {
			return db.Refused(cmd.Context(), func(r store.Refused) error {
				if *output == OutputJSON {
					return PrintJSON(cmd.OutOrStdout(), r)
				}
				return table.Row(fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset), r.Key, r.RefusedAt.UTC().Format(time.RFC3339), r.Reason)
			})
		})
		if err != nil {
			return err
		}
		return table.Flush()
	}
	return cmd
}
