// Package webhooks is the URL that providers call: it verifies what they push on its raw bytes and writes those, unread, to
// the topic of notifications. Nothing is acknowledged that Kafka has not acknowledged before: a provider that is answered
// with anything else sends again.
package webhooks

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Options are what an endpoint is made of.
type Options struct {
	Providers map[string]providers.Provider // those that are served, by name
	Webhooks  map[string]providers.Webhook  // how each calls, by name

	// Publisher writes notifications to Topic. It acknowledges when all in-sync replicas have.
	Publisher message.Publisher
	Topic     string

	// Allow are, by provider, the networks that webhooks may come from; of providers that are not named, any.
	Allow map[string][]netip.Prefix
	// TrustedProxies are the networks of proxies whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix

	Metrics *Metrics // nil: none
	Log     *slog.Logger
}

// Limits of the endpoint. Providers give up on an answer after ten seconds; their notifications have a few kilobytes.
const (
	maxBody     = 256 << 10       // bytes
	maxRequests = 512             // at once; what they hold is bounded by maxBody each
	patience    = 8 * time.Second // how long Kafka may take
	busyPause   = "1"             // Retry-After, in seconds, of those above maxRequests
)

// Endpoint answers POST /notifications/{provider}/{account}. Make one with New.
type Endpoint struct {
	options   Options
	mux       *http.ServeMux
	slots     chan struct{}
	complains atomic.Int64 // when the last complaint was logged, in seconds since 1970
}

// New makes an endpoint.
func New(o Options) *Endpoint {
	e := &Endpoint{options: o, mux: http.NewServeMux(), slots: make(chan struct{}, maxRequests)}
	e.mux.HandleFunc("POST /notifications/{provider}/{account}", e.receive)
	return e
}

// ServeHTTP answers a provider.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.mux.ServeHTTP(w, r) }

// answer is what a request came to: the word that it is counted by, and the status that the provider is told.
type answer struct {
	result string
	status int
}

var (
	accepted    = answer{"accepted", http.StatusOK}
	unknown     = answer{"unknown", http.StatusNotFound}
	notAllowed  = answer{"not_allowed", http.StatusForbidden}
	busy        = answer{"busy", http.StatusServiceUnavailable}
	tooLarge    = answer{"too_large", http.StatusRequestEntityTooLarge}
	cut         = answer{"cut", http.StatusBadRequest}
	empty       = answer{"empty", http.StatusBadRequest}
	unverified  = answer{"unverified", http.StatusUnauthorized}
	unavailable = answer{"unavailable", http.StatusServiceUnavailable}
)

func (e *Endpoint) receive(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	name := r.PathValue("provider")
	provider := e.options.Providers[name]
	if provider == nil {
		name = "" // no label for everything that somebody tries
	}
	a := e.handle(w, r, provider)
	e.options.Metrics.answered(name, a.result, time.Since(began))
	switch a {
	case accepted:
		if body := e.options.Webhooks[name].Acknowledgement; body != "" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		}
		return
	case busy, unavailable:
		w.Header().Set("Retry-After", busyPause)
	}
	http.Error(w, strings.ReplaceAll(a.result, "_", " "), a.status)
}

// handle takes a notification from the wire to the topic.
func (e *Endpoint) handle(w http.ResponseWriter, r *http.Request, provider providers.Provider) answer {
	account := r.PathValue("account")
	switch {
	case provider == nil || !slices.Contains(provider.Accounts(), account):
		return unknown
	case !e.allowed(provider.Name(), r):
		return notAllowed
	}
	select {
	case e.slots <- struct{}{}:
	default:
		return busy
	}
	leave := func() { <-e.slots }
	writing := false // write goes on after this, and leaves itself
	defer func() {
		if !writing {
			leave()
		}
	}()
	page, failed := e.read(w, r, provider.Name())
	if failed != nil {
		return *failed
	}
	pushed := providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page}}
	if err := provider.Verify(pushed, account, true); err != nil {
		e.complain(provider.Name(), account, err)
		return unverified
	}
	key := provider.Read(pushed, providers.Payment{Account: account}).MerchantReference
	writing = true
	if err := e.write(r.Context(), record(provider.Name(), account, key, page), leave); err != nil {
		e.options.Log.Warn("a notification could not be written; the provider will send it again", "provider", provider.Name(), "error", err)
		return unavailable
	}
	return accepted
}

// read takes the body and the headers that matter.
func (e *Endpoint) read(w http.ResponseWriter, r *http.Request, provider string) (providers.Page, *answer) {
	if r.ContentLength > maxBody {
		return providers.Page{}, &tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return providers.Page{}, &tooLarge
	}
	switch {
	case err != nil:
		return providers.Page{}, &cut
	case len(body) == 0:
		return providers.Page{}, &empty
	}
	page := providers.Page{HTTPStatus: http.StatusOK, Header: http.Header{}, Body: body, ReceivedAt: time.Now().UTC()}
	for _, name := range append([]string{"Content-Type"}, e.options.Webhooks[provider].Headers...) {
		if values := r.Header.Values(name); len(values) > 0 {
			page.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	page.Header.Set(handlers.PathHeader, r.URL.RequestURI())
	return page, nil
}

// record is a notification as the topic holds it: the exact bytes, and what verifying them again needs.
func record(provider, account, key string, page providers.Page) *message.Message {
	headers := []kafka.Header{
		{Key: handlers.HeaderProvider, Value: []byte(provider)},
		{Key: handlers.HeaderAccount, Value: []byte(account)},
		{Key: handlers.HeaderReceivedAt, Value: []byte(page.ReceivedAt.Format(time.RFC3339Nano))},
		{Key: handlers.HeaderPath, Value: []byte(page.Header.Get(handlers.PathHeader))},
	}
	for name, values := range page.Header {
		if name == handlers.PathHeader {
			continue
		}
		for _, value := range values {
			headers = append(headers, kafka.Header{Key: handlers.HeaderHTTPPrefix + strings.ToLower(name), Value: []byte(value)})
		}
	}
	msg := message.NewMessage("", page.Body)
	if key != "" && len(key) <= schemas.MaxPaymentID {
		kafka.SetKey(msg, []byte(key))
	}
	kafka.SetHeaders(msg, headers)
	return msg
}

var errSlow = errors.New("kafka did not acknowledge in time")

// write gives the record to Kafka and waits for the acknowledgement, as long as the provider waits. What comes too late may
// be written all the same; then the provider's next try is a duplicate. Done is called when nothing is on its way any more.
func (e *Endpoint) write(ctx context.Context, msg *message.Message, done func()) error {
	written := make(chan error, 1)
	go func() {
		defer done()
		written <- e.options.Publisher.Publish(e.options.Topic, msg)
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-written:
		return err
	case <-timer.C:
		return errSlow
	case <-ctx.Done():
		return ctx.Err()
	}
}

// complaintEvery keeps a flood of forgeries out of the log, in seconds; the metrics count them all.
const complaintEvery = 10

func (e *Endpoint) complain(provider, account string, err error) {
	now, last := time.Now().Unix(), e.complains.Load()
	if now-last >= complaintEvery && e.complains.CompareAndSwap(last, now) {
		e.options.Log.Warn("a notification is not authentic; further ones are only counted for a while",
			"provider", provider, "account", account, "reason", err)
	}
}
