package detector_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// way is how the records of a case reach the engine.
type way struct {
	name    string
	inOrder bool          // the clock is at the event at hand; else it stands still until the end
	order   []int         // of the events, by number
	keep    time.Duration // how long windows stay after their end: long enough for repeats that come late
	live    bool          // every revision is told, else each alert once
	restart []int         // before which of the events memory is written as rows and read back
	stored  bool          // the rows are those that have changed, gathered in a changelog
	stages  int           // not 0: in two stages, in which signals are looked at after so many records
	stands  bool          // alerts are looked at before they have come to rest, and what was told of them stands
}

// changelog is what a changelog holds of a memory.
type changelog struct {
	log   state.Changelog
	owner int64
	rows  map[string][]byte
}

// take takes the changes of a memory over.
func (w *changelog) take(m *detector.Memory, now time.Time) {
	clock := binary.AppendVarint(nil, state.Nanoseconds(now))
	m.Changes(func(r detector.Row) { w.log.Put(r.Key, r.Value, r.Form) })
	w.log.Put(nil, clock, state.Whole)
	w.log.Rows(func(room int, each func(key, memory []byte)) (ended bool) {
		each(nil, clock)
		return m.Sweep(room, func(r detector.Row) { each(r.Key, r.Value) })
	}, func(r state.Row) {
		if r.Value == nil {
			delete(w.rows, string(r.Key))
			return
		}
		w.rows[string(r.Key)] = r.Value
	})
}

// load reads the memory back.
func (w *changelog) load(m *detector.Memory) (failed error) {
	w.owner++
	w.log = state.Changelog{Least: 1}
	w.log.Begin(w.owner)
	w.log.Load(w.rows, func(key, memory []byte, err error) {
		if err == nil {
			err = m.Load(detector.Row{Key: key, Value: memory})
		}
		failed = errors.Join(failed, err)
	})
	return failed
}

// depth is how deep rules look at alerts of rules.
func (c theCase) depth() (deepest int) {
	for _, r := range c.rules {
		deepest = max(deepest, r.depth(c.rules))
	}
	return deepest
}

func (r *rule) depth(among []*rule) (deepest int) {
	of := slices.Clone(r.of)
	for _, s := range r.steps {
		of = append(of, s.of...)
	}
	for _, other := range among {
		if slices.ContainsFunc(of, other.answers) {
			deepest = max(deepest, 1+other.depth(among))
		}
	}
	return deepest
}

// anyOrder reports whether the findings of a case do not depend on the order in which its events come.
func (c theCase) anyOrder() bool {
	for _, r := range c.rules {
		switch r.kind {
		case "first_seen", "baseline":
			return false
		case "travel": // in less than two days no place is learned
			first, last := c.events[0].at, c.events[0].at
			for _, e := range c.events {
				if e.at.Before(first) {
					first = e.at
				}
				if e.at.After(last) {
					last = e.at
				}
			}
			if last.Sub(first) >= 2*day {
				return false
			}
		}
	}
	return true
}

const long = 400 * day

// ways are the ways in which a case is tried: in order, each record twice, with restarts, and where the order does not matter shuffled.
func (m maker) ways(c theCase) (all []way) {
	var inOrder, doubled, restarts []int
	w := theCase{c.rules, slices.Clone(c.events)}
	numbers := make([]int, len(w.events))
	for i := range numbers {
		numbers[i] = i
	}
	slices.SortStableFunc(numbers, func(a, b int) int { return order(c.events[a], c.events[b]) })
	inOrder = numbers
	for i, n := range numbers {
		doubled = append(doubled, n)
		if i > 0 && m.one(3) && c.events[n].at.Sub(c.events[numbers[i-1]].at) < long {
			doubled = append(doubled, numbers[i-1])
		}
		doubled = append(doubled, n)
		if m.one(4) {
			restarts = append(restarts, i)
		}
	}
	all = append(all, way{name: "in order", inOrder: true, order: inOrder},
		way{name: "in order, with restarts", inOrder: true, order: inOrder, restart: restarts},
		way{name: "in order, each twice", inOrder: true, order: doubled, keep: long})
	// Alerts of absences come late, and make those of rules that look at them earlier. Of what counted for an alert more becomes known.
	moves := c.depth() > 1 || slices.ContainsFunc(c.rules, func(r *rule) bool {
		return slices.ContainsFunc(r.steps, func(s step) bool { return s.of != nil })
	})
	all = append(all, way{name: "live", inOrder: true, order: inOrder, keep: day, live: true, stands: moves},
		way{name: "live, each twice", inOrder: true, order: doubled, keep: long, live: true, stands: moves})
	all = append(all, way{name: "live, restarted from what has changed", inOrder: true, order: inOrder, keep: day, live: true,
		restart: restarts, stored: true, stands: moves})
	// In two stages nothing stays after its end: what is forgotten too soon shows.
	all = append(all, way{name: "live, in two stages", inOrder: true, order: inOrder, live: true, stages: 1 + m.IntN(4), stands: c.depth() > 0})
	if c.anyOrder() {
		some := slices.Clone(numbers)
		m.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		switch c.depth() { // what is told of alerts that move stands, and counts for rules above
		case 0, 1:
			all = append(all, way{name: "live, shuffled", order: some, live: true, stands: c.depth() > 0})
		}
		shuffled := append(slices.Clone(numbers), numbers...)
		m.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		all = append(all,
			way{name: "shuffled and doubled", order: shuffled},
			way{name: "shuffled, with restarts", order: shuffled, restart: restarts})
	}
	return all
}

// tried is a set of rules with the cases that they are of, and what their records were matched to.
type tried struct {
	set    *detector.Set
	worker *detector.Worker
}

// hitsOf are the packed hits of each record of a case, of its own rules, and what its datasets have shown.
func (x tried) hitsOf(c theCase, p detector.Packing) (hits [][][]byte, shown *detector.Shown, err error) {
	own := map[string]bool{}
	for _, r := range c.rules {
		own[r.id] = true
	}
	shown = detector.NewShown()
	hits = make([][][]byte, len(c.events))
	for i, e := range c.events {
		if err := x.worker.ReadAlone(e.bytes(), time.Time{}); err != nil {
			return nil, nil, err
		}
		if d := x.worker.Reader().Dataset(); x.worker.Needs(d) {
			shown.Add(e.tenant(), d, e.at.UnixNano())
		}
		detector.EachHit(x.worker.MatchOf(func(id string) bool { return own[id] }, p), func(packed []byte) { hits[i] = append(hits[i], packed) })
	}
	return hits, shown, err
}

// run gives what the engine finds in a way, each alert in its last revision, and which alerts were told otherwise before.
func (x tried) run(c theCase, how way, hits [][][]byte, shown *detector.Shown) (got map[string]*alert.Alert, moved map[string]bool, failed error) {
	got, moved = map[string]*alert.Alert{}, map[string]bool{}
	forgetful := map[string]bool{} // rules that keep nothing: they tell a record that comes twice twice
	for _, r := range c.rules {
		forgetful[r.id] = r.kind == "match" && (r.repeat == 0 || r.repeat == each)
	}
	mixed := slices.ContainsFunc(c.rules, func(r *rule) bool { // no two places of it are filled by an alert and what counted for it
		return slices.ContainsFunc(r.steps, func(s step) bool { return s.of != nil })
	})
	take := func(a *alert.Alert) {
		switch was := got[a.ID]; {
		case was != nil && forgetful[a.Rule.ID]:
		case was != nil && !how.live:
			failed = fmt.Errorf("%s is told twice", a.ID)
		case was != nil && a.Revision != was.Revision+1, was == nil && a.Revision != 1:
			failed = fmt.Errorf("%s is told in revision %d", a.ID, a.Revision)
		}
		var kept alert.Alert
		if err := json.Unmarshal(a.AppendJSON(nil), &kept); err != nil {
			failed = err
		}
		if was := got[a.ID]; was != nil && (movedFrom(was, &kept) || mixed && was.Window.Count != a.Window.Count) {
			moved[a.ID] = true
		}
		got[a.ID] = &kept
	}
	options := detector.MemoryOptions{Shown: shown, Live: how.live, Stored: how.stored}
	options.Late.Keep = how.keep
	if how.stages > 0 {
		err := x.runStages(c, how, options, hits, take)
		return got, moved, errors.Join(failed, err)
	}
	memory := x.set.Memory(options)
	var last time.Time
	changes := &changelog{log: state.Changelog{Least: 1}, rows: map[string][]byte{}}
	for at, i := range how.order {
		if how.stored && i%3 == 0 {
			changes.take(memory, last)
		}
		if slices.Contains(how.restart, at) && how.stored {
			changes.take(memory, last)
			memory = x.set.Memory(options)
			failed = errors.Join(failed, changes.load(memory))
		}
		last = later(last, c.events[i].at)
		if slices.Contains(how.restart, at) && !how.stored {
			again := x.set.Memory(options)
			memory.Rows(func(r detector.Row) {
				if err := again.Load(r); err != nil {
					failed = err
				}
			})
			memory = again
		}
		if how.inOrder {
			memory.Advance(c.events[i].at, take)
		}
		for _, packed := range hits[i] {
			if err := memory.Apply(packed, take); err != nil {
				return nil, nil, err
			}
		}
	}
	memory.End(last, take)
	return got, moved, failed
}

// movedFrom reports whether an alert counts otherwise in its next revision for rules that look at it: at another time, or about somebody or
// something else.
func movedFrom(was, is *alert.Alert) bool {
	return !was.Time.Equal(is.Time) || was.Account != is.Account || was.Actor != is.Actor || was.Source != is.Source ||
		!slices.Equal(was.Sessions, is.Sessions) || !slices.Equal(was.Indicators.Apps, is.Indicators.Apps)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// try tries a case in all ways and says how it differs, "" where it does not. The ids are the same in all ways.
func (x tried) try(c theCase, ways []way) string {
	packings := map[detector.Packing][][][]byte{}
	var shown *detector.Shown
	for _, p := range []detector.Packing{detector.Alone, detector.Local, detector.Together} {
		var err error
		if packings[p], shown, err = x.hitsOf(c, p); err != nil {
			return err.Error()
		}
	}
	var first map[string]string
	for i, how := range ways {
		hits := packings[detector.Together]
		switch {
		case how.stages > 0:
			hits = packings[detector.Local]
		case i%2 == 1:
			hits = packings[detector.Alone]
		}
		got, moved, err := x.run(c, how, hits, shown)
		if err != nil {
			return how.name + ": " + err.Error()
		}
		said := map[string]string{}
		for _, r := range c.rules {
			for id, a := range got {
				if a.Rule.ID == r.id {
					said[id] = tell(r, a)
				}
			}
		}
		if i > 0 && maps.Equal(said, first) {
			continue
		}
		if !how.stands {
			moved = nil
		}
		if d := differ(c, got, moved); d != "" {
			return how.name + ":\n" + d
		}
		if i > 0 && !how.stands {
			return how.name + ": other ids"
		}
		if i == 0 {
			first = said
		}
	}
	return ""
}

// loadTried loads the rules of cases.
func loadTried(cases ...theCase) (tried, error) {
	var all theCase
	for _, c := range cases {
		all.rules = append(all.rules, c.rules...)
	}
	rs, err := loadRules(all)
	if err != nil {
		return tried{}, err
	}
	set := detector.New(rs, detector.Options{})
	return tried{set, set.Worker()}, nil
}

// alone tries a case by itself; one whose rules do not load does not differ.
func alone(c theCase) string {
	x, err := loadTried(c)
	if err != nil {
		return ""
	}
	return x.try(c, newMaker(1).ways(c))
}

// called is the case with other ids for its rules, so that it can be loaded with others.
func (c theCase) called(prefix string) theCase {
	rename := func(of []string) (all []string) {
		for _, name := range of {
			if !strings.Contains(name, ":") {
				name = prefix + name
			}
			all = append(all, name)
		}
		return all
	}
	for _, r := range c.rules {
		r.id, r.of = prefix+r.id, rename(r.of)
		for i := range r.steps {
			r.steps[i].of = rename(r.steps[i].of)
		}
	}
	return c
}

// batch is how many cases are loaded together.
const batch = 25

// TestOracleOfKinds compares what rules with memory find with what the definitions say.
func TestOracleOfKinds(t *testing.T) {
	cases := 300
	if testing.Short() {
		cases = 100
	}
	if n, err := strconv.Atoi(os.Getenv("ORACLE_CASES")); err == nil {
		cases = n
	}
	first, _ := strconv.Atoi(os.Getenv("ORACLE_FROM")) // the first seed
	names := slices.Sorted(maps.Keys(kinds))
	if only := os.Getenv("ORACLE_KIND"); only != "" {
		names = strings.Split(only, ",")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			known(t, kinds[name](newMaker(1)))
			for from := first / batch * batch; from < first+cases; from += batch { // seeds of a batch are tried together
				tryBatch(t, name, uint64(from))
			}
		})
	}
}

// known skips a test of kinds that the engine does not have yet.
func known(t *testing.T, c theCase) {
	t.Helper()
	for _, r := range c.rules {
		if _, ok := kind.Lookup(r.kind); !ok {
			t.Skipf("the engine has no kind %s", r.kind)
		}
		if slices.ContainsFunc(r.steps, func(s step) bool { return s.of != nil }) {
			if _, ok := kind.Lookup("correlation"); !ok {
				t.Skip("the engine has no steps that are alerts")
			}
		}
	}
}

// tryBatch tries some cases of a kind, from a seed on.
func tryBatch(t *testing.T, name string, from uint64) {
	t.Helper()
	var cases []theCase
	var makers []maker
	for seed := range uint64(batch) {
		m := newMaker(from + seed)
		c := kinds[name](m)
		cases, makers = append(cases, c.called(fmt.Sprintf("k%d-", seed))), append(makers, m)
	}
	x, err := loadTried(cases...)
	if err != nil {
		t.Fatalf("seeds from %d: %v", from, err)
	}
	for i, c := range cases {
		d := x.try(c, makers[i].ways(c))
		if d == "" {
			continue
		}
		if alone(c) != "" {
			c = shrunk(c, func(c theCase) bool { return alone(c) != "" })
			d = alone(c)
		}
		t.Fatalf("seed %d: %s\n%s", from+uint64(i), d, c)
	}
}

// TestExamplesOfTheEngine: the engine finds in the examples what the oracle finds.
func TestExamplesOfTheEngine(t *testing.T) {
	for _, x := range examples() {
		t.Run(x.name, func(t *testing.T) {
			c := x.theCase(t)
			known(t, c)
			if _, err := loadTried(c); err != nil {
				t.Fatal(err)
			}
			if d := alone(c); d != "" {
				t.Errorf("%s\n%s", d, c)
			}
		})
	}
}
