package cond

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"noroshi/internal/event"
)

// record is an event's values by field name, for tests of conditions alone.
type record struct {
	layout *event.Layout
	texts  map[string]string
	lists  map[string][]string
}

func (r record) Text(s event.Slot) string   { return r.texts[r.layout.Def(s).Name] }
func (r record) List(s event.Slot) []string { return r.lists[r.layout.Def(s).Name] }
func (r record) Has(s event.Slot) bool {
	_, ok := r.texts[r.layout.Def(s).Name]
	return ok || len(r.List(s)) > 0
}

type names3 []string

func (l names3) Has(text string) bool {
	for _, t := range l {
		if t == strings.ToLower(text) {
			return true
		}
	}
	return false
}

func (l names3) HasAddress(a netip.Addr) bool {
	for _, t := range l {
		if p, err := netip.ParsePrefix(t); err == nil && p.Contains(a) {
			return true
		}
	}
	return false
}

func (l names3) Texts() []string { return l }

func scope(lists map[string]List) *Scope {
	s := &Scope{Layout: event.NewLayout(), Lists: func(n string) (List, bool) { l, ok := lists[n]; return l, ok }}
	for n := range lists {
		s.ListNames = append(s.ListNames, n)
	}
	Prepare(s.Layout)
	return s
}

func TestConditionsHold(t *testing.T) {
	texts := map[string]string{
		"event.action": "New-InboxRule", "user.name": "taro@contoso.example", "account": "taro@contoso.example", "source.ip": "203.0.113.7", "event.code": "1",
		"inbox_rule.name": "..", "inbox_rule.deletes": "true", "param[Force]": "True", `raw["Odd Name"]`: "x", "file.size": "10", "app.id": "ABC-1",
	}
	lists := map[string][]string{"inbox_rule.sends_to": {"a@contoso.example", "b@mail.example.net"}, "forward.to": {"Taro's contact"}}
	known := map[string]List{"apps": names3{"abc-1"}, "vpn": names3{"203.0.113.0/24"}, "none": names3{}}
	rows := []struct {
		when string
		want bool
	}{
		{`event.action == "New-InboxRule"`, true},
		{`event.action in ["Set-Mailbox", "New-InboxRule"] && inbox_rule.deletes`, true},
		{`lower(event.action) == "new-inboxrule"`, true},
		{`iequals(event.action, "NEW-inboxrule") && icontains(event.action, "BOX") && istarts(event.action, "NEW") && iends(event.action, "RULE")`, true},
		{`iequals(event.action, inbox_rule.name)`, false},
		{`has(inbox_rule.name) && !has(file.name)`, true},
		{`param["Force"] == "True" && raw["Odd Name"] == "x" && raw.Missing == ""`, true},
		{`external(inbox_rule.sends_to)`, true},
		{`external(user.name)`, false},
		{`unresolved(forward.to) && !external(forward.to)`, true},
		{`any(inbox_rule.sends_to, domain(#) == "mail.example.net")`, true},
		{`count(inbox_rule.sends_to, # contains "@") == 2 && len(inbox_rule.sends_to) == 2`, true},
		{`"a@contoso.example" in inbox_rule.sends_to`, true},
		{`app.id in lists.apps`, true},
		{`app.id in lists.none`, false},
		{`in_net(source.ip, lists.vpn)`, true},
		{`in_net(user.name, lists.vpn)`, false},
		{`odd_name(inbox_rule.name) && !odd_name("Invoices")`, true},
		{`similar("Tаrо Yamada", "Taro Yamada") && similar("Yamada Taro", "Taro Yamada") && !similar("Taro Yamada", lists.none)`, true},
		{`similar("Taro Yamada", "ｔａｒｏ  yamada") && similar("Taro Yamada", "Taro Yamata") && !similar("Taro", "Jiro X") && !similar("", "")`, true},
		{`file.size > 5 && file.size + 1 < 12`, true},
		{`event.action matches "^New-"`, true},
		{`event.action != "" && !(event.action == "x") && event.outcome == ""`, true},
		{`not (event.action in ["x"]) and event.action startsWith "New" or false`, true},
		{`any(inbox_rule.sends_to, iends(#, "EXAMPLE.NET"))`, true},
		{`either(file.name, user.name) == "taro@contoso.example" && either(account, "x") != "x"`, true},
		{`actor() == "taro@contoso.example" && another(user.name) == "" && another("ren@contoso.example") == "ren@contoso.example"`, true},
		{`whom(user.name) == "themselves" && whom("ren") == "ren" && whom("") == "somebody unnamed" && whom("Not Available") == "somebody unnamed"`, true},
		{`owned("mailbox", user.name) == "their own mailbox" && owned("mailbox", "ren") == "the mailbox of ren" && owned("mailbox", "-") == "a mailbox"`, true},
		{`phrase(" by ", "ren") == " by ren" && phrase(" by ", "") == "" && phrase(" by ", "<null>") == ""`, true},
		{`either("Not Available", "ren") == "ren" && either("-", "") == "-" && either("", "-") == "-" && either("-", "N/A") == "-" && either("", "") == ""`, true},
	}
	for _, r := range rows {
		t.Run(r.when, func(t *testing.T) {
			s := scope(known)
			p, ms := Compile(r.when, s)
			if p == nil {
				t.Fatal(ms)
			}
			ev := event.New(s.Layout, record{s.Layout, texts, lists})
			ev.Next()
			got, err := NewMachine(ev, s).Holds(p)
			if err != nil || got != r.want {
				t.Errorf("got %v, %v", got, err)
			}
			if got && !p.root.holds(ev) {
				t.Error("the native condition denies what the VM affirms")
			}
		})
	}
}

func TestMistakesHavePlaceAndRemedy(t *testing.T) {
	long := `event.action == "` + strings.Repeat("x", MaxSource) + `"`
	rows := []struct {
		when    string
		at      int
		code    string
		message string
	}{
		{`event.acton == "x"`, 0, "field", `no field "event.acton"`},
		{`event.action == "x" && Contry != "JP"`, 23, "field", `no field "Contry"`},
		{`event.code == 15`, 14, "type", `event.code is text, 15 is a whole number`},
		{`event.action == "日本" && usr.name == "x"`, 24, "field", `no field "usr.name"`},
		{`event.action + "x" == "y"`, 13, "forbidden", "texts are not joined in conditions"},
		{`reduce(inbox_rule.sends_to, # + #acc) == ""`, 0, "forbidden", "reduce is not available in conditions"},
		{`map(inbox_rule.sends_to, #) == []`, 0, "forbidden", "map is not available in conditions"},
		{`1..3 == [1]`, 1, "forbidden", "the operator .. is not available in conditions"},
		{`now() == 1`, 0, "forbidden", "now is not available in conditions"},
		{`event.action matches user.name`, 21, "forbidden", "a regular expression must be a constant text"},
		{`event.action == nil`, 16, "forbidden", "there is no null"},
		{`any(event.action, # == "x")`, 4, "type", "any(list, condition): argument 1: expected a list of the event; event.action is text"},
		{`eksternal(forward.to)`, 0, "function", "no function eksternal"},
		{`external(forward.to, 1)`, 0, "type", "external(addresses) takes 1 argument, got 2"},
		{`user.name in lists.vpi`, 13, "list", "no list vpi in the configuration"},
		{`lists.vip == "x"`, 0, "list", "lists.vip is a list of the configuration; write x in lists.vip"},
		{`event.action == `, 15, "syntax", ""},
		{`event.action`, 0, "type", "a condition is true or false, event.action is text"},
		{`raw == "x"`, 0, "field", "raw needs a path"},
		{`change["X"] == "x"`, 0, "field", `change needs a name and a side`},
		{strings.Repeat("(", 51) + "true" + strings.Repeat(")", 51), 50, "nesting", "more than 50 brackets are open here"},
		{long, 0, "size", "the condition has"},
		{"", 0, "syntax", "the condition is empty"},
		{strings.Repeat("true && ", 300) + "true", 0, "nodes", "more than 500 parts"},
		{`let x = 1; x == 1`, 4, "forbidden", "variables have no place in a condition"},
		{`{"a": 1} == {"a": 1}`, 0, "forbidden", "maps have no place in a condition"},
	}
	for _, r := range rows {
		name := r.when
		if len(name) > 60 {
			name = name[:60]
		}
		t.Run(name, func(t *testing.T) {
			p, ms := Compile(r.when, scope(map[string]List{"vip": names3{"a"}}))
			if p != nil || len(ms) == 0 {
				t.Fatal("it compiles")
			}
			if m := ms[0]; m.At != r.at || m.Code != r.code || !strings.Contains(m.Message, r.message) {
				t.Errorf("got %d %s %q, want %d %s %q", m.At, m.Code, m.Message, r.at, r.code, r.message)
			}
		})
	}
}

func TestSuggestions(t *testing.T) {
	rows := map[string]string{`usr.name == ""`: "user.name", `operation == "x"`: "event.action", `subject == "x"`: "email.subject", `extrnal(forward.to)`: "external", `user.name in lists.vpi`: "lists.vip"}
	for when, want := range rows {
		_, ms := Compile(when, scope(map[string]List{"vip": names3{"a"}}))
		if len(ms) == 0 || ms[0].Suggestion != want {
			t.Errorf("%s: got %v, want %q", when, ms, want)
		}
	}
}

func TestTemplates(t *testing.T) {
	s := scope(nil)
	tpl, ms := CompileTemplate(`{{ account }} has {{ inbox_rule.name }}, sends to {{ inbox_rule.sends_to }}, {{ file.size }} bytes`, s)
	if tpl == nil {
		t.Fatal(ms)
	}
	ev := event.New(s.Layout, record{s.Layout, map[string]string{"account": "taro", "inbox_rule.name": "..", "file.size": "10"}, map[string][]string{"inbox_rule.sends_to": {"a", "b"}}})
	ev.Next()
	if got, want := NewMachine(ev, s).Render(tpl), "taro has .., sends to a, b, 10 bytes"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, ms := CompileTemplate("日 {{ acount }}", s); len(ms) != 1 || ms[0].At != 5 || ms[0].Suggestion != "account" {
		t.Errorf("got %+v", ms)
	}
	if _, ms := CompileTemplate("{{ account", s); len(ms) != 1 || ms[0].At != 0 {
		t.Errorf("got %+v", ms)
	}
}

// TestSentencesAccuseNobody: who acted is a user, else an application, else somebody unnamed.
func TestSentencesAccuseNobody(t *testing.T) {
	for want, texts := range map[string]map[string]string{
		"taro gave eve":             {"user.name": "taro", "app.name": "Tool", "mailbox.owner": "eve"},
		"taro gave ":                {"user.name": "taro", "mailbox.owner": "taro"},
		"Tool gave eve":             {"app.name": "Tool", "user.id": "1", "mailbox.owner": "eve"},
		"1 gave eve":                {"user.id": "1", "mailbox.owner": "eve"},
		"somebody unnamed gave eve": {"account": "eve", "mailbox.owner": "eve"},
	} {
		s := scope(nil)
		tpl, ms := CompileTemplate(`{{ actor() }} gave {{ another(mailbox.owner) }}`, s)
		if tpl == nil {
			t.Fatal(ms)
		}
		ev := event.New(s.Layout, record{s.Layout, texts, nil})
		ev.Next()
		if got := NewMachine(ev, s).Render(tpl); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestAnAliasMakesNoDomainOnesOwn: of the names of an event, only the organization's is a domain.
func TestAnAliasMakesNoDomainOnesOwn(t *testing.T) {
	for name, want := range map[string]bool{"account": true, "user.name": true, "raw.MailboxOwnerUPN": true, "mailbox.owner": true, "organization.name": false} {
		s := scope(nil)
		p, ms := Compile(`external(forward.to)`, s)
		if p == nil {
			t.Fatal(ms)
		}
		ev := event.New(s.Layout, record{s.Layout, map[string]string{name: "mail.example.net"}, map[string][]string{"forward.to": {"a@mail.example.net"}}})
		ev.Next()
		if got, err := NewMachine(ev, s).Holds(p); err != nil || got != want {
			t.Errorf("%s: external is %v, %v", name, got, err)
		}
	}
}

// TestOneOwnDomainsAreNotWhatACommandNames: without a list, a domain is one's own only by what nobody can choose.
func TestOneOwnDomainsAreNotWhatACommandNames(t *testing.T) {
	for name, row := range map[string]struct {
		texts map[string]string
		want  bool
	}{
		"the actor's":                   {map[string]string{"user.name": "aoi@mail.example.net", "user.kind": "user"}, false},
		"an account of the command's":   {map[string]string{"account": "x@mail.example.net", "event.dataset": "ual.exchange_admin"}, true},
		"an account of the directory's": {map[string]string{"account": "x@mail.example.net", "event.dataset": "entra.audit"}, false},
		"a mailbox of the command's":    {map[string]string{"user.name": "aoi@contoso.example", "user.kind": "user", "mailbox.owner": "x@mail.example.net"}, true},
		"a mailbox of the record's":     {map[string]string{"raw.MailboxOwnerUPN": "X@Mail.example.net"}, false},
		"the organisation's":            {map[string]string{"organization.name": "mail.example.net"}, false},
		"a guest's":                     {map[string]string{"account": "x@mail.example.net", "user.name": "x@mail.example.net", "user.kind": "guest"}, true},
		"a guest's here":                {map[string]string{"user.name": "x_fabrikam.example#ext#@mail.example.net", "user.kind": "guest"}, false},
		"an application's":              {map[string]string{"account": "x@mail.example.net", "user.name": "x@mail.example.net", "user.kind": "app"}, true},
		"a service's":                   {map[string]string{"user.name": "x@mail.example.net", "user.kind": "service"}, true},
	} {
		row.texts["target.name"] = "box@mail.example.net"
		if got := holds(t, `external(target.name)`, row.texts); got != row.want {
			t.Errorf("%s: external is %v", name, got)
		}
	}
}

// FuzzCompile: whatever the source, compiling ends with a program or a mistake whose place lies inside the source.
func FuzzCompile(f *testing.F) {
	for _, s := range odd {
		f.Add(s)
	}
	for _, s := range []string{`event.action == "x" && any(forward.to, # == "y")`, `lists.x`, `a.b["c"].d`, `!!!!x`, `"\u{110000}"`, "a ?? b", "{{", `#`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, ms := Compile(source, scope(map[string]List{"vip": names3{"a"}}))
		if (p == nil) != slices.ContainsFunc(ms, func(m Mistake) bool { return !m.Warning }) {
			t.Fatalf("program %v, mistakes %v", p, ms)
		}
		for _, m := range ms {
			if m.At < 0 || m.At > len([]rune(source)) {
				t.Fatalf("%v lies outside", m)
			}
			if w := inward.FindString(m.Message); w != "" && !strings.Contains(source, w) && !strings.Contains(m.Message, "regular expression") {
				t.Fatalf("%s says %q", m.Message, w)
			}
		}
	})
}

// holds reports whether a condition holds for texts of fields.
func holds(t *testing.T, when string, texts map[string]string) bool {
	t.Helper()
	s := scope(nil)
	p, ms := Compile(when, s)
	if p == nil {
		t.Fatal(ms)
	}
	ev := event.New(s.Layout, record{s.Layout, texts, nil})
	ev.Next()
	got, err := NewMachine(ev, s).Holds(p)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
