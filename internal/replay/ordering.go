package replay

import (
	"hash/maphash"
	"sync"
	"time"

	"noroshi/detector"
	"noroshi/internal/decode"
	"noroshi/internal/state"
	"noroshi/rules"
)

// ordering takes what was matched in the order of the input, whoever matched it: repeats are dropped, hits are gathered.
type ordering struct {
	*applying
	replay *Replay
	name   string
	stats  Stats
	seen   detector.Seen
	given  detector.Seen // alerts, by hash of their id
	json   []byte        // of the alert at hand

	unknown decode.Members // of records of no known kind

	dataset string // of the event counted last, and how many of it have come in a row
	inRow   int
	hour    hour // of these, where that is asked for

	mu      sync.Mutex
	seq     int              // the block whose turn it is
	waiting map[int]*matched // those that are done before their turn
	err     error
}

// take takes a block, and every block whose turn has come. After a failure it takes nothing more.
func (o *ordering) take(m *matched, free chan<- *matched) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting[m.block.Seq] = m
	for {
		next, ok := o.waiting[o.seq]
		if !ok {
			return
		}
		delete(o.waiting, o.seq)
		o.seq++
		if o.err == nil {
			o.err = o.add(next)
		}
		next.failed = o.err != nil
		free <- next
	}
}

func (o *ordering) add(m *matched) error {
	bad, excused := m.block.Bad, m.excused
	for i := range m.events {
		for len(bad) > 0 && bad[0].Before <= i {
			o.bad(bad[0].Line, bad[0].Reason, bad[0].Detail)
			bad = bad[1:]
		}
		e := &m.events[i]
		if e.rare != nil && o.faults(e) {
			continue
		}
		if e.dataset == decode.DatasetUnknown {
			o.stats.Unknown++
			o.unknown.Add(m.block.Bytes(i))
		}
		silent := excused[:e.excused]
		excused = excused[e.excused:]
		if o.stats.Records++; o.seen.Add(e.hash) {
			o.stats.Duplicates++
			continue
		}
		if o.watch.leavesOut(e.time) {
			o.watch.later++
			continue
		}
		o.stats.Events++
		if e.dataset != o.dataset || o.replay.Seen != nil && !o.hour.holds(e.time) {
			o.flush()
			o.dataset, o.hour = e.dataset, hourOf(e.time)
		}
		o.inRow++
		for i := range silent {
			o.excuse(&silent[i], e.time)
		}
		o.last = max(o.last, e.time)
		if e.rare != nil && e.rare.shows {
			o.shown.Add(e.rare.tenant, e.dataset, e.time)
		}
		var err error
		detector.EachHit(m.hits[e.from:e.to], func(packed []byte) {
			if err == nil {
				err = o.hit(packed)
			}
		})
		if err != nil {
			return err
		}
	}
	for _, b := range bad {
		o.bad(b.Line, b.Reason, b.Detail)
	}
	return nil
}

// faults counts and tells what is wrong with a record, and reports whether it is no event.
func (o *ordering) faults(e *outcome) bool {
	r := e.rare
	if r.err != nil {
		o.bad(e.line, r.err.Reason, r.err.Cause.Error())
		return true
	}
	if r.encoding != "" {
		o.stats.NotUTF8++
		o.fault(e.line, decode.ReasonEncoding, r.encoding)
	}
	if r.partial != "" {
		o.stats.Partial++
		o.fault(e.line, decode.ReasonInside, r.partial)
	}
	return false
}

// flush counts the events of one dataset that came in a row.
func (o *ordering) flush() {
	if o.inRow > 0 {
		o.stats.ByDataset[o.dataset] += o.inRow
		if o.replay.Seen != nil {
			o.replay.Seen(Seen{Dataset: o.dataset, Hour: o.hour.time(), Events: o.inRow})
		}
		o.inRow = 0
	}
}

func (o *ordering) bad(line int, reason decode.Reason, detail string) {
	o.stats.Records++
	o.stats.Undecodable++
	o.stats.ByReason[string(reason)]++
	o.fault(line, reason, detail)
}

func (o *ordering) fault(line int, reason decode.Reason, detail string) {
	if o.replay.Fault != nil {
		o.replay.Fault(Fault{Input: o.name, Line: line, Reason: reason, Detail: detail})
	}
}

var seed = maphash.MakeSeed()

// alert gives an alert out, each once.
func (o *ordering) alert(f *found) error {
	if f.rule >= foundActivity {
		if f.rule == foundActivity && o.outside(f.at) {
			return nil
		}
		return o.replay.Story.tell(f)
	}
	if last, several := o.revisions[maphash.String(seed, f.id)]; several && f.value == nil && f.revision != last {
		return nil
	}
	if o.outside(f.at) || o.given.Add(maphash.String(seed, f.id)) {
		return nil
	}
	switch r := o.rules[f.rule]; r.State {
	case rules.Building:
		o.stats.Building[r.ID]++
		return nil
	case rules.Shadow:
		o.stats.Shadow[r.ID]++
		fallthrough
	default:
		o.stats.Alerts++
		o.stats.ByRule[r.ID]++
	}
	if o.replay.JSON != nil {
		o.json = f.appendJSON(o.json[:0])
		return o.replay.JSON(o.json)
	}
	a, err := f.alert()
	if err != nil {
		return err
	}
	return o.replay.Alert(a)
}

func (o *ordering) outside(at time.Time) bool {
	r := o.replay
	return !r.Since.IsZero() && at.Before(r.Since) || !r.Until.IsZero() && !at.Before(r.Until) ||
		r.Last > 0 && at.Before(time.Unix(0, o.last).Add(-r.Last))
}

// bounds counts the bounds that have bitten in the memory.
func (o *ordering) bounds() {
	for i, c := range o.memory.Counts[:len(o.rules)] {
		if c != (state.Counts{}) {
			c.Add(o.stats.bounds(o.rules[i].ID))
			o.stats.Bounds[o.rules[i].ID] = c
		}
	}
}

// count adds what a worker counted.
func (o *ordering) count(w *detector.Worker) {
	o.stats.CutLists += w.Reader().Cut
	o.stats.Candidates += w.Candidates
	o.stats.Runs += w.Runs()
	for i, n := range w.NoKey[:len(o.rules)] {
		if n+w.Overflow[i] > 0 {
			c := o.stats.bounds(o.rules[i].ID)
			c.NoKey, c.Overflow = c.NoKey+n, c.Overflow+w.Overflow[i]
			o.stats.Bounds[o.rules[i].ID] = c
		}
	}
	for i, n := range w.Failed[:len(o.rules)] {
		if n > 0 {
			o.stats.Failed[o.rules[i].ID] += n
		}
	}
}
