package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// NotifyURL says where notifications are sent whose script names no URL: to base/{provider}/default. A base without a path
// is that of a paystatus listener: base/notifications/{provider}/default.
func (s *Server) NotifyURL(base string) error {
	u, err := parseTarget(base)
	if err != nil {
		return err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/notifications"
	}
	for name, store := range s.stores {
		store.post.setTarget(u.JoinPath(name, "default"))
	}
	return nil
}

// Close ends the sending of notifications.
func (s *Server) Close() {
	for _, store := range s.stores {
		store.post.close()
	}
}

func parseTarget(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("notifications need a URL like http://127.0.0.1:8081/notifications/checkout/default")
	}
	return u, nil
}

// Notify sends a notification about a payment now, in its state of now.
func (s *Store) Notify(reference string, n Notify) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.payments[reference]
	switch {
	case s.notifier == nil:
		return errors.New("the provider sends no notifications")
	case l == nil || len(l.script.Steps) == 0:
		return fmt.Errorf("no payment is scripted as %q", reference)
	}
	s.advance(l, time.Now())
	if err := n.check(s.notifier, l.status()); err != nil {
		return err
	}
	target, err := s.target(l.script)
	if err != nil {
		return err
	}
	now := time.Now()
	s.send(l, n, target, now, now)
	return nil
}

// target is where the notifications of a script go.
func (s *Store) target(script Script) (*url.URL, error) {
	if script.NotifyURL != "" {
		return parseTarget(script.NotifyURL)
	}
	if u := s.post.defaultTarget(); u != nil {
		return u, nil
	}
	return nil, errors.New("there is no URL to notify: give the script a notify_url, or the sandbox --notify")
}

// checkNotifications names what is wrong with the notifications of a script.
func (s *Store) checkNotifications(script Script) error {
	for i, step := range script.Steps {
		if step.Notify == nil {
			continue
		}
		if s.notifier == nil {
			return fmt.Errorf("step %d: the provider sends no notifications", i+1)
		}
		_, err := s.target(script)
		if err = errors.Join(step.Notify.check(s.notifier, script.statusIn(i)), err); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

// begun sends what the step that has just begun wants sent. The store is locked.
func (s *Store) begun(l *life) {
	if len(l.script.Steps) == 0 || l.script.Steps[l.step].Notify == nil {
		return
	}
	target, err := s.target(l.script)
	if err != nil {
		return // there was one when the script was set
	}
	n := *l.script.Steps[l.step].Notify
	s.send(l, n, target, l.since, l.since.Add(time.Duration(n.After)))
}

// send puts a notification of the payment as it is now on its way, of what happened at a time. The store is locked.
func (s *Store) send(l *life, n Notify, target *url.URL, happened, at time.Time) {
	body, sign := n.body(s.notifier, l.payment(), happened), s.notifier.Signer()
	s.post.send(letter{
		at: at, times: max(1, n.Times), to: target, body: body, acknowledged: acknowledgement(s.notifier.Name()),
		header: func(now time.Time) (http.Header, error) {
			return signed(sign, target.RequestURI(), body, now, n.Fault)
		},
	})
}

// awaken moves a payment on when its next step begins by itself, if anybody is to be notified of what follows. The store is
// locked.
func (s *Store) awaken(l *life) {
	if l.step+1 >= len(l.script.Steps) {
		return
	}
	after, notifies := time.Duration(l.script.Steps[l.step+1].After), false
	for _, step := range l.script.Steps[l.step+1:] {
		notifies = notifies || step.Notify != nil
	}
	if after <= 0 || !notifies {
		return
	}
	s.post.later(time.Until(l.since.Add(after)), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.payments[l.reference] == l { // no other script was set meanwhile
			s.advance(l, time.Now())
		}
	})
}

// acknowledgement is how a provider knows that its notification has arrived.
func acknowledgement(provider string) func(*http.Response) bool {
	return func(r *http.Response) bool {
		if r.StatusCode < 200 || r.StatusCode > 299 || provider != "antom" {
			return r.StatusCode >= 200 && r.StatusCode <= 299
		}
		var body struct {
			Result struct {
				Code   string `json:"resultCode"`
				Status string `json:"resultStatus"`
			} `json:"result"`
		}
		err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&body)
		return err == nil && r.StatusCode == http.StatusOK && body.Result.Code == "SUCCESS" && body.Result.Status == "S"
	}
}

// notify sends a notification on demand.
func (s *Server) notify(w http.ResponseWriter, r *http.Request) {
	store := s.stores[r.PathValue("provider")]
	if store == nil {
		http.Error(w, "no such provider", http.StatusNotFound)
		return
	}
	var n Notify
	strict := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	strict.DisallowUnknownFields()
	err := strict.Decode(&n)
	if errors.Is(err, io.EOF) { // nothing but the wish
		err = nil
	}
	if err == nil {
		err = store.Notify(r.PathValue("reference"), n)
	}
	if err != nil {
		http.Error(w, strings.TrimPrefix(err.Error(), "json: "), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
