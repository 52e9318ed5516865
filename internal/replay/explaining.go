package replay

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/explain"
	"noroshi/internal/state"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// Explaining tells what rules make of events: all rules of one event, one rule of all events, or what they hold for an account.
type Explaining struct {
	Event   string    // event.id; "": of all events
	Account string    // whose memory is told at the end
	Now     time.Time // see Replay
	Until   time.Time // events after it are left out, and the clock ends there; zero: at the last event
	// Each takes what the rules make of an event, the nearest first; it is called for events that are asked about by id, and for each
	// event where one rule is asked about that looks at one event alone.
	Each  func(Explained) error
	Fault func(Fault)

	set        *detector.Set
	only       *rules.Rule // nil: all rules
	conditions []*explain.Conditions
	worker     *detector.Worker
	reader     *explain.Reader
	watch      *watch
	asked      []*asked
	hits       map[string]*asked // by packed hit
	summary    Summary
	failed     error
}

// Explained is what rules make of an event.
type Explained struct {
	Event explain.Event  `json:"event"`
	Rules []explain.Tree `json:"rules"`
}

// Summary is what a rule that remembers makes of all events, and what rules hold for an account.
type Summary struct {
	At       explain.Time `json:"at"` // of the clock at the end
	Events   int          `json:"events"`
	Counting int          `json:"counting"` // events under a key
	Firing   int          `json:"firing"`   // events for which the rule fires; where keys are told, keys that fire or have fired
	Later    int          `json:"-"`        // events after Until
	// Nearest are the keys that fire or come nearest, each with its nearest event; for an account all of its keys, at the end.
	Nearest []explain.Tree `json:"nearest"`
	// Uncounted are the events that count for nothing and come nearest to it.
	Uncounted []explain.Tree `json:"uncounted,omitempty"`
}

// None reports whether there is nothing to tell: no event was asked about, and nothing is held.
func (s *Summary) None() bool { return s.Events == 0 && len(s.Nearest) == 0 }

// asked is an event to explain, and each rule's answer for it.
type asked struct {
	event explain.Event
	trees []explain.Tree // by rule, further keys of it at the end
	full  map[int32]bool // rules whose tree knows the memory
	open  int            // hits whose answer has not come
}

// The bounds of a summary.
const (
	maxNearest   = 5
	maxUncounted = 3
	maxWaiting   = 10_000 // events whose answer waits for a memory, while all events are told one by one
)

// NewExplaining compiles the rules: all that are not off, or one whatever its state.
func NewExplaining(set *rules.Set, only *rules.Rule, o decode.Options) (*Explaining, error) {
	x := &Explaining{only: only, hits: map[string]*asked{}}
	few := *set
	if only != nil {
		one := *only
		if one.State == rules.Off {
			one.State = rules.Shadow
		}
		x.only = &one
		if few.Rules = []*rules.Rule{&one}; len(one.Names) > 0 {
			few.Rules = replaced(set.Rules, only, &one)
		}
	}
	for _, r := range few.Rules {
		if r.State == rules.Off {
			continue
		}
		c, err := explain.NewConditions(few.Scope, r)
		if err != nil {
			return nil, err
		}
		x.conditions = append(x.conditions, c)
	}
	x.set = detector.New(&few, detector.Options{Decode: o})
	x.worker = x.set.Worker()
	x.reader = explain.NewReader(few.Scope, x.worker.Reader())
	return x, nil
}

// ExplainingTest compiles a rule as one of its tests has it.
func ExplainingTest(set *rules.Set, r *rules.Rule, t *rules.Test, o decode.Options) (x *Explaining, err error) {
	set.Compiling(func() {
		if set, r, err = set.Under(r, t); err == nil {
			x, err = NewExplaining(set, r, under(o, t))
		}
	})
	return x, err
}

func replaced(all []*rules.Rule, r, by *rules.Rule) (more []*rules.Rule) {
	for _, one := range all {
		if one == r {
			one = by
		}
		more = append(more, one)
	}
	return more
}

// Run reads the inputs. An input that cannot be read does not stop the others; see Replay.Run.
func (x *Explaining) Run(ctx context.Context, inputs []Input) (Summary, Stats, error) {
	run := Replay{Set: x.set, Workers: 1, reused: []*detector.Worker{x.worker}, Now: x.Now, Until: x.Until, Alert: noAlert, Fault: x.Fault}
	run.watch = &watch{of: x}
	x.watch = run.watch
	stats, err := run.Run(ctx, inputs)
	x.summary.Later = x.watch.later
	if x.failed != nil {
		return x.summary, stats, x.failed
	}
	for _, a := range x.asked {
		if x.failed == nil {
			x.give(a)
		}
	}
	if x.failed != nil {
		err = x.failed
	}
	return x.summary, stats, err
}

// Keys reports whether the summary tells keys at the end, not events.
func (x *Explaining) Keys() bool { return x.Account != "" || x.byKeys() }

// OneByOne reports whether events are asked about one by one, so that Each tells all.
func (x *Explaining) OneByOne() bool {
	return x.Account == "" && (x.Event != "" || x.only == nil || x.only.Kind.Single())
}

// Test reads the records of a test, in the order of their times.
func (x *Explaining) Test(ctx context.Context, t *rules.Test) (Summary, error) {
	b := &builder{reader: x.set.Plan().Reader()}
	records, err := b.records(t)
	if err != nil {
		return Summary{}, err
	}
	x.Until = t.Until
	sum, _, err := x.Run(ctx, []Input{{Name: "test", From: bytes.NewReader(bytes.Join(records, []byte("\n")))}})
	return sum, err
}

// matched takes the record that the reader has at hand, with its hits.
func (x *Explaining) matched(hits []byte) {
	id := x.reader.Identity()
	if x.Account != "" && strings.EqualFold(x.reader.Event.Text(event.Account), x.Account) {
		x.summary.Events++
	}
	if x.Account != "" || x.failed != nil || x.Event != "" && id.ID != x.Event {
		return
	}
	x.summary.Events++
	if !x.OneByOne() {
		if len(hits) == 0 && !x.byKeys() {
			x.uncounted()
		}
		return
	}
	a := &asked{full: map[int32]bool{}}
	for _, c := range x.conditions {
		a.trees = append(a.trees, c.Tree(x.reader))
	}
	a.event = *a.trees[0].Event
	all := x.set.Rules()
	has := map[int32]bool{}
	detector.EachHit(hits, func(packed []byte) {
		var h kind.Hit
		if h.Unpack(packed) != nil {
			return
		}
		has[h.Rule] = true
		if all[h.Rule].Kind.Memory != nil {
			x.hits[string(packed)] = a
			a.open++
		}
	})
	for i := range a.trees {
		t := &a.trees[i]
		counts := len(t.CountsAs) > 0 && t.Verdict == explain.Silent || t.Verdict == explain.Fires && all[i].Kind.Memory != nil
		if counts && !has[int32(i)] {
			t.Verdict, t.Because = explain.NoKey, x.conditions[i].LacksKey(x.reader)
		}
	}
	x.asked = append(x.asked, a)
	x.flow()
}

// flow gives on the first events that wait for nothing where all events are told. Of those that would wait for too long it is not told
// whether an alert has told them before.
func (x *Explaining) flow() {
	for x.Event == "" && len(x.asked) > 0 && (x.asked[0].open == 0 || len(x.asked) > maxWaiting) {
		a := x.asked[0]
		x.asked[0], x.asked = nil, x.asked[1:]
		x.give(a)
	}
}

// uncounted looks at an event that counts for nothing.
func (x *Explaining) uncounted() {
	for _, c := range x.conditions {
		if !c.Of(x.only) {
			continue
		}
		t := c.Tree(x.reader)
		if len(t.CountsAs) > 0 && t.Verdict == explain.Silent {
			t.Verdict, t.Because = explain.NoKey, c.LacksKey(x.reader)
		}
		x.summary.Uncounted = kept(x.summary.Uncounted, t, maxUncounted)
	}
}

// asks reports whether a hit is asked about.
func (x *Explaining) asks(packed []byte) bool {
	if x.Account != "" || x.byKeys() {
		return false
	}
	if x.OneByOne() {
		return x.hits[string(packed)] != nil
	}
	var h kind.Hit
	return h.Unpack(packed) == nil && x.set.Rules()[h.Rule] == x.only
}

// answered takes what a memory makes of a hit.
func (x *Explaining) answered(packed []byte, s *detector.Standing) {
	if !x.OneByOne() {
		x.counted(s)
		return
	}
	a := x.hits[string(packed)]
	delete(x.hits, string(packed))
	var h kind.Hit
	if a == nil || h.Unpack(packed) != nil {
		return
	}
	s.Whole()
	if a.full[h.Rule] { // under another key
		t := x.bare(a, h.Rule)
		t.Of(s)
		a.trees = append(a.trees, t)
	} else {
		a.full[h.Rule] = true
		a.trees[h.Rule].Of(s)
	}
	a.open--
	x.flow()
}

// bare is a rule's tree of an event, without what one of its keys holds.
func (x *Explaining) bare(a *asked, rule int32) explain.Tree {
	t := a.trees[rule]
	t.Key, t.Parts, t.Missing = nil, nil, nil
	return t
}

// counted takes what a memory makes of one of the rule's events.
func (x *Explaining) counted(s *detector.Standing) {
	x.summary.Counting++
	t := explain.Counted(s)
	if t.Verdict == explain.Fires {
		x.summary.Firing++
	}
	all := x.summary.Nearest
	i := slices.IndexFunc(all, func(o explain.Tree) bool { return sameKey(&o, &t) })
	switch {
	case i < 0 && len(all) == maxNearest && explain.Nearer(&t, &all[len(all)-1]) >= 0:
		return
	case i >= 0 && explain.Sidelined(&t) > explain.Sidelined(&all[i]):
		return
	case i >= 0 && explain.Nearer(&t, &all[i]) >= 0 && (t.Near > 0 || len(s.Rule.Kind.Steps) > 0):
		return
	case i >= 0: // where nothing is there of what is needed, the last event knows most
		all = slices.Delete(all, i, i+1)
	}
	s.Whole()
	x.summary.Nearest = kept(all, explain.Counted(s), maxNearest)
}

func sameKey(a, b *explain.Tree) bool {
	return a.Tenant == b.Tenant && slices.EqualFunc(a.Key, b.Key, func(a, b explain.Value) bool { return bytes.Equal(a.Value, b.Value) })
}

// kept puts a tree among the nearest ones.
func kept(all []explain.Tree, t explain.Tree, most int) []explain.Tree {
	at, _ := slices.BinarySearchFunc(all, t, func(a, b explain.Tree) int { return cmp.Or(explain.Nearer(&a, &b), -1) })
	if at >= most {
		return all
	}
	all = slices.Insert(all, at, t)
	return all[:min(len(all), most)]
}

// give gives on what the rules make of an event.
func (x *Explaining) give(a *asked) {
	if x.only != nil { // without the rules that it names
		a.trees = slices.DeleteFunc(a.trees, func(t explain.Tree) bool { return t.Rule != x.only.ID })
	}
	explain.Sort(a.trees)
	if x.failed = x.Each(Explained{a.event, a.trees}); x.failed != nil {
		x.failed = fmt.Errorf("write explanation: %w", x.failed)
	}
}

// ended looks at the memory when all events have been applied. A rule that looks at alerts is told by its keys.
func (x *Explaining) ended(m *detector.Memory, of detector.Looks, now time.Time) {
	x.summary.At = explain.Time{Time: now}
	if x.Account == "" && !x.byKeys() {
		return
	}
	m.Standings(x.Account, of, state.Nanoseconds(now), detector.AtTheEnd, func(s *detector.Standing) {
		if x.only != nil && s.Rule != x.only {
			return
		}
		t := explain.Key(s, now)
		if t.Verdict == explain.Fires || t.Verdict == explain.Fired {
			x.summary.Firing++
		}
		x.summary.Nearest = append(x.summary.Nearest, t)
	})
	all := x.summary.Nearest
	explain.Sort(all)
	if x.Account == "" {
		x.summary.Nearest = all[:min(len(all), maxNearest)]
	}
}

// byKeys reports whether a rule is asked about that looks at alerts, and is told by what its keys hold at the end.
func (x *Explaining) byKeys() bool {
	return x.Account == "" && x.Event == "" && x.only != nil && len(x.only.Kind.Of) > 0
}

// noAlert takes alerts that nobody asks for.
func noAlert(*alert.Alert) error { return nil }
