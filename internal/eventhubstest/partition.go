package eventhubstest

import (
	"strconv"
	"sync"
	"time"

	"noroshi/internal/eventhubstest/amqp"
)

// overhead is what an event takes beside its bytes: the step between the offsets of two empty events, and what
// Retention.Bytes counts.
const overhead = 40

// stored is an event in a partition.
type stored struct {
	sequence int64
	offset   int64
	enqueued time.Time
	key      amqp.Value // the partition key as it was sent, nil without
	bare     []byte     // properties, application properties and body
}

func (e stored) size() int64 { return int64(len(e.bare)) + overhead }

// partition is an ordered log, the readers at it and what it has delivered.
type partition struct {
	id        string
	retention Retention
	beyond    int64 // events that it says it has beyond the last

	mu        sync.Mutex
	events    []stored
	bytes     int64
	next      stored // carries the sequence number and offset of the event to come
	last      stored // the newest event there ever was, without its bytes
	readers   map[*outlet]struct{}
	delivered int64
}

func newPartition(id string, h *Hub) *partition {
	beyond := int64(0)
	if h.Endless {
		beyond = 1
	}
	return &partition{id: id, retention: h.Retention, beyond: beyond, last: stored{sequence: -1, offset: -1, enqueued: time.UnixMilli(0)}, readers: map[*outlet]struct{}{}}
}

// add stores events and wakes the readers. Events without an enqueued time get now. It returns the first sequence number.
func (p *partition) add(events []stored, now time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.next.sequence
	for _, e := range events {
		e.sequence, e.offset = p.next.sequence, p.next.offset
		if e.enqueued.IsZero() {
			e.enqueued = now
		}
		p.events = append(p.events, e)
		p.bytes += e.size()
		p.last = stored{sequence: e.sequence, offset: e.offset, enqueued: e.enqueued}
		p.next.sequence++
		p.next.offset += e.size()
	}
	p.expire(now)
	for r := range p.readers {
		r.wake()
	}
	return first
}

// expire drops what the retention no longer covers. The caller holds the lock.
func (p *partition) expire(now time.Time) {
	n, bytes, keep := 0, p.bytes, p.retention
	for ; n < len(p.events); n++ {
		e := p.events[n]
		tooMany := keep.Events > 0 && len(p.events)-n > keep.Events
		tooLarge := keep.Bytes > 0 && bytes > keep.Bytes
		tooOld := keep.Age > 0 && now.Sub(e.enqueued) > keep.Age
		if !tooMany && !tooLarge && !tooOld {
			break
		}
		bytes -= e.size()
	}
	p.drop(n)
}

// drop removes the n oldest events. The caller holds the lock.
func (p *partition) drop(n int) {
	for _, e := range p.events[:n] {
		p.bytes -= e.size()
	}
	clear(p.events[:n])
	p.events = p.events[n:]
}

// truncate drops the events with a sequence number below before.
func (p *partition) truncate(before int64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.find(before)
	p.drop(n)
	return n
}

// find is the index of the first event with a sequence number of at least from. The caller holds the lock.
func (p *partition) find(from int64) int {
	return int(min(max(from-p.begin(), 0), int64(len(p.events))))
}

// read returns the first event with a sequence number of at least from. A reader that asks for what the retention has
// dropped gets the oldest event there is.
func (p *partition) read(from int64, now time.Time) (stored, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire(now)
	i := p.find(from)
	if i == len(p.events) {
		return stored{}, false
	}
	return p.events[i], true
}

// properties answers a READ of the partition (azeventhubs/v2, mgmt.go).
func (p *partition) properties(hub string, now time.Time) amqp.Map {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire(now)
	return amqp.Map{
		{Key: amqp.String("name"), Value: amqp.String(hub)},
		{Key: amqp.String("type"), Value: amqp.String(typePartition)},
		{Key: amqp.String("partition"), Value: amqp.String(p.id)},
		{Key: amqp.String("begin_sequence_number"), Value: amqp.Long(p.begin())},
		{Key: amqp.String("last_enqueued_sequence_number"), Value: amqp.Long(p.last.sequence + p.beyond)},
		{Key: amqp.String("last_enqueued_offset"), Value: amqp.String(strconv.FormatInt(p.last.offset, 10))},
		{Key: amqp.String("last_enqueued_time_utc"), Value: amqp.Time(p.last.enqueued)},
		{Key: amqp.String("is_partition_empty"), Value: amqp.Bool(len(p.events) == 0)},
	}
}

// begin is the sequence number of the oldest event, or of the one to come where none is left.
func (p *partition) begin() int64 { return p.next.sequence - int64(len(p.events)) }
