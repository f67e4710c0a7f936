package webhooks

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// allowed reports whether a request comes from an address that the provider's webhooks may come from.
func (e *Endpoint) allowed(provider string, r *http.Request) bool {
	networks, limited := e.options.Allow[provider]
	return !limited || within(networks, source(r, e.options.TrustedProxies))
}

func within(networks []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(address) })
}

// source is where a request came from: the peer, or where that is a trusted proxy the last address in X-Forwarded-For that is
// none. What cannot be read is no address, which is in no network.
func source(r *http.Request, proxies []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr().Unmap()
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(forwarded) {
		if !within(proxies, address) {
			return address
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if address, err = netip.ParseAddr(text); err != nil {
			withPort, err := netip.ParseAddrPort(text) // as some gateways write it
			if err != nil {
				return netip.Addr{}
			}
			address = withPort.Addr()
		}
		address = address.Unmap()
	}
	return address
}
