package app

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"noroshi/detector"
	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/deadletter"
	"noroshi/internal/stage"
	"noroshi/internal/state"
)

// schemaSignal is the header of signals.
const schemaSignal = "noroshi.signal/1"

func recordPlace(rec *bus.Record) detector.Place {
	return detector.Place{Offset: rec.Offset, Written: rec.Timestamp.UnixNano()}
}

// noPlace is the place of what no record has made.
var noPlace = detector.Place{Offset: -1}

// send writes the signals of the hits that have been gathered.
func (s *session) send(from *detector.Signals, at detector.Place, out *stage.Out) {
	from.Flush(at, func(to int32, signal []byte) {
		s.run.detected.signals.written.Add(1)
		out.Write(bus.Record{Topic: bus.Signals, Partition: to, Value: signal, Headers: []bus.Header{{Key: headerSchema, Value: []byte(schemaSignal)}}})
	})
}

// signalPart is what the detector keeps of one partition of signals.
type signalPart struct {
	*session
	remembered
	partition int32
	clocks    *clock.Clocks
	streams   *clock.Streams // the partitions of events
	others    *clock.Others  // the partitions of signals
	said      time.Time      // when these were told last how far this one has come
	begun     bool           // records have come
	heard     bool           // clocks may have moved since memory followed them
	applied   map[detector.Upstream]*detector.Applied
	moved     map[detector.Upstream]bool // since Changes was called last
}

// openSignals makes the part of a partition.
func (s *session) openSignals(partition int32) stage.Part {
	p := &signalPart{session: s, partition: partition, clocks: clock.New(), streams: clock.NewStreams(s.run.Config.Kafka.Partitions),
		applied: map[detector.Upstream]*detector.Applied{}, moved: map[detector.Upstream]bool{}}
	p.others = clock.NewOthers(s.run.Config.Kafka.Partitions, detector.MaxCrossings)
	p.follows, p.crossed = p.clocks, p.others.Of
	p.begin(s, detector.UpSignals, partition, detector.Second)
	return p
}

// keyApplied is how the key of a row begins that tells how far the signals of an upstream partition have been applied.
const keyApplied = "\x00applied"

// Load implements stage.Part.
func (p *signalPart) Load(key, memory []byte) error {
	if from, ok := upstreamOf(key); ok {
		a := &detector.Applied{}
		if err := a.Load(memory); err != nil {
			return fmt.Errorf("read how far signals were applied: %w", err)
		}
		p.applied[from] = a
		return nil
	}
	if clock.Own(key) {
		return p.clocks.Load(key, memory)
	}
	err := p.memory.Load(detector.Row{Key: key, Value: memory})
	if errors.Is(err, detector.ErrVersion) {
		return stage.ErrUnknown
	}
	return err
}

func appliedKey(from detector.Upstream) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(keyApplied), from.Topic), uint32(from.Partition))
}

func upstreamOf(key []byte) (from detector.Upstream, ok bool) {
	n := len(keyApplied)
	if len(key) != n+5 || string(key[:n]) != keyApplied {
		return from, false
	}
	return detector.Upstream{Topic: key[n], Partition: int32(binary.BigEndian.Uint32(key[n+1:]))}, true
}

// Do implements stage.Part.
func (p *signalPart) Do(rec *bus.Record, out *stage.Out) error {
	p.stories.out = out
	if !p.begun {
		p.begun = true
		p.follow(out) // before clocks hear anything new
	}
	if isTicks(rec) {
		p.hear(rec, out)
		return nil
	}
	if isFollowed(rec) {
		p.hearOther(rec, out)
		return nil
	}
	c := &p.run.detected.signals
	s, err := p.rules.set.Signal(rec.Value)
	if err != nil {
		p.refuse(rec, err, out)
		return nil
	}
	if err := p.awaitRules(rec, s); err != nil {
		return err
	}
	for _, rule := range c.missing(s.Unknown) {
		p.run.Log.Warn("signals are of a rule that this instance does not have, or has in another version; they count for nothing here",
			slog.String("rule", rule), slog.String("way_out", "give all instances the same rules"))
	}
	if p.passed(s) {
		c.skipped.Add(1)
		return nil
	}
	by := way{rec: rec, signal: s}
	tell := p.telling(p.memory, nil, &by, out)
	for _, packed := range s.Hits {
		by.hit = packed
		if err := p.memory.Apply(packed, tell); err != nil {
			return fmt.Errorf("apply signal: %w", err)
		}
	}
	c.applied.Add(1)
	p.send(p.signals, recordPlace(rec), out)
	return nil
}

// awaitRules waits for the rules of a signal that are not here.
func (p *signalPart) awaitRules(rec *bus.Record, s *detector.Signal) error {
	if len(s.Unknown) == 0 {
		return nil
	}
	return p.await(sortedKeys(s.Unknown), func(u *ruling) bool {
		again, err := u.set.Signal(rec.Value)
		return err == nil && len(again.Unknown) < len(s.Unknown)
	})
}

// hear takes ticks that a partition of events has passed on.
func (p *signalPart) hear(rec *bus.Record, out *stage.Out) {
	from, all, unread, err := ticksOf(rec, p.run.Config.Kafka.Partitions)
	if err != nil {
		p.refuse(rec, err, out)
		return
	}
	p.run.clocks.unread.Add(unread)
	now := p.run.clocks.now()
	for _, t := range all {
		p.clocks.Take(p.streams.Take(from, t), now)
	}
	p.clocks.Listen(now, p.streams.Made())
	p.heard = true
}

// follow moves memory to where the clocks are.
func (p *signalPart) follow(out *stage.Out) {
	p.stories.out = out
	p.memory.Follow(p.telling(p.memory, nil, byClock, out))
	p.send(p.signals, noPlace, out)
}

// passed reports whether a signal has been applied.
func (p *signalPart) passed(s *detector.Signal) bool {
	a := p.applied[s.From]
	if a == nil {
		a = &detector.Applied{}
		p.applied[s.From] = a
	}
	if a.Pass(s) {
		return true
	}
	p.moved[s.From] = true
	return false
}

// refuse makes a dead letter of what is no signal.
func (p *signalPart) refuse(rec *bus.Record, err error, out *stage.Out) {
	if p.run.detected.signals.unreadable.Add(1) == 1 {
		way := "look at the dead letters"
		if errors.Is(err, detector.ErrSignalFormat) {
			way = "a newer version of noroshi has written it: run the same version everywhere"
		}
		p.run.Log.Error("a signal cannot be read", slog.Int("partition", int(p.partition)), slog.Int64("offset", rec.Offset), slog.Any("err", err),
			slog.String("way_out", way))
	}
	p.run.detected.refused.Add(1)
	l := deadletter.Letter{Reason: reasonSignal, Detail: err.Error(), Stage: deadletter.StageDetect, Topic: bus.Signals,
		Partition: rec.Partition, Offset: rec.Offset, Key: rec.Key, Headers: rec.Headers, Value: rec.Value}
	out.Write(l.Record())
}

// reasonSignal is the reason of dead letters that are no signals.
const reasonSignal = "signal"

// Pause implements stage.Part.
func (p *signalPart) Pause(out *stage.Out) {
	if p.heard {
		p.heard = false
		p.follow(out)
		now := p.run.clocks.now()
		p.say(now, out)
		p.run.clocks.stand(beside(p.partition), p.clocks, p.memory.Waiting, now)
		p.run.detected.signals.hears(p.partition, p.silent())
	}
	p.tally.bounded(p.memory)
	p.run.detected.add(&p.tally)
}

// Changes implements stage.Part. Exactly once nothing comes again, and nobody asks how far signals were applied. Clocks come last: memory
// is never older than they are.
func (p *signalPart) Changes(each func(key, memory []byte, form state.Form)) {
	p.drop(each)
	p.memory.Changes(func(r detector.Row) { each(r.Key, r.Value, r.Form) })
	if !p.exactly {
		for from := range p.moved {
			each(appliedKey(from), p.applied[from].Append(nil), state.Whole)
		}
	}
	clear(p.moved)
	p.clocks.Changes(func(key, row []byte) { each(key, row, state.Whole) })
}

// Sweep implements stage.Part.
func (p *signalPart) Sweep(room int, each func(key, memory []byte)) (ended bool) {
	if ended = p.sweep(room, each); ended {
		for from, a := range p.applied {
			each(appliedKey(from), a.Append(nil))
		}
		p.clocks.Rows(each)
	}
	return ended
}

// Stored implements stage.Part.
func (p *signalPart) Stored() {}

// Tend implements stage.Part.
func (p *signalPart) Tend(time.Time) { p.count() }

// Left implements stage.Part.
func (p *signalPart) Left() {
	p.run.clocks.left(beside(p.partition))
	p.run.detected.keys.note(p.from, 0)
	p.run.detected.signals.hears(p.partition, 0)
}

// beside is the number of a partition of signals among those of events.
func beside(partition int32) int32 { return -1 - partition }
