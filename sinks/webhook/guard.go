package webhook

import (
	"fmt"
	"net"
	"net/netip"
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

// guard checks the address that is dialled, after the name has been resolved, so that a name that changes its address gains
// nothing.
func guard(allowPrivate bool) func(network, address string, c syscall.RawConn) error {
	public := ssrf.New(ssrf.WithAnyPort())
	return func(network, address string, c syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("check address: %w", err)
		}
		a, err := netip.ParseAddr(host)
		if err != nil {
			return fmt.Errorf("check address: %w", err)
		}
		a = a.Unmap().WithZone("")
		for _, m := range metadata {
			if m.Contains(a) {
				return fmt.Errorf("address %s refused: it gives out a cloud's credentials", a)
			}
		}
		if allowPrivate {
			return nil
		}
		if err := public.Safe(network, address, c); err != nil {
			return fmt.Errorf("address %s refused: it is not public; allow_private: true permits it", a)
		}
		return nil
	}
}
