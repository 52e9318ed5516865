package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"noroshi/internal/decode"
	"noroshi/internal/diag"
	"noroshi/internal/explain"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// explaining prints explanations.
type explaining struct {
	explainFlags
	out  io.Writer
	set  *rules.Set
	rule *rules.Rule // nil: all
	gist gist
}

// maxMisses is how many rules are shown for which an event does not count.
const maxMisses = 5

// about prints what the rule tells about itself.
func (p *explaining) about() error {
	if p.rule == nil || p.json {
		return nil
	}
	var b strings.Builder
	printAbout(&b, p.rule)
	p.tuned(&b)
	_, err := io.WriteString(p.out, b.String())
	return err
}

// tuned prints what keeps a rule silent whatever comes: its state, and that of the rules whose alerts it looks at.
func (p *explaining) tuned(b *strings.Builder) {
	if text := stateOf(p.rule); text != "" {
		fmt.Fprintf(b, "%s %s; this is what it would do\n", p.rule.ID, text)
	}
	for _, r := range p.set.Rules {
		if text := stateOf(r); text != "" && r != p.rule && slices.ContainsFunc(p.rule.Kind.Of, r.Answers) {
			fmt.Fprintf(b, "%s looks at alerts of %s, which %s: it does not see them\n", p.rule.ID, r.ID, text)
		}
	}
}

// stateOf says that a rule is off or in shadow, and where that is said; "" of one that is neither.
func stateOf(r *rules.Rule) string {
	state := map[rules.State]string{rules.Off: "is off", rules.Shadow: "is in shadow"}[r.State]
	if state == "" || r.StateAt == "" {
		return state
	}
	return state + " by library: in " + diag.EscapeLine(r.StateAt)
}

// offs tells which rules are not asked, because they are off.
func offs(w io.Writer, set *rules.Set) {
	var all []string
	for _, r := range set.Rules {
		if r.State == rules.Off {
			all = append(all, r.ID+" "+stateOf(r))
		}
	}
	if len(all) > 0 {
		fmt.Fprintf(w, "not asked: %s\n", strings.Join(all, ", "))
	}
}

// excused tells how many events exceptions excused of a rule that learns: its keys do not show them.
func (p *explaining) excused(n int) error {
	if n == 0 || p.rule == nil || p.json || p.event != "" || !p.rule.Kind.Learns {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s excused by exceptions: learned from, and no alert; --event shows one\n", plural(n, "event"))
	for i := range p.rule.Unless {
		x := &p.rule.Unless[i]
		fmt.Fprintf(&b, "  unless %s: %s\n", diag.EscapeLine(strings.Join(strings.Fields(x.When.Source), " ")), diag.EscapeLine(cmp.Or(x.Because, "no reason given")))
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

// each prints what rules make of an event.
func (p *explaining) each(x replay.Explained) error {
	if p.json {
		return writeJSON(p.out, x)
	}
	var b strings.Builder
	switch {
	case p.rule == nil:
		eachRule(&b, &x)
	case p.event == "":
		p.gist.take(&b, &x)
	default:
		for i := range x.Rules {
			x.Rules[i].WriteEvent(&b, "")
		}
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

// eachRule shows the rules that fire for an event, those that it counts for, and the nearest of the others.
func eachRule(b *strings.Builder, x *replay.Explained) {
	var shown []*explain.Tree
	fires, misses, left := 0, 0, 0
	for i := range x.Rules {
		t := &x.Rules[i]
		switch {
		case t.Verdict == explain.Fires:
			fires++
		case len(t.CountsAs) > 0 || t.Verdict == explain.Excused:
		case t.Near > 0 && misses < maxMisses:
			misses++
		default:
			left++
			continue
		}
		shown = append(shown, t)
	}
	b.WriteString(diag.EscapeLine(x.Event.Head()))
	if x.Event.Account != "" {
		fmt.Fprintf(b, " (%s)", diag.EscapeLine(x.Event.Account))
	}
	fmt.Fprintf(b, ": %s\n", firing(fires, len(x.Rules)))
	for _, t := range shown {
		t.WriteRule(b, "  ")
	}
	if left > 0 {
		fmt.Fprintf(b, "  and %s further away; --rule ID shows one\n", plural(left, "rule"))
	}
}

// firing says how many rules fire.
func firing(n, of int) string {
	switch n {
	case 0:
		return fmt.Sprintf("no rule of %d fires for it", of)
	case 1:
		return fmt.Sprintf("1 rule of %d fires for it", of)
	}
	return fmt.Sprintf("%d rules of %d fire for it", n, of)
}

// summary prints what a rule makes of all events, or what rules hold for an account; of events that are asked about one by one nothing.
func (p *explaining) summary(x *replay.Explaining, sum *replay.Summary) error {
	if x.OneByOne() {
		return p.gists()
	}
	if p.json {
		return writeJSON(p.out, p.object(sum))
	}
	return p.told(x, sum, "")
}

// gists ends what was printed of the events of a rule one by one.
func (p *explaining) gists() error {
	if p.rule == nil || p.event != "" || p.json {
		return nil
	}
	var b strings.Builder
	p.gist.end(&b)
	_, err := io.WriteString(p.out, b.String())
	return err
}

// told prints what a rule makes of all events, or what rules hold, for people.
func (p *explaining) told(x *replay.Explaining, sum *replay.Summary, indent string) error {
	var b strings.Builder
	if x.Keys() {
		p.keys(&b, sum)
	} else {
		p.nearest(&b, sum, indent)
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

// summed is a summary as JSON has it.
type summed struct {
	Rule    string `json:"rule,omitempty"`
	Test    string `json:"test,omitempty"`
	Account string `json:"account,omitempty"`
	*replay.Summary
}

func (p *explaining) object(sum *replay.Summary) summed {
	return summed{Rule: p.explainFlags.rule, Account: p.account, Summary: sum}
}

// keys shows what is held for an account.
func (p *explaining) keys(b *strings.Builder, sum *replay.Summary) {
	head := diag.EscapeLine(cmp.Or(p.account, "all keys")) + " at " + sum.At.String()
	switch {
	case sum.None() && p.account != "" && !p.live:
		fmt.Fprintf(b, "%s: no event is about this account\n", head)
		return
	case len(sum.Nearest) == 0 && p.account == "":
		fmt.Fprintf(b, "%s: the rule holds nothing; no alert that it looks at counts then\n", head)
		return
	case len(sum.Nearest) == 0 && p.rule != nil:
		fmt.Fprintf(b, "%s: the rule holds nothing for this account\n", head)
		return
	case len(sum.Nearest) == 0:
		fmt.Fprintf(b, "%s: no rule that remembers holds anything for this account\n", head)
		return
	}
	explain.TellTenants(sum.Nearest)
	b.WriteString(head + "\n")
	for i := range sum.Nearest {
		t := &sum.Nearest[i]
		t.WriteRule(b, "  ")
	}
}

// nearest shows the keys that came nearest, and the events that do not count.
func (p *explaining) nearest(b *strings.Builder, sum *replay.Summary, indent string) {
	explain.TellTenants(sum.Nearest)
	for i := range sum.Nearest {
		t := &sum.Nearest[i]
		t.WriteEvent(b, indent)
	}
	for i := range sum.Uncounted {
		t := &sum.Uncounted[i]
		t.WriteEvent(b, indent)
	}
	verb := "count"
	if sum.Counting == 1 {
		verb = "counts"
	}
	fmt.Fprintf(b, "%s%s, %d %s; the rule fires for %d\n", indent, plural(sum.Events, "event"), sum.Counting, verb, sum.Firing)
}

// explainTests explains the rule's tests, one after the other.
func (p *explaining) explainTests(ctx context.Context, set *rules.Set, o decode.Options) error {
	if err := p.about(); err != nil {
		return failed{err}
	}
	if len(p.rule.Tests) == 0 {
		return failed{fmt.Errorf("rule %s has no tests", p.rule.ID)}
	}
	found := false
	for i := range p.rule.Tests {
		t := &p.rule.Tests[i]
		if !p.json {
			if _, err := fmt.Fprintf(p.out, "test: %s\n", diag.EscapeLine(t.Name)); err != nil {
				return failed{err}
			}
		}
		n, err := p.test(ctx, set, t, o)
		if err != nil {
			return failed{err}
		}
		found = found || n > 0
	}
	if p.event != "" && !found {
		return failed{fmt.Errorf("no event %s in the tests of rule %s", p.event, p.rule.ID)}
	}
	if p.account != "" && !found {
		return failed{fmt.Errorf("no event in the tests of rule %s is about the account %s; %s", p.rule.ID, p.account, asAccounts)}
	}
	return nil
}

// test explains a test, and gives how many of its events were asked about, or are about the account.
func (p *explaining) test(ctx context.Context, set *rules.Set, t *rules.Test, o decode.Options) (int, error) {
	x, err := replay.ExplainingTest(set, p.rule, t, o)
	if err != nil {
		return 0, err
	}
	x.Event, x.Account = p.event, p.account
	x.Each = func(e replay.Explained) error {
		if p.json {
			return writeJSON(p.out, struct {
				Test string `json:"test"`
				replay.Explained
			}{t.Name, e})
		}
		var b strings.Builder
		for i := range e.Rules {
			e.Rules[i].WriteEvent(&b, "  ")
		}
		_, err := io.WriteString(p.out, b.String())
		return err
	}
	sum, err := x.Test(ctx, t)
	if err != nil || x.OneByOne() {
		return sum.Events, err
	}
	if p.json {
		one := p.object(&sum)
		one.Test = t.Name
		return sum.Events, writeJSON(p.out, one)
	}
	return sum.Events, p.told(x, &sum, "  ")
}
