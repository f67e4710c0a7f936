package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/why"
)

func whyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "why PAYMENT_ID",
		Short: "Tell the story of one payment from the topics, and where it waits now",
		Long: `Tell the story of one payment from the topics: initiated, each check and what it came to, each event, notifications, replays, dead letters
with what to do about them; and where it waits now, until when, and what comes next. A payment_id that is known at several providers has
a section for each.

The record of a check holds no outcome. What is concluded from the check after it says so; what the topics no longer keep is named. It reads one
partition of what is keyed by payment_id, and says at the end what it read and what not. Nothing is written.

--output json prints one document:
  {"payment_id": "order-1", "payments": [{"provider": "liquido", "account": "default", "amount": {…}, "initiated_at": "…", "method": "…",
     "reference": {…},
     "now": {"state": "waiting",    or queued, input, ended, unresolved, given_up, not_watched
        "topic": "paystatus.delay.5s", "due_at": "…", "next": ["paystatus.delay.1s", "paystatus.checks"], "asked_at": "…", "late": true,
        "ahead": 3,                 of a queue: records before it that are not done
        "epoch": 1, "step": 4, "attempt": 3, "phase": "open", "watch_ends_at": "…", "parked": true, "text": "a sentence",
        "others": [{"topic": "…", "due_at": "…", "epoch": 1, "step": 2, "why": "overtaken"}]},    or moved_on
     "last": {…},                   the last event, as in the timeline
     "timeline": [{"at": "…", "kind": "check",    or initiated, notification, event, dead_letter, given_back, replay
        "topic": "paystatus.checks", "partition": 3, "offset": 8, "text": "a sentence",
        "check": {"kind": "chain",    or initiated, repeat, notification, backfill, renormalize
           "cause": "schedule", "replay_id": "…", "epoch": 1, "step": 2, "attempt": 2,
           "verdict": "asked",      or overtaken, redelivered, conflict, queued
           "outcome": "observed",   or what else a check can come to; absent: not known
           "outcome_by": "event",   or next_check, replay, dead_letter; absent: nothing tells
           "detail": "a sentence"},
        "event": {"id": "…", "type": "…", "status": "…", "previous_status": null, "final": false, …, "repeats": false},
        "dead_letter": {…, "meaning": "…", "remedy": "…"},    what dead-letters list prints, and these
        "replay": {…}}],            the record in paystatus.replays
     "not_kept": ["a sentence"]}],
   "scanned": {"since": "…", "until": "…", "records": 120, "bytes": 81920, "seconds": 0.1,
     "topics": [{"topic": "…", "what": "within the times", "partitions": [3], "of": 12, "records": 100, "bytes": 65536}],
     "not_looked_at": ["a sentence"]}}
A payment_id that the topics do not know has no payments, and the exit status is 1.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return errors.New("name one payment by its payment_id")
			}
			return nil
		},
	}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	var q why.Question
	cli.Time(cmd, &q.Since, "since", "not before (default 168h, and further back where the story began before)")
	cli.Time(cmd, &q.Until, "until", "not after, but for what waits now")
	cmd.Flags().BoolVar(&q.AllPartitions, "all-partitions", false, "read all partitions of topics keyed by payment_id: where their number was changed")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b, err := connect(*path)
		if err != nil {
			return err
		}
		defer b.close()
		q.PaymentID, q.Client, q.Topics, q.Group, q.Schedule = args[0], b.client, b.topics, b.config.Kafka.Group, b.config.Schedules.For
		story, err := why.Tell(cmd.Context(), q)
		if err != nil {
			return err
		}
		switch {
		case *output == cli.OutputJSON:
			err = cli.PrintJSON(cmd.OutOrStdout(), story)
		case len(story.Payments) > 0:
			err = story.Show(cmd.OutOrStdout())
		default:
			err = story.Scanned.Show(cmd.ErrOrStderr())
		}
		if err == nil && len(story.Payments) == 0 {
			err = fmt.Errorf("nothing is known of a payment %q in the %d records scanned", args[0], story.Scanned.Records)
		}
		return err
	}
	return cmd
}
