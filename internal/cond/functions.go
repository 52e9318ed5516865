package cond

import (
	"net/netip"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"noroshi/internal/diag"
	"noroshi/internal/event"
)

// function is one of ours that conditions may call.
type function struct {
	usage string
	takes [][]value
	gives value
	typed any // for expr's checker
}

// functions are ours. has and the ones that ignore case are folded away before expr sees them, where their first argument is
// a field.
var functions = map[string]function{
	"has":        {"has(field)", [][]value{{anything}}, aTruth, func(any) bool { return false }},
	"iequals":    {"iequals(text, text)", [][]value{textual, textual}, aTruth, func(string, string) bool { return false }},
	"icontains":  {"icontains(text, text)", [][]value{textual, textual}, aTruth, func(string, string) bool { return false }},
	"istarts":    {"istarts(text, text)", [][]value{textual, textual}, aTruth, func(string, string) bool { return false }},
	"iends":      {"iends(text, text)", [][]value{textual, textual}, aTruth, func(string, string) bool { return false }},
	"external":   {"external(addresses)", [][]value{addressed}, aTruth, func(any) bool { return false }},
	"unresolved": {"unresolved(addresses)", [][]value{addressed}, aTruth, func(any) bool { return false }},
	"domain":     {"domain(address)", [][]value{textual}, aText, func(string) string { return "" }},
	"in_net":     {"in_net(address, lists.name)", [][]value{textual, ofLists}, aTruth, func(string, List) bool { return false }},
	"odd_name":   {"odd_name(text)", [][]value{textual}, aTruth, func(string) bool { return false }},
	"similar":    {"similar(text, text or lists.name)", [][]value{textual, {aText, configured}}, aTruth, func(string, any) bool { return false }},
	"either":     {"either(text, text)", [][]value{textual, textual}, aText, func(string, string) string { return "" }},
	"actor":      {"actor()", nil, aText, func() string { return "" }},
	"another":    {"another(name)", [][]value{textual}, aText, func(string) string { return "" }},
	"whom":       {"whom(name)", [][]value{textual}, aText, func(string) string { return "" }},
	"owned":      {"owned(thing, name)", [][]value{textual, textual}, aText, func(string, string) string { return "" }},
	"phrase":     {"phrase(text, value)", [][]value{textual, textual}, aText, func(string, string) string { return "" }},
}

// bound are the functions as a machine calls them.
func (m *Machine) bound() map[string]any {
	return map[string]any{
		"external":   m.external,
		"unresolved": unresolved,
		"domain":     domain,
		"in_net":     m.inNet,
		listedName:   m.listed,
		"odd_name":   OddName,
		"similar":    m.similar,
		"either":     either,
		"actor":      m.actor,
		"another":    m.another,
		"whom":       m.whom,
		"owned":      m.owned,
		"phrase":     phrase,
	}
}

// external reports whether any of the addresses lies outside the accepted domains. Where the configuration names none, those
// of the actor, the account, the mailbox owner and the organisation count as accepted. An address without a domain is not external.
func (m *Machine) external(of any) bool {
	for _, a := range addresses(of) {
		if d := domain(a); d != "" && !m.accepts(d) {
			return true
		}
	}
	return false
}

func (m *Machine) accepts(d string) bool {
	if m.accepted == nil {
		return m.own != nil && m.lends(d)
	}
	accepted := m.mine(m.accepted)
	if len(accepted.Texts()) == 0 {
		return m.own != nil && m.lends(d)
	}
	return accepted.Has(d)
}

// lends reports whether a domain is one's own by what the event says. What a command names is no proof: whoever writes the command
// chooses it. A guest has a domain of the organisation only by the name that it has there, and an application's name is anybody's.
func (m *Machine) lends(d string) bool {
	if m.ownText(ownOrganization) == d || domain(event.Lower(m.ownText(ownMailbox))) == d {
		return true
	}
	name := m.ownText(ownActor)
	switch m.ownText(ownKind) {
	case "guest":
		return strings.Contains(name, "#ext#") && domain(name) == d
	case "app":
		return false
	case "service":
	default:
		if domain(name) == d {
			return true
		}
	}
	// In the audit log the account is the actor, or else what the command names.
	return !strings.HasPrefix(m.ownText(ownDataset), "ual.") && domain(m.ownText(ownAccount)) == d
}

func (m *Machine) ownText(what int) string { return m.ev.Text(m.own[what]) }

// unresolved reports whether any of the addresses is none: an alias, a contact's name, a distinguished name.
func unresolved(of any) bool {
	for _, a := range addresses(of) {
		if domain(a) == "" {
			return true
		}
	}
	return false
}

// either is the first text that names something: records write "Not Available" and the like where they know no name. Where neither
// does, it is the first that is not empty.
func either(a, b string) string {
	if event.Placeholder(a) && (a == "" || !event.Placeholder(b)) {
		return b
	}
	return a
}

// actor is who acted, for sentences: an application may have no user name, and some records name nobody.
func (m *Machine) actor() string {
	person := m.own != nil && (m.ownText(ownKind) == "user" || m.ownText(ownKind) == "guest")
	for i, s := range m.acting {
		if name := m.ev.Text(s); name != "" && !(person && actingNames[i] == "app.name") { // beside a person an application only carries out
			if m.own != nil && m.ownText(ownKind) == "app" && strings.Contains(name, "@") {
				return "the application " + name // which calls itself as a person
			}
			return name
		}
	}
	return "somebody unnamed"
}

// another is a name where it is not the actor's user name, for sentences about what was done to others.
func (m *Machine) another(name string) string {
	if name == m.ev.Text(event.UserName) {
		return ""
	}
	return name
}

// whom is somebody to whom the actor did something, for sentences.
func (m *Machine) whom(name string) string {
	switch {
	case event.Placeholder(name):
		return "somebody unnamed"
	case m.another(name) == "":
		return "themselves"
	}
	return name
}

// owned is a thing with whose it is, for sentences: their own mailbox, the mailbox of taro@contoso.example, a mailbox.
func (m *Machine) owned(thing, name string) string {
	switch {
	case event.Placeholder(name):
		return "a " + thing
	case m.another(name) == "":
		return "their own " + thing
	}
	return "the " + thing + " of " + name
}

// phrase is a text before a value, nothing where there is no value.
func phrase(text, value string) string {
	if event.Placeholder(value) {
		return ""
	}
	return text + value
}

func addresses(of any) []string {
	switch v := of.(type) {
	case string:
		if v == "" {
			return nil
		}
		return []string{v}
	case []string:
		return v
	case []any: // written out in the condition
		var all []string
		for _, a := range v {
			if text, ok := a.(string); ok && text != "" {
				all = append(all, text)
			}
		}
		return all
	}
	return nil
}

// domain is the part after the last at sign, lower case, in its ASCII form.
func domain(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	d := event.Lower(strings.Trim(address[i+1:], " .>]\"'"))
	if ascii, err := idna.Lookup.ToASCII(d); err == nil {
		return ascii
	}
	return d
}

func (m *Machine) inNet(address string, l List) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	return m.mine(l).HasAddress(a.Unmap())
}

// OddName reports whether a name says nothing: empty, blank, or with at most one letter or digit.
func OddName(name string) bool {
	n := 0
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n <= 1
}

// Similar reports whether two names could be taken for each other: equal after folding case, width and blanks, or, from four
// characters on, at most two edits apart. Absent names are similar to none.
func Similar(a, b string) bool {
	a, b = foldName(a), foldName(b)
	if a == "" || b == "" {
		return false
	}
	if a == b {
		return true
	}
	ra, rb := []rune(a), []rune(b)
	return min(len(ra), len(rb)) >= 4 && diag.Distance(ra, rb, 3) <= 2
}

func foldName(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(width.Fold.String(norm.NFC.String(s)))), " ")
}
