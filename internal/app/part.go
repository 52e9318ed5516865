package app

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/identify"
	"noroshi/internal/stage"
)

// part is what the detector keeps of one partition of events.
type part struct {
	*session
	remembered
	partition int32
	recent    *detector.Recent
	progress  progress
}

// open makes the part of a partition.
func (s *session) open(partition int32) stage.Part {
	p := &part{session: s, partition: partition, recent: s.run.repeats.take(partition)}
	p.begin(s, detector.UpEvents, partition, detector.First)
	return p
}

// keyProgress is the key of the progress among those of memory, which begin with the length of a rule's id.
const keyProgress = "\x00progress"

// Load implements stage.Part.
func (p *part) Load(key, memory []byte) error {
	if string(key) == keyProgress {
		if err := p.progress.load(memory); err != nil {
			return fmt.Errorf("read progress of sources: %w", err)
		}
		return p.memory.Load(detector.Row{Value: binary.AppendVarint(nil, p.progress.clock)})
	}
	err := p.memory.Load(detector.Row{Key: key, Value: memory})
	if errors.Is(err, detector.ErrVersion) {
		return stage.ErrUnknown
	}
	return err
}

// Do implements stage.Part.
func (p *part) Do(rec *bus.Record, out *stage.Out) error {
	d := &p.run.detected
	if err := p.worker.ReadAlone(rec.Value, identify.Enqueued(rec)); err != nil {
		e := decode.Undecodable(err)
		d.refused.Add(1)
		l := deadletter.Letter{Reason: string(e.Reason), Detail: e.Cause.Error(), Stage: deadletter.StageDetect, Topic: bus.Events,
			Partition: rec.Partition, Offset: rec.Offset, Key: rec.Key, Headers: rec.Headers, Value: rec.Value}
		out.Write(l.Record())
		return nil
	}
	p.progress.add(rec, p.worker.Reader().Time())
	if p.recent.Add(p.worker.Reader().Duplicate()) {
		d.duplicates.Add(1)
		return nil
	}
	d.events.Add(1)
	p.body = p.worker.Match(p.body[:0])
	for _, i := range p.worker.Excused {
		p.tally.rules[i].excused++
	}
	var failed error
	tell := p.telling(p.memory, rec.Key, out)
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

// Pause implements stage.Part. The clock moves when all that was read at once has been applied: what came together may be out of order.
func (p *part) Pause(out *stage.Out) {
	p.memory.Advance(time.Unix(0, p.progress.now()).UTC(), p.telling(p.memory, nil, out))
	p.send(p.signals, noPlace, out)
	p.tally.take(p.worker)
	p.tally.bounded(p.memory)
	p.run.detected.add(&p.tally)
}

// telling writes alerts. They have the key of their record, or of their account: an account's alerts stay in order.
func (s *session) telling(m *detector.Memory, key []byte, out *stage.Out) func(*alert.Alert) {
	return func(a *alert.Alert) {
		if !s.tally.found(a, m.Rule()) {
			return
		}
		of := key
		if of == nil {
			of = (&decode.Record{Tenant: a.Tenant, Account: a.Account}).AppendKey(nil)
		}
		a.Times.Evaluated = time.Now().UTC()
		out.Write(bus.Record{Topic: bus.Alerts, Key: of, Value: a.AppendJSON(nil), Headers: []bus.Header{{Key: headerSchema, Value: []byte(alert.Schema)}}})
	}
}

// headerSchema says what a record on the topic alerts is.
const headerSchema = "schema"

// Changes implements stage.Part. Progress is stored with memory alone: where it is older, what is too old stays a little longer.
func (p *part) Changes(each func(key, memory []byte)) {
	changed := p.drop(each)
	p.memory.Changes(func(r detector.Row) {
		changed = true
		each(r.Key, r.Value)
	})
	if changed {
		each([]byte(keyProgress), p.progress.append(nil))
	}
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
}

// Left implements stage.Part.
func (p *part) Left() { p.run.repeats.give(p.partition, p.recent) }
