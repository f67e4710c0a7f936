package deadletters_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/paystatus/paystatus/handlers"
)

// The corpus of malformed messages: each way of being malformed takes the event that a payment begins with, of Liquido's, and
// makes of it what nobody can take for one, in a way that chance decides.

// member is a name of an object with its value, as text.
type member struct{ name, value string }

// members are those of a whole event.
func members(payment string) []member {
	return []member{
		{"payment_id", strconv.Quote(payment)},
		{"provider", `"liquido"`},
		{"account", `"default"`},
		{"amount", `{"value":300,"currency":"COP"}`},
		{"initiated_at", `"2026-01-31T12:00:00Z"`},
		{"reference", `{"idempotency_key":` + strconv.Quote(payment) + `}`},
		{"capture", `"automatic"`},
		{"method", `"pse"`},
		{"return_url", `"https://shop.example/back?n=1"`},
		{"initiation_response", `{"http_status":200,"body":"{}"}`},
		{"metadata", `{"order":"7","note":"año nuevo"}`},
	}
}

// required is how many of the members an event cannot lack.
const required = 6

func object(all []member) string {
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = strconv.Quote(m.name) + ":" + m.value
	}
	return "{" + strings.Join(texts, ",") + "}"
}

// malformed is a message of the corpus.
type malformed struct {
	topic   string // of the handler that must give it up: "initiated", "notified" or "checks"
	value   string
	headers []handlers.Header
}

// ways of being malformed, by name.
var ways = map[string]func(r *rand.Rand, payment string) malformed{
	"noise": func(r *rand.Rand, _ string) malformed {
		return malformed{topic: "initiated", value: noise(r, r.IntN(600))}
	},
	"large noise": func(r *rand.Rand, _ string) malformed {
		if r.IntN(20) > 0 {
			return malformed{topic: "initiated", value: noise(r, 2000+r.IntN(4000))}
		}
		return malformed{topic: "initiated", value: noise(r, r.IntN(400<<10))}
	},
	"cut off": func(r *rand.Rand, p string) malformed {
		whole := object(members(p))
		return malformed{topic: "initiated", value: whole[:r.IntN(len(whole))]}
	},
	"more behind the end": func(r *rand.Rand, p string) malformed {
		return malformed{topic: "initiated", value: object(members(p)) + string("{}[]x0\",:\x00"[r.IntN(10)])}
	},
	"a structural character is missing": func(r *rand.Rand, p string) malformed {
		whole := object(members(p)[:required])
		var places []int
		for i, c := range whole {
			if strings.ContainsRune(`{},"`, c) {
				places = append(places, i)
			}
		}
		at := places[r.IntN(len(places))]
		return malformed{topic: "initiated", value: whole[:at] + whole[at+1:]}
	},
	"a name stands twice, with two values": func(r *rand.Rand, p string) malformed {
		all := members(p)
		all = append(all, member{all[r.IntN(len(all))].name, strconv.Quote("another")})
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return malformed{topic: "initiated", value: object(all)}
	},
	"a required field is missing": func(r *rand.Rand, p string) malformed {
		all := members(p)
		at := []int{0, 1, 3, 4, 5}[r.IntN(5)] // the account is optional
		all = append(all[:at], all[at+1:]...)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return malformed{topic: "initiated", value: object(all)}
	},
	"a field of another type": func(r *rand.Rand, p string) malformed {
		all := members(p)
		at := r.IntN(len(all))
		others := []string{"true", "[]", "-1", "1e3", "[{}]"}
		if strings.HasPrefix(all[at].value, "{") {
			others = append(others, `""`, `"{}"`)
		} else {
			others = append(others, "{}", `{"a":"b"}`)
		}
		all[at].value = others[r.IntN(len(others))]
		return malformed{topic: "initiated", value: object(all)}
	},
	"an amount that is none": func(r *rand.Rand, p string) malformed {
		all := members(p)
		amounts := []string{"-1", "1.5", `"300"`, "1e400", "9223372036854775808", "null", "true", "0x10", "NaN"}
		currencies := []string{`"COP"`, `"cop"`, `"COPX"`, `""`, "170", "null"}
		amount, currency := r.IntN(len(amounts)+1), r.IntN(len(currencies))
		if amount == len(amounts) { // a good amount of no currency
			all[3].value = fmt.Sprintf(`{"value":300,"currency":%s}`, currencies[1+r.IntN(len(currencies)-1)])
		} else {
			all[3].value = fmt.Sprintf(`{"value":%s,"currency":%s}`, amounts[amount], currencies[currency])
		}
		return malformed{topic: "initiated", value: object(all)}
	},
	"a text that is no UTF-8, or holds what it must not": func(r *rand.Rand, p string) malformed {
		all := members(p)
		bad := []string{"\xff", "\xc3\x28", "\xed\xa0\x80", `\u0000`, `\ud800`, "\x01", "\x00", `\x`, `\u12`}[r.IntN(9)]
		at := []int{0, 1, 5, 7, 10}[r.IntN(5)]
		end := strings.LastIndexByte(all[at].value, '"')
		all[at].value = all[at].value[:end] + bad + all[at].value[end:]
		return malformed{topic: "initiated", value: object(all)}
	},
	"a time that is none": func(r *rand.Rand, p string) malformed {
		all := members(p)
		all[4].value = []string{`"2026-02-30T12:00:00Z"`, `"2026-01-31"`, `"2026-01-31T12:00:00"`, `"yesterday"`, `"1769860800"`, `"31.01.2026 12:00"`}[r.IntN(6)]
		return malformed{topic: "initiated", value: object(all)}
	},
	"a reference that leads nowhere": func(r *rand.Rand, p string) malformed {
		all := members(p)
		all[5].value = []string{
			`{}`, `{"idempotency_key":""}`, `{"payment_id":"pay_1"}`, `{"idempotency_key":"` + strings.Repeat("k", 5000) + `"}`,
			`{"idempotency_key":" "}`, `{"idempotency_key":"a\nb"}`,
		}[r.IntN(6)]
		return malformed{topic: "initiated", value: object(all)}
	},
	"a provider or account of nobody": func(r *rand.Rand, p string) malformed {
		all := members(p)
		all[1+r.IntN(2)].value = strconv.Quote("nobody" + strconv.Itoa(r.IntN(1000)))
		return malformed{topic: "initiated", value: object(all)}
	},
	"too deep": func(r *rand.Rand, p string) malformed {
		depth := 70 + r.IntN(4000)
		deep := member{"deep", strings.Repeat("[", depth) + strings.Repeat("]", depth)}
		return malformed{topic: "initiated", value: object(append(members(p), deep))}
	},
	"a broken envelope in the value": func(r *rand.Rand, p string) malformed {
		envelope := []member{{"specversion", `"1.0"`}, {"id", `"1"`}, {"source", `"/shop"`}, {"type", `"payment.initiated"`}, {"data", object(members(p))}}
		switch at := r.IntN(4); at {
		case 0, 3: // without its version it is data without a payment; without its type it is no event
			envelope = append(envelope[:at], envelope[at+1:]...)
		case 1:
			envelope[4].value = "{}"
		default:
			whole := object(envelope)
			return malformed{topic: "initiated", value: whole[:len(whole)-1-r.IntN(20)], headers: structured}
		}
		return malformed{topic: "initiated", value: object(envelope), headers: structured}
	},
	"a broken envelope in the headers": func(_ *rand.Rand, p string) malformed {
		return malformed{topic: "initiated", value: object(members(p)), headers: []handlers.Header{{Key: "ce_specversion", Value: []byte("1.0")}}}
	},
	"a notification that nobody signed": func(r *rand.Rand, p string) malformed {
		body := `{"eventType":"CHARGE_SUCCEEDED","data":{"chargeDetails":{"idempotencyKey":` + strconv.Quote(p) + `,"transferStatus":"SETTLED"}}}`
		return malformed{topic: "notified", value: body, headers: []handlers.Header{
			{Key: handlers.HeaderProvider, Value: []byte([]string{"liquido", "checkout", "worldpay", "antom"}[r.IntN(4)])},
			{Key: "http_signature", Value: []byte(noise(r, r.IntN(64)))},
			{Key: "http_authorization", Value: []byte(noise(r, r.IntN(64)))},
		}}
	},
	"a notification of nobody": func(r *rand.Rand, _ string) malformed {
		return malformed{topic: "notified", value: noise(r, r.IntN(300)), headers: []handlers.Header{{Key: handlers.HeaderProvider, Value: []byte("nobody")}}}
	},
	"a check that is none": func(r *rand.Rand, _ string) malformed {
		return malformed{topic: "checks", value: noise(r, r.IntN(300))}
	},
}

var structured = []handlers.Header{{Key: "content-type", Value: []byte("application/cloudevents+json; charset=UTF-8")}}

// noise are random bytes that begin like nothing that can be read.
func noise(r *rand.Rand, size int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if size > 0 {
		b[0] = 0x80 | b[0]
	}
	return string(b)
}
