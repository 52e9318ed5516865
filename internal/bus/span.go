package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ErrNoTopic says that a topic is not there.
var ErrNoTopic = errors.New("there is no topic")

// All gives every record of a topic from its start to what is its end now. What a transaction that is under way has written,
// and all behind it, is not yet there; nor is what was committed a moment ago, see visible.
func (b *Bus) All(ctx context.Context, topic Topic, do func(Record) error) error {
	return b.Last(ctx, topic, math.MaxInt64, do)
}

// Last is All for at most so many records of the end of each partition.
func (b *Bus) Last(ctx context.Context, topic Topic, each int64, do func(Record) error) error {
	return b.stretch(ctx, topic, func(_ int32, start, end int64) int64 { return max(start, end-each) }, do)
}

// Since is All from an offset of each partition on: what lies before it has been read. It moves the offsets on with each record, so that
// what ends in the midst goes on from there. A topic that was made anew is read from its start.
func (b *Bus) Since(ctx context.Context, topic Topic, next map[int32]int64, do func(Record) error) error {
	from := func(p int32, start, end int64) int64 {
		if next[p] > end {
			return start
		}
		return max(start, next[p])
	}
	return b.stretch(ctx, topic, from, func(r Record) error {
		err := do(r)
		if err == nil {
			next[r.Partition] = r.Offset + 1
		}
		return err
	})
}

// stretch gives the records of each partition from an offset to what is the end now.
func (b *Bus) stretch(ctx context.Context, topic Topic, from func(p int32, start, end int64) int64, do func(Record) error) error {
	ends, err := b.admin.ListCommittedOffsets(ctx, b.name(topic))
	if err != nil {
		return fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	starts, err := b.admin.ListStartOffsets(ctx, b.name(topic))
	if err != nil {
		return fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	s := span{bus: b, topic: topic, from: map[int32]kgo.Offset{}, end: map[int32]int64{}}
	for p, e := range ends[b.name(topic)] {
		start, _ := starts.Lookup(b.name(topic), p)
		if errors.Is(e.Err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("%w %s: no noroshi run has used this Kafka with this prefix", ErrNoTopic, b.name(topic))
		}
		if e.Err != nil || start.Err != nil {
			return fmt.Errorf("read %s: %w", b.name(topic), errors.Join(e.Err, start.Err))
		}
		if at := from(p, start.Offset, e.Offset); e.Offset > at {
			s.end[p], s.from[p] = e.Offset, kgo.NewOffset().At(at)
		}
	}
	return s.read(ctx, do)
}

// span is a stretch of some partitions of a topic, read without a group.
type span struct {
	bus   *Bus
	topic Topic
	from  map[int32]kgo.Offset
	end   map[int32]int64 // behind the last record, of partitions that have not been read to there
}

// quietAnswers is how many answers in a row without records show that a broker has no more of a span: the one that was on its way
// when the last records were given, the one after it, and one more.
const quietAnswers = 3

// read gives the records of the span in their order. A partition is done at the first record at its end or behind it: what lies
// just before the end may be hidden, as what a transaction wrote that was aborted. Where nothing behind the end is visible
// either, the brokers' answers without records show that it is done.
func (s *span) read(ctx context.Context, do func(Record) error) error {
	if len(s.end) == 0 {
		return nil
	}
	o, err := s.bus.options()
	if err != nil {
		return err
	}
	name := s.bus.name(s.topic)
	answers := &answers{}
	c, err := kgo.NewClient(append(o, kgo.WithHooks(answers), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: s.from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxWait(fetchMaxWait), kgo.KeepControlRecords())...)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer c.Close()
	leaders, err := s.leaders(ctx)
	if err != nil {
		return err
	}
	for len(s.end) > 0 {
		within, cancel := context.WithTimeout(ctx, 2*fetchMaxWait)
		fetches := c.PollFetches(within)
		cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
		if fetches.NumRecords() > 0 {
			answers.again()
		} else if fetches.Empty() || within.Err() != nil {
			if !answers.quiet(leaders) {
				continue
			}
			now, err := s.leaders(ctx)
			if err != nil || maps.Equal(now, leaders) {
				return err
			}
			leaders = now
			answers.again()
			continue
		}
		if errs := fetches.Errors(); len(errs) > 0 && !errors.Is(errs[0].Err, context.DeadlineExceeded) {
			return fmt.Errorf("read %s: %w", name, errs[0].Err)
		}
		if err := s.give(fetches, do); err != nil {
			return err
		}
	}
	return nil
}

// give gives what belongs to the span.
func (s *span) give(fetches kgo.Fetches, do func(Record) error) (err error) {
	fetches.EachRecord(func(k *kgo.Record) {
		end, ok := s.end[k.Partition]
		if !ok || err != nil {
			return
		}
		if k.Offset < end && !k.Attrs.IsControl() {
			err = do(record(s.topic, k))
		}
		if k.Offset >= end-1 {
			delete(s.end, k.Partition)
		}
	})
	return err
}

// leaders are the brokers that have the partitions which are still read.
func (s *span) leaders(ctx context.Context) (map[int32]bool, error) {
	name := s.bus.name(s.topic)
	found, err := s.bus.look(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	all := map[int32]bool{}
	for p := range s.end {
		all[found[name].Partitions[p].Leader] = true
	}
	return all, nil
}

// answers counts the brokers' answers to fetches.
type answers struct {
	mu sync.Mutex
	n  map[int32]int // by broker
}

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (a *answers) OnBrokerE2E(m kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key != int16(kmsg.Fetch) || e.Err() != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.n == nil {
		a.n = map[int32]int{}
	}
	a.n[m.NodeID]++
}

// again begins to count anew.
func (a *answers) again() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.n)
}

// quiet says whether every one of some brokers has answered often enough.
func (a *answers) quiet(brokers map[int32]bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for b := range brokers {
		if a.n[b] < quietAnswers {
			return false
		}
	}
	return true
}
