package why

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/paystatus/paystatus/pipeline/deadletters"
)

// Show writes a story for people. Nothing in it can command the terminal, and full card numbers are masked.
func (s *Story) Show(w io.Writer) error {
	var b strings.Builder
	for i := range s.Payments {
		s.Payments[i].show(&b, s.PaymentID)
		b.WriteString("\n")
	}
	s.Scanned.show(&b)
	return write(w, &b)
}

// Show writes for people what was read.
func (s *Scanned) Show(w io.Writer) error {
	var b strings.Builder
	s.show(&b)
	return write(w, &b)
}

func write(w io.Writer, b *strings.Builder) error {
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (p *Payment) show(b *strings.Builder, id string) {
	own := []string{id}
	for _, value := range p.Reference {
		own = append(own, value)
	}
	plain := func(text string) string { return deadletters.Plain(text, own) }
	at := "at no known provider"
	if p.Provider != "" {
		at = fmt.Sprintf("at %s, account %s", p.Provider, p.Account)
	}
	fmt.Fprintf(b, "%s %s\n", plain(id), plain(at))
	var facts []string
	if p.Amount != nil {
		facts = append(facts, fmt.Sprintf("%d %s in minor units", p.Amount.Value, p.Amount.Currency))
	}
	if p.Method != "" {
		facts = append(facts, p.Method)
	}
	if p.InitiatedAt != nil {
		facts = append(facts, "initiated "+p.InitiatedAt.Format(time.RFC3339))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Reference)) {
		facts = append(facts, name+" "+p.Reference[name])
	}
	if len(facts) > 0 {
		fmt.Fprintf(b, "  %s\n", plain(strings.Join(facts, ", ")))
	}
	fmt.Fprintf(b, "  now: %s\n", plain(p.Now.Text))
	for _, s := range p.Now.Sleepers {
		fmt.Fprintf(b, "       %s\n", plain(s.text()))
	}
	b.WriteString("\n")
	for _, e := range p.Timeline {
		fmt.Fprintf(b, "  %s  %-12s  %s%s\n", stamp(e.At), e.Kind.words(), plain(e.Text), e.by())
	}
	for _, what := range p.NotKept {
		fmt.Fprintf(b, "  %-24s  %s\n", "", plain(what))
	}
}

func (k Kind) words() string { return strings.ReplaceAll(string(k), "_", " ") }

// by says what an outcome is concluded from, where nothing states it.
func (e *Entry) by() string {
	if e.Check != nil && e.Check.Told == toldByNext {
		return " (derived from the next check)"
	}
	return ""
}

func (s Sleeper) text() string {
	if s.Why == "moved_on" {
		return fmt.Sprintf("check %d of epoch %d in %s went on already", s.Step, s.Epoch, s.Topic)
	}
	return fmt.Sprintf("overtaken: check %d of epoch %d sleeps in %s until %s and will come to nothing", s.Step, s.Epoch, s.Topic, stamp(s.Due))
}

func (s *Scanned) show(b *strings.Builder) {
	fmt.Fprintf(b, "Scanned %s\n", s.summary())
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, t := range s.Topics {
		if t.Records == 0 {
			continue
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%d of %d partitions\t%d records\t%s\n", t.Topic, t.What, len(t.Partitions), t.Of, t.Records, size(t.Bytes))
	}
	_ = w.Flush() // a strings.Builder takes everything
	for i, what := range s.NotLookedAt {
		if i == 0 {
			b.WriteString("Not looked at:\n")
		}
		fmt.Fprintf(b, "  %s\n", what)
	}
}

// summary is what was read, in a sentence.
func (s *Scanned) summary() string {
	partitions, topics := s.partitions()
	return fmt.Sprintf("%d records, %s, in %d partitions of %d topics, between %s and %s, in %.2f s.",
		s.Records, size(s.Bytes), partitions, topics, s.Since.Format(time.RFC3339), s.Until.Format(time.RFC3339), s.Seconds)
}

func size(bytes int64) string {
	switch {
	case bytes < 10<<10:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 10<<20:
		return fmt.Sprintf("%d KiB", bytes>>10)
	default:
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
}
