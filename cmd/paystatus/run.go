package main

import (
	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/pipeline"
)

func runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve: consume initiated events, ask the providers, emit status events",
		Long: `Serve until SIGTERM or SIGINT, then finish what is running and exit.

GET /readyz on http.listen answers 200 once the partitions are assigned and 503 before and while draining, /healthz answers 200
while the process can work.

Where neither GOGC nor GOMEMLIMIT is set, the garbage collector runs as with GOGC=200.`,
		Args: cobra.NoArgs,
	}
	path := configFlag(cmd)
	embed := cmd.Flags().Bool("embedded", false, "run an embedded broker in this process; its data is kept in embedded.data_dir")
	accept := cmd.Flags().Bool("accept-lost-offsets", false, "start although an internal topic holds records and its group has no committed offset")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := loadConfig(*path)
		if err != nil {
			return err
		}
		if *embed {
			c.Embed()
		}
		log := logger(c.Log)
		v, revision := built()
		log.InfoContext(cmd.Context(), "paystatus", "version", v, "revision", revision, "config", *path)
		pipeline.CollectLess()
		service := &pipeline.Service{Config: c, Log: log, AcceptLostOffsets: *accept}
		return service.Run(cmd.Context())
	}
	return cmd
}
