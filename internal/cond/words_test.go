package cond

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"noroshi/internal/event"
)

// inward are words of the implementation that no author may read.
var inward = regexp.MustCompile(`(?i)interface|cond\.|struct|\bfunc\b|\[\]string|\[\]any|float64|\bint\b|\bstring\b|\bbool\b|map\[|operator\(|identifier|bracket\(|string\(|number\(|\beof\b|\btoken\b|<nil>|` +
	`\bnil\b|\bany\b \{|argument \(type|mismatched|unexpected|unknown name|runtime|reflect|panic|%!|cannot be evaluated|cannot be read`)

// parts are parts of a condition of every kind.
var parts = []string{
	`user.name`, `"x"`, `event.code`, `mailbox.items`, `3`, `2.5`, `-1`, `inbox_rule.deletes`, `true`, `grant.rights`, `inbox_rule.sends_to`, `["a", "b"]`, `[1, 2]`, `["a", 1]`, `[]`,
	`[grant.trustee]`, `[mailbox.items]`, `[grant.rights]`, `lists.vip`, `param["Force"]`, `raw.Some.Path`, `change["X"].new`, `user.name == "x"`, `lower(user.name)`, `len(grant.rights)`,
	`has(user.name)`, `domain(user.name)`, `(true ? user.name : "y")`, `(true ? 1 : 2.5)`, `lower(grant.rights)`, `trim("x")`, `any(grant.rights, # == "x")`, `nil`, `Operation`, `yes`,
}

// sources are conditions of every function and operator with every kind of part, in every number and order.
func sources() (all []string) {
	calls := slices.Concat(slices.Sorted(maps.Keys(functions)), slices.Sorted(maps.Keys(builtins)))
	for _, f := range calls {
		all = append(all, f+"()", f, f+"(user.name, user.name, user.name, user.name)")
		for _, a := range parts {
			all = append(all, fmt.Sprintf("%s(%s)", f, a), fmt.Sprintf("%s(%s) == 1", f, a), fmt.Sprintf("any(grant.rights, %s(#, %s))", f, a))
			for _, b := range append(parts, `#`, `# == "x"`) {
				all = append(all, fmt.Sprintf("%s(%s, %s)", f, a, b))
			}
			all = append(all, fmt.Sprintf("%s(%s, %s, user.name)", f, a, a))
		}
	}
	for _, o := range append(slices.Sorted(maps.Keys(operators)), "=", "=~", "<>", "===", "AND", "Or", "startswith", "EndsWith", "LIKE", "is", "&", "|", "??", "..", "**", "^", "not in", "not contains") {
		for _, a := range parts {
			for _, b := range parts {
				all = append(all, fmt.Sprintf("%s %s %s", a, o, b), fmt.Sprintf("any(grant.rights, %s %s #)", a, o))
			}
		}
	}
	for _, a := range parts {
		all = append(all, a, "!"+a, "not "+a, "-"+a, a+" && true", "true || "+a, a+" ? true : false", "true ? "+a+" : true", a+".name == 1", a+"[0] == 1", a+"() == 1", `any(grant.rights, #.x == `+a+")")
		for _, b := range parts {
			all = append(all, fmt.Sprintf("(true ? %s : %s) == 1", a, b))
		}
	}
	return all
}

// odd are conditions that are written wrongly in other ways.
var odd = []string{
	`user.name matches /x/`, `user.name ~ "x"`, `user.name == 'x`, `user.name == "x`, `(user.name == "x"`, `user.name == "x")`, `user.name == "x"]`, `[user.name == "x")`,
	`user.name == "\q"`, `1x == 1`, `0x == 1`, `99999999999999999999 == 1`, `§ == 1`, `# == "x"`, `any(grant.rights)`, `any(grant.rights, .x == 1)`, `any(grant.rights, {# == "x"})`,
	`user.name matches "("`, `user.name matches "(?=x)"`, `user.name matches "[z-a]"`, `user.name matches "*"`, `user.name matches "\\"`, `user.name matches "a{2000}"`, `b"x" == user.name`,
	`"a" "b"`, `user.name "x"`, `user.name user.name`, `let x = 1; x`, `{"a": 1}`, `user.name[1:2] == "x"`, `/* x`, `user.name | lower`, `user?.name == 1`, `a ?? b`, `startsWith(user.name, "x")`,
	"user.name ==\n", `if user.name == "x" then true`, `user.name == "x";`, `, user.name`, `user..name`, `.name == 1`, `user.name == "x" , true`, `$env`, `$env.x == 1`, `#acc == 1`, `map(grant.rights, #)`,
}

// TestNoWordOfTheImplementationReachesAnAuthor: whatever is wrong, the sentence is in the words of docs/rules.md, and what has no
// mistake runs.
func TestNoWordOfTheImplementationReachesAnAuthor(t *testing.T) {
	lists := map[string]List{"vip": names3{"a"}}
	told := map[string]bool{}
	good := 0
	every := 11 // all of them take a minute
	if os.Getenv("NOROSHI_LONG") != "" {
		every = 1
	}
	all := append(sources(), odd...)
	for i, source := range all {
		if i%every != 0 && i < len(all)-len(odd) {
			continue
		}
		s := scope(lists)
		p, ms := Compile(source, s)
		for _, m := range ms {
			told[m.Message] = true
			if w := inward.FindString(strings.ReplaceAll(m.Message, source, "")); w != "" && !strings.Contains(source, w) {
				t.Errorf("%s\n\t%s\n\tsays %q", source, m.Message, w)
			}
			if m.At < 0 || m.At > len([]rune(source)) || m.Message == "" || m.Code == "" {
				t.Errorf("%s: %+v", source, m)
			}
		}
		if (p == nil) != slices.ContainsFunc(ms, func(m Mistake) bool { return !m.Warning }) {
			t.Fatalf("%s: program %v, mistakes %v", source, p, ms)
		}
		if p == nil {
			continue
		}
		good++
		ev := event.New(s.Layout, record{s.Layout, map[string]string{"user.name": "a"}, map[string][]string{"grant.rights": {"x", "y"}}})
		ev.Next()
		if _, err := NewMachine(ev, s).Holds(p); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
	if len(told) < 200 || good < 100 {
		t.Errorf("%d sentences, %d good conditions", len(told), good)
	}
}
