package providertest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
)

// bodyMark stands in bodies that must not show in messages.
const bodyMark = "k7Qz93-body-mark"

// errorBodies are what providers and gateways send with an HTTP error.
var errorBodies = []string{
	"",
	`{"error":"` + bodyMark + `"}`,
	"<!DOCTYPE html><html><body>" + bodyMark + "</body></html>",
	bodyMark,
}

// httpChecks hold the outcome of each HTTP status, and of bodies that are not an answer.
func (s Subject) httpChecks() []check {
	var all []check
	for _, row := range []struct {
		statuses []int
		kind     providers.Kind
		code     func(status int) string
		waits    bool // Retry-After counts
	}{
		{[]int{400, 405, 406, 415, 422}, providers.Refused, fixed(providers.CodeBadRequest), false},
		{[]int{401}, providers.Refused, fixed(providers.CodeUnauthorized), false},
		{[]int{403}, providers.Refused, fixed(providers.CodeForbidden), false},
		{[]int{404, 410}, s.Gone, nil, false},
		{[]int{429}, providers.Unavailable, fixed(providers.CodeRateLimited), true},
		{[]int{408, 409, 425, 500, 502, 503, 504, 599}, providers.Unavailable, func(status int) string { return "http_" + strconv.Itoa(status) }, true},
		{[]int{301, 302, 303, 307, 308}, providers.Unavailable, fixed(providers.CodeRedirect), true},
	} {
		for _, status := range row.statuses {
			all = append(all, check{"HTTP " + strconv.Itoa(status) + " is " + string(row.kind), func(t require.TestingT) {
				for _, body := range errorBodies {
					o := s.readHTTP(t, status, nil, body)
					requireFailure(t, o, row.kind)
					if row.code != nil {
						require.Equal(t, row.code(status), o.Code)
					}
					requireNone(t, o, []string{bodyMark})
				}
			}})
			if row.waits {
				all = append(all, check{"Retry-After counts with HTTP " + strconv.Itoa(status), func(t require.TestingT) {
					for _, retry := range retries {
						o := s.readHTTP(t, status, http.Header{"Retry-After": {retry.header}}, "")
						require.Equal(t, retry.want, o.RetryAfter, "Retry-After: %s", retry.header)
					}
				}})
			}
		}
	}
	return append(all, s.bodyChecks()...)
}

// retries are forms of the Retry-After header, and what they mean at ReceivedAt.
var retries = []struct {
	header string
	want   time.Duration
}{
	{"120", 2 * time.Minute},
	{ReceivedAt.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
	{ReceivedAt.Add(-time.Hour).Format(http.TimeFormat), 0},
	{"0", 0},
	{"-5", 0},
	{"soon", 0},
	{"99999999999999", 6 * time.Hour},
	{ReceivedAt.Add(48 * time.Hour).Format(http.TimeFormat), 6 * time.Hour},
}

func fixed(code string) func(int) string { return func(int) string { return code } }

func (s Subject) readHTTP(t require.TestingT, status int, header http.Header, body string) providers.Outcome {
	return s.reader(t).Read(s.page(providers.Page{HTTPStatus: status, Header: header, Body: []byte(body)}), s.payment(t))
}

// bodyChecks hold the outcome of an HTTP 200 whose body is no answer.
func (s Subject) bodyChecks() []check {
	read := func(t require.TestingT, p providers.Page) providers.Outcome {
		p.HTTPStatus = http.StatusOK
		return s.reader(t).Read(s.page(p), s.payment(t))
	}
	return []check{
		{"an empty body is " + string(s.Empty), func(t require.TestingT) {
			for _, body := range []string{"", " \r\n"} {
				o := read(t, providers.Page{Body: []byte(body)})
				requireFailure(t, o, s.Empty)
				if s.Empty == providers.Unreadable {
					require.Equal(t, providers.CodeEmpty, o.Code)
				}
			}
		}},
		{"HTML and text are not JSON", func(t require.TestingT) {
			for _, body := range []string{"<html><body>" + bodyMark + "</body></html>", bodyMark, "{'a':1}", string(s.Good) + "x"} {
				o := read(t, providers.Page{Body: []byte(body)})
				requireFailure(t, o, providers.Unreadable, providers.CodeNotJSON)
				requireNone(t, o, []string{bodyMark})
			}
		}},
		{"JSON that is no object is unreadable", func(t require.TestingT) {
			for _, body := range []string{`[]`, `[{}]`, `null`, `true`, `17`, `"captured"`} {
				requireFailure(t, read(t, providers.Page{Body: []byte(body)}), providers.Unreadable)
			}
		}},
		{"a body cut off anywhere is truncated", func(t require.TestingT) {
			reader, payment := s.reader(t), s.payment(t)
			whole := trimmed(s.Good)
			for end := 1; end < len(whole); end++ {
				requireFailure(t, reader.Read(s.answer(whole[:end]), payment), providers.Unreadable, providers.CodeTruncated)
			}
		}},
		{"a body that ended before its announced length is truncated", func(t require.TestingT) {
			requireFailure(t, read(t, providers.Page{Body: s.Good, Cut: true}), providers.Unreadable, providers.CodeTruncated)
		}},
		{"a body above the limit is too large", func(t require.TestingT) {
			requireFailure(t, read(t, providers.Page{Body: s.Good, TooLarge: true}), providers.Unreadable, providers.CodeTooLarge)
		}},
		{"what kept an answer from coming is the outcome", func(t require.TestingT) {
			fault := providers.Failure(providers.Unavailable, providers.CodeTimeout, "the provider did not answer in time")
			fault.RetryAfter = 3 * time.Second
			o := s.reader(t).Read(providers.Answer{From: s.answer(nil).From, Fault: &fault}, s.payment(t))
			requireFailure(t, o, providers.Unavailable, providers.CodeTimeout)
			require.Equal(t, fault.RetryAfter, o.RetryAfter)
		}},
		{"an answer without any page is no status", func(t require.TestingT) {
			require.NotEqual(t, providers.Observed, s.reader(t).Read(providers.Answer{From: s.answer(nil).From}, s.payment(t)).Kind)
		}},
	}
}
