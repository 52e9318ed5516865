package app

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/config"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/identify"
	"noroshi/internal/stage"
	"noroshi/internal/state"
)

// world is both stages of a detector without Kafka: a lane is a partition, what is read of it, and the memory that is stored of it. Parts
// are thrown away, and begun anew, whenever a test says so.
type world struct {
	*rand.Rand
	t       *testing.T
	exactly bool
	run     *Run
	stages  [2]*session
	again   *Again
	events  []*lane
	signals []*lane
	sources []*hubPart
	now     time.Time
	bodies  []signedIn
	told    map[string]*alert.Alert // by id
}

// signedIn is a record that was made.
type signedIn struct {
	at   time.Time
	body string
}

// lane is a partition of a topic.
type lane struct {
	open  func() stage.Part
	log   []bus.Record
	heard []map[string]int64 // how far the sources have come by each record

	read  int               // is stored
	told  int               // of this others may have heard
	rows  map[string][]byte // of memory
	owner int64

	part    stage.Part // nil: nobody has the lane
	changes state.Changelog
	at      int // is read, and not stored yet
	out     stage.Out
}

// hubPart is a partition of a source. What it has to give comes in the order of its time.
type hubPart struct {
	name    string
	at      time.Time
	stalled time.Time // gives nothing until then
	begun   bool      // somebody reads it
	holder  int       // the instance that does
	told    time.Time // what it has shown until then was told
}

const (
	lanes     = 3
	instances = 2
)

// lateRules are decided late, in both stages.
var lateRules = []string{
	"id: unanswered\ntitle: T\nseverity: low\nkind: absence\nwhen: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\"\nwithout: {when: event.dataset == \"entra.signin\" && auth.result == \"success\", after: 40s}\nneeds: [entra.signin]\nrepeat: 1m",
	"id: fruitless\ntitle: T\nseverity: low\nkind: absence\nby: [source.ip]\nwhen: event.dataset == \"entra.signin\" && auth.result == \"wrong_credential\"\nwithout: {when: event.dataset == \"entra.signin\" && auth.result == \"success\", after: 15s}\nneeds: [entra.signin]\nrepeat: 1m",
	"id: quiet\ntitle: T\nseverity: low\nkind: silence\nby: [account]\nwhen: event.dataset == \"entra.signin\" && auth.result == \"success\"\nlonger: 1m",
	"id: still\ntitle: T\nseverity: low\nkind: silence\nby: [source.ip]\nwhen: event.dataset == \"entra.signin\" && auth.result == \"success\"\nlonger: 20s",
}

var briefly = event.Lateness{"entra.signin": {Wait: time.Second, Keep: 5 * time.Hour}}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{Rand: rand.New(rand.NewPCG(seed, 14)), t: t, exactly: seed%2 == 0, now: at3.Add(time.Hour), told: map[string]*alert.Alert{}, again: NewAgain(decode.Options{}),
		run: &Run{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}}
	w.run.Config.Kafka.Partitions = lanes
	w.run.ruling.Store(&ruling{set: compiledAll(t, lateRules), lateness: briefly})
	w.run.clocks.wall = func() time.Time { return w.now }
	for i := range w.stages {
		s := &session{run: w.run, exactly: w.exactly, second: i == 1}
		s.turn()
		w.stages[i] = s
	}
	for n := range int32(lanes) {
		w.events = append(w.events, &lane{open: func() stage.Part { return w.stages[0].open(n) }, rows: map[string][]byte{}})
		w.signals = append(w.signals, &lane{open: func() stage.Part { return w.stages[1].openSignals(n) }, rows: map[string][]byte{}})
	}
	for n := range 3 {
		w.sources = append(w.sources, &hubPart{name: fmt.Sprint("hub/", n), at: w.now.Add(-time.Minute), holder: n % instances})
	}
	return w
}

// emit lets a source partition give a record, later than what it has given.
func (w *world) emit(s *hubPart) {
	s.at = s.at.Add(time.Duration(1+w.IntN(700)) * time.Millisecond)
	code, account := "50126", w.IntN(12)
	if w.IntN(3) == 0 {
		code = "0"
	}
	at := s.at.UTC().Format("2006-01-02T15:04:05.000Z")
	body := fmt.Sprintf(`{"time":"%[1]s","category":"SignInLogs","tenantId":"t-1","properties":{"id":"s-%[2]d","createdDateTime":"%[1]s",`+
		`"userPrincipalName":"user%[3]d@contoso.example","ipAddress":"203.0.113.%[4]d","isInteractive":true,"status":{"errorCode":%[5]s}}}`,
		at, len(w.bodies), account, 1+w.IntN(40), code)
	w.bodies = append(w.bodies, signedIn{s.at, body})
	from := &identify.Place{Origin: fmt.Appendf(nil, "%s@%d#0", s.name, len(w.bodies))}
	from.Letter.Enqueued = s.at
	rec, refused := w.again.identify.Record([]byte(body), from)
	if refused != nil {
		w.t.Fatal(refused)
	}
	to := w.events[account%lanes]
	to.append(rec, nil)
}

func (l *lane) append(r bus.Record, news map[string]int64) {
	heard := map[string]int64{}
	if n := len(l.log); n > 0 {
		heard = l.heard[n-1]
	}
	if news != nil {
		heard = maps.Clone(heard)
		maps.Copy(heard, news)
	}
	r.Offset = int64(len(l.log))
	l.log, l.heard = append(l.log, r), append(l.heard, heard)
}

// tick lets an instance tell how far its source partitions have come.
func (w *world) tick(instance int) {
	t := &clock.Tick{Made: w.now.UnixNano(), Alike: []clock.Alike{{Source: "hub", Partitions: len(w.sources)}}}
	heard := map[string]int64{}
	for _, s := range w.sources {
		if s.holder != instance || !s.begun {
			continue
		}
		one := clock.Source{Name: s.name, Progress: s.at.UnixNano()}
		if !s.at.Equal(s.told) || w.IntN(4) == 0 {
			one.Shown = []clock.Shown{{Tenant: "t-1", Dataset: "entra.signin", First: at3.UnixNano(), Last: s.at.UnixNano()}}
			s.told = s.at
		}
		t.Sources = append(t.Sources, one)
		heard[s.name] = one.Progress
	}
	for n, to := range w.events {
		r := tickRecord(t)
		r.Partition = int32(n)
		to.append(r, heard)
	}
}

// take begins the part of a lane anew, with what is stored in any order.
func (w *world) take(l *lane) {
	l.owner++
	l.part, l.at, l.out, l.changes = l.open(), l.read, stage.Out{}, state.Changelog{Least: 20_000}
	l.changes.Begin(l.owner)
	memory := map[string][]byte{}
	l.changes.Load(l.rows, func(key, packed []byte, err error) {
		if err != nil {
			w.t.Fatal(err)
		}
		memory[string(key)] = packed
	})
	for _, key := range w.shuffled(memory) {
		if err := l.part.Load([]byte(key), memory[key]); err != nil {
			w.t.Fatal(err)
		}
	}
}

// shuffled are keys in any order. Often those of clocks come first, but for one.
func (w *world) shuffled(memory map[string][]byte) []string {
	keys := slices.Sorted(maps.Keys(memory)) // those of clocks are first
	own := 0
	for own < len(keys) && clock.Own([]byte(keys[own])) {
		own++
	}
	swap := func(i, j int) { keys[i], keys[j] = keys[j], keys[i] }
	if w.IntN(4) == 0 {
		own = len(keys)
	}
	w.Shuffle(own, swap)
	if own > 0 {
		swap(w.IntN(own), w.IntN(len(keys)))
	}
	return keys
}

// poll gives some records to the part of a lane.
func (w *world) poll(l *lane, most int) {
	for n := min(most, len(l.log)-l.at); n > 0; n-- {
		r := l.log[l.at]
		l.at++
		if err := l.part.Do(&r, &l.out); err != nil {
			w.t.Fatal(err)
		}
	}
	l.part.Pause(&l.out)
}

// commit stores what the part of a lane has made; where it is not exactly once, and is killed meanwhile, some of it.
func (w *world) commit(l *lane) {
	torn := !w.exactly && w.IntN(12) == 0
	type place struct {
		topic     bus.Topic
		partition int32
	}
	cut := map[place]bool{}
	for _, r := range l.out.Records() {
		at := place{r.Topic, r.Partition}
		if cut[at] = cut[at] || torn && w.IntN(8) == 0; !cut[at] {
			w.write(r)
		}
	}
	l.told = max(l.told, l.at)
	if torn && len(cut) > 0 && w.IntN(2) == 0 {
		l.part = nil
		return
	}
	l.out = stage.Out{}
	l.part.Changes(l.changes.Put)
	l.changes.Rows(l.part.Sweep, func(r state.Row) {
		switch torn = torn || !w.exactly && w.IntN(100) == 0; {
		case torn:
		case r.Value == nil:
			delete(l.rows, string(r.Key))
		default:
			l.rows[string(r.Key)] = slices.Clone(r.Value)
		}
	})
	if torn {
		l.part = nil
		return
	}
	l.read = l.at
	l.part.Stored()
}

// write takes a record that a part has made.
func (w *world) write(r bus.Record) {
	switch r.Topic {
	case bus.Signals:
		w.signals[r.Partition].append(r, nil)
	case bus.Alerts:
		a := &alert.Alert{}
		if err := json.Unmarshal(r.Value, a); err != nil {
			w.t.Fatal(err)
		}
		w.told[a.ID] = a
	default:
		w.t.Fatalf("a record for %s", r.Topic)
	}
}

// least is how far a lane of events has come with its first records in the source partition that is furthest behind.
func (w *world) least(l *lane, records int) int64 {
	least := state.Never
	for _, s := range w.sources {
		at, have := int64(0), false
		if records > 0 {
			at, have = l.heard[records-1][s.name]
		}
		if !have {
			return clock.Unknown
		}
		least = min(least, at)
	}
	return least
}

// holds fails where a clock has passed what its partition has seen: of events itself, of signals by what is stored of all partitions of
// events.
func (w *world) holds(what string) {
	w.t.Helper()
	reached := state.Never
	check := func(l *lane, c *clock.Clocks, limit int64) {
		for _, datasets := range [][]string{nil, {"entra.signin"}} {
			if got := c.Of("t-1", datasets); got > limit {
				w.t.Fatalf("%s: the clock of %v has come to %s; sources were followed to %s", what, datasets, timeOf(got), timeOf(limit))
			}
		}
	}
	for _, l := range w.events {
		reached = min(reached, w.least(l, l.told))
		if l.part != nil {
			check(l, l.part.(*part).clocks, w.least(l, max(l.at, l.told))) // memory may be stored, and the place not
		}
	}
	for _, l := range w.signals {
		if l.part != nil {
			check(l, l.part.(*signalPart).clocks, reached)
		}
	}
}

// step lets something happen.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(w.IntN(1500)) * time.Millisecond)
	switch s := w.sources[w.IntN(len(w.sources))]; w.IntN(12) {
	case 0, 1, 2, 3:
		if w.now.After(s.stalled) && s.at.Before(w.now) {
			s.begun = true
			w.emit(s)
		}
	case 4:
		w.tick(w.IntN(instances))
	case 5:
		switch w.IntN(20) {
		case 0: // another instance reads on from there, and knows what was shown
			s.holder, s.told = w.IntN(instances), time.Time{}
		case 1:
			s.stalled = w.now.Add(time.Duration(w.IntN(90)) * time.Second)
		}
	default:
		l := slices.Concat(w.events, w.signals)[w.IntN(2*lanes)]
		w.work(l)
	}
}

func (w *world) work(l *lane) {
	switch {
	case l.part == nil:
		if w.IntN(4) == 0 {
			w.take(l)
			w.holds("when memory was read")
		}
		return
	case w.IntN(25) == 0:
		l.part = nil // it is killed
		return
	}
	w.poll(l, w.IntN(20))
	w.holds("after records")
	if w.IntN(3) > 0 {
		w.commit(l)
		if l.part != nil && w.IntN(25) == 0 {
			l.part.Left()
			l.part = nil
		}
	}
}

// settle lets all come to where the sources are.
func (w *world) settle() {
	exactly := w.exactly
	defer func() { w.exactly = exactly }()
	w.exactly = true
	for range 3 { // alerts and clocks travel
		w.now = w.now.Add(2 * passEvery)
		for instance := range instances {
			w.tick(instance)
		}
		for _, l := range slices.Concat(w.events, w.signals) {
			if l.part == nil {
				w.take(l)
			}
			w.poll(l, len(l.log))
			w.holds("at last")
			w.commit(l)
		}
	}
}

// replayed are the ids of what one reader of all records finds.
func (w *world) replayed() map[string]*alert.Alert {
	w.t.Helper()
	all, shown := map[string]*alert.Alert{}, detector.NewShown()
	set := w.run.ruling.Load().set
	m := set.Memory(detector.MemoryOptions{Lateness: briefly, Shown: shown})
	take := func(a *alert.Alert) { one := *a; all[a.ID] = &one }
	slices.SortStableFunc(w.bodies, func(a, b signedIn) int { return a.at.Compare(b.at) })
	for _, one := range w.bodies {
		shown.Add("t-1", "entra.signin", one.at.UnixNano())
	}
	worker := set.Worker()
	for _, one := range w.bodies {
		m.Advance(one.at, take)
		if err := worker.ReadAlone([]byte(one.body), one.at); err != nil {
			w.t.Fatal(err)
		}
		detector.EachHit(worker.Match(nil), func(packed []byte) {
			if err := m.Apply(packed, take); err != nil {
				w.t.Fatal(err)
			}
		})
	}
	m.End(w.bodies[len(w.bodies)-1].at, take)
	return all
}
