package providertest

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers"
)

// bodyFaults come whole, and are not the answer.
func (s Subject) bodyFaults() []fault {
	members := &strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(members, `"n%d":%d,`, i, i)
	}
	return []fault{
		notJSON("HTML with HTTP 200", plain(200, "Content-Type: text/html\r\n", "<html><body>"+bodyMark)),
		{name: "nothing with HTTP 200", kind: s.Empty, answer: plain(200, "", "")},
		{name: "HTTP 204", kind: s.Empty, answer: says("HTTP/1.1 204 No Content\r\n\r\n")},
		cut("JSON that is cut off", changed(func(body []byte) []byte { return body[:len(body)/2] })),
		notJSON("JSON in UTF-16", changed(func(body []byte) []byte {
			return bytes.Join(bytes.Split(body, nil), []byte{0})
		})),
		notJSON("zeros", changed(func(body []byte) []byte { return make([]byte, len(body)) })),
		as(unreadable, providers.CodeTooDeep)("nesting without end", noting(strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000))),
		as(unreadable, providers.CodeDuplicateName)("names that stand twice", noting(`{"a":1,"a":2},"x_note":2`)),
		{name: "ten thousand names", answer: noting("{" + strings.TrimSuffix(members.String(), ",") + "}")},
		{name: "a number of many digits", answer: noting(strings.Repeat("9", 100_000))},
		{name: "a number beyond all", answer: noting("1e999999999")},
		{name: "bytes that are not UTF-8", answer: noting("\"\xff\xfe\xed\xa0\x80\"")},
		{name: "a byte order mark", answer: changed(func(body []byte) []byte { return append([]byte("\xef\xbb\xbf"), body...) })},
		{name: "another type of content", keeps: true, answer: func(w *wire, a answer) {
			a.header.Set("Content-Type", "text/html; charset=utf-16")
			w.head(a)
			_ = w.say(a.body)
		}},
	}
}

// statusFaults are answers about something else than the payment.
func statusFaults() []fault {
	redirect := func(name string, lines func(answer) string) fault {
		return fault{name: name, kind: unavailable, codes: []string{providers.CodeRedirect}, answer: func(w *wire, a answer) {
			plain(http.StatusTemporaryRedirect, lines(a), "")(w, a)
		}}
	}
	return []fault{
		redirect("a redirect to itself", func(a answer) string { return "Location: " + a.asked.String() + "\r\n" }),
		redirect("a redirect to another host", func(answer) string { return "Location: https://elsewhere.test/\r\n" }),
		redirect("a redirect to a metadata service", func(answer) string { return "Location: http://169.254.169.254/latest\r\n" }),
		redirect("a redirect to another scheme", func(answer) string { return "Location: file:///etc/passwd\r\n" }),
		redirect("a redirect to what is no URL", func(answer) string { return "Location: http://[::1:%zz\r\n" }),
		redirect("a redirect to nowhere", func(answer) string { return "" }),
		throttled("429", "", 0),
		throttled("429 for some seconds", "Retry-After: 7\r\n", 7*time.Second),
		throttled("429 until a time", "Retry-After: NOW(90s)\r\n", 90*time.Second),
		throttled("429 until a time that is over", "Retry-After: NOW(-1h)\r\n", 0),
		throttled("429 by a clock that is an hour fast", "Date: NOW(1h)\r\nRetry-After: NOW(61m)\r\n", time.Minute),
		throttled("429 by a clock that is an hour slow", "Date: NOW(-1h)\r\nRetry-After: NOW(90s)\r\n", time.Hour+90*time.Second),
		throttled("429 for ever", "Retry-After: 99999999999999999999\r\n", 6*time.Hour),
		throttled("429 for less than no time", "Retry-After: -5\r\n", 0),
		as(unavailable, "http_503")("503", plain(503, "", "<html>"+bodyMark)),
		as(unavailable, "http_500")("500 with a good answer", func(w *wire, a answer) {
			a.status = http.StatusInternalServerError
			w.head(a)
			_ = w.say(a.body)
		}),
	}
}

// dates writes out the dates that a text names.
func dates(text string) string {
	for _, name := range []string{"1h", "-1h", "90s", "61m"} {
		d, err := time.ParseDuration(name)
		text = strings.ReplaceAll(text, "NOW("+name+")", must(time.Now().Add(d), err).UTC().Format(http.TimeFormat))
	}
	return text
}

// credentialFaults are about who asks.
func (s Subject) credentialFaults() []fault {
	once := fault{
		name: "401 for once", kind: providers.Refused, codes: []string{providers.CodeUnauthorized}, times: 1,
		answer: plain(401, "WWW-Authenticate: Bearer\r\n", ""),
	}
	if s.TokenPath != "" { // the token expired on the way
		once.kind, once.codes, once.keeps = "", nil, true
	}
	return []fault{
		once,
		as(providers.Refused, providers.CodeUnauthorized)("401 for good", plain(401, "", bodyMark)),
		as(providers.Refused, providers.CodeForbidden)("403", plain(403, "", bodyMark)),
	}
}

// tokenFaults are those of a token endpoint.
func tokenFaults() []fault {
	garbled := as(unavailable, "token_unreadable")
	says200 := func(name, body string) fault {
		return garbled(name, plain(200, "Content-Type: application/json\r\n", body))
	}
	return []fault{
		broken("it closes the connection at once", says()),
		late("it says nothing", func(w *wire, _ answer) { w.hang() }),
		late("its answer drips", func(w *wire, a answer) {
			w.head(a)
			w.drip(string(a.body))
		}),
		as(unavailable, "http_503")("503", plain(503, "", "")),
		throttled("429 for some seconds", "Retry-After: 7\r\n", 7*time.Second),
		as(providers.Refused, providers.CodeUnauthorized)("401", plain(401, "", "")),
		as(unavailable, providers.CodeRedirect)("a redirect to another host", plain(307, "Location: https://elsewhere.test/token\r\n", "")),
		says200("HTML", "<html>"+bodyMark),
		says200("nothing", ""),
		says200("JSON that is cut off", `{"access_token":"`+bodyMark),
		says200("another member", `{"token":"`+bodyMark+`","token_type":"Bearer"}`),
		says200("a token of another type", `{"access_token":{"a":1},"token_type":"Bearer"}`),
		says200("a token that fits into no header", `{"access_token":"a\r\nX-Note: `+bodyMark+`","token_type":"Bearer"}`),
		says200("a token of a hundred kilobytes", `{"access_token":"`+strings.Repeat("x", 100_000)+`","token_type":"Bearer"}`),
		says200("a life of no length", `{"access_token":"a","expires_in":"`+bodyMark+`"}`),
		garbled("a body without end", func(w *wire, _ answer) {
			_ = w.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"access_token\":\"")
			w.forever(strings.Repeat("x", 1<<10))
		}),
		{name: "a token that has ended", answer: func(w *wire, a answer) {
			a.body = bytes.ReplaceAll(a.body, []byte(`"expires_in":`), []byte(`"expires_in":-`))
			w.head(a)
			_ = w.say(a.body)
		}, keeps: true},
	}
}

// secureFaults are about the connection's security.
func secureFaults() []fault {
	wrong := func(name string, greet func(net.Conn) (net.Conn, error)) fault {
		f := as(unavailable, providers.CodeTLS)(name, nil)
		f.greet = greet
		return f
	}
	mute := wrong("it says nothing to a secure greeting", func(c net.Conn) (net.Conn, error) {
		_, err := io.Copy(io.Discard, c)
		return c, err
	})
	mute.codes, mute.takes = []string{providers.CodeTimeout}, timeout/2
	return []fault{
		{name: "a good certificate", greet: secured(authority().certify("provider.test", valid)), keeps: true},
		wrong("a certificate of its own", secured(selfSigned("provider.test"))),
		wrong("a certificate that has ended", secured(authority().certify("provider.test", ended))),
		wrong("a certificate that has not begun", secured(authority().certify("provider.test", begins))),
		wrong("the certificate of another host", secured(authority().certify("elsewhere.test", valid))),
		wrong("an old version of TLS", secured(old(authority().certify("provider.test", valid)))),
		wrong("plain HTTP where TLS is spoken", func(c net.Conn) (net.Conn, error) {
			_, err := io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			return c, err
		}),
		mute,
	}
}

func secured(c *tls.Config) func(net.Conn) (net.Conn, error) {
	return func(plain net.Conn) (net.Conn, error) {
		secure := tls.Server(plain, c)
		err := secure.HandshakeContext(context.Background())
		return secure, err
	}
}
