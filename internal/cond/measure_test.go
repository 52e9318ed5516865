package cond

import (
	"fmt"
	"strings"
	"testing"

	"noroshi/internal/event"
)

// TestNumbersAreComparedAsTheVMDoes: comparisons of numbers and truths with constants are understood without the VM, which gives the same.
func TestNumbersAreComparedAsTheVMDoes(t *testing.T) {
	var conditions []string
	for _, op := range []string{"<", "<=", ">", ">=", "==", "!="} {
		for _, n := range []string{"0", "-1", "5", "5.5", "1e3"} {
			conditions = append(conditions, "file.size "+op+" "+n, n+" "+op+" file.size", "len(inbox_rule.sends_to) "+op+" "+n,
				"!(file.size "+op+" "+n+")", "file.size "+op+" "+n+" || len(inbox_rule.sends_to) > 1")
		}
	}
	conditions = append(conditions, "file.size in [1, 5, -1]", "file.size in [5.5, 1]", "file.size not in [5, 0]", "len(inbox_rule.sends_to) in [1, 2]",
		"inbox_rule.deletes == true", "inbox_rule.deletes != true", "false == inbox_rule.deletes", "!(inbox_rule.deletes != false)")
	for _, when := range conditions {
		s := scope(nil)
		p, ms := Compile(when, s)
		if p == nil {
			t.Fatalf("%s: %v", when, ms)
		}
		if !p.root.exact {
			t.Errorf("%s is not understood", when)
		}
		for _, size := range []string{"", "0", "-0", "5", "5.0", "5.5", "1000", "-1", "9007199254740993", "no number"} {
			for deletes, list := range map[string][]string{"": nil, "true": {"a"}, "false": strings.Split("a b c d e f", " ")} {
				ev := event.New(s.Layout, record{s.Layout, map[string]string{"file.size": size, "inbox_rule.deletes": deletes}, map[string][]string{"inbox_rule.sends_to": list}})
				ev.Next()
				want, err := NewMachine(ev, s).Holds(p)
				if got := p.root.holds(ev); err != nil || got != want {
					t.Errorf("%s with %q, %q: got %v, want %v, %v", when, size, list, got, want, err)
				}
			}
		}
	}
}

// TestNumbersThatAreNotAbsentHaveAnOperation: a rule that compares a number that only some operations have is looked up by these.
func TestNumbersThatAreNotAbsentHaveAnOperation(t *testing.T) {
	for when, want := range map[string]bool{"mailbox.items >= 500": true, "mailbox.items == 0": false, "mailbox.items < 5": false, "3 < mailbox.items": true} {
		s := scope(nil)
		p, ms := Compile(when, s)
		if p == nil {
			t.Fatal(ms)
		}
		if got := fmt.Sprint(p.root.actions) != "[]"; got != want && actionsOf(s.Layout, p.slots[0]) != nil {
			t.Errorf("%s: needs %v", when, p.root.actions)
		}
	}
}
