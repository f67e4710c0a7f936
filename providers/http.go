package providers

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paystatus/paystatus/schemas/exactjson"
)

// MaxRetryAfter is the longest wait a provider can ask for.
const MaxRetryAfter = 6 * time.Hour

// ReadHTTP judges a page by its HTTP status alone. Readable is true for those whose body a provider reads (2xx); otherwise
// the outcome says what the status means. A provider that answers differently (Antom's 404, Liquido's 4xx with a payment)
// looks first.
func ReadHTTP(p Page) (o Outcome, readable bool) {
	switch {
	case p.HTTPStatus >= 200 && p.HTTPStatus < 300:
		return readWhole(p)
	case p.HTTPStatus == http.StatusNotFound || p.HTTPStatus == http.StatusGone:
		return Failure(NotFound, CodeNotFound, fmt.Sprintf("the provider answered HTTP %d", p.HTTPStatus)), false
	case p.HTTPStatus == http.StatusUnauthorized:
		return refused(p, CodeUnauthorized), false
	case p.HTTPStatus == http.StatusForbidden:
		return refused(p, CodeForbidden), false
	case p.HTTPStatus >= 300 && p.HTTPStatus < 400:
		return unavailable(p, CodeRedirect), false
	case p.HTTPStatus == http.StatusTooManyRequests:
		return unavailable(p, CodeRateLimited), false
	case p.HTTPStatus == http.StatusRequestTimeout, p.HTTPStatus == http.StatusConflict, p.HTTPStatus == http.StatusTooEarly,
		p.HTTPStatus >= 500 && p.HTTPStatus < 600:
		return unavailable(p, "http_"+strconv.Itoa(p.HTTPStatus)), false
	case p.HTTPStatus >= 400 && p.HTTPStatus < 500:
		return refused(p, CodeBadRequest), false
	default:
		return Failure(Unreadable, CodeUnexpectedContent, fmt.Sprintf("the provider answered with the strange HTTP status %d", p.HTTPStatus)), false
	}
}

func readWhole(p Page) (Outcome, bool) {
	switch {
	case p.TooLarge:
		return Failure(Unreadable, CodeTooLarge, "the answer is larger than allowed"), false
	case p.Cut:
		return Failure(Unreadable, CodeTruncated, "the answer ended before its announced length"), false
	default:
		return Outcome{}, true
	}
}

func refused(p Page, code string) Outcome {
	return Failure(Refused, code, fmt.Sprintf("the provider refused the request with HTTP %d", p.HTTPStatus))
}

func unavailable(p Page, code string) Outcome {
	o := Failure(Unavailable, code, fmt.Sprintf("the provider answered HTTP %d", p.HTTPStatus))
	o.RetryAfter = RetryAfter(p.Header, p.ReceivedAt)
	return o
}

// RetryAfter reads the Retry-After header in both its forms, as whole seconds from now and at most MaxRetryAfter. A
// missing, unreadable or past one is 0. A time counts from the answer's own Date, where it has one: the provider's clock may
// differ from ours.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil {
		now = theirs
	}
	if when, err := http.ParseTime(text); err == nil {
		return ceilSeconds(min(when.Sub(now), MaxRetryAfter))
	}
	seconds, err := strconv.ParseUint(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range it is the largest number there is
		return 0
	}
	return time.Duration(min(seconds, uint64(MaxRetryAfter/time.Second))) * time.Second
}

// ParseBody reads a page's body as one JSON object. On failure the outcome says why it is unreadable.
func ParseBody(body []byte) (exactjson.Value, *Outcome) {
	v, err := exactjson.Parse(body)
	var e *exactjson.Error
	switch {
	case errors.As(err, &e):
		o := Failure(Unreadable, string(e.Code), "the answer cannot be read: "+e.Error())
		return exactjson.Value{}, &o
	case v.Kind() != exactjson.Object:
		o := Failure(Unreadable, CodeUnexpectedContent, "the answer is JSON but not an object")
		return exactjson.Value{}, &o
	default:
		return v, nil
	}
}
