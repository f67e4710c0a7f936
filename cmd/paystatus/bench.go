package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/bench"
)

func benchCommand() *cobra.Command {
	o := bench.DefaultOptions()
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the Kafka adapter and the whole pipeline against a bare loop that does the same work",
		Long: `Let the same messages pass, in turn, through a bare loop on kafka-go (no order, no commits), the Kafka adapter alone, and the whole
pipeline, at the same broker, with the same stub of a provider, each in a process of its own; the pipeline with the garbage collector
set as run sets it. Print how fast each is, what it costs, what it adds to the time of a message at half load, and the ratios to the bare
loop; and read back whether anything was lost or reordered.

Two seconds of load flatter everyone: --messages 200000 shows what lasts.`,
		Args: cobra.NoArgs,
	}
	output := cli.OutputFlag(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.Brokers, "brokers", nil, "host:port of a Kafka to measure at; default: the embedded broker")
	flags.IntVar(&o.Messages, "messages", o.Messages, "how many messages at once")
	flags.IntVar(&o.Keys, "keys", 0, "how many different keys; default: each recurs, but not before --in-flight others")
	flags.IntVar(&o.InFlight, "in-flight", o.InFlight, "how many provider calls at once")
	flags.IntVar(&o.Partitions, "partitions", o.Partitions, "partitions of each topic")
	flags.IntVar(&o.Replication, "replication", o.Replication, "replicas of each topic")
	flags.DurationVar(&o.ProviderMin, "provider-min", o.ProviderMin, "the least time that the provider takes")
	flags.DurationVar(&o.ProviderMax, "provider-max", o.ProviderMax, "the most time that the provider takes")
	flags.IntVar(&o.Rounds, "rounds", o.Rounds, "how often each is measured")
	flags.DurationVar(&o.Paced, "paced", o.Paced, "how long each is measured at half load; 0: not at all")
	flags.StringVar(&o.Profile, "profile", "", "directory for a CPU profile of each run (pprof)")
	only := flags.StringSlice("only", nil, "measure only these: "+strings.Join(names(o.Contenders), ", "))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if unknown := slices.DeleteFunc(slices.Clone(*only), func(name string) bool { return slices.Contains(names(o.Contenders), name) }); len(unknown) > 0 {
			return cli.Misuse(fmt.Errorf("--only knows %s, not %q", strings.Join(names(o.Contenders), ", "), unknown[0]))
		}
		if len(*only) > 0 {
			o.Contenders = slices.DeleteFunc(o.Contenders, func(c bench.Contender) bool { return !slices.Contains(*only, c.Name) })
		}
		if err := o.Validate(); err != nil {
			return cli.Misuse(err)
		}
		program, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program: %w", err)
		}
		o.Command, o.Log = []string{program, benchPart}, os.Stderr
		o.Progress = bench.ProgressTo(cmd.ErrOrStderr(), term.IsTerminal(int(os.Stderr.Fd())))
		report, err := bench.Measure(cmd.Context(), o)
		if err != nil {
			return err
		}
		if *output == cli.OutputJSON {
			err = cli.PrintJSON(cmd.OutOrStdout(), report)
		} else {
			err = report.WriteText(cmd.OutOrStdout())
		}
		if err != nil {
			return err
		}
		return report.Err(o.Contenders)
	}
	return cmd
}

// benchPart is the name of the command that bench starts its processes with.
const benchPart = "bench-part"

func benchPartCommand() *cobra.Command {
	return &cobra.Command{
		Use: benchPart, Hidden: true, Short: "Be one process of a bench", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.Part(cmd.Context(), bench.Contenders(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

func names(contenders []bench.Contender) []string {
	var all []string
	for _, c := range contenders {
		all = append(all, c.Name)
	}
	return all
}
