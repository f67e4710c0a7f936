package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/archive"
)

func exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export FILE|-",
		Short: "Write status events to a file, to the byte",
		Long: `Write the status events of a range to JSON lines, to the byte: all that is in the record. A file whose name ends in .gz is compressed.
The range is frozen at the start; the events of one payment are written in their order, those of different payments in any.

A line is one record; bytes are text where they are UTF-8, {"base64": "…"} where they are not, null where there are none:
  {"v": 1, "topic": "payments.status_changed", "partition": 3, "offset": 17, "time": "2026-03-02T09:14:37.402Z",
   "key": "order-1", "headers": [["ce_id", "72e75783-ef8c-5547-92b3-e56d02ff84ee"], …], "value": "{\"payment_id\":\"order-1\",…}"}

It holds what the topic holds, the providers' raw answers and the customers' data in them, and nothing is masked or encrypted that is not
in the topic: keep it as you keep that. The file has its name once it is whole. Then it prints, with --output json:
  {"records": 120, "events": 118, "foreign": 2, "bytes": 345678}     foreign: records that are no status events, left out`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
	}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	var flags rangeFlags
	flags.add(cmd)
	x := &archive.Export{}
	cmd.Flags().BoolVar(&x.DryRun, "dry-run", false, "only count what would be written")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := flags.read(cmd); err != nil {
			return err
		}
		b, err := connect(*path)
		if err != nil {
			return err
		}
		defer b.close()
		if x.Range, err = flags.Freeze(cmd.Context(), b.client, b.topics.StatusChanged); err != nil {
			return err
		}
		x.File, x.Stdout = args[0], cmd.OutOrStdout()
		bar := cli.NewProgress(cmd.ErrOrStderr(), "records read", x.Range.Records())
		x.Progress = func(records, events int64) { bar.At(records, fmt.Sprintf("%d events", events)) }
		sum, err := x.Run(cmd.Context())
		bar.Clear()
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		if x.File == "-" && !x.DryRun {
			out = cmd.ErrOrStderr() // standard output holds the events
		}
		return printExported(out, x, sum, *output)
	}
	return cmd
}

func printExported(out io.Writer, x *archive.Export, sum archive.Exported, output string) error {
	if output == cli.OutputJSON {
		return cli.PrintJSON(out, sum)
	}
	verb := "written"
	if x.DryRun {
		verb = "would be written"
	}
	_, err := fmt.Fprintf(out, "Read %d records in %d partitions of %s: %d status events %s to %s, %d bytes of lines. %d records are no status events.\n",
		sum.Records, len(x.Range.Spans), x.Range.Topic, sum.Events, verb, inputOrOutput(x.File, "standard output"), sum.Bytes, sum.Foreign)
	return err
}

func inputOrOutput(path, standard string) string {
	if path == "-" {
		return standard
	}
	return path
}

// oneFile takes the name of one file.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one file, or -")
	}
	return nil
}

func completeFile(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}
