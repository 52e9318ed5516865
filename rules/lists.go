package rules

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/internal/list"
)

// maxEntries is how many entries of one list are told one by one.
const maxEntries = 20

// lists tells of entries that nothing can match, by what the rules look up in each list. A list that no rule uses is left alone.
func (l *loader) lists() {
	uses := map[string][]cond.ListUse{}
	for _, u := range l.uses {
		uses[u.Name] = append(uses[u.Name], u)
	}
	for _, name := range l.options.Lists.Names() {
		if len(uses[name]) > 0 && name != list.Accepted { // which external asks too, in its own way
			l.problems = append(l.problems, useless(name, l.options.Lists[name], uses[name])...)
		}
	}
}

// useless are the entries of a list that none of its uses can match.
func useless(name string, of *list.List, uses []cond.ListUse) (all []diag.Problem) {
	of.Entries(func(e list.Entry) {
		message, meant := never(name, e, uses)
		if message != "" {
			all = append(all, diag.Problem{File: e.File, Line: e.Line, Column: e.Column, Code: "value", Level: diag.Warning, Message: message, Suggestion: meant})
		}
	})
	slices.SortFunc(all, func(a, b diag.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if n := len(all) - maxEntries; n > 0 {
		all = all[:maxEntries]
		all[maxEntries-1].Message += fmt.Sprintf("; %d more entries of lists.%s match nothing", n, name)
	}
	return all
}

// never says why no use of a list matches an entry, "" where one can.
func never(name string, e list.Entry, uses []cond.ListUse) (message, meant string) {
	for _, u := range uses {
		switch d := doubts(u, e); {
		case d.Why == "":
			return "", ""
		case message != "":
		case u.Net:
			message, meant = fmt.Sprintf("lists.%s is asked for networks by in_net, and %q is %s", name, e.Text, d.Why), d.Meant
		default:
			message = fmt.Sprintf("%s in lists.%s is never %q: it is %s", u.Of, name, e.Text, d.Why)
			meant = strings.ReplaceAll(d.Meant, "…, lists.name", u.Of+", lists."+name)
		}
	}
	return message, meant
}

// doubts tells why a use does not match an entry.
func doubts(u cond.ListUse, e list.Entry) event.Doubt {
	if u.Net {
		if e.Network {
			return event.Doubt{}
		}
		return event.Doubt{Why: "not a network such as 203.0.113.0/24 or an address", Meant: networkOf(e.Text)}
	}
	if bare := strings.Trim(e.Text, `"'`); bare != e.Text && len(e.Text)-len(bare) >= 2 {
		return event.Doubt{Why: "text without the quotes, which are part of the entry", Meant: bare}
	}
	if d := u.Doubts(e.Text); d.Why != "" {
		return d
	}
	switch {
	case e.Network && strings.Contains(e.Text, "/"):
		return event.Doubt{Why: "compared as a whole; networks are asked for by in_net", Meant: "in_net(…, lists.name)"}
	case strings.Contains(e.Text, "@") && strings.Contains(e.Text, "*"):
		return event.Doubt{Why: "compared as a whole, and * stands for itself"}
	case strings.Contains(e.Text, "@") && strings.ContainsAny(e.Text, " \t,;\"<>"):
		return event.Doubt{Why: "compared as a whole, and an address has no blanks, commas or brackets in it"}
	}
	return event.Doubt{}
}

// networkOf is the network that an entry such as 198.51.100.* or 10.0.0.0 /8 most likely means, "" where nobody can tell.
func networkOf(entry string) string {
	plain := strings.Join(strings.Fields(strings.Trim(entry, `"'`)), "")
	if p, err := netip.ParsePrefix(plain); err == nil {
		return p.String()
	}
	if a, err := netip.ParseAddr(plain); err == nil {
		return a.String()
	}
	if a, err := netip.ParseAddrPort(plain); err == nil {
		return a.Addr().String()
	}
	var parts []string
	for _, part := range strings.Split(plain, ".") {
		if part != "*" && part != "" {
			parts = append(parts, part)
		}
	}
	n := len(parts)
	if !strings.HasSuffix(plain, "*") && !strings.HasSuffix(plain, ".") || n == 0 || n > 3 {
		return ""
	}
	p, err := netip.ParsePrefix(fmt.Sprintf("%s%s/%d", strings.Join(parts, "."), strings.Repeat(".0", 4-n), 8*n))
	if err != nil {
		return ""
	}
	return p.String()
}
