package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// normalizeFlags are the flags of normalize.
type normalizeFlags struct {
	provider, account, config, previous string
	from                                schemas.Source
	payment                             *string
	httpStatus                          int
	headers                             []string
}

func normalizeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "normalize --provider P FILE|-",
		Short: "Read one answer body and print what it says",
		Long: `Read the body of one answer of a provider, from a file or standard input, and print the data of the status event that it
makes, or why it makes none.

Without --payment only what the answer says is known, and it is not held against the payment's identity and amount. A signature is
checked when its header and a configuration with the keys are given.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("give one file with the answer's body, or - for standard input; there are %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault // files
		},
	}
	output := cli.OutputFlag(cmd)
	var statuses []string
	f := normalizeFlags{payment: paymentFlag(cmd), from: schemas.SourceQuery}
	providerFlag(cmd, &f.provider, "the provider")
	cli.OneOf(cmd, &f.from, "from", "what kind of answer it is: query, notification or initiation",
		schemas.SourceQuery, schemas.SourceNotification, schemas.SourceInitiation)
	cmd.Flags().IntVar(&f.httpStatus, "http-status", http.StatusOK, "the HTTP status that the answer came with")
	cmd.Flags().StringArrayVar(&f.headers, "header", nil, "'Name: value' that the answer came with; may be repeated")
	cmd.Flags().StringVar(&f.previous, "previous", "", "the status that was last reported")
	cmd.Flags().StringVar(&f.account, "account", "", "the account whose keys verify the signature; default: the payment's, else "+schemas.DefaultAccount)
	cmd.Flags().StringVarP(&f.config, "config", "c", "", "the configuration file that holds the keys")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	for _, s := range schemas.Statuses {
		statuses = append(statuses, string(s.Status))
	}
	cli.Complete(cmd, "previous", statuses...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		document, err := f.normalize(cmd, args[0])
		if err != nil {
			return err
		}
		return printDocument(cmd, document, *output)
	}
	return cmd
}

func (f normalizeFlags) normalize(cmd *cobra.Command, path string) (providers.Document, error) {
	switch {
	case f.provider == "":
		return providers.Document{}, cli.Misuse(errors.New("--provider is missing"))
	case f.previous != "" && !schemas.Status(f.previous).Valid():
		return providers.Document{}, cli.Misuse(fmt.Errorf("--previous is no status: %q; `paystatus statuses` lists them", f.previous))
	case f.httpStatus < 100 || f.httpStatus > 599:
		return providers.Document{}, cli.Misuse(fmt.Errorf("--http-status is no HTTP status: %d", f.httpStatus))
	case path == "-" && *f.payment == "-":
		return providers.Document{}, cli.Misuse(errors.New("only one of the answer and --payment can be standard input"))
	}
	header, err := parseHeaders(f.headers)
	if err != nil {
		return providers.Document{}, cli.Misuse(err)
	}
	provider, err := f.reader()
	if err != nil {
		return providers.Document{}, err
	}
	payment := providers.Payment{}
	if *f.payment != "" {
		event, err := readEvent(cmd, *f.payment)
		if err != nil {
			return providers.Document{}, err
		}
		if event.Provider != f.provider {
			return providers.Document{}, fmt.Errorf("%s: the payment is one of %s, and --provider is %s", inputName(*f.payment), event.Provider, f.provider)
		}
		if payment, err = identify(provider, event, *f.payment); err != nil {
			return providers.Document{}, err
		}
	}
	if f.account != "" {
		payment.Account = f.account
		if err := knows(provider, f.account); err != nil && f.config != "" {
			return providers.Document{}, err
		}
	}
	if payment.Account == "" {
		payment.Account = schemas.DefaultAccount
	}
	body, err := readInput(cmd, path)
	if err != nil {
		return providers.Document{}, err
	}
	answer := providers.Answer{From: f.from, Pages: []providers.Page{{HTTPStatus: f.httpStatus, Header: header, Body: body, ReceivedAt: time.Now()}}}
	outcome := providers.Interpret(provider, answer, payment, false)
	return providers.Describe(provider, answer, outcome, payment, schemas.Status(f.previous)), nil
}

// reader is the provider with the accounts of the configuration, or without any.
func (f normalizeFlags) reader() (providers.Provider, error) {
	if f.config == "" {
		return pipeline.Reader(f.provider)
	}
	c, err := loadConfig(f.config)
	if err != nil {
		return nil, err
	}
	connected, err := pipeline.Connect(c, nil)
	if err != nil {
		return nil, err
	}
	if provider := connected[f.provider]; provider != nil {
		return provider, nil
	}
	return pipeline.Reader(f.provider)
}

func parseHeaders(lines []string) (http.Header, error) {
	header := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, errors.New("--header must be 'Name: value'")
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return header, nil
}
