package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/delay"
)

// phaseMeanings tell people what the phases are.
var phaseMeanings = map[watch.Phase]string{
	watch.PhaseOpen:       "nothing is decided yet; times count from the first check, which comes as soon as the event is read",
	watch.PhaseAuthorized: "money is reserved or settling; times count from the answer that said so",
	watch.PhaseRefund:     "a refund or a dispute is under way; times count from the answer that said so",
}

func printPlans(w io.Writer, plans []*plan) error {
	var b strings.Builder
	for i, p := range plans {
		if i > 0 {
			b.WriteString("\n\n")
		}
		p.print(&b)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (p *plan) print(b *strings.Builder) {
	b.WriteString(strings.ToUpper(strings.TrimSpace(p.provider+" "+p.method)) + "\n")
	total := 0
	for i, e := range p.phases {
		total += e.Checks
		if p.asAbove(i) {
			fmt.Fprintf(b, "\n%s: as %s in general\n", e.Phase, p.provider)
			continue
		}
		fmt.Fprintf(b, "\n%s: %s\n", e.Phase, phaseMeanings[e.Phase])
		printRuns(b, e)
		timeline(b, e)
		fmt.Fprintf(b, "  %d checks until the watch ends, %s after the phase began; the deadline is %s.\n", e.Checks, span(e.Ends), span(e.Deadline))
	}
	fmt.Fprintf(b, "\nA payment that goes through all phases, each to its deadline, costs %d checks: as many requests,\n"+
		"more where a check needs several.\n\n", total)
	rules := p.rules()
	if p.above != nil && rules == p.above.rules() {
		rules = "All else is as " + p.provider + " in general.\n"
	}
	b.WriteString(rules)
}

func printRuns(b *strings.Builder, e delay.Explanation) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "  CHECK\tAFTER\tDELAY\tTHROUGH\n")
	number := 1
	for _, r := range e.Runs {
		through := strings.Join(tierNames(r), " + ")
		if through == "" {
			through = "at once"
		}
		wait := span(r.Delay)
		if r.Wait() != r.Delay {
			wait += ", comes to " + span(r.Wait())
		}
		numbers, rest := strconv.Itoa(number), ""
		if r.Checks > 1 {
			numbers = fmt.Sprintf("%d–%d", number, number+r.Checks-1)
			rest = fmt.Sprintf("\tthen every %s until %s: %d more", span(r.Wait()), span(r.Last()), r.Checks-1)
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s%s\n", numbers, span(r.First), wait, through, rest)
		number += r.Checks
	}
	_ = w.Flush() // a strings.Builder takes everything
}

// The timeline is logarithmic: seconds and days fit into one line.
const timelineWidth = 96

// timelineMarks are the times that the axis names.
var timelineMarks = []time.Duration{
	time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, day, 5 * day, 30 * day,
}

const day = 24 * time.Hour

// timeline draws when checks happen: • one, ● several in the same place.
func timeline(b *strings.Builder, e delay.Explanation) {
	end := max(e.Ends, 2*time.Second)
	place := func(at time.Duration) int {
		return int(math.Round(math.Log(max(at, time.Second).Seconds()) / math.Log(end.Seconds()) * (timelineWidth - 1)))
	}
	line := []rune(strings.Repeat("─", timelineWidth))
	for _, r := range e.Runs {
		for i := range r.Checks {
			if at := r.First + time.Duration(i)*r.Wait(); at > 0 {
				dot := &line[place(at)]
				if *dot == '─' {
					*dot = '•'
				} else {
					*dot = '●'
				}
			}
		}
	}
	axis := ""
	for _, mark := range timelineMarks {
		if at := place(mark); mark <= end && at >= len(axis) {
			axis += strings.Repeat(" ", at-len(axis)) + span(mark) + " "
		}
	}
	fmt.Fprintf(b, "  %s\n  %s\n", string(line), strings.TrimRight(axis, " "))
}

// rules tell in words what is not a planned delay.
func (p *plan) rules() string {
	var b strings.Builder
	s := p.schedule
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	rule := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	rule("jitter", "%s", jitterWords(s))
	rule("not found", "normal for %s after the first check: %d checks, then the watch ends unresolved", span(p.notFound.Deadline), p.notFound.Checks)
	rule("", "where the customer may still pay under the reference: %s, %d checks", span(p.payableAgain.Deadline), p.payableAgain.Checks)
	rule("declined", "not final for %s where the customer can pay again under the same reference", span(s.ReferenceWindow))
	rule("recheck", "%s after a stale read or a notification that no query confirms yet, a few times", span(s.Recheck))
	rule("unavailable", "%s, or what the provider asks for by Retry-After; uses up no delay above", backoffWords(s.Unavailable))
	rule("unreadable", "%s; the %s in a row is a dead letter, from then on every %s",
		backoffWords(s.Unreadable), ordinal(s.Unreadable.Limit), span(s.Open.Every))
	rule("refused", "every %s, with an alarm, until the credentials or the configuration are mended", span(s.RefusedEvery))
	rule("deadline", "asked once more, then unresolved; when no answer can be had then, said so and asked on slowly")
	_ = w.Flush()
	return b.String()
}

// jitterWords tell which delays jitter shortens.
func jitterWords(s watch.Schedule) string {
	var words []string
	for _, j := range delay.Shortened(s) {
		words = append(words, fmt.Sprintf("%s is %s at least", span(j.Delay), span(j.Least)))
	}
	text := fmt.Sprintf("%.4g %%, as far as tiers can make shorter delays: ", 100*s.Jitter)
	if len(words) == 0 {
		return text + "none of these"
	}
	return text + strings.Join(words, ", ") + "; the others are as shown"
}

// backoffWords tell the first steps of a backoff.
func backoffWords(f watch.Backoff) string {
	if f.Max <= f.Initial {
		return "every " + span(f.Initial)
	}
	var words []string
	step := f.Initial
	for len(words) < 3 && step < f.Max {
		step = min(2*step, f.Max)
		words = append(words, span(f.Initial)+" to "+span(step))
	}
	text := "after " + strings.Join(words, ", then ")
	if step < f.Max {
		text += ", … at most " + span(f.Max)
	}
	return text
}

func ordinal(n int) string {
	switch {
	case n%100/10 == 1:
		return fmt.Sprintf("%dth", n)
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	default:
		return fmt.Sprintf("%dth", n)
	}
}

// span is a duration for people: with days from two on.
func span(d time.Duration) string {
	if d < 2*day {
		return short(d)
	}
	text := fmt.Sprintf("%dd", d/day)
	if rest := d % day; rest > 0 {
		text += " " + short(rest)
	}
	return text
}

// short writes a duration as configurations do: 72h, not 72h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
