package webhooks_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkForgery tells what a request costs that nobody signed, without the network.
func BenchmarkForgery(b *testing.B) {
	endpoint := newEndpoint(&written{})
	for kind, body := range map[string][]byte{
		"noise": bytes.Repeat([]byte("garbage "), 512), // 4 KiB
		"json":  []byte("[" + strings.Repeat(`{"a":1},`, 511) + "{}]"),
	} {
		for _, name := range names {
			c := signed(b, name)
			c.body = body
			b.Run(name+" "+kind, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if code := send(endpoint, c).Code; code != http.StatusUnauthorized {
						b.Fatal(code)
					}
				}
			})
		}
	}
}
