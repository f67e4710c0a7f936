package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/pipeline/embedded"
)

func brokerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "broker",
		Short: "Run the embedded broker alone, for trying things out and small installations",
		Args:  cobra.NoArgs,
	}
	listen := cmd.Flags().String("listen", "127.0.0.1:9092", "host:port to listen on; port 0: any free one, printed")
	dir := cmd.Flags().String("data-dir", "", "keep the data here over restarts; empty: in memory")
	_ = cmd.MarkFlagDirname("data-dir")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		broker, err := embedded.Start(embedded.Options{Listen: *listen, DataDir: *dir})
		if err != nil {
			return err
		}
		defer broker.Close()
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), broker.Addr()); err != nil {
			return err
		}
		<-cmd.Context().Done()
		return nil
	}
	return cmd
}
