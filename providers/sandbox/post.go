package sandbox

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// post sends notifications, and again until they are acknowledged, as providers do but faster.
type post struct {
	client *http.Client
	ctx    context.Context //nolint:containedctx // ends what outlives every call
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	target *url.URL // nil: none
}

// letter is a notification on its way.
type letter struct {
	at           time.Time // when it is sent
	times        int       // how often, whatever the answers
	to           *url.URL
	body         []byte
	header       func(now time.Time) (http.Header, error) // signed anew for every try
	acknowledged func(*http.Response) bool
}

// How patient the simulated providers are.
const (
	sendTimeout = 10 * time.Second
	resendFirst = time.Second // doubles
	resendTries = 8
)

func newPost() *post {
	ctx, cancel := context.WithCancel(context.Background())
	return &post{client: &http.Client{Timeout: sendTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}, ctx: ctx, cancel: cancel}
}

func (p *post) setTarget(u *url.URL) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = u
}

func (p *post) defaultTarget() *url.URL {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// close ends everything that is on its way.
func (p *post) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.wg.Wait()
	p.client.CloseIdleConnections()
}

// later runs fn after a while, unless the post closes before.
func (p *post) later(after time.Duration, fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.wg.Go(func() {
		if p.wait(after) {
			fn()
		}
	})
}

// wait reports whether the time has passed, and not the post's.
func (p *post) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

func (p *post) send(l letter) {
	p.later(time.Until(l.at), func() {
		for range l.times {
			p.deliver(l)
		}
	})
}

// deliver sends until the notification is acknowledged.
func (p *post) deliver(l letter) {
	pause := resendFirst
	for range resendTries {
		if p.attempt(l) || !p.wait(pause) {
			return
		}
		pause *= 2
	}
}

func (p *post) attempt(l letter) (acknowledged bool) {
	header, err := l.header(time.Now())
	if err != nil {
		return false
	}
	r, err := http.NewRequestWithContext(p.ctx, http.MethodPost, l.to.String(), bytes.NewReader(l.body))
	if err != nil {
		return false
	}
	r.Header = header
	answer, err := p.client.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	return l.acknowledged(answer)
}
