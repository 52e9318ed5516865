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
