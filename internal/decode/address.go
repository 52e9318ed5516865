package decode

import (
	"net/netip"
	"strings"
)

// Address is the canonical form of a client address and its port, "" where there is none. It reads what audit records hold:
// v4, v4:port, [v6]:port, [v6], v6, v6%zone, v4 mapped into v6, with blanks around. Loopback, the unspecified address and
// whatever is no address give "".
func Address(s string) (ip, port string) {
	if plainV4(s) {
		if strings.HasPrefix(s, "127.") || s == "0.0.0.0" {
			return "", ""
		}
		return s, ""
	}
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "["); ok {
		host, after, _ := strings.Cut(rest, "]")
		return address(host), strings.TrimPrefix(after, ":")
	}
	if i := strings.IndexByte(s, ':'); i >= 0 && strings.IndexByte(s[i+1:], ':') < 0 {
		return address(s[:i]), s[i+1:]
	}
	return address(s), ""
}

func address(s string) string {
	host, _, _ := strings.Cut(s, "%")
	a, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	if a = a.Unmap(); a.IsLoopback() || a.IsUnspecified() {
		return ""
	}
	return a.String()
}

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
