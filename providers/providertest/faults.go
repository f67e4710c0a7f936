package providertest

import (
	"bytes"
	"compress/gzip"
	"fmt"
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
