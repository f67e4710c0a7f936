package deadletters

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
)

// Show writes all that is in a letter, for people: what happened, what to do about it, the headers, and the body as far as it can
// be read. Full card numbers are masked, and nothing in the letter can command the terminal.
func (l *Letter) Show(w io.Writer) error {
	var b strings.Builder
	own := l.identifiers()
	l.showSummary(&b, own)
	if headers := l.original(); len(headers) > 0 {
		b.WriteString("\nHEADERS\n")
		lines(&b, func(line func(name, value string)) {
			for _, h := range headers {
				line(Plain(h.Name, own), Plain(h.Value, own))
			}
		})
	}
	if c := l.check(); c != nil {
		b.WriteString("\nCHECK\n")
		lines(&b, func(line func(name, value string)) { showCheck(c, own, line) })
		if e := c.Evidence; e != nil {
			showBytes(&b, fmt.Sprintf("EVIDENCE that the provider pushed (%s)", e.From), e.Body, own)
		}
	} else {
		showBytes(&b, "BODY", l.Value, own)
	}
	if body, sum, ok := l.answer(); ok {
		showBytes(&b, "ANSWER of the provider, sha256 "+Plain(sum, nil), body, own)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (l *Letter) showSummary(b *strings.Builder, own []string) {
	info, known := Explain(l.Reason)
	if !known {
		info.Meaning, info.Remedy = "a reason that this version does not know", "ask the version that wrote it"
	}
	fmt.Fprintf(b, "%s  %s\n", l.Position, Plain(string(l.Reason), nil))
	lines(b, func(line func(name, value string)) {
		line("what", info.Meaning)
		line("detail", Plain(l.Detail, own))
		line("to do", info.Remedy)
		line("payment", Plain(l.About.PaymentID, own))
		if l.About.Provider != "" {
			line("provider", Plain(l.About.Provider+", account "+l.About.Account, own))
		}
		line("given up", fmt.Sprintf("%s by %s", l.FailedAt.UTC().Format(time.RFC3339), Plain(l.Handler, nil)))
		line("came from", Plain(fmt.Sprintf("%s/%s at %s", l.From.Topic, l.From.Partition, l.From.Offset), nil))
		if l.RedriveCount > 0 {
			line("before", fmt.Sprintf("given back %s", times(l.RedriveCount)))
		}
		if g := l.Given; g != nil {
			line("since", Plain(fmt.Sprintf("given back %s by %s", g.At.UTC().Format(time.RFC3339), g), nil))
		}
		if !l.Takeable() {
			line("redrive", "no handler takes it back")
		}
		key := "none"
		if l.Key != nil {
			key = Plain(string(l.Key), own)
		}
		line("key", key)
	})
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

// showCheck tells what a check message says.
func showCheck(c *watch.Check, own []string, line func(name, value string)) {
	line("kind", fmt.Sprintf("%s, epoch %d, step %d, because of %s", c.Kind, c.Epoch, c.Step, c.Cause))
	if x := c.Context; x == nil {
		line("event", "no initiated event is known")
	} else {
		line("amount", fmt.Sprintf("%d %s (minor units)", x.Amount.Value, x.Amount.Currency))
		line("initiated at", x.InitiatedAt.UTC().Format(time.RFC3339))
		line("method", Plain(x.Method, own))
		line("capture", string(x.Capture))
		for _, name := range sortedKeys(x.Reference) {
			line("reference", Plain(name+" "+x.Reference[name], own))
		}
		for _, name := range sortedKeys(x.Metadata) {
			line("metadata", Plain(name+" "+x.Metadata[name], own))
		}
		if o := x.Earliest; o != nil {
			line("first event", Plain(fmt.Sprintf("%s/%d at %d", o.Topic, o.Partition, o.Offset), nil))
		}
	}
	if s := c.Said; s != nil && s.Has() {
		final := ""
		if s.Final {
			final = ", final"
		}
		line("last said", fmt.Sprintf("%s%s", s.Status, final))
	}
	if !c.PhaseSince.IsZero() {
		line("phase", fmt.Sprintf("%s since %s", c.Phase, c.PhaseSince.UTC().Format(time.RFC3339)))
	}
	line("answers", fmt.Sprintf("%d before; in a row: %d unavailable, %d unreadable, %d mismatches", c.Attempt, c.Unavailable, c.Unreadable, c.Mismatches))
	line("backfill", Plain(c.ReplayID, own))
}

// shown bounds how many bytes of a body are shown.
const shown = 16 << 10

// showBytes shows a body: JSON with a line for each field, other text as it is, everything else in hexadecimal.
func showBytes(b *strings.Builder, title string, text []byte, own []string) {
	fmt.Fprintf(b, "\n%s, %d bytes\n", title, len(text))
	if pretty, ok := indented(text); ok {
		text = pretty
	}
	text, _ = providers.MaskCardNumbers(text, own)
	whole, readable := len(text), isText(text)
	text = text[:min(whole, shown)]
	for readable && !utf8.Valid(text) { // a character cut in two
		text = text[:len(text)-1]
	}
	if readable {
		for line := range strings.Lines(string(text)) {
			b.WriteString("  " + Plain(strings.TrimRight(line, "\r\n"), own) + "\n")
		}
	} else {
		for line := range strings.Lines(hex.Dump(text)) {
			b.WriteString("  " + line)
		}
	}
	if whole > len(text) {
		fmt.Fprintf(b, "  … and %d bytes more; --raw writes all\n", whole-len(text))
	}
}

// isText tells what people can read.
func isText(text []byte) bool {
	return utf8.Valid(text) && !strings.ContainsFunc(string(text), func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
}

// Plain is a text of somebody else's in one line: what cannot be seen is escaped, and full card numbers are masked, but for the
// payment's own identifiers.
func Plain(text string, own []string) string {
	masked, _ := providers.MaskCardNumbers([]byte(text), own)
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(string(masked), "\uFFFD") {
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case unicode.IsGraphic(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToGraphic(r), "'"))
		}
	}
	return b.String()
}

// identifiers are the payment's own, which no mask may touch.
func (l *Letter) identifiers() []string {
	own := []string{l.About.PaymentID, string(l.Key)}
	if c := l.check(); c != nil && c.Context != nil {
		for _, id := range c.Context.Reference {
			own = append(own, id)
		}
	}
	return own
}

// lines writes aligned lines of a name and a value; one without a value is left out.
func lines(b *strings.Builder, each func(line func(name, value string))) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	each(func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(w, "  %s\t%s\n", name, value)
		}
	})
	_ = w.Flush() // a strings.Builder takes everything
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
