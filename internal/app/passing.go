package app

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/stage"
	"noroshi/internal/state"
)

// passing passes on how far the sources have come, from a partition of events to all partitions of signals: behind what these have been
// sent. There the clocks stand until all partitions of events have come so far.
type passing struct {
	heard  [][]byte  // ticks since they were passed on
	passed time.Time // when the last tick was made that was passed on
	begun  bool      // all that is known was passed on
}

// passEvery is how often ticks are passed on at most: every partition writes to every other.
const passEvery = 4 * time.Second

// A record of signals with this header is ticks that a partition of events has passed on, each behind its length.
const schemaTicks = "noroshi.ticks/1"

// headerUpstream is the partition of events.
const headerUpstream = "upstream"

func isTicks(r *bus.Record) bool { return r.Header(headerSchema) == schemaTicks }

// isClock reports whether a record, of events or of signals, tells nothing but how far sources have come.
func isClock(r *bus.Record) bool { return isTick(r) || isTicks(r) || isFollowed(r) }

// hear keeps a tick to be passed on.
func (p *passing) hear(rec *bus.Record) { p.heard = append(p.heard, bytes.Clone(rec.Value)) }

// on passes on what was heard, of which the last was made at a time, behind what is known otherwise: from records, and from ticks that were
// heard by an earlier owner of the partition, who may have ended before it passed them on.
func (p *passing) on(known *clock.Clocks, from int32, partitions int, made, now time.Time, out *stage.Out) {
	if len(p.heard) == 0 || now.Sub(p.passed) < passEvery {
		return
	}
	if !p.begun {
		p.begun = true
		known.Whole()
	}
	var first [][]byte
	for _, t := range known.Untold() {
		for _, one := range t.Split(tickBytes) {
			first = append(first, one.Append(nil))
		}
	}
	p.heard = append(first, p.heard...)
	for len(p.heard) > 0 {
		var body []byte
		for len(p.heard) > 0 && (body == nil || len(body)+len(p.heard[0]) <= tickBytes) {
			body = state.AppendBytes(body, p.heard[0])
			p.heard = p.heard[1:]
		}
		r := bus.Record{Topic: bus.Signals, Value: body, Headers: []bus.Header{{Key: headerSchema, Value: []byte(schemaTicks)},
			{Key: headerUpstream, Value: strconv.AppendInt(nil, int64(from), 10)}}}
		for to := range partitions {
			r.Partition = int32(to)
			out.Write(r)
		}
	}
	if p.heard, p.passed = nil, made; made.After(now) {
		p.passed = now
	}
}

var errTicks = errors.New("not ticks of a partition of events")

// ticksOf are the ticks of a record of signals, and the partition of events that has passed them on. Of a later version there are none.
func ticksOf(rec *bus.Record, partitions int) (from int, all []*clock.Tick, unread int64, err error) {
	from, err = strconv.Atoi(rec.Header(headerUpstream))
	if err != nil || from < 0 || from >= partitions {
		return 0, nil, 0, errTicks
	}
	f := state.Read(rec.Value)
	for f.Len() > 0 {
		t, err := clock.Parse(f.Bytes())
		if err != nil { // see part.hear
			unread++
			continue
		}
		all = append(all, t)
	}
	if f.Err() != nil {
		return 0, nil, 0, errTicks
	}
	return from, all, unread, nil
}
