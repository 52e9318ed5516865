package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Gap is a run of records that a group will never read.
type Gap struct {
	Topic     string // with the prefix
	Group     string // without it
	Partition int32
	From, To  int64 // offsets, both in it; not every one of them need be a record's
	Damaged   bool  // on the disk; else deleted by the topic's retention before they were read
}

// Len is how many records are in the gap, at most.
func (g Gap) Len() int64 { return g.To - g.From + 1 }

// places is where a reader stands in its partitions. The client assigns and revokes in goroutines of its own.
type places struct {
	reader *Reader

	mu   sync.Mutex
	next map[int32]int64 // the offset behind the last record given, or committed; of partitions that were given any
	gaps []Gap           // found when partitions were assigned
	held map[int32]int64 // while a reader holds: the first offset that is not done
	gone bool            // one of the held has moved
}

// assigned looks for gaps before partitions are read. A position in front of the log's start, or behind its end, would else be
// set to the start without a word.
func (p *places) assigned(ctx context.Context, all map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	b, name := p.reader.bus, p.reader.bus.name(p.reader.member.Topic)
	measured, err := b.measure(ctx, p.reader.member.Topic)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, at := range all[name] {
		position := at.EpochOffset().Offset
		m, err := measured(n)
		if err != nil {
			continue
		}
		if position < 0 { // the group is new
			position = m.start
			if g, found := b.config.disk.missing(name, n, 0, m.start-1); found && g.To == m.start-1 {
				position = g.From
			}
		}
		p.next[n] = position
		switch {
		case position > m.end:
			b.config.Log.Error("the group's position lies behind the end of the log: the topic was made anew, or has lost its end; it is read from its start again",
				slog.String("topic", name), slog.Int("partition", int(n)), slog.String("group", p.reader.member.Group), slog.Int64("position", position), slog.Int64("end", m.end))
		case position < m.start:
			g := p.gap(n, position, m.start-1)
			_, g.Damaged = b.config.disk.missing(name, n, g.From, g.To)
			p.gaps = append(p.gaps, g)
		default:
			continue
		}
		p.next[n] = m.start
		all[name][n] = kgo.NewOffset().At(m.start)
	}
	return all, nil
}

func (p *places) gap(partition int32, from, to int64) Gap {
	m := p.reader.member
	return Gap{Topic: p.reader.bus.name(m.Topic), Group: m.Group, Partition: partition, From: from, To: to}
}

// take gives the gaps that were found and not yet told.
func (p *places) take() []Gap {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.gaps
	p.gaps = nil
	return all
}

// read goes on behind the records of a fetch, and gives the gaps before and between them: what is known to be damaged, and offsets
// that lie below the log's start by now. Others that are left out were no records, or were compacted.
func (p *places) read(f kgo.FetchTopicPartition) (all []Gap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next, known := p.next[f.Partition]
	first := f.Records[0].Offset
	p.next[f.Partition] = f.Records[len(f.Records)-1].Offset + 1
	if !known {
		return nil
	}
	disk := p.reader.bus.config.disk
	if first > next && f.LogStartOffset > next {
		g := p.gap(f.Partition, next, min(first, f.LogStartOffset)-1)
		_, g.Damaged = disk.missing(f.Topic, f.Partition, g.From, g.To)
		all, next = append(all, g), first
	}
	if !disk.holed() {
		return all
	}
	for _, r := range f.Records {
		if r.Offset > next {
			if g, ok := disk.missing(f.Topic, f.Partition, next, r.Offset-1); ok {
				g.Group = p.reader.member.Group
				all = append(all, g)
			}
		}
		next = r.Offset + 1
	}
	return all
}

// at is where a partition goes on.
func (p *places) at(partition int32) (next int64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next, known = p.next[partition]
	return next, known
}

// set is where a partition goes on from now.
func (p *places) set(partition int32, next int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next[partition] = next
}

// left forgets partitions that another member has now.
func (p *places) left(all []int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range all {
		delete(p.next, n)
		if _, ok := p.held[n]; ok {
			delete(p.held, n)
			p.gone = true
		}
	}
}

// hold keeps in mind which records are in hand while partitions may move.
func (p *places) hold(given []Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held, p.gone = undone(given), false
}

// release gives where the partitions that are left go on, where one of them has moved.
func (p *places) release() (back map[int32]int64, moved bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		back, moved = p.held, true
		maps.Copy(p.next, back)
	}
	p.held, p.gone = nil, false
	return back, moved
}

// missedWithin bounds how long a gap is told: the context of Poll may be as short as a look.
const missedWithin = 10 * time.Second

// missed tells gaps and stores that they are passed.
func (r *Reader) missed(ctx context.Context, gaps []Gap) error {
	if len(gaps) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), missedWithin)
	defer cancel()
	at := map[int32]int64{}
	for _, g := range gaps {
		r.bus.missed.Add(g.Len())
		what := "records were deleted by retention before they were read"
		if g.Damaged {
			what = "records are damaged on the disk and are passed over"
		}
		r.bus.config.Log.Error(what, slog.String("topic", g.Topic), slog.Int("partition", int(g.Partition)), slog.String("group", g.Group),
			slog.Int64("from", g.From), slog.Int64("to", g.To), slog.Int64("records", g.Len()))
		if r.member.Missed != nil {
			if err := r.member.Missed(ctx, g); err != nil {
				return errors.New("tell missed records: " + err.Error()) // not wrapped: the end of this context is not that of Poll
			}
		}
		at[g.Partition] = g.To + 1
	}
	if r.flow != nil { // what lies before may not be done; the gap is passed with what lies behind it
		return nil
	}
	return r.commit(ctx, at)
}

// pass goes on behind a batch that is damaged on the embedded broker's disk. What it held is missed.
func (r *Reader) pass(ctx context.Context, partition int32) (passed bool, err error) {
	at, known := r.places.at(partition)
	if !known {
		return false, nil
	}
	topic := r.bus.name(r.member.Topic)
	to, damaged, err := r.bus.config.disk.damagedAt(topic, partition, at)
	if err != nil || !damaged {
		return false, err
	}
	if to == 0 {
		ends, err := r.bus.admin.ListEndOffsets(ctx, topic)
		if err != nil {
			return false, fmt.Errorf("pass damaged records: %w", err)
		}
		end, _ := ends.Lookup(topic, partition)
		to = end.Offset
	}
	if to <= at {
		return false, nil
	}
	g := r.places.gap(partition, at, to-1)
	g.Damaged = true
	if err := r.missed(ctx, []Gap{g}); err != nil {
		return false, err
	}
	r.places.set(partition, to)
	r.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {partition: {Epoch: -1, Offset: to}}})
	return true, nil
}

// passAll goes on in partitions whose records say that they lie behind the end of the log.
func (r *Reader) passAll(ctx context.Context, partitions []int32) error {
	for _, p := range partitions {
		passed, err := r.pass(ctx, p)
		if err == nil && !passed {
			err = errors.New("a record lies behind the end of the log")
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", r.bus.name(r.member.Topic), err)
		}
	}
	return nil
}
