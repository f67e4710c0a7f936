package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/notify"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// notifyFlags are the flags of notify.
type notifyFlags struct {
	sample                   notify.Sample
	config, payment, keyFile string
	list, print              bool
}

func notifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify --provider P --type T --to URL",
		Short: "Sign and send a sample notification of a provider, to try out an installation's webhooks",
		Long: `Send the notification that a provider would send, signed with the account's own keys from the configuration, and say what the
endpoint answered. Without --config the keys are those of "paystatus sandbox --print-config".

Antom signs with a key that nobody else has: --key gives the private key of a pair of your own, whose public half the account has as
antom_public_key meanwhile.`,
		Args: cobra.NoArgs,
	}
	output := cli.OutputFlag(cmd)
	var f notifyFlags
	flags := cmd.Flags()
	providerFlag(cmd, &f.sample.Provider, "the provider")
	flags.StringVar(&f.sample.Type, "type", "", "the type of notification; --list names them")
	flags.StringVar(&f.sample.To, "to", "",
		"the URL; without a path it is a listener's, /notifications/{provider}/{account}; default: this configuration's listener")
	flags.StringVar(&f.sample.Account, "account", "", "the account whose keys sign; default: the payment's, else default")
	cli.OneOf(cmd, &f.sample.Fault, "fault", "sign wrongly or not at all: bad_signature or no_signature", sandbox.FaultBadSignature, sandbox.FaultNoSignature)
	flags.StringVarP(&f.config, "config", "c", "", "the configuration file that holds the keys")
	flags.StringVar(&f.payment, "payment", "", "a file with the initiated event's data of the payment that it is about; - for standard input")
	flags.StringVar(&f.keyFile, "key", "", "a file with the private key that signs for Antom")
	flags.BoolVar(&f.print, "print", false, "print the request and do not send it")
	flags.BoolVar(&f.list, "list", false, "name the types of notifications")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	_ = cmd.MarkFlagFilename("payment", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if f.list {
			return listTypes(cmd, f.sample.Provider, *output)
		}
		return f.run(cmd, *output)
	}
	return cmd
}

func listTypes(cmd *cobra.Command, provider, output string) error {
	for _, name := range pipeline.ProviderNames() {
		if provider != "" && name != provider {
			continue
		}
		if output == cli.OutputJSON {
			if err := cli.PrintJSON(cmd.OutOrStdout(), map[string]any{"provider": name, "types": notify.Types(name)}); err != nil {
				return err
			}
			continue
		}
		for _, t := range notify.Types(name) {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", name, t); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
	}
	return nil
}

func (f notifyFlags) run(cmd *cobra.Command, output string) error {
	s := f.sample
	switch {
	case s.Provider == "":
		return cli.Misuse(errors.New("--provider is missing"))
	case !slices.Contains(notify.Types(s.Provider), s.Type):
		return cli.Misuse(fmt.Errorf("--type must be one of what --list names, not %q", s.Type))
	}
	if err := f.read(cmd, &s); err != nil {
		return err
	}
	if s.To == "" {
		return cli.Misuse(errors.New("--to is missing, and no notifications.listen is configured"))
	}
	request, err := s.Make(time.Now())
	if err != nil {
		return err
	}
	if f.print {
		if output == cli.OutputJSON {
			return cli.PrintJSON(cmd.OutOrStdout(), map[string]any{"url": request.URL, "headers": request.Header, "body": string(request.Body)})
		}
		_, err := io.WriteString(cmd.OutOrStdout(), request.Print())
		return err
	}
	return send(cmd, request, output)
}

// read completes the sample from the files that the flags name.
func (f notifyFlags) read(cmd *cobra.Command, s *notify.Sample) error {
	if f.config != "" {
		c, err := loadConfig(f.config)
		if err != nil {
			return err
		}
		s.Config = c
		if s.To == "" && c.Notifications.Listen != "" {
			s.To = "http://" + c.Notifications.Listen
		}
	}
	if f.keyFile != "" {
		key, err := readInput(cmd, f.keyFile)
		if err != nil {
			return fmt.Errorf("--key: %w", err)
		}
		s.GatewayKey = string(key)
	}
	if f.payment == "" {
		return nil
	}
	event, err := readEvent(cmd, f.payment)
	if err != nil {
		return err
	}
	if event.Provider != s.Provider {
		return cli.Misuse(fmt.Errorf("the payment of --payment is one at %s, not %s", event.Provider, s.Provider))
	}
	if s.Account == "" {
		s.Account = event.Account
	}
	provider, err := normalizeFlags{provider: s.Provider, config: f.config}.reader()
	if err != nil {
		return err
	}
	payment, err := identify(provider, event, f.payment)
	event.Reference, s.Payment = payment.Reference, &event
	return err
}

// notifyTimeout is how long providers wait for an answer.
const notifyTimeout = 10 * time.Second

// send sends the request as the provider would, and tells what was answered. Only an acknowledgement is a success.
func send(cmd *cobra.Command, request notify.Request, output string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), notifyTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, request.URL, bytes.NewReader(request.Body))
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	r.Header = request.Header
	began := time.Now()
	answer, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	took := time.Since(began).Round(time.Millisecond)
	if output == cli.OutputJSON {
		err = cli.PrintJSON(cmd.OutOrStdout(), map[string]any{"http_status": answer.StatusCode, "body": string(body), "took": took.String()})
	} else {
		lines := fmt.Sprintf("%s after %s\n%s", answer.Status, took, bytes.TrimSpace(body))
		_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.TrimSpace(lines))
	}
	if err == nil && (answer.StatusCode < 200 || answer.StatusCode > 299) {
		err = fmt.Errorf("the notification was not acknowledged: %s", answer.Status)
	}
	return err
}
