package providers_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/providers"
)

var receivedAt = time.Date(2026, 1, 2, 3, 4, 5, 250_000_000, time.UTC)

func TestHTTPStatusesAreJudged(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		kind     providers.Kind
		code     string // "http_" stands for http_<status>
		statuses []int
	}{
		{providers.NotFound, "not_found", []int{404, 410}},
		{providers.Refused, "unauthorized", []int{401}},
		{providers.Refused, "forbidden", []int{403}},
		{providers.Refused, "bad_request", []int{400, 402, 405, 406, 411, 413, 414, 415, 422, 431, 499}},
		{providers.Unavailable, "rate_limited", []int{429}},
		{providers.Unavailable, "http_", []int{408, 409, 425, 500, 501, 502, 503, 504, 520, 599}},
		{providers.Unavailable, "redirect", []int{300, 301, 302, 303, 304, 307, 308}},
		{providers.Unreadable, "unexpected_content", []int{0, 100, 199, 600, 999}},
	} {
		for _, status := range row.statuses {
			t.Run(strconv.Itoa(status)+" is "+string(row.kind), func(t *testing.T) {
				t.Parallel()
				page := providers.Page{HTTPStatus: status, Header: http.Header{"Retry-After": {"7"}}, Body: []byte(`{"a":"body-mark"}`), ReceivedAt: receivedAt}
				o, readable := providers.ReadHTTP(page)
				assert.False(t, readable)
				assert.Equal(t, row.kind, o.Kind)
				want := row.code
				if want == "http_" {
					want += strconv.Itoa(status)
				}
				assert.Equal(t, want, o.Code)
				assert.NotContains(t, o.Message, "body-mark")
				if row.kind == providers.Unavailable {
					assert.Equal(t, 7*time.Second, o.RetryAfter)
				} else {
					assert.Zero(t, o.RetryAfter)
				}
			})
		}
	}
}

func TestWholeBodiesOfGoodStatusesAreReadable(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		page     providers.Page
		readable bool
		code     string
	}{
		"200":                       {providers.Page{HTTPStatus: 200}, true, ""},
		"201":                       {providers.Page{HTTPStatus: 201}, true, ""},
		"299":                       {providers.Page{HTTPStatus: 299}, true, ""},
		"cut off":                   {providers.Page{HTTPStatus: 200, Cut: true}, false, "truncated"},
		"too large":                 {providers.Page{HTTPStatus: 200, TooLarge: true}, false, "too_large"},
		"an error that is cut off":  {providers.Page{HTTPStatus: 503, Cut: true}, false, "http_503"},
		"an error that is too long": {providers.Page{HTTPStatus: 404, TooLarge: true}, false, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, readable := providers.ReadHTTP(tc.page)
			assert.Equal(t, tc.readable, readable)
			assert.Equal(t, tc.code, o.Code)
		})
	}
}

func TestRetryAfterIsReadInBothFormsAndBounded(t *testing.T) {
	t.Parallel()
	date := func(after time.Duration) string { return receivedAt.Add(after).Format(http.TimeFormat) }
	for name, tc := range map[string]struct {
		header string
		want   time.Duration
	}{
		"absent":                        {"", 0},
		"seconds":                       {"120", 2 * time.Minute},
		"seconds with blanks":           {" 120 ", 2 * time.Minute},
		"no seconds":                    {"0", 0},
		"negative seconds":              {"-5", 0},
		"parts of seconds":              {"1.5", 0},
		"six hours":                     {"21600", 6 * time.Hour},
		"more than six hours":           {"21601", 6 * time.Hour},
		"more than a duration holds":    {"99999999999999", 6 * time.Hour},
		"more than a number holds":      {"99999999999999999999999", 6 * time.Hour},
		"a date, up to a whole second":  {date(90 * time.Second), 90 * time.Second},
		"a date in the past":            {date(-time.Hour), 0},
		"the second of receipt":         {date(0), 0},
		"a date far away":               {date(48 * time.Hour), 6 * time.Hour},
		"a date that no duration spans": {"Fri, 31 Dec 9999 23:59:59 GMT", 6 * time.Hour},
		"a date of the old form":        {"Friday, 02-Jan-26 03:05:05 GMT", time.Minute},
		"words":                         {"soon", 0},
		"a number and words":            {"120 seconds", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			if tc.header != "" {
				h.Set("Retry-After", tc.header)
			}
			assert.Equal(t, tc.want, providers.RetryAfter(h, receivedAt))
		})
	}
	assert.Zero(t, providers.RetryAfter(nil, receivedAt))
	for name, skew := range map[string]time.Duration{"fast": time.Hour, "slow": -time.Hour} {
		h := http.Header{"Date": {date(skew)}, "Retry-After": {date(skew + time.Minute)}}
		assert.Equal(t, time.Minute, providers.RetryAfter(h, receivedAt), "the provider's clock is %s", name)
	}
	h := http.Header{"Date": {"today"}, "Retry-After": {date(time.Minute)}}
	assert.Equal(t, time.Minute, providers.RetryAfter(h, receivedAt), "a Date that cannot be read is none")
}

func TestABodyIsOneJSONObject(t *testing.T) {
	t.Parallel()
	for body, code := range map[string]string{
		`{"a":1}`:             "",
		"\xef\xbb\xbf{}":      "",
		``:                    "empty",
		"\n":                  "empty",
		`<html></html>`:       "not_json",
		`{"a":1}{"a":1}`:      "not_json",
		`{"a":06}`:            "not_json",
		`{"a":`:               "truncated",
		`{"a":1,"a":2}`:       "duplicate_name",
		`[{"a":1}]`:           "unexpected_content",
		`null`:                "unexpected_content",
		`"body-mark"`:         "unexpected_content",
		`{"a":1} "body-mark"`: "not_json",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			v, o := providers.ParseBody([]byte(body))
			if code == "" {
				assert.Nil(t, o)
				assert.Equal(t, body == `{"a":1}`, v.Get("a").Present())
				return
			}
			assert.Equal(t, providers.Unreadable, o.Kind)
			assert.Equal(t, code, o.Code)
			assert.NotContains(t, o.Message, "body-mark")
		})
	}
}
