package providertest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/paystatus/paystatus/providers"
)

// late makes a fault that takes all the time that a request may take.
func late(name string, answer func(*wire, answer)) fault {
	f := as(unavailable, providers.CodeTimeout)(name, answer)
	f.takes = timeout
	return f
}

// throttled makes a fault that asks for patience.
func throttled(name, lines string, after time.Duration) fault {
	f := as(unavailable, providers.CodeRateLimited)(name, func(w *wire, a answer) { plain(http.StatusTooManyRequests, dates(lines), "")(w, a) })
	f.after = after
	return f
}

// says writes the same whatever was asked.
func says(texts ...any) func(*wire, answer) {
	return func(w *wire, _ answer) { _ = w.say(texts...) }
}

// plain is an HTTP answer of its own.
func plain(status int, lines, body string) func(*wire, answer) {
	return says(fmt.Sprintf("HTTP/1.1 %d %s\r\n%sContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), lines, len(body), body))
}

// changed is the good answer with another body.
func changed(change func([]byte) []byte) func(*wire, answer) {
	return func(w *wire, a answer) {
		a.body = change(a.body)
		w.head(a)
		_ = w.say(a.body)
	}
}

// noting adds a member that nobody knows to the body.
func noting(value string) func(*wire, answer) {
	return changed(func(body []byte) []byte { return insert(body, `"x_note":`+value) })
}

func (s Subject) faults() []fault {
	all := append(timeFaults(), sizeFaults()...)
	all = append(all, lengthFaults()...)
	all = append(all, protocolFaults()...)
	all = append(all, s.bodyFaults()...)
	all = append(all, statusFaults()...)
	all = append(all, s.credentialFaults()...)
	return append(all, secureFaults()...)
}

const (
	unavailable = providers.Unavailable
	unreadable  = providers.Unreadable
)

// as makes a fault that comes to a failure.
func as(kind providers.Kind, code string) func(name string, answer func(*wire, answer)) fault {
	return func(name string, answer func(*wire, answer)) fault {
		return fault{name: name, answer: answer, kind: kind, codes: []string{code}}
	}
}

var (
	broken  = as(unavailable, providers.CodeConnection)
	large   = as(unreadable, providers.CodeTooLarge)
	cut     = as(unreadable, providers.CodeTruncated)
	odd     = as(unreadable, providers.CodeUnexpectedContent)
	notJSON = as(unreadable, providers.CodeNotJSON)
)

// timeFaults never end by themselves.
func timeFaults() []fault {
	return []fault{
		late("it accepts the connection and says nothing", func(w *wire, _ answer) { w.hang() }),
		late("the header drips", func(w *wire, a answer) {
			_ = w.say("HTTP/1.1 200 OK\r\n")
			w.drip("X-Note: " + strings.Repeat("x", 100))
		}),
		late("nothing comes after the header", func(w *wire, a answer) {
			w.head(a)
			w.hang()
		}),
		late("the body drips", func(w *wire, a answer) {
			w.head(a)
			w.drip(string(a.body))
		}),
		late("the body drips after the last byte that counts", func(w *wire, a answer) {
			w.head(a, "Transfer-Encoding: chunked")
			_ = w.say(fmt.Sprintf("%x\r\n", len(a.body)), a.body, "\r\n")
			w.drip(strings.Repeat("1\r\n \r\n", 100))
		}),
		late("the body stops short of its length", func(w *wire, a answer) {
			w.head(a)
			_ = w.say(a.body[:len(a.body)/2])
			w.hang()
		}),
		late("HTTP/1.0 without a length, and the connection stays open", func(w *wire, a answer) {
			_ = w.say("HTTP/1.0 200 OK\r\n\r\n", a.body)
			w.hang()
		}),
		late("one informational answer, then silence", func(w *wire, _ answer) {
			_ = w.say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
			w.hang()
		}),
	}
}

// sizeFaults are larger than anything.
func sizeFaults() []fault {
	kilobyte := strings.Repeat("x", 1<<10)
	return []fault{
		large("a body without end", func(w *wire, _ answer) {
			_ = w.say("HTTP/1.1 200 OK\r\n\r\n")
			w.forever(kilobyte)
		}),
		large("chunks without end", func(w *wire, a answer) {
			w.head(a, "Transfer-Encoding: chunked")
			w.forever("400\r\n" + kilobyte + "\r\n")
		}),
		large("a gigabyte", func(w *wire, a answer) {
			w.head(a, "Content-Length: 1073741824")
			w.forever(kilobyte)
		}),
		large("a good answer with blanks without end", func(w *wire, a answer) {
			w.head(a, "Connection: close")
			_ = w.say(a.body)
			w.forever(strings.Repeat(" ", 1<<10))
		}),
		notJSON("a compressed bomb that nobody asked for", func(w *wire, a answer) {
			a.body = bomb()
			a.header.Set("Content-Encoding", "gzip")
			w.head(a)
			_ = w.say(a.body)
		}),
		broken("a status line without end", func(w *wire, _ answer) {
			_ = w.say("HTTP/1.1 200 ")
			w.forever(kilobyte)
		}),
		broken("a header line without end", func(w *wire, _ answer) {
			_ = w.say("HTTP/1.1 200 OK\r\nX-Note: ")
			w.forever(kilobyte)
		}),
		broken("header lines without end", func(w *wire, _ answer) {
			_ = w.say("HTTP/1.1 200 OK\r\n")
			w.forever("X-Note: " + kilobyte[:100] + "\r\n")
		}),
		broken("informational answers without end", func(w *wire, _ answer) { w.forever("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n") }),
		broken("a chunk's extension without end", func(w *wire, a answer) {
			w.head(a, "Transfer-Encoding: chunked")
			_ = w.say("5;")
			w.forever(kilobyte)
		}),
		broken("a trailer without end", func(w *wire, a answer) {
			w.head(a, "Transfer-Encoding: chunked")
			_ = w.say(fmt.Sprintf("%x\r\n", len(a.body)), a.body, "\r\n0\r\n")
			w.forever("X-Note: " + kilobyte + "\r\n")
		}),
	}
}

// bomb is a lot of zeros, compressed to a thousandth.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 16 {
		_, _ = zipped.Write(zeros)
	}
	_ = zipped.Close()
	return b.Bytes()
})

// lengthFaults are about where an answer ends.
func lengthFaults() []fault {
	return []fault{
		cut("less than the announced length", func(w *wire, a answer) {
			w.head(a, fmt.Sprintf("Content-Length: %d", len(a.body)+100))
			_ = w.say(a.body)
		}),
		cut("more than the announced length", func(w *wire, a answer) {
			w.head(a, fmt.Sprintf("Content-Length: %d", len(a.body)/2))
			_ = w.say(a.body)
		}),
		{name: "another answer behind the answer", keeps: true, answer: func(w *wire, a answer) {
			w.head(a)
			_ = w.say(a.body, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
			w.hang()
		}},
		broken("two lengths", func(w *wire, a answer) {
			w.head(a, "Content-Length: 1", fmt.Sprintf("Content-Length: %d", len(a.body)))
			_ = w.say(a.body)
		}),
		broken("a negative length", func(w *wire, a answer) {
			w.head(a, "Content-Length: -1")
			_ = w.say(a.body)
		}),
		{name: "chunks with a length that is wrong", keeps: true, answer: func(w *wire, a answer) {
			w.head(a, "Content-Length: 3", "Transfer-Encoding: chunked")
			_ = w.say(fmt.Sprintf("%x\r\n", len(a.body)), a.body, "\r\n0\r\n\r\n")
		}},
		broken("chunks of garbage", func(w *wire, a answer) {
			w.head(a, "Transfer-Encoding: chunked")
			_ = w.say("zz\r\n", a.body)
		}),
		broken("a chunk longer than any", func(w *wire, a answer) {
			w.head(a, "Transfer-Encoding: chunked")
			_ = w.say("fffffffffffffffff\r\n", a.body)
		}),
		cut("the last chunk is missing", func(w *wire, a answer) {
			w.head(a, "Transfer-Encoding: chunked")
			_ = w.say(fmt.Sprintf("%x\r\n", len(a.body)), a.body, "\r\n")
		}),
		{name: "HTTP/1.0 without a length", keeps: true, answer: func(w *wire, a answer) {
			_ = w.say("HTTP/1.0 200 OK\r\n")
			var header bytes.Buffer
			_ = a.header.Write(&header)
			_ = w.say(header.Bytes(), "\r\n", a.body)
		}},
	}
}

// protocolFaults are not quite HTTP.
func protocolFaults() []fault {
	return []fault{
		broken("it closes the connection at once", says()),
		broken("it closes the connection in the header", says("HTTP/1.1 200 OK\r\nContent-Type: appl")),
		cut("it closes the connection after the header", func(w *wire, a answer) { w.head(a) }),
		broken("another protocol answers", says("SSH-2.0-OpenSSH_9.6\r\n")),
		broken("a version of HTTP that there is not", says("HTTP/one.one 200 OK\r\n\r\n{}")),
		broken("a status of two digits", says("HTTP/1.1 20 OK\r\n\r\n{}")),
		broken("control characters in the header", says("HTTP/1.1 200 OK\r\nX-\x00Note: a\r\n\r\n{}")),
		odd("a status beyond all", plain(999, "", "{}")),
		odd("it wants to speak another protocol", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")),
	}
}

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
