package watch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// mistakes are mappings that take one status for another.
var mistakes = []map[schemas.Status]schemas.Status{
	{schemas.Captured: schemas.Authorized},
	{schemas.Authorized: schemas.Captured},
	{schemas.Captured: schemas.Declined, schemas.Declined: schemas.Captured},
	{schemas.Declined: schemas.Pending, schemas.Refunded: schemas.RefundPending},
	{schemas.Pending: schemas.Unknown, schemas.Captured: schemas.Unknown},
	{schemas.RefundPending: schemas.Refunded, schemas.PartiallyCaptured: schemas.Captured},
}

// last is the place in the log of the last event that says something, -1 for none.
func (w *world) last() int {
	for i, e := range slices.Backward(w.log) {
		if e.statement.Type != schemas.TypeStatusUnresolved {
			return i
		}
	}
	return -1
}

// renormalize makes an operator ask for the correction of the last event, and says what is due.
func (w *world) renormalize(replay string) watch.Rereading {
	e := w.log[w.last()]
	s, trail := e.statement, e.trail
	from := s.Reading.From
	if trail.From != "" {
		from = trail.From
	}
	correction := watch.Correction{Corrects: e.id, Previous: s.Previous, Stated: watch.StatedSums(s.Reading.Outcome.Observation.Amounts)}
	now := w.provider.reading(from, e.state)
	_, due := watch.Reread(correction, trail.Said, &now, trail.Context, worldSchedule(), w.now)
	w.sayf("renormalize %.8s: %s", e.id, due)
	w.ask(watch.Check{
		PaymentKey: key, Kind: watch.KindRenormalize, Place: trail.Place, Context: trail.Context, Said: &trail.Said, Correction: &correction,
		Evidence: &watch.Evidence{From: from, Body: stateBody(e.state), ReceivedAt: e.at}, Cause: schemas.CauseRenormalization,
		ReplayID: replay, AskedAt: w.now,
	})
	return due
}

// corrections are the places in the log of the events that correct one.
func (w *world) corrections(id string) (at []int) {
	for i, e := range w.log {
		if e.statement.Corrects == id {
			at = append(at, i)
		}
	}
	return at
}

// mend lives through a run with a mapping that is wrong, mends it, and has the last event corrected by a process that dies after so
// many steps.
func mend(seed uint64, traced bool) (w *world, due watch.Rereading) {
	blocks := blocksOf(seed)
	w = newWorld(blocks[0], blocks[1], broken{}, traced)
	w.misread = mistakes[seed%uint64(len(mistakes))]
	for _, next := range blocks[2:] {
		w.act(next)
	}
	w.calm()
	w.misread, w.findings, w.stalled = nil, nil, nil
	late := slices.ContainsFunc(w.log, func(e emitted) bool { return e.late }) // then the last in the log may not be the last that was said
	if w.last() < 0 || w.provider.disputed() || late {
		return w, ""
	}
	if seed%3 == 1 {
		w.assign() // nobody remembers the payment
	}
	wrong := w.log[w.last()]
	due = w.renormalize("replay-1")
	for range 2 + seed%5 {
		w.step(block{})
	}
	if seed/7%2 == 1 {
		w.assign()
	}
	w.calm()
	w.judgeCorrection(wrong, due)
	return w, due
}

// judgeCorrection holds what came of a correction against the promises.
func (w *world) judgeCorrection(wrong emitted, due watch.Rereading) {
	at := w.corrections(wrong.id)
	forgetful := slices.ContainsFunc(w.log, func(e emitted) bool { return e.forgetful })
	switch {
	case due != watch.RereadDiffers && len(at) > 0:
		w.findf("correction", "%s, and yet it is corrected", due)
		return
	case due != watch.RereadDiffers, len(at) == 0 && (w.log[w.last()].id != wrong.id || forgetful):
		return // nothing to correct, or something else was said meanwhile
	case len(at) != 1:
		w.findf("correction", "it is corrected %d times", len(at))
		return
	}
	for i, e := range w.log[:at[0]] {
		if e.id == w.log[at[0]].id && !forgetful {
			w.findf("identity", "the correction has the id of event %d: %q", i, spoken(e.statement))
		}
	}
	ended := slices.ContainsFunc(w.log[at[0]:], func(e emitted) bool { return e.statement.Facts.Final })
	unknown := slices.ContainsFunc(w.letters, func(l letter) bool { return l.code == watch.CodeNoContext })
	if !ended && !unknown {
		w.findf("end", "nothing follows %q", spoken(w.log[at[0]].statement))
	}
	if last := w.log[w.last()]; last.statement.Facts != w.truth.Said.Facts() && last.statement.Facts.Dispute == nil {
		w.findf("memory", "the log says %q and is read back as %+v", spoken(last.statement), w.truth.Said.Facts())
	}
	corrected := w.log[w.last()]
	again := w.renormalize("replay-2")
	w.calm()
	if corrected.statement.Corrects != "" && (again == watch.RereadDiffers || len(w.corrections(corrected.id)) > 0) {
		w.findf("correction", "the correction is corrected: %s", again)
	}
}

func TestMistakesAreCorrectedInRandomWorlds(t *testing.T) {
	t.Parallel()
	first, runs := setting(t, seedVariable, 1), setting(t, runsVariable, worldRuns/4)
	came := map[watch.Rereading]int{}
	for seed := first; seed < first+runs; seed++ {
		w, due := mend(seed, false)
		came[due]++
		if len(w.findings) > 0 {
			w, _ = mend(seed, true)
			t.Fatalf("seed %d: %+v\n%s", seed, w.findings, strings.Join(w.trace, "\n"))
		}
	}
	if runs >= worldRuns/4 {
		assert.Greater(t, came[watch.RereadDiffers], int(runs)/20, "%v", came)
	}
}
