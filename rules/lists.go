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

// byTenant is a list in whose place tenants have their own, as conditions ask for it.
type byTenant struct{ *list.List }

// Own implements cond.ByTenant.
func (b byTenant) Own(tenant string) cond.List {
	if own := b.List.Own(tenant); own != nil {
		return own
	}
	return nil
}

// list is a list of the configuration. Rules may name those of list.Known where the configuration lacks them: they are empty.
func (l *loader) list(name string) (cond.List, bool) {
	of, ok := l.options.Lists[name]
	switch {
	case !ok && slices.Contains(list.Known, name):
		return list.Empty(name), true
	case ok && len(of.Tenants()) > 0:
		return byTenant{of}, true
	}
	return of, ok
}

// listNames are the names that conditions may use, for suggestions.
func listNames(of list.Set) []string {
	all := slices.Concat(of.Names(), list.Known)
	slices.Sort(all)
	return slices.Compact(all)
}

// lists tells of entries that nothing can match, by what the rules look up in each list. A list that no rule uses is left alone.
func (l *loader) lists() {
	uses := map[string][]cond.ListUse{}
	for _, u := range slices.Concat(l.uses[l.shipped:], l.uses[:l.shipped]) { // the operator's rules say first what they ask for
		uses[u.Name] = append(uses[u.Name], u)
	}
	for _, name := range l.options.Lists.Names() {
		if len(uses[name]) > 0 {
			l.problems = append(l.problems, l.useless(name, l.options.Lists[name], uses[name])...)
		}
	}
}

// useless are the entries of a list that none of its uses can match. What no record whatever can match is an error for check alone:
// a list that works in part is better than none.
func (l *loader) useless(name string, of *list.List, uses []cond.ListUse) (all []diag.Problem) {
	tell := func(e list.Entry, message, meant string, certain bool) {
		p := diag.Problem{File: e.File, Line: e.Line, Column: e.Column, Code: "value", Level: diag.Warning, Message: message, Suggestion: meant}
		if certain && l.options.Strict {
			p.Level = diag.Error
		}
		all = append(all, p)
	}
	var entries []list.Entry
	of.Entries(func(e list.Entry) { entries = append(entries, e) })
	slices.SortFunc(entries, func(a, b list.Entry) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for _, e := range entries {
		if name == list.Accepted && !e.Subdomains { // external asks for it, too
			continue
		}
		message, meant, certain := never(name, e, uses)
		if message == "" {
			message, meant = wider(name, e, uses)
		}
		if message != "" {
			tell(e, message, meant, certain)
		}
	}
	if len(all) < len(entries) && name != list.Accepted {
		for _, u := range uses {
			if message, meant := useOfNone(name, entries, u); message != "" {
				tell(entries[0], message, meant, false)
			}
		}
	}
	if n := len(all) - maxEntries; n > 0 {
		all = all[:maxEntries]
		all[maxEntries-1].Message += fmt.Sprintf("; %d more entries of lists.%s match nothing", n, name)
	}
	return all
}

// useOfNone says why a use of a list matches none of its entries, though others do, "" where it matches one.
func useOfNone(name string, entries []list.Entry, u cond.ListUse) (message, meant string) {
	for _, e := range entries {
		d := doubts(u, e)
		if d.Why == "" {
			return "", ""
		}
		if message == "" {
			message, meant = sentence(name, e, u, d)
		}
	}
	return "no entry can match: " + message, meant
}

// wider tells of a network that holds more than its address says.
func wider(name string, e list.Entry, uses []cond.ListUse) (message, meant string) {
	p, err := netip.ParsePrefix(e.Text)
	if err != nil || p.Masked() == p || !slices.ContainsFunc(uses, func(u cond.ListUse) bool { return u.Net }) {
		return "", ""
	}
	return fmt.Sprintf("%q in lists.%s stands for all of %s; for the address alone, write %s", e.Written, name, p.Masked(), p.Addr()), p.Masked().String()
}

// sentence says why a use never matches an entry.
func sentence(name string, e list.Entry, u cond.ListUse, d event.Doubt) (message, meant string) {
	if u.Net {
		return fmt.Sprintf("lists.%s is asked for networks by in_net, and %q is %s", name, e.Written, d.Why), d.Meant
	}
	never := "never"
	if !d.Certain {
		never = "hardly ever"
	}
	return fmt.Sprintf("%s in lists.%s is %s %q: it is %s", u.Of, name, never, e.Written, d.Why), strings.ReplaceAll(d.Meant, "…, lists.name", u.Of+", lists."+name)
}

// never says why no use of a list matches an entry, "" where one can.
func never(name string, e list.Entry, uses []cond.ListUse) (message, meant string, certain bool) {
	certain = true
	for _, u := range uses {
		d := doubts(u, e)
		if d.Why == "" {
			return "", "", false
		}
		if message == "" {
			message, meant = sentence(name, e, u, d)
		}
		certain = certain && d.Certain
	}
	return message, meant, certain
}

// doubts tells why a use does not match an entry.
func doubts(u cond.ListUse, e list.Entry) event.Doubt {
	if u.Net {
		if e.Network {
			return event.Doubt{}
		}
		return event.Doubt{Why: "not a network such as 203.0.113.0/24 or an address", Meant: networkOf(e.Text), Certain: true}
	}
	if bare := strings.Trim(e.Text, `"'`); bare != e.Text && len(e.Text)-len(bare) >= 2 {
		return event.Doubt{Why: "text without the quotes, which are part of the entry", Meant: bare, Certain: true}
	}
	if e.Subdomains {
		return event.Doubt{Why: "compared as a whole; sub-domains count in external() alone", Certain: true}
	}
	if d := u.Doubts(e.Text); d.Why != "" {
		return d
	}
	return spelt(e)
}

// spelt tells why a text is hardly ever as an entry spells it.
func spelt(e list.Entry) event.Doubt {
	address, at := strings.Contains(e.Text, "@"), strings.Index(e.Text, "@")
	switch {
	case e.Network && strings.Contains(e.Text, "/"):
		return event.Doubt{Why: "compared as a whole; networks are asked for by in_net", Certain: true}
	case strings.HasPrefix(e.Text, "smtp:") && address:
		return event.Doubt{Why: "an address without smtp:", Meant: e.Text[len("smtp:"):]}
	case address && strings.Contains(e.Text, "*"):
		return event.Doubt{Why: "compared as a whole, and * stands for itself", Certain: true}
	case address && strings.Contains(e.Text[:at], "?"):
		return event.Doubt{Why: "compared as a whole, and ? stands for itself"}
	case address && strings.ContainsAny(e.Text, " \t,;\"<>"):
		return event.Doubt{Why: "compared as a whole, and an address has no blanks, commas, semicolons or brackets in it", Certain: true}
	case len(e.Text) > 2 && strings.HasPrefix(e.Text, "/") && strings.HasSuffix(e.Text, "/"):
		return event.Doubt{Why: "compared as a whole, not as a pattern"}
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
