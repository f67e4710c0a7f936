package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/handlers/watch"
)

func TestTheBuiltInScheduleIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	slow := watch.Rhythm{Delays: []time.Duration{time.Minute, 10 * time.Minute, time.Hour}, Every: 6 * time.Hour, Deadline: 720 * time.Hour}
	assert.Equal(t, watch.Schedule{
		Open: watch.Rhythm{
			Delays: []time.Duration{
				2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
				10 * time.Minute, 30 * time.Minute,
			},
			Every: time.Hour, Deadline: 72 * time.Hour,
		},
		Authorized: slow, Refund: slow,
		NotFoundGrace: 15 * time.Minute, ReferenceWindow: time.Hour, Recheck: 30 * time.Second, Jitter: 0.1,
		Unavailable:  watch.Backoff{Initial: 2 * time.Second, Max: 10 * time.Minute},
		Unreadable:   watch.Backoff{Initial: 2 * time.Second, Max: 10 * time.Minute, Limit: 20},
		RefusedEvery: 10 * time.Minute,
	}, loaded(t, "", nil).Schedules.For("alpha", "card"))
}

func TestSlowProvidersAndMethodsHaveSchedulesOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := loaded(t, "", nil).Schedules
	assert.Greater(t, s.For("worldpay", "card").NotFoundGrace, 15*time.Minute, "its read side lags up to 15 minutes")
	assert.Equal(t, s.For("alpha", "").Open, s.For("worldpay", "card").Open)
	assert.Equal(t, 30*time.Minute, s.For("liquido", "pse").Open.Every)
	assert.Equal(t, 96*time.Hour, s.For("liquido", "PSE").Open.Deadline)
	assert.Equal(t, 240*time.Hour, s.For("liquido", "boleto").Open.Deadline)
	assert.Equal(t, time.Hour, s.For("liquido", "boleto").Open.Every)
	assert.Equal(t, s.For("alpha", ""), s.For("liquido", "card"))
	assert.Equal(t, s.For("alpha", "pse"), s.For("alpha", ""), "the methods of a provider are its own")
	assert.Equal(t, s.For("", ""), s.For("nobody", "nothing"))
}

func TestTheTableSaysWhatForSays(t *testing.T) {
	t.Parallel()
	s := loaded(t, `
schedules:
  default: {open: {every: 7m}}
  alpha: {open: {deadline: 9h}, methods: {Card: {jitter: 0}}}
`, nil).Schedules
	table := s.Table()
	for _, provider := range []string{"alpha", "beta", "liquido", "worldpay", "nobody", ""} {
		for _, method := range []string{"", "card", "CARD", "pse", "Boleto", "nothing"} {
			assert.Equal(t, s.For(provider, method), table(provider, method), "%s %s", provider, method)
		}
	}
	assert.NotEqual(t, table("alpha", "card"), table("alpha", ""))
	assert.NotEqual(t, table("alpha", ""), table("beta", ""))
}

func TestAScheduleSaysOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	s := loaded(t, `
schedules:
  default:
    open: {every: 7m}
    unreadable: {limit: 3}
  alpha:
    open: {deadline: 9h}
    refused: {every: 1m}
    methods:
      Card:
        open: {delays: []}
        jitter: 0
`, nil).Schedules
	standard, alpha, card := s.For("beta", ""), s.For("alpha", "pix"), s.For("alpha", "card")

	assert.Equal(t, 7*time.Minute, standard.Open.Every)
	assert.Equal(t, 72*time.Hour, standard.Open.Deadline)
	assert.Len(t, standard.Open.Delays, 9)
	assert.Equal(t, watch.Backoff{Initial: 2 * time.Second, Max: 10 * time.Minute, Limit: 3}, standard.Unreadable)

	want := standard
	want.Open.Deadline, want.RefusedEvery = 9*time.Hour, time.Minute
	assert.Equal(t, want, alpha)

	want.Open.Delays, want.Jitter = nil, 0
	assert.Equal(t, want, card)
}

func TestWhatIsSaidWinsOverWhatIsBuiltIn(t *testing.T) {
	t.Parallel()
	s := loaded(t, `
schedules:
  default: {open: {deadline: 1m}, not_found_grace: 5s}
  liquido: {open: {every: 3s}, methods: {cash: {open: {deadline: 2m}}}}
`, nil).Schedules
	assert.Equal(t, time.Minute, s.For("liquido", "boleto").Open.Deadline, "said in general, over built in for the method")
	assert.Equal(t, 3*time.Second, s.For("liquido", "pse").Open.Every, "said for the provider, over built in for the method")
	assert.Equal(t, 2*time.Minute, s.For("liquido", "cash").Open.Deadline)
	assert.Equal(t, 5*time.Second, s.For("worldpay", "").NotFoundGrace)
}
