package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

func TestDisputesThatTheirProviderGivesNoID(t *testing.T) {
	t.Parallel()
	opens := func(event string, at time.Duration) *watch.Reading { return opens(event, occurred(at), unnamed) }
	wins := func(event string, at time.Duration) *watch.Reading { return wins(event, occurred(at), unnamed) }
	loses := func(event string, at time.Duration) *watch.Reading { return loses(event, occurred(at), unnamed) }
	const hour = time.Hour

	for _, tt := range []struct {
		name  string
		heard []*watch.Reading
		says  []string
	}{
		{
			"are named by the first event of each",
			[]*watch.Reading{opens("e1", hour), loses("e2", 2*hour), wins("e3", 3*hour)},
			[]string{"disputed e1 open", "charged_back e1 lost final", "captured e1 won final"},
		},
		{
			"one after the other, won and lost, are two",
			[]*watch.Reading{opens("e1", hour), wins("e2", 2*hour), opens("e3", 3*hour), loses("e4", 4*hour)},
			[]string{"disputed e1 open", "captured e1 won final", "disputed e3 open", "charged_back e3 lost final"},
		},
		{
			"what is charged back again after a reversal is another",
			[]*watch.Reading{loses("e1", hour), wins("e2", 2*hour), loses("e3", 3*hour)},
			[]string{"charged_back e1 lost final", "captured e1 won final", "charged_back e3 lost final"},
		},
		{
			"a further request within one is no news",
			[]*watch.Reading{opens("e1", hour), opens("e2", 2*hour), wins("e3", 3*hour)},
			[]string{"disputed e1 open", "captured e1 won final"},
		},
		{
			"one opened after another was lost leaves the payment charged back, and a reversal is of what was lost",
			[]*watch.Reading{loses("e1", hour), opens("e2", 2*hour), wins("e3", 3*hour), wins("e4", 4*hour)},
			[]string{"charged_back e1 lost final", "charged_back e2 open final", "disputed e1 won", "captured e2 won final"},
		},
		{
			"all again are no news",
			[]*watch.Reading{
				opens("e1", hour), wins("e2", 2*hour), opens("e3", 3*hour), loses("e4", 4*hour),
				opens("e1", hour), wins("e2", 2*hour), opens("e3", 3*hour), loses("e4", 4*hour),
			},
			[]string{"disputed e1 open", "captured e1 won final", "disputed e3 open", "charged_back e3 lost final"},
		},
		{
			"an opening that comes after its end is no news",
			[]*watch.Reading{loses("e2", 2*hour), opens("e1", hour)},
			[]string{"charged_back e2 lost final"},
		},
		{
			"the end of the first that comes within the second changes nothing",
			[]*watch.Reading{loses("e1", hour), wins("e2", 2*hour), opens("e4", 4*hour), loses("e1", hour), wins("e2", 2*hour)},
			[]string{"charged_back e1 lost final", "captured e1 won final", "disputed e4 open"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := story(t, answers(schemas.Captured))
			for _, evidence := range tt.heard {
				said := len(w.said)
				w.pushed(evidence, answers(schemas.Captured))
				if len(w.said) > said {
					c := w.correction()
					_, found := watch.Reread(*c.Correction, *c.Said, w.said[said].Reading, c.Context, w.schedule, w.now)
					assert.Equal(t, watch.RereadSame, found, "what was said of %s, by the same mapping", w.says()[said])
				}
			}
			assert.Equal(t, tt.says, w.says()[1:])
			given := map[string]bool{}
			for _, id := range w.ids() {
				assert.False(t, given[id], "an id is given once: %v", w.says())
				given[id] = true
			}
		})
	}
}

func TestADisputeWithoutTimesIsTheOneThatIsKnown(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Captured))
	w.pushed(loses("e1", unnamed), answers(schemas.Captured))
	w.pushed(wins("e2", unnamed), answers(schemas.Captured))
	w.pushed(opens("e3", unnamed), answers(schemas.Captured))
	assert.Equal(t, []string{"charged_back e1 lost final", "captured e1 won final"}, w.says()[1:])
}

func TestAQueryThatShowsADisputeWithoutAnIDSpeaksOfTheOneThatWasNotified(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Captured))
	shown := answers(schemas.Disputed, dispute("p-1", schemas.DisputeOpen), unnamed)
	w.pushed(opens("e1", occurred(time.Hour), unnamed), shown)
	w.wakes(shown)
	w.wakes(answers(schemas.ChargedBack, dispute("p-1", schemas.DisputeLost), unnamed))
	assert.Equal(t, []string{"disputed e1 open", "charged_back e1 lost final"}, w.says()[1:])
}
