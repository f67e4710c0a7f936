package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/deadletters"
)

func deadLettersShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show PARTITION/OFFSET | --payment ID",
		Short: "Show all that is in a dead letter, and what to do about it",
		Long: `Show all that is in a dead letter, or in all letters about a payment: what happened and what to do about it, the record's headers,
the body as far as it can be read, and the provider's answer where one travels along. For people card numbers are masked, and
headers that prove who sent the record are hidden.

--raw writes the exact bytes of the body and nothing else. --output json prints a line for each letter: what list prints, and
  {…, "meaning": "…", "remedy": "…", "key": {"encoding": "utf-8", "body": "order-1"},    null: the record has no key
   "headers": [{"name": "ce_type", "value": "payment.initiated"}, …],                    the original ones
   "value": {"encoding": "utf-8", "body": "…"},                                          the exact bytes, or "base64"
   "answer": {"encoding": "utf-8", "body": "…", "sha256": "…"}}                          at most 32 KiB of it; or absent`,
		Args: cobra.MaximumNArgs(1),
	}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	payment := cmd.Flags().String("payment", "", "show all letters about this payment_id, or with this record key")
	raw := cmd.Flags().Bool("raw", false, "write the exact bytes of the body and nothing else")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case (len(args) == 1) == (*payment != ""):
			return cli.Misuse(errors.New("name a letter by PARTITION/OFFSET, or a payment by --payment"))
		case *raw && *payment != "":
			return cli.Misuse(errors.New("--raw writes one letter: name it by PARTITION/OFFSET"))
		}
		b := func(l *deadletters.Letter) error {
			switch {
			case *raw:
				_, err := cmd.OutOrStdout().Write(l.Value)
				return err
			case *output == cli.OutputJSON:
				return cli.PrintJSON(cmd.OutOrStdout(), l.Full())
			default:
				return l.Show(cmd.OutOrStdout())
			}
		}
		if *payment != "" {
			return showPayment(cmd, *path, *payment, *output, b)
		}
		p, err := deadletters.ParsePosition(args[0])
		if err != nil {
			return cli.Misuse(err)
		}
		conn, err := connect(*path)
		if err != nil {
			return err
		}
		defer conn.close()
		l, err := deadletters.Find(cmd.Context(), conn.client, conn.topics.DeadLetters(), p)
		if err != nil {
			return err
		}
		return b(&l)
	}
	return cmd
}

// showPayment shows every letter about a payment.
func showPayment(cmd *cobra.Command, path, payment, output string, show func(*deadletters.Letter) error) error {
	conn, err := connect(path)
	if err != nil {
		return err
	}
	defer conn.close()
	s, err := deadletters.Take(cmd.Context(), conn.client, conn.topics.DeadLetters(), deadletters.Filter{}.Since)
	if err != nil {
		return err
	}
	shown := 0
	counts, err := s.Walk(cmd.Context(), deadletters.Filter{Payment: payment, Given: true}, func(l deadletters.Letter, _ deadletters.Counts) error {
		if shown++; shown > 1 && output == cli.OutputText {
			if _, err := fmt.Fprintln(cmd.OutOrStdout()); err != nil {
				return err
			}
		}
		return show(&l)
	})
	if err == nil && shown == 0 {
		return fmt.Errorf("none of the %d letters in %s is about payment %q", counts.Letters, s.Topic, payment)
	}
	return err
}
