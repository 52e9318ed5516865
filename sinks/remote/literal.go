package remote

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// loopbacks are names of this machine: RFC 6761, and what systems have in their file of hosts.
var loopbacks = []string{"localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}

// literal is the address that a host stands for without a look-up: an address in any spelling that a system's resolver reads, or this
// machine's own name.
func literal(host string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a, true
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil { // full-width digits and dots, as clients read them
		host = ascii
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if slices.Contains(loopbacks, host) || strings.HasSuffix(host, ".localhost") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a, true
	}
	return numeric(host)
}

// numeric reads an IPv4 address as inet_aton does: one to four numbers, decimal, octal behind 0 or hexadecimal behind 0x, of which the
// last fills what the others leave.
func numeric(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	all := uint64(0)
	for i, part := range parts {
		n, ok := number(part)
		last := i == len(parts)-1
		if !ok || !last && n > 255 || last && n >= 1<<(8*(4-i)) {
			return netip.Addr{}, false
		}
		if last {
			all = all<<(8*(4-i)) | n
			break
		}
		all = all<<8 | n
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(all)))), true
}

func number(text string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(text, "0x"):
		base, text = 16, text[2:]
	case len(text) > 1 && text[0] == '0':
		base, text = 8, text[1:]
	}
	if strings.ContainsAny(text, "+-_") {
		return 0, false
	}
	n, err := strconv.ParseUint(text, base, 64)
	return n, err == nil
}
