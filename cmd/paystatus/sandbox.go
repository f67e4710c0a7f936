package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/providers/sandbox"
)

func sandboxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve simulators of the four providers' APIs",
		Long: `Serve the simulated providers under /checkout, /antom, /worldpay and /liquido.

PUT /_script/{provider}/{reference} sets what a payment goes through: a list of steps such as
  [{"status": "Pending", "delay": "100ms"}, {"fault": "503", "retry_after": "2", "times": 3}, {"status": "Captured", "after": "5s"}]
or {"amount": {"value": 4990, "currency": "EUR"}, "steps": […]}; without an amount the payment is one of 10.00 EUR.

Of a step, "status" is the provider's own word, "after" how long the step before lasts (without it: "times" answers of that step, 1 by
default), "delay" how long an answer takes, and "fault" how it goes wrong, one of
  ` + strings.Join(sandbox.Faults, ", ") + `.

With "notify": {} a step sends the notification that goes with its status when it begins, signed, to the webhook listener that
--notify names; "after", "times", "fault", "type" and "fields" make it late, twice, wrongly signed, or another one. POST
/_notify/{provider}/{reference} sends one at once.`,
		Args: cobra.NoArgs,
	}
	listen := cmd.Flags().String("listen", "127.0.0.1:8090", "host:port to listen on; port 0: any free one")
	printConfig := cmd.Flags().Bool("print-config", false, "print a ready configuration for these simulators")
	notify := cmd.Flags().String("notify", "", "URL of the webhook listener that notifications go to, like http://127.0.0.1:8081")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", *listen)
		if err != nil {
			return fmt.Errorf("--listen: %w", err)
		}
		simulators := demo.Simulators()
		simulated := sandbox.NewServer(simulators...)
		defer simulated.Close()
		if *notify != "" {
			if err := simulated.NotifyURL(*notify); err != nil {
				return cli.Misuse(fmt.Errorf("--notify: %w", err))
			}
		}
		url := "http://" + listener.Addr().String()
		if *printConfig {
			_, err = fmt.Fprint(cmd.OutOrStdout(), demo.SandboxConfig(simulators, url))
		} else {
			_, err = fmt.Fprintln(cmd.OutOrStdout(), url)
		}
		if err != nil {
			return err
		}
		cmd.PrintErrf("The simulators listen on %s; script them with PUT %s/_script/{provider}/{reference}.\n", url, url)
		server := &http.Server{Handler: simulated, ReadHeaderTimeout: 5 * time.Second}
		stop := context.AfterFunc(cmd.Context(), func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	}
	return cmd
}
