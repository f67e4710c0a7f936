package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/archive"
)

func importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Put exported status events back into a topic, with the same ids",
		Long: `Put exported status events back into a topic: the same keys, headers and values, so the same ids, in the same order for each payment. The
partition follows from the key; the records' times are those of now. A consumer that remembers ids does not notice events that it has seen.

Every line is looked at before the first is written; a broken one is named and nothing is written. Standard input is looked at line
by line, as it is written. An interrupted import of a file goes on where it stopped when it is begun again: FILE.import, which is
there until the import is done, says how far it came, and what of the last records is in the topic is looked up there. An import
that was done and is begun again writes everything again, with the same ids.

--output json prints {"lines": 120, "written": 100, "before": 20}; before: by the run that this one went on with.`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
	}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	m := &archive.Import{}
	cmd.Flags().StringVar(&m.Topic, "topic", "", "the topic, which must be there; default: topics.status_changed of the configuration")
	cmd.Flags().BoolVar(&m.DryRun, "dry-run", false, "look at every line and whether the topic is there, and write nothing")
	cli.AtLeast(cmd, 0, &m.Rate, "rate", "records a second at most; 0: as fast as it goes")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b, err := connect(*path)
		if err != nil {
			return err
		}
		defer b.close()
		if m.File, m.Stdin = args[0], cmd.InOrStdin(); m.Topic == "" {
			m.Topic = b.topics.StatusChanged
		}
		publisher, err := b.publisher(m.Topic)
		if err != nil {
			return err
		}
		defer func() { _ = publisher.Close() }()
		m.Client, m.Publisher = b.client, publisher
		stop := importProgress(cmd, m)
		sum, err := m.Run(cmd.Context())
		stop()
		return errors.Join(err, printImported(cmd.OutOrStdout(), m, sum, *output))
	}
	return cmd
}

// importProgress shows how much of the file was looked at, then how much was written.
func importProgress(cmd *cobra.Command, m *archive.Import) (stop func()) {
	size := int64(0)
	if info, err := os.Stat(m.File); err == nil {
		size = info.Size()
	}
	var bar *cli.Progress
	var at archive.Pass
	m.Progress = func(pass archive.Pass, bytes, written int64) {
		if bar == nil || pass != at {
			at, bar = pass, cli.NewProgress(cmd.ErrOrStderr(), "bytes "+string(pass), size)
		}
		bar.At(bytes, fmt.Sprintf("%d records", written))
	}
	return func() {
		if bar != nil {
			bar.Clear()
		}
	}
}

func printImported(out io.Writer, m *archive.Import, sum archive.Imported, output string) error {
	if output == cli.OutputJSON {
		return cli.PrintJSON(out, sum)
	}
	text := fmt.Sprintf("%d lines of %s looked at, %d records written to %s.\n", sum.Lines, inputName(m.File), sum.Written, m.Topic)
	if sum.Before > 0 {
		text += fmt.Sprintf("%d were written before, by the import that this one went on with.\n", sum.Before)
	}
	_, err := io.WriteString(out, text)
	return err
}
