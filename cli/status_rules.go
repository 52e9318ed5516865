package cli

import (
	"fmt"
	"strings"

	"noroshi/internal/app"
	"noroshi/internal/diag"
)

// tellLacking tells of roles that nobody has, where somebody has one.
func tellLacking(s Streams, all []app.Status) error {
	lacking := app.Lacking(all, s.Now())
	if len(lacking) == len(app.Roles) {
		return nil // nothing runs, as the first lines say
	}
	for _, one := range lacking {
		if _, err := fmt.Fprintf(s.Out, "no running instance has the role %s: %s\n", one, one.Undone()); err != nil {
			return failed{err}
		}
	}
	return nil
}

// ruleSet tells which rules are evaluated, and what keeps others from being.
func (t *statusTable) ruleSet() {
	s := &t.of.RuleSet
	if s.Digest != "" {
		t.line("  rule set %s, loaded %s", s.Digest, at(s.Loaded))
	}
	sleepers := 0
	for i := range t.of.Asleep {
		sleepers += len(t.of.Asleep[i].Rules)
	}
	if sleepers > 0 {
		t.line("  asleep: %s: no source has shown what they look at; status --json names them", plural(sleepers, "rule"))
	}
	if s.Fault != "" {
		t.line("  rules not loaded again since %s; those of before stay: %s", at(s.Since), diag.EscapeLine(s.Fault))
	}
	if len(s.Restart) > 0 {
		t.line("  restart needed for: %s", strings.Join(s.Restart, ", "))
	}
	if len(s.Others) > 0 && !t.of.Ended {
		t.line("  other rules than here for longer than a minute: %s", diag.EscapeLine(strings.Join(s.Others, ", ")))
	}
}
