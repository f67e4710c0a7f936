package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// rangeFlags choose status events.
type rangeFlags struct {
	since, until, offsets, provider string
	payments                        string
	payment                         []string
}

func (f *rangeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.since, "since", "", "only events appended then or later: "+timeHelp)
	flags.StringVar(&f.until, "until", "", "only events appended before: "+timeHelp)
	flags.StringVar(&f.offsets, "offsets", "", "only these PARTITION:FROM-TO, comma separated: 0:0-1200,3:17- or 3")
	flags.StringVar(&f.provider, "provider", "", "only events of payments at this provider")
	flags.StringSliceVar(&f.payment, "payment", nil, "only events of this payment_id; may be repeated")
	flags.StringVar(&f.payments, "payments", "", "only events of the payment_ids in this file, one a line; - is standard input")
	_ = cmd.MarkFlagFilename("payments")
	cli.Complete(cmd, "provider", pipeline.ProviderNames()...)
}

// read reads the flags; what is wrong with them is a misuse.
func (f *rangeFlags) read(cmd *cobra.Command) (snapshot.Range, error) {
	r := snapshot.Range{Provider: f.provider}
	now := time.Now()
	var since, until, offsets error
	r.Since, since = deadletters.ParseTime(f.since, now)
	r.Until, until = deadletters.ParseTime(f.until, now)
	r.Offsets, offsets = snapshot.ParseOffsets(f.offsets)
	if err := errors.Join(since, until, offsets); err != nil {
		return r, cli.Misuse(err)
	}
	if f.payments != "" {
		text, err := readInput(cmd, f.payments)
		if err != nil {
			return r, err
		}
		if r.Payments, err = snapshot.ReadIDs(bytes.NewReader(text)); err != nil {
			return r, fmt.Errorf("%s: %w", inputName(f.payments), err)
		}
	}
	for _, id := range f.payment {
		if r.Payments == nil {
			r.Payments = map[string]bool{}
		}
		r.Payments[id] = true
	}
	return r, nil
}
