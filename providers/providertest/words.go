package providertest

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// identityChecks hold that an answer about something else is never a status of the payment.
func (s Subject) identityChecks() []check {
	var all []check
	for _, swap := range s.Identity {
		kind := providers.Mismatch
		if swap.Code == providers.CodeNotFound {
			kind = providers.NotFound
		}
		all = append(all,
			check{"an answer with " + swap.New + " for " + swap.Old + " is " + swap.Code, func(t require.TestingT) {
				requireFailure(t, s.read(t, s.swap(t, swap)), kind, swap.Code)
			}},
			check{"without a payment an answer with " + swap.New + " for " + swap.Old + " is read", func(t require.TestingT) {
				observed(t, s.reader(t).Read(s.answer(s.swap(t, swap)), providers.Payment{}))
			}})
		if swap.Code == providers.CodeOtherAmount {
			all = append(all, check{"an answer with " + swap.New + " for " + swap.Old + " can be accepted", func(t require.TestingT) {
				settings := s.settings(t, offline)
				settings.Common().AcceptOtherAmount = true
				o := s.provider(t, settings).Read(s.answer(s.swap(t, swap)), s.payment(t))
				require.Contains(t, observed(t, o).Anomalies, schemas.AmountDiffers)
			}})
		}
	}
	return append(all, check{"without a payment a good answer is read", func(t require.TestingT) {
		o := s.reader(t).Read(s.answer(s.Good), providers.Payment{})
		require.Equal(t, s.GoodStatus, observed(t, o).Status)
	}})
}

func (s Subject) swap(t require.TestingT, swap Swap) []byte {
	require.True(t, bytes.Contains(s.Good, []byte(swap.Old)), "Subject.Good does not hold %q", swap.Old)
	return bytes.ReplaceAll(s.Good, []byte(swap.Old), []byte(swap.New))
}

// strangeWord is a status word that no provider has.
const strangeWord = "Xylographed"

// wordChecks hold what is made of the status word.
func (s Subject) wordChecks() []check {
	all := []check{
		{"a status word without a row in the mapping is unknown, and kept", func(t require.TestingT) {
			o := s.requireUnknown(t, s.withStatus(t, quote(strangeWord)))
			words, err := json.Marshal(o.ProviderStatus)
			require.NoError(t, err)
			require.Contains(t, string(words), strangeWord)
		}},
		{"a status word in other letters or with blanks around is the same", func(t require.TestingT) {
			word := s.statusWord(t)
			for _, written := range []string{swapCase(word), " " + word, word + "\t", "  " + swapCase(word) + " "} {
				require.Equal(t, s.GoodStatus, observed(t, s.read(t, s.withStatus(t, quote(written)))).Status, "%q", written)
			}
		}},
		{"a status of another type is never guessed at", func(t require.TestingT) {
			for _, value := range []string{`17`, `true`, `{"a":1}`, `["` + s.statusWord(t) + `"]`} {
				if o := s.read(t, s.withStatus(t, value)); o.Kind != providers.Unreadable {
					require.Equal(t, schemas.Unknown, observed(t, o).Status, "%s", value)
				}
			}
		}},
	}
	for name, value := range map[string]string{"a null status": `null`, "an empty status": `""`, "a blank status": `"  "`} {
		all = append(all, check{name + " is unknown", func(t require.TestingT) { s.requireUnknown(t, s.withStatus(t, value)) }})
	}
	return append(all, check{"a missing status is unknown", func(t require.TestingT) {
		s.requireUnknown(t, s.statusMember(t).ReplaceAll(s.Good, []byte(`"x_gone":0`)))
	}})
}

func (s Subject) requireUnknown(t require.TestingT, body []byte) *providers.Observation {
	o := observed(t, s.read(t, body))
	require.Equal(t, schemas.Unknown, o.Status)
	require.Contains(t, o.Anomalies, schemas.UnmappedStatus)
	require.False(t, o.Final)
	return o
}

// statusMember finds the member with the status word.
func (s Subject) statusMember(t require.TestingT) *regexp.Regexp {
	member := regexp.MustCompile(regexp.QuoteMeta(quote(s.StatusName)) + `\s*:\s*"([^"\\]*)"`)
	require.Len(t, member.FindAll(s.Good, -1), 1, "Subject.StatusName must stand once in Good, with a string")
	return member
}

func (s Subject) statusWord(t require.TestingT) string {
	return string(s.statusMember(t).FindSubmatch(s.Good)[1])
}

// withStatus is Good with another value, written in JSON, in the place of the status word.
func (s Subject) withStatus(t require.TestingT, value string) []byte {
	return s.statusMember(t).ReplaceAllLiteral(s.Good, []byte(quote(s.StatusName)+":"+value))
}
