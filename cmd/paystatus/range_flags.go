package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// rangeFlags choose status events.
type rangeFlags struct {
	snapshot.Range

	payments string
	payment  []string
}

func (f *rangeFlags) add(cmd *cobra.Command) {
	cli.Time(cmd, &f.Since, "since", "only events appended then or later")
	cli.Time(cmd, &f.Until, "until", "only events appended before")
	offsetsFlag(cmd, &f.Offsets, "only these")
	providerFlag(cmd, &f.Provider, "only events of payments at this provider")
	cmd.Flags().StringSliceVar(&f.payment, "payment", nil, "only events of this payment_id; may be repeated")
	cmd.Flags().StringVar(&f.payments, "payments", "", "only events of the payment_ids in this file, one a line; - is standard input")
	_ = cmd.MarkFlagFilename("payments")
}

// providerFlag adds --provider.
func providerFlag(cmd *cobra.Command, to *string, usage string) {
	all := pipeline.ProviderNames()
	cli.OneOf(cmd, to, "provider", usage+": "+strings.Join(all, ", "), all...)
}

// offsetsFlag adds --offsets.
func offsetsFlag(cmd *cobra.Command, to *snapshot.Spans, which string) {
	usage := which + ": PARTITION:FROM-TO, comma separated: 0:0-1200,3:17- or 3"
	cli.Flag(cmd, to, "offsets", "", "string", usage, func(text string) (snapshot.Spans, error) {
		spans, err := snapshot.ParseOffsets(text)
		if err != nil {
			err = fmt.Errorf("cannot be used: %w", err)
		}
		return spans, err
	})
}

// read reads the payments.
func (f *rangeFlags) read(cmd *cobra.Command) error {
	var err error
	if f.payments != "" {
		if f.Payments, err = readIDs(cmd, f.payments); err != nil {
			return err
		}
	}
	for _, id := range f.payment {
		if f.Payments == nil {
			f.Payments = map[string]bool{}
		}
		f.Payments[id] = true
	}
	return nil
}

// readIDs reads a file with a payment_id a line, or standard input for "-".
func readIDs(cmd *cobra.Command, path string) (map[string]bool, error) {
	text, err := readInput(cmd, path)
	if err != nil {
		return nil, err
	}
	ids, err := snapshot.ReadIDs(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", inputName(path), err)
	}
	return ids, nil
}
