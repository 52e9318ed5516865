package cond

import (
	"strings"
	"testing"

	"noroshi/internal/event"
)

// TestCommandsKeepValuesAsValues: whoever names an inbox rule writes no command.
func TestCommandsKeepValuesAsValues(t *testing.T) {
	s := scope(nil)
	tpl, ms := CompileTemplate(`Disable-InboxRule -Identity '{{ inbox_rule.name }}'`, s)
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	for name, want := range map[string]string{
		"plain":                       "plain",
		"x'; Remove-Mailbox eve; '":   "x''; Remove-Mailbox eve; ''",
		"x’; Remove-Mailbox eve; ‘‚‛": "x’’; Remove-Mailbox eve; ‘‘‚‚‛‛",
	} {
		ev := event.New(s.Layout, record{layout: s.Layout, texts: map[string]string{"inbox_rule.name": name}})
		ev.Next()
		if got := NewMachine(ev, s).RenderQuoted(tpl); got != "Disable-InboxRule -Identity '"+want+"'" {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := NewMachine(ev, s).Render(tpl); !strings.Contains(got, name) {
			t.Errorf("plain text is changed: %s", got)
		}
	}
}

// inQuotes reads the texts in single quotes of a command, as PowerShell does, or of a filter, as OData does: two quotes stand for
// one.
func inQuotes(command, quotes string) (all []string) {
	for rest := []rune(command); len(rest) > 0; rest = rest[1:] {
		if !strings.ContainsRune(quotes, rest[0]) {
			continue
		}
		var b strings.Builder
		for rest = rest[1:]; len(rest) > 0; rest = rest[1:] {
			if strings.ContainsRune(quotes, rest[0]) {
				if len(rest) < 2 || !strings.ContainsRune(quotes, rest[1]) {
					break
				}
				rest = rest[1:]
			}
			b.WriteRune(rest[0])
		}
		all = append(all, b.String())
		if len(rest) == 0 {
			return append(all, "not closed")
		}
	}
	return all
}

// TestFiltersKeepValuesAsValues: a value inside a filter inside a command comes out of both as it was.
func TestFiltersKeepValuesAsValues(t *testing.T) {
	s := scope(nil)
	tpl, ms := CompileTemplate(`Get-X -Filter 'name eq ''{{ inbox_rule.name }}''' -Id '{{ inbox_rule.name }}' -Empty '' -Bare {{ inbox_rule.name }} -Filter 'a eq ''{{ inbox_rule.name }}'' or b eq ''{{ inbox_rule.name }}'''`, s)
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	for _, name := range []string{"plain", "o'brien@contoso.example", "''", "'", "x' or 1 eq 1 or name eq '", "'; Remove-Mailbox eve; '", "’", "x’’; ‘‚‛'", "日本'", ""} {
		ev := event.New(s.Layout, record{layout: s.Layout, texts: map[string]string{"inbox_rule.name": name}})
		ev.Next()
		command := NewMachine(ev, s).RenderQuoted(tpl)
		got := inQuotes(command, "'\u2018\u2019\u201a\u201b")
		if len(got) != 5 || got[1] != name || got[2] != "" || got[3] != name {
			t.Errorf("%q: PowerShell reads %q of %s", name, got, command)
			continue
		}
		one, two := inQuotes(got[0], "'"), inQuotes(got[4], "'")
		if len(one) != 1 || one[0] != name || len(two) != 2 || two[0] != name || two[1] != name {
			t.Errorf("%q: the filters read %q and %q of %s", name, one, two, command)
		}
	}
}
