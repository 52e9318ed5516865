package app

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/identify"
	"noroshi/internal/state"
)

// What has brought nothing for so long, while others have, the clock does not wait for any more: streams keep their messages for about a
// week, and a file whose records come no more has been read to its end.
const (
	quietStream = 7 * 24 * time.Hour
	quietFile   = time.Hour
)

// future is how far ahead of its arrival an event may say that it happened and move the clock.
const future = 5 * time.Minute

// progress tells how far in time the sources have come that bring the records of one partition of events. The clock is that of the one
// that is furthest behind: where a source lags, or is down, nothing is forgotten that its events may still need. It never goes back.
type progress struct {
	clock int64 // nanoseconds since 1970
	known bool
	all   map[string]*reached // by source and partition
}

// reached is how far one partition of a source has come.
type reached struct {
	event   int64 // the latest event
	arrived int64 // when Kafka took the last record
	quiet   int64 // how long it may bring nothing
}

// add takes a record and its event's time.
func (p *progress) add(rec *bus.Record, at time.Time) {
	event := state.Nanoseconds(at)
	if most := state.Nanoseconds(identify.Enqueued(rec).Add(future)); event > most {
		event = most
	}
	source, quiet := sourceOf(rec)
	r := p.all[string(source)]
	if r == nil {
		if p.all == nil {
			p.all = map[string]*reached{}
		}
		r = &reached{event: math.MinInt64, arrived: math.MinInt64, quiet: int64(quiet)}
		p.all[string(source)] = r
	}
	r.event, r.arrived = max(r.event, event), max(r.arrived, state.Nanoseconds(rec.Timestamp))
}

// sourceOf is the file or the partition of a stream that a record came from: its origin without what differs from record to record.
func sourceOf(rec *bus.Record) (name []byte, quiet time.Duration) {
	sep := byte(':') // and the line
	quiet = quietFile
	for _, h := range rec.Headers {
		switch h.Key {
		case identify.HeaderOrigin:
			name = h.Value
		case identify.HeaderEnqueued: // records of files have none
			sep, quiet = '@', quietStream // and the sequence number
		}
	}
	if i := bytes.LastIndexByte(name, sep); i >= 0 {
		name = name[:i]
	}
	return name, quiet
}

// now is the clock.
func (p *progress) now() int64 {
	newest := int64(math.MinInt64)
	for _, r := range p.all {
		newest = max(newest, r.arrived)
	}
	least := state.Never
	for name, r := range p.all {
		if state.Plus(r.arrived, r.quiet) < newest {
			delete(p.all, name)
			continue
		}
		least = min(least, r.event)
	}
	if least != state.Never && (!p.known || least > p.clock) {
		p.clock, p.known = least, true
	}
	if !p.known {
		return math.MinInt64
	}
	return p.clock
}

// append packs the progress for a row.
func (p *progress) append(to []byte) []byte {
	to = binary.AppendUvarint(binary.AppendVarint(to, p.now()), uint64(len(p.all)))
	for _, name := range slices.Sorted(maps.Keys(p.all)) {
		r := p.all[name]
		to = state.AppendBytes(to, name)
		for _, n := range [...]int64{r.event, r.arrived, r.quiet} {
			to = binary.AppendVarint(to, n)
		}
	}
	return to
}

// load reads what append wrote.
func (p *progress) load(row []byte) error {
	f := state.Read(row)
	p.clock, p.all = f.Int(), map[string]*reached{}
	p.known = p.clock != math.MinInt64
	for n := f.Many(); n > 0; n-- {
		name := string(f.Bytes())
		p.all[name] = &reached{f.Int(), f.Int(), f.Int()}
	}
	return f.Err()
}
