package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// readInput reads a file, or standard input for "-".
func readInput(cmd *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		text, err := io.ReadAll(cmd.InOrStdin())
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return text, nil
	}
	return os.ReadFile(path)
}

// inputName is how errors name an input.
func inputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// paymentFlag adds --payment.
func paymentFlag(cmd *cobra.Command) *string {
	path := cmd.Flags().String("payment", "", "a file with the initiated event's data; - for standard input")
	_ = cmd.MarkFlagFilename("payment", "json")
	return path
}

// readEvent reads a file with the data of an initiated event.
func readEvent(cmd *cobra.Command, path string) (schemas.Initiated, error) {
	text, err := readInput(cmd, path)
	if err != nil {
		return schemas.Initiated{}, err
	}
	event, err := schemas.ParseInitiated(text)
	if err != nil {
		return schemas.Initiated{}, fmt.Errorf("%s: %w", inputName(path), err)
	}
	return event, nil
}

// identify makes the payment of an event that was read from path.
func identify(provider providers.Provider, event schemas.Initiated, path string) (providers.Payment, error) {
	reference, err := provider.Identify(event)
	if err != nil {
		return providers.Payment{}, fmt.Errorf("%s: %w", inputName(path), err)
	}
	return providers.PaymentOf(event, reference), nil
}

// knows says what is wrong unless a configured provider has the account.
func knows(provider providers.Provider, account string) error {
	if slices.Contains(provider.Accounts(), account) {
		return nil
	}
	return fmt.Errorf("%s has no account %q in the configuration; there are %s", provider.Name(), account, strings.Join(provider.Accounts(), ", "))
}

// printDocument prints what an answer came to.
func printDocument(cmd *cobra.Command, d providers.Document, output string) error {
	if output == cli.OutputJSON {
		return cli.PrintJSON(cmd.OutOrStdout(), d)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	line := func(name string, value any) {
		if text := fmt.Sprint(value); text != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", name, text)
		}
	}
	line("outcome", d.Outcome)
	if d.Reason != nil {
		line("reason", d.Reason.Code+": "+d.Reason.Message)
	}
	line("retry after", d.RetryAfter)
	if c := d.Data; c != nil {
		printChange(line, c)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func printChange(line func(string, any), c *schemas.Change) {
	status := string(c.Status)
	if c.Final {
		status += " (final)"
	}
	if c.PreviousStatus != nil {
		status += ", after " + string(*c.PreviousStatus)
	}
	line("status", status)
	line("funds", c.Funds)
	line("payment", c.PaymentID)
	line("provider", strings.TrimSpace(c.Provider+" "+c.ProviderPaymentID))
	line("account", c.Account)
	line("provider says", said(c.ProviderStatus))
	line("requested", money(c.Amounts.Requested))
	line("authorized", money(c.Amounts.Authorized))
	line("captured", money(c.Amounts.Captured))
	line("refunded", money(c.Amounts.Refunded))
	if c.Reason != nil {
		line("reason", fmt.Sprintf("%s %s (%s)", c.Reason.Code, c.Reason.Message, c.Reason.Category))
	}
	if t := c.ThreeDS; t != nil {
		line("3-D Secure", fmt.Sprintf("version %s, enrolled %s, authentication %s, eci %s",
			dash(t.Version), dash(t.Enrolled), dash(t.Authentication), dash(t.ECI)))
	}
	line("avs", c.AVS)
	line("cvv", c.CVV)
	if c.Card != nil {
		line("card", fmt.Sprintf("%s %s…%s", c.Card.Brand, c.Card.BIN, c.Card.Last4))
	}
	if !c.OccurredAt.IsZero() {
		line("occurred at", c.OccurredAt.Format(time.RFC3339Nano))
	}
	for _, a := range c.Anomalies {
		line("anomaly", a)
	}
	if c.Raw != nil {
		line("raw", fmt.Sprintf("%d bytes, sha256 %s", c.Raw.Size, c.Raw.SHA256))
	}
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// said is the provider's own words, in one line.
func said(words map[string]any) string {
	text := ""
	names := make([]string, 0, len(words))
	for name := range words {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s=%v", name, words[name])
	}
	return text
}

func money(m *schemas.Money) string {
	if m == nil {
		return ""
	}
	if m.Exponent == 0 {
		return fmt.Sprintf("%d %s", m.Value, m.Currency)
	}
	unit := int64(1)
	for range m.Exponent {
		unit *= 10
	}
	return fmt.Sprintf("%d.%0*d %s", m.Value/unit, m.Exponent, m.Value%unit, m.Currency)
}
