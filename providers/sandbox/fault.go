package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The ways an answer can go wrong. A simulator makes the last five itself; Respond makes all others.
const (
	Fault401           = "401"
	Fault403           = "403"
	Fault404           = "404"
	Fault429           = "429"
	Fault500           = "500"
	Fault503           = "503"
	Fault502HTML       = "502_html"      // an HTML page of a gateway
	FaultHTML          = "html"          // HTTP 200 with an HTML page
	FaultEmpty         = "empty"         // HTTP 200 without a body
	FaultRedirect      = "redirect"      // to another host
	FaultTruncated     = "truncated"     // the body ends in the middle, announced whole
	FaultCutJSON       = "cut_json"      // the body ends in the middle and says so
	FaultReset         = "reset"         // the connection breaks before an answer
	FaultHang          = "hang"          // no answer until the client gives up
	FaultTooLarge      = "too_large"     // a body of 16 MiB
	FaultBadSignature  = "bad_signature" // where answers are signed
	FaultNoSignature   = "no_signature"  // where answers are signed
	FaultWrongPayment  = "wrong_payment" // the answer names another payment
	FaultWrongAmount   = "wrong_amount"  // the answer names another amount
	FaultUnknownStatus = "unknown_status"
)

// Faults lists the ways an answer can go wrong.
var Faults = []string{
	Fault401, Fault403, Fault404, Fault429, Fault500, Fault503, Fault502HTML, FaultHTML, FaultEmpty, FaultRedirect, FaultTruncated,
	FaultCutJSON, FaultReset, FaultHang, FaultTooLarge, FaultBadSignature, FaultNoSignature, FaultWrongPayment, FaultWrongAmount,
	FaultUnknownStatus,
}

func knownFault(name string) bool { return slices.Contains(Faults, name) }

const htmlPage = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"

// Respond writes the answer that a simulator has made for a payment, as late and as wrong as the payment's step wants it.
func Respond(w http.ResponseWriter, r *http.Request, p Payment, status int, body []byte) {
	if !pause(r, time.Duration(p.Step.Delay)) {
		return
	}
	if p.Step.RetryAfter != "" {
		w.Header().Set("Retry-After", p.Step.RetryAfter)
	}
	switch p.Step.Fault {
	case Fault401, Fault403, Fault404, Fault429, Fault500, Fault503:
		w.WriteHeader(map[string]int{
			Fault401: http.StatusUnauthorized, Fault403: http.StatusForbidden, Fault404: http.StatusNotFound,
			Fault429: http.StatusTooManyRequests, Fault500: http.StatusInternalServerError, Fault503: http.StatusServiceUnavailable,
		}[p.Step.Fault])
	case Fault502HTML:
		page(w, http.StatusBadGateway)
	case FaultHTML:
		page(w, http.StatusOK)
	case FaultEmpty:
		w.WriteHeader(http.StatusOK)
	case FaultRedirect:
		w.Header().Set("Location", "https://elsewhere.invalid"+r.URL.Path)
		w.WriteHeader(http.StatusFound)
	case FaultTruncated:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush() // what stays in a buffer is never sent, and the answer looks like a reset
		panic(http.ErrAbortHandler)
	case FaultCutJSON:
		w.WriteHeader(status)
		_, _ = w.Write(body[:len(body)/2])
	case FaultReset:
		panic(http.ErrAbortHandler)
	case FaultHang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case FaultTooLarge:
		w.WriteHeader(status)
		filler := []byte(`{"filler":"` + strings.Repeat("x", 1<<20))
		for range 16 {
			if _, err := w.Write(filler); err != nil {
				return
			}
		}
	default:
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

func page(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(htmlPage))
}

// pause waits, unless the client goes away first.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
