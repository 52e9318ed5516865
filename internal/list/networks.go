package list

import (
	"net/netip"
	"slices"
	"strings"
)

// network reads an entry that is a network or an address. Other texts are neither found nor wrong, also those with a slash in
// them, such as https://example.com/.
func network(text string) (p netip.Prefix, found bool, err error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), true, nil
	}
	before, _, slash := strings.Cut(text, "/")
	if !slash || !dotted(before) && !hexadecimal(before) {
		return p, false, nil
	}
	if p, err = netip.ParsePrefix(text); err != nil {
		return p, false, err
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), true, nil
}

func dotted(s string) bool { return strings.Contains(s, ".") && strings.Trim(s, "0123456789.") == "" }

func hexadecimal(s string) bool {
	return strings.Contains(s, ":") && strings.Trim(s, "0123456789abcdef:.") == ""
}

// disjoint sorts networks and drops those inside others: two networks overlap only where one holds the other, and the wider one
// sorts first.
func disjoint(all []netip.Prefix) []netip.Prefix {
	slices.SortFunc(all, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	kept := all[:0]
	for _, p := range all {
		if n := len(kept); n == 0 || !kept[n-1].Contains(p.Addr()) {
			kept = append(kept, p)
		}
	}
	return kept
}

// within reports whether one of disjoint networks holds the address: only the last that begins at or before it can.
func within(nets []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	i, at := slices.BinarySearchFunc(nets, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	return at || i > 0 && nets[i-1].Contains(a)
}
