package webhooks_test

import (
	"bytes"
	"net/http"
	"testing"
)

// BenchmarkForgery tells what a request costs that nobody signed, without the network.
func BenchmarkForgery(b *testing.B) {
	endpoint := newEndpoint(&written{})
	garbage := bytes.Repeat([]byte("garbage "), 512)
	for _, name := range names {
		c := signed(b, name)
		c.body = garbage
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if code := send(endpoint, c).Code; code != http.StatusUnauthorized {
					b.Fatal(code)
				}
			}
		})
	}
}
