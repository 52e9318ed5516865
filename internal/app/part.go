package app

import (
	"bytes"
	"errors"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/identify"
	"noroshi/internal/stage"
	"noroshi/internal/state"
)

// part is what the detector keeps of one partition of events.
type part struct {
	*session
	remembered
	partition int32
	recent    *detector.Recent
	clocks    *clock.Clocks
	begun     bool // records have come
	moved     bool // clocks may have moved since memory followed them
	passing   passing
	by        way       // of the record at hand
	made      time.Time // the tick that was heard last
	upgraded  []byte    // the key of a row that is not needed any more
}

// open makes the part of a partition.
func (s *session) open(partition int32) stage.Part {
	p := &part{session: s, partition: partition, recent: s.run.repeats.take(partition), clocks: clock.New()}
	p.follows = p.clocks
	p.begin(s, detector.UpEvents, partition, detector.First)
	return p
}

// keyProgress is the key under which earlier versions stored how far sources have come; nothing is read of it.
const keyProgress = "\x00progress"

// Load implements stage.Part.
func (p *part) Load(key, memory []byte) error {
	switch {
	case string(key) == keyProgress:
		p.upgraded = bytes.Clone(key)
		return nil
	case clock.Own(key):
		return p.clocks.Load(key, memory)
	}
	err := p.memory.Load(detector.Row{Key: key, Value: memory})
	if errors.Is(err, detector.ErrVersion) {
		return stage.ErrUnknown
	}
	return err
}

// Do implements stage.Part.
func (p *part) Do(rec *bus.Record, out *stage.Out) error {
	p.stories.out = out
	if !p.begun {
		p.begun = true
		p.follow(out) // before clocks hear anything new
	}
	if isTick(rec) {
		return p.hear(rec)
	}
	if isAside(rec) {
		p.takeAside(rec)
		return nil
	}
	d := &p.run.detected
	enqueued := identify.Enqueued(rec)
	if err := p.worker.ReadAlone(rec.Value, enqueued); err != nil {
		e := decode.Undecodable(err)
		d.refused.Add(1)
		l := deadletter.Letter{Reason: string(e.Reason), Detail: e.Cause.Error(), Stage: deadletter.StageDetect, Topic: bus.Events,
			Partition: rec.Partition, Offset: rec.Offset, Key: rec.Key, Headers: rec.Headers, Value: rec.Value}
		out.Write(l.Record())
		return nil
	}
	p.shown(rec, enqueued)
	if p.recent.Add(p.worker.Reader().Duplicate()) {
		d.duplicates.Add(1)
		return nil
	}
	d.events.Add(1)
	p.worker.Marked = p.marked
	p.body = p.worker.Match(p.body[:0])
	for _, x := range p.worker.Excused {
		p.tally.rules[x.Rule].excused++
	}
	var failed error
	p.by = way{rec: rec}
	tell := p.telling(p.memory, rec.Key, &p.by, out)
	detector.EachHit(p.body, func(packed []byte) {
		if p.signals.Take(packed) {
			return
		}
		if err := p.memory.Apply(packed, tell); err != nil {
			failed = err
		}
	})
	p.send(p.signals, recordPlace(rec), out)
	return failed
}

// shown notes what a record of a stream shows, whose source partition its origin names: a crash before the next tick must not lose it. What
// files have shown is stored with their positions.
func (p *part) shown(rec *bus.Record, enqueued time.Time) {
	if enqueued.IsZero() {
		return
	}
	var origin, tenant, dataset []byte
	for i := range rec.Headers {
		switch h := &rec.Headers[i]; h.Key {
		case identify.HeaderOrigin:
			origin = h.Value
		case identify.HeaderTenant:
			tenant = h.Value
		case identify.HeaderDataset:
			dataset = h.Value
		}
	}
	if source := bytes.LastIndexByte(origin, '@'); source > 0 {
		at := p.worker.Reader().Time()
		if most := enqueued.Add(future); at.After(most) {
			at = most
		}
		p.clocks.Show(origin[:source], tenant, dataset, state.Nanoseconds(at))
	}
}

// hear takes a tick.
func (p *part) hear(rec *bus.Record) error {
	t, err := clock.Parse(rec.Value)
	if err != nil { // of a later version: it comes with one that is understood, or holds up what waits for it
		p.run.clocks.unread.Add(1)
		return nil
	}
	now := p.run.clocks.now()
	p.run.tellOf(p.clocks.Take(t, now))
	p.clocks.Listen(now, t.Made)
	p.moved = true
	if !p.rules.set.Travels() {
		p.passing = passing{}
		return nil
	}
	p.passing.hear(rec)
	p.made = time.Unix(0, t.Made)
	return nil
}

// Pause implements stage.Part. The clocks move when all that was read at once has been applied: what came together may be out of order.
func (p *part) Pause(out *stage.Out) {
	if p.moved {
		p.moved = false
		p.follow(out)
		now := p.run.clocks.now()
		p.run.clocks.stand(p.partition, p.clocks, p.memory.Waiting, now)
		p.passing.on(p.clocks, p.partition, p.run.Config.Kafka.Partitions, p.made, now, out)
	}
	p.tally.take(p.worker)
	p.tally.bounded(p.memory)
	p.run.detected.add(&p.tally)
}

// follow moves memory to where the clocks are.
func (p *part) follow(out *stage.Out) {
	p.stories.out = out
	p.memory.TellStories(p.run.clocks.now())
	p.memory.Follow(p.telling(p.memory, nil, byClock, out))
	p.send(p.signals, noPlace, out)
}

// telling writes alerts. They have the key of their record, or of their account: an account's alerts stay in order.
func (s *session) telling(m *detector.Memory, key []byte, by *way, out *stage.Out) func(*alert.Alert) {
	return func(a *alert.Alert) {
		if !s.tally.found(a, m.Rule()) {
			return
		}
		of := key
		if of == nil {
			of = (&decode.Record{Tenant: a.Tenant, Account: a.Account}).AppendKey(nil)
		}
		a.Times.Evaluated = time.Now().UTC()
		if s.found != nil {
			a.Traceparent = s.found(by.found(a))
		}
		out.Write(alertRecord(of, a))
	}
}

// Changes implements stage.Part. Clocks come last: memory is never older than they are.
func (p *part) Changes(each func(key, memory []byte, form state.Form)) {
	p.drop(each)
	p.memory.Changes(func(r detector.Row) { each(r.Key, r.Value, r.Form) })
	p.clocks.Changes(func(key, row []byte) { each(key, row, state.Whole) })
	if p.upgraded != nil {
		each(p.upgraded, nil, state.Gone)
		p.upgraded = nil
	}
}

// Sweep implements stage.Part.
func (p *part) Sweep(room int, each func(key, memory []byte)) (ended bool) {
	if ended = p.sweep(room, each); ended {
		p.clocks.Rows(each)
	}
	return ended
}

// Stored implements stage.Part.
func (p *part) Stored() {
	p.recent.Keep(time.Now())
	p.tally.overflowed(p.recent)
}

// Tend implements stage.Part.
func (p *part) Tend(now time.Time) {
	p.recent.Forget(now)
	p.run.repeats.forget(now)
	p.count()
}

// Left implements stage.Part.
func (p *part) Left() {
	p.run.repeats.give(p.partition, p.recent)
	p.run.clocks.left(p.partition)
	p.run.detected.keys.note(p.from, 0)
}
