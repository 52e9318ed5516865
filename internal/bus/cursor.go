package bus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Place is where a cursor begins: at an offset, or at the first record written at a time or later, or else at the
// oldest record.
type Place struct {
	Offset int64 // used where At is set
	At     bool
	Time   time.Time
}

// Cursor reads one partition of any topic, without a group. It belongs to one goroutine.
type Cursor struct {
	topic  Topic // with the prefix
	client *kgo.Client
	unpack *unpacker
}

// prefetchBytes bounds what a cursor holds that has not been polled, as it comes from the brokers: one fetch in hand and one on
// its way. A fetch is larger where its first batch is.
const prefetchBytes = 4 << 20

// Cursor makes a cursor. Only what is committed is seen, and the marks at the ends of transactions.
func (b *Bus) Cursor(topic Topic, partition int32, from Place) (*Cursor, error) {
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	u, err := newUnpacker()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	at := kgo.NewOffset().AtStart()
	switch {
	case from.At:
		at = kgo.NewOffset().At(from.Offset)
	case !from.Time.IsZero():
		at = kgo.NewOffset().AfterMilli(from.Time.UnixMilli())
	}
	c, err := kgo.NewClient(append(o, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{b.name(topic): {partition: at}}), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(prefetchBytes), kgo.FetchMaxPartitionBytes(prefetchBytes), kgo.FetchMaxWait(fetchMaxWait), kgo.MaxConcurrentFetches(1),
		kgo.WithDecompressor(u), kgo.KeepControlRecords())...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	return &Cursor{Topic(b.name(topic)), c, u}, nil
}

// quiet is how long a cursor that gets nothing waits before it asks whether the brokers still let it in.
const quiet = 5 * time.Second

// Poll waits for records, at most so many. An error of Kafka's that does not pass by itself is a Denied.
func (c *Cursor) Poll(ctx context.Context, most int) (all []Record, err error) {
	for {
		wait, cancel := context.WithTimeout(ctx, quiet)
		fetches := c.client.PollRecords(wait, most)
		nothing := wait.Err()
		cancel()
		fetches.EachRecord(func(k *kgo.Record) { all = append(all, record(c.topic, k)) })
		if len(all) > 0 {
			c.unpack.again()
			return all, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for _, e := range fetches.Errors() {
			var large *kgo.ErrDecompressTooLarge
			switch {
			case errors.As(e.Err, &large):
				all = c.pass(large)
			case nothing == nil || !errors.Is(e.Err, nothing):
				return nil, fmt.Errorf("read %s: %w", c.topic, denied(e.Err))
			}
		}
		if len(all) > 0 {
			return all, nil
		}
		if nothing == nil {
			continue
		}
		// Where brokers refuse a token that was renewed, or a password that was changed, fetches are tried for ever without a word.
		if err := c.client.Ping(ctx); err != nil {
			return nil, fmt.Errorf("read %s: %w", c.topic, denied(err))
		}
	}
}

// pass goes on behind a batch that unpacks too large, and gives the record that stands for it. Where a batch has been refused for
// those before it, of which nothing is seen, it may be this one: it is fetched again.
func (c *Cursor) pass(large *kgo.ErrDecompressTooLarge) (all []Record) {
	next := large.Offset
	if !c.unpack.refused.Swap(false) {
		next = large.NextOffset
		all = []Record{{Topic: c.topic, Partition: large.Partition, Offset: next - 1, Fault: fmt.Errorf("the batch of the offsets %d to %d unpacks to more than %d MiB", large.Offset, next-1, maxBatch>>20)}}
	}
	c.unpack.again()
	c.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{large.Topic: {large.Partition: {Epoch: large.Epoch, Offset: next}}})
	return all
}

// Close ends the cursor.
func (c *Cursor) Close() { c.client.Close() }

// Denied is an answer of Kafka's that stays until somebody changes something.
type Denied struct{ Cause error }

func (d *Denied) Error() string { return d.Cause.Error() }

func (d *Denied) Unwrap() error { return d.Cause }

func denied(err error) error {
	for _, k := range []error{kerr.UnknownTopicOrPartition, kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism} {
		if errors.Is(err, k) {
			return &Denied{err}
		}
	}
	return err
}

// Partitions is how many partitions a topic has. It asks the brokers each time: the client's own memory of a topic may be older than
// the topic's deletion or growth.
func (b *Bus) Partitions(ctx context.Context, topic Topic) (int, error) {
	ask := kmsg.NewMetadataRequestTopic()
	ask.Topic = kmsg.StringPtr(b.name(topic))
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, ask)
	found, err := req.RequestWith(ctx, b.client)
	if err != nil {
		return 0, fmt.Errorf("look at topic %s: %w", b.name(topic), denied(err))
	}
	n := 0
	for _, t := range found.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return 0, fmt.Errorf("look at topic %s: %w", b.name(topic), denied(err))
		}
		n += len(t.Partitions)
	}
	return n, nil
}

// Bounds are the offsets of the first and last record that readers of a partition see, or last < first if there is none.
func (b *Bus) Bounds(ctx context.Context, topic Topic, partition int32) (first, last int64, err error) {
	starts, err := b.admin.ListStartOffsets(ctx, b.name(topic))
	if err != nil {
		return 0, 0, fmt.Errorf("measure %s: %w", b.name(topic), denied(err))
	}
	ends, err := b.admin.ListCommittedOffsets(ctx, b.name(topic))
	if err != nil {
		return 0, 0, fmt.Errorf("measure %s: %w", b.name(topic), denied(err))
	}
	s, ok1 := starts.Lookup(b.name(topic), partition)
	e, ok2 := ends.Lookup(b.name(topic), partition)
	if err := errors.Join(s.Err, e.Err); err != nil {
		return 0, 0, fmt.Errorf("measure %s: %w", b.name(topic), denied(err))
	}
	if !ok1 || !ok2 {
		return 0, math.MinInt64, fmt.Errorf("measure %s: there is no partition %d", b.name(topic), partition)
	}
	return s.Offset, e.Offset - 1, nil
}

// limits are the offsets at which a partition begins and behind which it ends, whatever readers see.
type limits struct{ start, end int64 }

// measure asks where the partitions of a topic begin and end.
func (b *Bus) measure(ctx context.Context, topic Topic) (of func(partition int32) (limits, error), err error) {
	name := b.name(topic)
	starts, err := b.admin.ListStartOffsets(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", name, err)
	}
	ends, err := b.admin.ListEndOffsets(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", name, err)
	}
	return func(partition int32) (limits, error) {
		start, ok1 := starts.Lookup(name, partition)
		end, ok2 := ends.Lookup(name, partition)
		if err := errors.Join(start.Err, end.Err); err != nil {
			return limits{}, fmt.Errorf("measure %s: %w", name, err)
		}
		if !ok1 || !ok2 {
			return limits{}, fmt.Errorf("measure %s: there is no partition %d", name, partition)
		}
		return limits{start.Offset, end.Offset}, nil
	}, nil
}
