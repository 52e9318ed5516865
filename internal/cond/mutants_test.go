package cond

import (
	"fmt"
	"slices"
	"testing"

	"noroshi/internal/event"
)

// TestMutants: each comparison, part and entry is changed once, and each change can be compiled.
func TestMutants(t *testing.T) {
	for _, c := range []struct {
		source string
		want   []string
	}{
		{`inbox_rule.deletes`, nil},
		{`event.outcome != "failure"`, []string{`14: with == in place of !=: event.outcome == "failure"`}},
		{`event.action == "a" && inbox_rule.deletes && source.as.number > 5`, []string{
			`13: with != in place of ==: event.action != "a" && inbox_rule.deletes && source.as.number > 5`,
			`0: without event.action == "a": inbox_rule.deletes && source.as.number > 5`,
			`23: without inbox_rule.deletes: event.action == "a" && source.as.number > 5`,
			`62: with <= in place of >: event.action == "a" && inbox_rule.deletes && source.as.number <= 5`,
			`45: without source.as.number > 5: event.action == "a" && inbox_rule.deletes`,
		}},
		{`event.action in ["a", "b"]`, []string{
			`17: without the entry "a": event.action in ["b"]`,
			`22: without the entry "b": event.action in ["a"]`,
			`13: with the opposite of event.action in ["a", "b"]: !(event.action in ["a", "b"])`,
		}},
		{`event.action in ["a", "b", "c"]`, []string{
			`17: without the entry "a": event.action in ["b", "c"]`,
			`22: without the entry "b": event.action in ["a", "c"]`,
			`27: without the entry "c": event.action in ["a", "b"]`,
			`13: with the opposite of event.action in ["a", "b", "c"]: !(event.action in ["a", "b", "c"])`,
		}},
		{`event.action not in ["a"]`, []string{`17: with the opposite of event.action in ["a"]: not !(event.action in ["a"])`}},
		{`!has(source.ip)`, []string{`0: without ! before has(source.ip): has(source.ip)`}},
		{`any(forward.to, # contains "a" or # == "b")`, []string{
			`18: with the opposite of # contains "a": any(forward.to, !(# contains "a") or # == "b")`,
			`36: with != in place of ==: any(forward.to, # contains "a" or # != "b")`,
			`16: without # contains "a": any(forward.to, # == "b")`,
			`34: without # == "b": any(forward.to, # contains "a")`,
		}},
	} {
		all, err := Mutants(c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
		}
		var have []string
		for _, m := range all {
			have = append(have, fmt.Sprintf("%d: %s: %s", m.At, m.Change, m.Source))
			if p, ms := Compile(m.Source, &Scope{Layout: event.NewLayout()}); p == nil {
				t.Errorf("%s: %v", m.Source, ms)
			}
		}
		if !slices.Equal(have, c.want) {
			t.Errorf("%s:\nhave %q\nwant %q", c.source, have, c.want)
		}
	}
}
