package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// walk watches a payment from its initiated event to the end of the watch, or for so many checks, in virtual time. Answer is
// what the provider says at a time after the first check; the result is when each check was made.
func walk(w *watched, most int, answer func(at time.Duration) watch.Reading) []time.Duration {
	w.t.Helper()
	begun := w.now
	times := []time.Duration{0}
	w.ask(event{}.check(), answer(0), nil)
	for w.next != nil && len(times) < most {
		at := w.now.Add(w.next.After).Sub(begun)
		times = append(times, at)
		w.wakes(answer(at))
	}
	return times
}

// always is a provider that never says anything else.
func always(r watch.Reading) func(time.Duration) watch.Reading {
	return func(time.Duration) watch.Reading { return r }
}

// gaps are the delays between checks.
func gaps(times []time.Duration) []time.Duration {
	var d []time.Duration
	for i := 1; i < len(times); i++ {
		d = append(d, times[i]-times[i-1])
	}
	return d
}

const forever = 10_000 // checks

func TestAScheduleIsWalkedToItsDeadline(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	times := walk(w, forever, always(answers(schemas.Pending)))
	want := []time.Duration{
		0, 2 * time.Second, 7 * time.Second, 17 * time.Second, 47 * time.Second, 107 * time.Second, 227 * time.Second,
		527 * time.Second, 1127 * time.Second, 2927 * time.Second,
	}
	for at := want[len(want)-1] + time.Hour; at < 72*time.Hour; at += time.Hour {
		want = append(want, at)
	}
	want = append(want, 72*time.Hour) // once more
	assert.Equal(t, want, times)
	assert.Equal(t, []string{"pending 1", "unresolved: pending 1 deadline final"}, w.says())
	assert.True(t, w.lane.Ended)
	assert.Empty(t, w.letters)
}

func TestLaterPhasesHaveTheirOwnRhythmAndDeadline(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	times := walk(w, forever, func(at time.Duration) watch.Reading {
		if at < 10*time.Second {
			return answers(schemas.Pending)
		}
		return answers(schemas.Authorized)
	})
	assert.Equal(t, []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 6 * time.Hour},
		gaps(times)[:8])
	assert.Equal(t, 17*time.Second+720*time.Hour, times[len(times)-1], "the deadline counts from entering the phase")
	assert.Equal(t, []string{"pending 1", "authorized 1", "unresolved: authorized 1 deadline final"}, w.says())

	t.Run("a refund and a dispute have theirs", func(t *testing.T) {
		t.Parallel()
		for _, moved := range []func(*watched){
			func(w *watched) { w.pushed(pushes(schemas.RefundPending), answers(schemas.RefundPending)) },
			func(w *watched) { w.pushed(opens("d1"), answers(schemas.Captured)) },
		} {
			w := story(t, answers(schemas.Captured))
			w.schedule.Refund = watch.Rhythm{Delays: []time.Duration{3 * time.Minute}, Every: 2 * time.Hour, Deadline: 5 * time.Hour}
			moved(w)
			begun, times := w.now, []time.Duration{}
			for w.next != nil {
				times = append(times, w.now.Add(w.next.After).Sub(begun))
				w.wakes(answers(w.lane.Said.Status))
			}
			assert.Equal(t, []time.Duration{3 * time.Minute, 123 * time.Minute, 243 * time.Minute, 5 * time.Hour}, times)
		}
	})
	t.Run("staying in a phase does not begin it anew", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		times := walk(w, forever, func(at time.Duration) watch.Reading {
			if at < time.Hour {
				return answers(schemas.Authorized)
			}
			return answers(schemas.CapturePending)
		})
		assert.Equal(t, 720*time.Hour, times[len(times)-1])
	})
}

func TestJitter(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.random = 1
	times := walk(w, 6, always(answers(schemas.Pending)))
	assert.Equal(t, []time.Duration{2 * time.Second, 4500 * time.Millisecond, 9 * time.Second, 27 * time.Second, 54 * time.Second}, gaps(times),
		"it shortens a planned delay by a tenth at most, and none below 5 s")

	t.Run("never misses the deadline", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.random = 0.7
		times := walk(w, forever, always(answers(schemas.Pending)))
		assert.Equal(t, 72*time.Hour, times[len(times)-1])
	})
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	t.Run("is normal within the grace, and unresolved when it ends", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		times := walk(w, forever, always(notFound()))
		assert.Equal(t, 15*time.Minute, times[len(times)-1], "asked once more when the grace ends")
		assert.Equal(t, []string{"unresolved: unknown not_found final"}, w.says())
		assert.Empty(t, w.alarms)
	})
	t.Run("says reference_expired where that is why", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		walk(w, forever, always(fails(providers.NotFound, providers.CodeReferenceExpired)))
		assert.Equal(t, []string{"unresolved: unknown reference_expired final"}, w.says())
	})
	t.Run("has a grace of at least the reference window where the customer may still pay under the reference", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct{ grace, ends time.Duration }{{15 * time.Minute, time.Hour}, {2 * time.Hour, 2 * time.Hour}} {
			w := newWatched(t)
			w.schedule.NotFoundGrace = tt.grace
			again := notFound()
			payableAgain(&again.Outcome)
			times := walk(w, forever, always(again))
			assert.Equal(t, tt.ends, times[len(times)-1])
			assert.Equal(t, []string{"unresolved: unknown not_found final"}, w.says())
		}
	})
	t.Run("counts its grace from the first check, not from the initiation", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.passes(1000 * time.Hour)
		times := walk(w, forever, always(notFound()))
		assert.Equal(t, 15*time.Minute, times[len(times)-1])
	})
	t.Run("ends when the provider comes to know the payment", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		walk(w, forever, func(at time.Duration) watch.Reading {
			if at < 14*time.Minute {
				return notFound()
			}
			return answers(schemas.Captured)
		})
		assert.Equal(t, []string{"captured 1 final"}, w.says())
	})
	t.Run("after the payment was once seen keeps the status, checks again, and alarms", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Pending))
		for w.next != nil {
			w.wakes(notFound())
		}
		assert.Equal(t, 72*time.Hour, w.now.Sub(start))
		assert.Equal(t, []string{"pending 1", "unresolved: pending 1 deadline final"}, w.says())
		assert.Contains(t, w.alarms, watch.AlarmVanished)
	})
	t.Run("does not end a watch whose last said is final before the deadline", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		w.ask(repeat(event{}), notFound(), nil)
		for w.next != nil {
			w.wakes(notFound())
		}
		assert.Equal(t, 72*time.Hour, w.now.Sub(start))
		assert.Equal(t, []string{"captured 1 final"}, w.says(), "nothing is added to a final status")
	})
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	t.Run("is asked again by backoff, drawn between the initial and the current exponential step", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.random = 1
		assert.Equal(t, []time.Duration{
			4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, 64 * time.Second, 128 * time.Second,
			256 * time.Second, 512 * time.Second, 10 * time.Minute, 10 * time.Minute,
		}, gaps(walk(w, 11, always(unavailable()))))
		w = newWatched(t)
		assert.Equal(t, []time.Duration{2 * time.Second, 2 * time.Second, 2 * time.Second}, gaps(walk(w, 4, always(unavailable()))))
	})
	t.Run("uses up neither attempts nor planned delays", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		times := walk(w, 7, func(at time.Duration) watch.Reading {
			if at == 2*time.Second || at == 4*time.Second || at == 6*time.Second {
				return unavailable()
			}
			return answers(schemas.Pending)
		})
		assert.Equal(t, []time.Duration{2 * time.Second, 2 * time.Second, 2 * time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second}, gaps(times))
		assert.Equal(t, 4, w.next.Check.Attempt)
	})
	t.Run("is asked again after Retry-After, which is never shortened", func(t *testing.T) {
		t.Parallel()
		for _, after := range []time.Duration{time.Second, 90 * time.Second, 6 * time.Hour} {
			w := newWatched(t)
			w.random = 1
			w.ask(event{}.check(), unavailable(after), nil)
			assert.Equal(t, after, w.next.After)
		}
		w := newWatched(t)
		w.schedule.Open.Deadline = time.Hour
		w.ask(event{}.check(), unavailable(2*time.Hour), nil)
		assert.Equal(t, 2*time.Hour, w.next.After, "not by the deadline either")
	})
	t.Run("begins its backoff anew after an answer", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.random = 1
		w.ask(event{}.check(), unavailable(), nil)
		w.wakes(unavailable())
		w.wakes(answers(schemas.Pending))
		w.wakes(unavailable())
		assert.Equal(t, 4*time.Second, w.next.After)
	})
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	t.Run("becomes a dead letter with the answer at the limit, and the watch goes on slowly", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.random = 1
		times := walk(w, 30, always(unreadable()))
		require.Len(t, w.letters, 1)
		assert.Equal(t, watch.CodeUnreadable, w.letters[0].Reason)
		assert.True(t, w.letters[0].Answer, "the answer goes with it")
		assert.Equal(t, 10*time.Minute, gaps(times)[18], "after the 19th")
		assert.Equal(t, time.Hour, gaps(times)[19], "after the 20th")
		assert.Equal(t, time.Hour, gaps(times)[28])
	})
	t.Run("has its own counter", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.random = 1
		w.ask(event{}.check(), unavailable(), nil)
		w.wakes(unavailable())
		w.wakes(unreadable())
		assert.Equal(t, 4*time.Second, w.next.After)
		w.wakes(unavailable())
		assert.Equal(t, 16*time.Second, w.next.After)
	})
	t.Run("for three hours kills no watch", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		walk(w, forever, func(at time.Duration) watch.Reading {
			if at < 3*time.Hour {
				return unreadable()
			}
			return answers(schemas.Captured)
		})
		assert.Equal(t, []string{"captured 1 final"}, w.says())
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.random = 1
	times := walk(w, 5, always(refused()))
	assert.Equal(t, []time.Duration{10 * time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute}, gaps(times), "a slow pace, never a hot loop")
	assert.Contains(t, w.alarms, watch.AlarmRefused)
	w.wakes(answers(schemas.Captured))
	assert.Equal(t, []string{"captured 1 final"}, w.says(), "it goes on by itself when mended")
}

func TestTheDeadlineWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer watch.Reading
		reason string
	}{{refused(), "refused"}, {unavailable(), "unavailable"}, {unreadable(), "unreadable"}} {
		t.Run(tt.reason+" is said with final false, and the watch stays parked until an answer comes", func(t *testing.T) {
			t.Parallel()
			w := story(t, answers(schemas.Pending))
			w.passes(72 * time.Hour)
			w.wakes(tt.answer)
			require.Equal(t, []string{"pending 1", "unresolved: pending 1 " + tt.reason}, w.says())
			assert.Contains(t, w.alarms, watch.AlarmParked)
			for range 5 {
				assert.Equal(t, time.Hour, w.next.After)
				w.wakes(tt.answer)
			}
			assert.Len(t, w.said, 2, "it is said once")
			w.wakes(answers(schemas.Captured))
			assert.Equal(t, "captured 1 final", w.says()[2])
			assert.True(t, w.lane.Ended)
		})
	}
	t.Run("a parked watch asks no earlier than the provider wants", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Pending))
		w.passes(72 * time.Hour)
		for _, wants := range []time.Duration{time.Minute, 2 * time.Hour, 6 * time.Hour} {
			w.wakes(unavailable(wants))
			assert.Equal(t, max(time.Hour, wants), w.next.After)
		}
	})
	t.Run("an answer that decides nothing ends the parked watch", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Pending))
		w.passes(72 * time.Hour)
		w.wakes(unavailable())
		w.wakes(answers(schemas.Pending))
		assert.Equal(t, []string{"pending 1", "unresolved: pending 1 unavailable", "unresolved: pending 1 deadline final"}, w.says())
		assert.True(t, w.lane.Ended)
	})
	t.Run("adds nothing to a final status, and alarms", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		w.ask(repeat(event{}), unavailable(), nil)
		w.passes(72 * time.Hour)
		w.wakes(unavailable())
		assert.Equal(t, []string{"captured 1 final"}, w.says())
		assert.Contains(t, w.alarms, watch.AlarmEndedOverFinal)
		assert.Nil(t, w.next)
	})
}
