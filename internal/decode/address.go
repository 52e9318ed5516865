package decode

import (
	"net/netip"
	"strconv"
	"strings"
)

// Address is the canonical form of a client address and its port, or "" if there is none. It reads what audit records hold:
// IPv4 and IPv6, in brackets or without, with a port after a colon or a hyphen, with a zone or a prefix length, IPv4 mapped into
// IPv6, with blanks and line ends around. Of a list with commas the first usable address counts. Loopback, the unspecified
// address and text that is no address give neither address nor port; what is no port leaves the port away.
func Address(s string) (ip, port string) {
	if plainV4(s) {
		if unusableV4(s) {
			return "", ""
		}
		return s, ""
	}
	if before, after, _ := strings.Cut(s, ":"); plainV4(before) && !strings.Contains(after, ",") { // the usual ones, without a copy
		if unusableV4(before) {
			return "", ""
		}
		return before, portNumber(after)
	}
	for one := range strings.SplitSeq(s, ",") {
		if !strings.ContainsAny(one, ".:") {
			continue
		}
		if ip, port = endpoint(strings.TrimSpace(one)); ip != "" {
			return ip, port
		}
	}
	return "", ""
}

// endpoint reads one address with or without a port.
func endpoint(s string) (ip, port string) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		inside, after, closed := strings.Cut(rest, "]")
		if !closed {
			return "", ""
		}
		if bits, ok := strings.CutPrefix(after, "/"); ok {
			return host(inside + "/" + bits), ""
		}
		if after != "" && after[0] != ':' && after[0] != '-' {
			return "", ""
		}
		return withPort(inside, after)
	}
	if ip, is := parse(s); is {
		return ip, ""
	}
	at := strings.LastIndexAny(s, ":-")
	if at < 0 {
		return "", ""
	}
	if ip, port = withPort(s[:at], s[at:]); ip == "" && at > 0 && (s[at-1] == ':' || s[at-1] == '-') { // the port is signed
		return withPort(s[:at-1], s[at-1:])
	}
	return ip, port
}

// withPort reads an address and what follows it: a colon or a hyphen and the port.
func withPort(address, after string) (ip, port string) {
	if ip = host(address); ip == "" || after == "" {
		return ip, ""
	}
	return ip, portNumber(after[1:])
}

// portNumber is a port as JSON writes the number, "" of what is no port.
// Source: RFC 6335, section 6.
func portNumber(s string) string {
	s = strings.TrimSpace(s)
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	if s == "" || s[0] < '0' || s[0] > '9' { // a sign is no digit
		return ""
	}
	if _, err := strconv.ParseUint(s, 10, 16); err != nil {
		return ""
	}
	return s
}

// host is the canonical form of an address without a port, "" of what is none or not usable.
func host(s string) string {
	ip, _ := parse(strings.TrimSpace(s))
	return ip
}

// parse reads an address without a port. is tells whether s is one; ip is "" where it is not usable.
func parse(s string) (ip string, is bool) {
	s, bits, network := strings.Cut(s, "/")
	a, err := netip.ParseAddr(s)
	if err != nil || network && !prefixLength(bits, a.BitLen()) {
		return "", false
	}
	if a = a.WithZone("").Unmap(); unusable(a) {
		return "", true
	}
	var room [longest]byte
	if canonical := a.AppendTo(room[:0]); string(canonical) != s {
		return string(canonical), true
	}
	return s, true
}

// longest is an address that takes the most room.
const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")

// unusable reports whether no client can have an address: loopback, unspecified, and the range of both. An unbracketed ::1:443
// lies in that range, too; addresses compatible with IPv4 are deprecated.
// Source: RFC 4291, section 2.5.5.1.
func unusable(a netip.Addr) bool {
	return a.IsLoopback() || a.IsUnspecified() || a.Is6() && compatible.Contains(a)
}

var compatible = netip.MustParsePrefix("::/96")

func prefixLength(s string, most int) bool {
	n, ok := number(s)
	return ok && n <= most
}

func unusableV4(s string) bool { return strings.HasPrefix(s, "127.") || s == "0.0.0.0" }

// plainV4 reports whether s is an IPv4 address as it should be: four numbers without leading zeros.
func plainV4(s string) bool {
	if len(s) < 7 || len(s) > 15 {
		return false
	}
	parts, n, digits := 0, 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if digits == 0 {
				return false
			}
			parts, n, digits = parts+1, 0, 0
		case c >= '0' && c <= '9':
			if digits > 0 && n == 0 {
				return false
			}
			if n, digits = n*10+int(c-'0'), digits+1; n > 255 {
				return false
			}
		default:
			return false
		}
	}
	return parts == 3 && digits > 0
}
