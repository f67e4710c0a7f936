package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows how far something long has come: a bar on a terminal, else a line every few seconds.
type Progress struct {
	out   io.Writer
	what  string // "records read"
	total int64
	bar   *progressbar.ProgressBar // nil: lines
	next  time.Time                // of a line
}

// progressPause is how long after a line the next one comes at the earliest.
const progressPause = 5 * time.Second

// NewProgress begins to show progress towards a total, on a command's stderr.
func NewProgress(out io.Writer, what string, total int64) *Progress {
	p := &Progress{out: out, what: what, total: total, next: time.Now().Add(progressPause)}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

// At tells how far it has come, and in words what came of it; "": nothing to speak of.
func (p *Progress) At(done int64, result string) {
	if result != "" {
		result = ", " + result
	}
	if p.bar != nil {
		p.bar.Describe(p.what + result)
		_ = p.bar.Set64(done) // a bar that cannot be drawn stops nothing
		return
	}
	if now := time.Now(); !now.Before(p.next) {
		p.next = now.Add(progressPause)
		_, _ = fmt.Fprintf(p.out, "%d of %d %s%s\n", done, p.total, p.what, result)
	}
}

// Clear makes room for a line of output, if there is progress at all; the bar comes back with the next At.
func (p *Progress) Clear() {
	if p != nil && p.bar != nil {
		_ = p.bar.Clear()
	}
}
