package remote

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// metadata are the addresses at which clouds give credentials to whoever asks. They are refused whatever the configuration
// says. Sources: the clouds' documentation of their instance metadata services.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.169.254/32"), // AWS, Azure, Google Cloud, Oracle, DigitalOcean
	netip.MustParsePrefix("169.254.170.2/32"),   // AWS ECS
	netip.MustParsePrefix("169.254.170.23/32"),  // AWS EKS
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure's virtual platform
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
	netip.MustParsePrefix("fd00:ec2::254/128"),  // AWS
	netip.MustParsePrefix("fd00:ec2::23/128"),   // AWS EKS
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google Cloud
}

// public reports whether an address is one of the public network.
var public = ssrf.New(ssrf.WithAnyPort())

// guard checks the address that is dialled, after the name has been resolved, so that a name that changes its address gains
// nothing.
func guard(allowPrivate bool) func(network, address string, c syscall.RawConn) error {
	check := allowed
	if allowPrivate {
		check = noMetadata
	}
	return func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("check address: %w", err)
		}
		a, err := netip.ParseAddr(host)
		if err != nil {
			return fmt.Errorf("check address: %w", err)
		}
		return check(a)
	}
}

// noMetadata refuses an address that leads to a cloud's credentials.
func noMetadata(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	for _, reached := range append(embedded(a), a) {
		if slices.ContainsFunc(metadata, func(m netip.Prefix) bool { return m.Contains(reached) }) {
			return fmt.Errorf("address %s refused: it gives out a cloud's credentials", a)
		}
	}
	return nil
}

// allowed refuses an address that is not public, too.
func allowed(a netip.Addr) error {
	if err := noMetadata(a); err != nil {
		return err
	}
	a = a.Unmap().WithZone("")
	for _, reached := range append(embedded(a), a) {
		if public.Safe(family(reached), netip.AddrPortFrom(reached, 443).String(), nil) != nil {
			return fmt.Errorf("address %s refused: it is not public; allow_private: true permits it", a)
		}
	}
	return nil
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "tcp4"
	}
	return "tcp6"
}

// translations are IPv6 prefixes behind which an IPv4 address begins at a byte: a network that translates or tunnels reaches it.
var translations = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64, RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},  // NAT64 of a site, RFC 8215
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4, RFC 3056
	{netip.MustParsePrefix("::/96"), 12},           // compatible, RFC 4291
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // translated, RFC 2765
	{netip.MustParsePrefix("2001::/32"), 12},       // Teredo, RFC 4380; its bits are turned over
}

// embedded are the IPv4 addresses that an IPv6 address leads to.
func embedded(a netip.Addr) (all []netip.Addr) {
	if !a.Is6() {
		return nil
	}
	b := a.As16()
	for _, t := range translations {
		if !t.prefix.Contains(a) {
			continue
		}
		inner := [4]byte(b[t.at : t.at+4])
		if b[0] == 0x20 && b[1] == 0x01 {
			for i := range inner {
				inner[i] ^= 0xff
			}
		}
		all = append(all, netip.AddrFrom4(inner))
	}
	if b[8]&^3 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, RFC 5214, below any prefix
		all = append(all, netip.AddrFrom4([4]byte(b[12:16])))
	}
	return all
}
