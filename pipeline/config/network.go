package config

import (
	"errors"
	"net/netip"
	"strings"
)

// Network is a network of IP addresses, or a single address: 203.0.113.0/24, 2001:db8::1.
type Network struct{ netip.Prefix }

// UnmarshalText reads an address, or one with the number of bits that are the network's.
func (n *Network) UnmarshalText(text []byte) error {
	wrong := errors.New("must be an address or a network, like 203.0.113.7 or 203.0.113.0/24")
	if !strings.Contains(string(text), "/") {
		address, err := netip.ParseAddr(string(text))
		if err != nil || address.Zone() != "" {
			return wrong
		}
		n.Prefix = netip.PrefixFrom(address, address.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(string(text))
	switch {
	case err != nil:
		return wrong
	case prefix != prefix.Masked():
		return errors.New("has bits set that are not the network's: " + prefix.Masked().String() + " holds it")
	}
	n.Prefix = prefix
	return nil
}
