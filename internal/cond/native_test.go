package cond

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"noroshi/internal/cond/index"
	"noroshi/internal/event"
)

// counted counts atoms at random, so that every part of a condition is chosen now and then.
type counted struct{ r *rand.Rand }

func (c counted) Count(index.Atom) int   { return c.r.IntN(100) }
func (c counted) Costly(event.Slot) bool { return c.r.IntN(4) == 0 }

// author writes random conditions. Each is about few fields, so that its parts meet.
type author struct {
	r      *rand.Rand
	fields []string
}

func (a *author) begin() {
	all := []string{"inbox_rule.name", "role.name", "role.name", "user.name", "event.action", "source.ip", "param[\"Force\"]", "raw.Missing"}
	a.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	a.fields = all[:1+a.r.IntN(3)]
}

func (a *author) of(all ...string) string { return all[a.r.IntN(len(all))] }

func (a *author) text() string {
	field := a.of(a.fields...)
	return a.of(field, field, "lower("+field+")")
}

func (a *author) constant() string {
	return a.of(`""`, `""`, `""`, `"a"`, `"A"`, `"ab"`, `"New-InboxRule"`, `"203.0.113.7"`, `"Straße"`, `"İ"`, `"b"`, `"true"`)
}

func (a *author) constants() string {
	var all []string
	for range 1 + a.r.IntN(8) {
		all = append(all, a.constant())
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func (a *author) number() string {
	return a.of("0", "-0", "1", "-1", "5", "5.5", "1e3", "-2.5", "9007199254740993", "9223372036854775807", "1e308", "0x10")
}

func (a *author) numbers() string {
	var all []string
	for range 1 + a.r.IntN(4) {
		all = append(all, a.number())
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// part is a condition that is not joined of others.
func (a *author) part() string {
	number := a.of("file.size", "mailbox.items", "len(inbox_rule.sends_to)", "len(forward.to)", "len(inbox_rule.name)")
	truth := a.of("inbox_rule.deletes", "forward.set", "has(inbox_rule.name)", "has(forward.to)", "has(file.size)")
	list := a.of("inbox_rule.sends_to", "forward.to", "inbox_rule.words")
	order := a.of("<", "<=", ">", ">=", "==", "!=")
	switch a.r.IntN(28) {
	case 0:
		return number + " " + order + " " + a.number()
	case 1:
		return a.number() + " " + order + " " + number
	case 2:
		return number + a.of(" in ", " not in ") + a.numbers()
	case 3:
		return truth
	case 4:
		return truth + a.of(" == ", " != ") + a.of("true", "false")
	case 5:
		return a.of("true", "false") + a.of(" == ", " != ") + truth
	case 6, 16, 17, 18, 19:
		return a.text() + a.of(" == ", " != ") + a.constant()
	case 7:
		return a.constant() + a.of(" == ", " != ") + a.text()
	case 8, 21:
		return a.text() + a.of(" contains ", " startsWith ", " endsWith ", " not contains ") + a.constant()
	case 9, 20:
		return a.text() + a.of(" in ", " not in ") + a.constants()
	case 10:
		return a.text() + " matches " + a.pattern()
	case 11:
		return "in_net(" + a.text() + ", lists." + a.of("vpn", "none", "every", "mapped") + ")"
	case 12:
		return a.text() + a.of(" in ", " not in ") + "lists." + a.of("apps", "none")
	case 13:
		return a.of("any", "one", "none", "all") + "(" + list + ", # " + a.of("==", "contains") + " " + a.constant() + ")"
	case 22, 23:
		return a.of("any", "one", "none", "all") + "(" + list + ", " + a.asked(2) + ")"
	case 24:
		return a.text() + a.of(" == ", " != ") + a.text()
	case 25:
		return "len(" + a.of(a.text(), list) + ") " + a.of(">", "<", ">=") + " len(" + a.of(a.text(), list) + ")"
	case 14:
		return a.of("external", "unresolved") + "(" + a.of(list, a.text()) + ")"
	}
	return a.constant() + a.of(" in ", " not in ") + list
}

// asked makes a random condition on an element of a list.
func (a *author) asked(deep int) string {
	element := a.of("#", "#", "lower(#)")
	switch a.r.IntN(4 + min(deep, 1)*4) {
	case 0:
		return element + a.of(" == ", " != ", " contains ", " startsWith ", " endsWith ", " not contains ") + a.constant()
	case 1:
		return element + a.of(" in ", " not in ") + a.constants()
	case 2:
		return element + " matches " + a.pattern()
	case 3:
		return "iequals(#, " + a.constant() + ")"
	case 4:
		return "!(" + a.asked(deep-1) + ")"
	}
	return "(" + a.asked(deep-1) + a.of(" && ", " || ") + a.asked(deep-1) + ")"
}

// pattern is an expression. Some need a text in every match.
func (a *author) pattern() string {
	return a.of(`"^a"`, `"^$"`, `"(?i)A|b"`, `"."`, `"a*"`, `"^[^a]+$"`, `"abc|New-Inbox|xampl"`, `"New-(Inbox|Outbox)Rule"`, `"(203\\.0){1,2}|Stra.e"`, `"(?i)inbox"`, `"(abc){0,2}-1"`, `"example$|(Inbox)*Rule"`)
}

func (a *author) condition(deep int) string {
	if deep == 0 {
		return a.part()
	}
	switch a.r.IntN(5) {
	case 0:
		return "!(" + a.condition(deep-1) + ")"
	case 1, 2:
		return "(" + a.condition(deep-1) + " && " + a.condition(deep-1) + ")"
	case 3:
		return "(" + a.condition(deep-1) + " || " + a.condition(deep-1) + ")"
	}
	return a.part()
}

// texts are the values of a random record. What only some operations have is absent from the others.
func (a *author) record(s *Scope) record {
	of := record{s.Layout, map[string]string{}, map[string][]string{}}
	action := a.of("", "a", "b", "New-InboxRule", "Set-Mailbox", "Add member to role", "MoveToDeletedItems", "MailItemsAccessed")
	values := map[string][]string{
		"source.ip": {"203.0.113.7", "::ffff:203.0.113.7", "203.0.113.255", "203.0.114.0", "fe80::1%eth0", "2001:db8::1", "203.0.113.7:443", "0.0.0.0", "::", "a"},
		"file.size": numbersInRecords, "mailbox.items": numbersInRecords,
		"inbox_rule.deletes": {"true", "false"}, "forward.set": {"true", "false"},
	}
	for slot := range event.Slot(s.Layout.Len()) {
		d := s.Layout.Def(slot)
		if !d.Plain() || d.Field != nil && len(d.Field.Actions) > 0 && !slices.Contains(d.Field.Actions, action) || a.r.IntN(3) == 0 {
			continue
		}
		all := values[d.Name]
		if all == nil {
			all = []string{"", "a", "A", "ab", "ba", "New-InboxRule", "203.0.113.7", "Straße", "İ", "\xff", "abc-1", "a@x.example", "true"}
		}
		if d.Type == event.List {
			for range a.r.IntN(4) {
				of.lists[d.Name] = append(of.lists[d.Name], a.of(all...))
			}
			continue
		}
		of.texts[d.Name] = a.of(all...)
	}
	if delete(of.texts, "event.action"); action != "" {
		of.texts["event.action"] = action
	}
	return of
}

var numbersInRecords = []string{"", "0", "-0", "1", "-1", "5", "5.0", "5.5", "1000", "1e3", "16", "9007199254740992", "9007199254740993", "9223372036854775807",
	"9223372036854775808", "1e308", "1e309", "NaN", "Inf", "0x10", "05", "no number"}

// TestALookAtTheEventSaysWhatTheVMSays: of random conditions and records, what is fully understood is as the VM has it; what is understood in
// part, what a rule is looked up by, and what is left of it after that, never hide an event for which the VM says that the condition holds.
func TestALookAtTheEventSaysWhatTheVMSays(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 1))
	a := &author{r: r}
	known := map[string]List{"apps": names3{"abc-1", "a"}, "none": names3{}, "vpn": names3{"203.0.113.0/24"}, "every": names3{"0.0.0.0/0", "::/0"},
		"mapped": names3{"::ffff:203.0.113.0/120", "2001:db8::/127"}}
	exact, held := 0, 0
	for range 4000 {
		a.begin()
		when := a.condition(r.IntN(4))
		s := scope(known)
		p, ms := Compile(when, s)
		if p == nil {
			t.Fatalf("%s: %v", when, ms)
		}
		if p.Exact() {
			exact++
		}
		w := p.Witness(counted{r})
		f := p.Filter(w, counted{r})
		for range 12 {
			from := a.record(s)
			ev := event.New(s.Layout, from)
			ev.Next()
			want, err := NewMachine(ev, s).Holds(p)
			got := p.root.holds(ev)
			if err != nil || p.Exact() && got != want || want && !got {
				t.Fatalf("%s with %q, %q: got %v, want %v, %v", when, from.texts, from.lists, got, want, err)
			}
			if !want {
				continue
			}
			held++
			if fault := hides(p, w, f, ev); fault != "" {
				t.Fatalf("%s holds with %q, %q: %s", when, from.texts, from.lists, fault)
			}
		}
	}
	if exact < 1000 || held < 10_000 {
		t.Errorf("%d conditions are understood, and %d records hold: the random ones prove too little", exact, held)
	}
}

// hides tells what hides an event for which a condition holds, "" where nothing does.
func hides(p *Program, w index.Witness, f Filter, ev *event.Event) string {
	if w != nil && !slices.ContainsFunc(w, func(a index.Atom) bool { return a.Holds(ev.Text(event.Slot(a.Slot))) }) {
		return fmt.Sprintf("the rule is looked up by %v", w)
	}
	if !f.Holds(ev) {
		return "the filter leaves it out"
	}
	for _, slot := range append(slices.Clone(p.slots), event.Action) {
		if text := ev.Text(slot); ev.Layout().Def(slot).Type == event.Text && len(p.Admits(slot, []string{text})) == 0 {
			return fmt.Sprintf("%s is said not to be %q", ev.Layout().Def(slot).Name, text)
		}
	}
	return ""
}
