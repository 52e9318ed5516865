package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The bounds of a reader.
const (
	fetchBytes   = 16 << 20
	session      = 10 * time.Second
	rebalance    = 30 * time.Second
	heartbeat    = time.Second
	fetchMaxWait = 250 * time.Millisecond
)

// Reader is one member of a consumer group. It belongs to one goroutine. Partitions move between members only inside Poll,
// when all that Poll has given is done, so what a member commits is always done.
type Reader struct {
	bus    *Bus
	topic  Topic
	client *kgo.Client
	// settled says that all that Poll has given is done. The client gives partitions back, and would commit them, also when it
	// is closed in the middle of a batch.
	settled atomic.Bool
}

// Reader joins a group for one topic, from its start where the group is new. On the embedded broker, which has one process, the
// instance is a name that the member keeps over restarts, so that a restart moves no partitions. On others a name would have to
// differ between machines; there a member leaves when it ends, and after its session when it was killed.
func (b *Bus) Reader(topic Topic, group, instance string) (*Reader, error) {
	r := &Reader{bus: b, topic: topic}
	r.settled.Store(true)
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("join group %s: %w", group, err)
	}
	if b.config.Boot != "" {
		o = append(o, kgo.InstanceID(instance))
	}
	o = append(o,
		kgo.ConsumerGroup(b.config.Prefix+group), kgo.ConsumeTopics(b.name(topic)), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(fetchBytes/2), kgo.FetchMaxWait(fetchMaxWait), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(session), kgo.RebalanceTimeout(rebalance), kgo.HeartbeatInterval(heartbeat),
		kgo.OnPartitionsRevoked(func(ctx context.Context, c *kgo.Client, _ map[string][]int32) {
			if !r.settled.Load() {
				return
			}
			if err := c.CommitUncommittedOffsets(ctx); err != nil {
				b.config.Log.Warn("offsets not committed before partitions move; their records come again", slog.String("group", group), slog.Any("err", err))
			}
		}))
	if r.client, err = kgo.NewClient(o...); err != nil {
		return nil, fmt.Errorf("join group %s: %w", group, err)
	}
	return r, nil
}

// Poll waits for records, at most so many. What it gave before must be done. Faults of the brokers are tried again until ctx
// ends.
func (r *Reader) Poll(ctx context.Context, most int) ([]Record, error) {
	r.settled.Store(true)
	for {
		r.client.AllowRebalance()
		fetches := r.client.PollRecords(ctx, most)
		if fetches.IsClientClosed() {
			return nil, errors.New("reader is closed")
		}
		var all []Record
		fetches.EachRecord(func(k *kgo.Record) { all = append(all, record(r.topic, k)) })
		if len(all) > 0 {
			r.settled.Store(false)
			r.tell(fetches.Errors())
			return all, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.tell(fetches.Errors())
		for _, e := range fetches.Errors() {
			if errors.Is(e.Err, kerr.FencedInstanceID) || errors.Is(e.Err, kerr.TopicAuthorizationFailed) || errors.Is(e.Err, kerr.GroupAuthorizationFailed) || errors.Is(e.Err, kerr.SaslAuthenticationFailed) {
				return nil, fmt.Errorf("read %s: %w", r.bus.name(r.topic), e.Err)
			}
		}
	}
}

// tell logs faults that the client tries again by itself.
func (r *Reader) tell(all []kgo.FetchError) {
	for _, e := range all {
		r.bus.config.Log.Warn("reading interrupted", slog.String("topic", r.bus.name(r.topic)), slog.Int("partition", int(e.Partition)), slog.Any("err", e.Err))
	}
}

func record(topic Topic, k *kgo.Record) Record {
	return Record{Topic: topic, Key: k.Key, Value: k.Value, Headers: k.Headers, Partition: k.Partition, Offset: k.Offset, Timestamp: k.Timestamp, Mark: k.Attrs.IsControl()}
}

// Commit stores that all that Poll has given is done.
func (r *Reader) Commit(ctx context.Context) error {
	if err := r.client.CommitUncommittedOffsets(ctx); err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	r.settled.Store(true)
	return nil
}

// closeWithin is how long Close waits for a join that is under way.
const closeWithin = time.Second

// Close leaves without a commit: what is done has been committed. The client would wait for a join that is under way, as long
// as a session lasts; after a second it is left to end by itself. A named member stays known to the group until its session ends.
func (r *Reader) Close() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		r.client.CloseAllowingRebalance()
	}()
	select {
	case <-closed:
	case <-time.After(closeWithin):
	}
}

// All gives every record of a topic from its start to what is its end now. What a transaction that is under way has written,
// and all behind it, is not yet there.
func (b *Bus) All(ctx context.Context, topic Topic, do func(Record) error) error {
	return b.Last(ctx, topic, math.MaxInt64, do)
}

// Last is All for at most so many records of the end of each partition.
func (b *Bus) Last(ctx context.Context, topic Topic, each int64, do func(Record) error) error {
	ends, err := b.admin.ListCommittedOffsets(ctx, b.name(topic))
	if err != nil {
		return fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	starts, err := b.admin.ListStartOffsets(ctx, b.name(topic))
	if err != nil {
		return fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	left := map[int32]int64{}
	from := map[int32]kgo.Offset{}
	for p, e := range ends[b.name(topic)] {
		s, _ := starts.Lookup(b.name(topic), p)
		if e.Err != nil || s.Err != nil {
			return fmt.Errorf("read %s: %w", b.name(topic), errors.Join(e.Err, s.Err))
		}
		if e.Offset > s.Offset {
			left[p], from[p] = e.Offset, kgo.NewOffset().At(max(s.Offset, e.Offset-each))
		}
	}
	if len(left) == 0 {
		return nil
	}
	return b.span(ctx, topic, from, left, do)
}

// fetches counts the brokers' answers to fetches.
type fetches struct{ n atomic.Int64 }

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (f *fetches) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key == int16(kmsg.Fetch) && e.Err() == nil {
		f.n.Add(1)
	}
}

func (b *Bus) span(ctx context.Context, topic Topic, from map[int32]kgo.Offset, left map[int32]int64, do func(Record) error) error {
	o, err := b.options()
	if err != nil {
		return err
	}
	answers := &fetches{}
	c, err := kgo.NewClient(append(o, kgo.WithHooks(answers), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{b.name(topic): from}), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxWait(fetchMaxWait), kgo.KeepControlRecords())...)
	if err != nil {
		return fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	defer c.Close()
	for idle := int64(0); len(left) > 0; {
		within, cancel := context.WithTimeout(ctx, 2*fetchMaxWait)
		fetches := c.PollFetches(within)
		cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
		if fetches.Empty() || within.Err() != nil && fetches.NumRecords() == 0 {
			// What a crash left of a transaction is hidden, and the embedded broker puts no mark behind it: then the end shows
			// only in answers without records.
			if b.config.Boot != "" && answers.n.Load() >= idle+3 {
				return nil
			}
			continue
		}
		idle = answers.n.Load()
		if errs := fetches.Errors(); len(errs) > 0 {
			return fmt.Errorf("read %s: %w", b.name(topic), errs[0].Err)
		}
		var failed error
		fetches.EachRecord(func(k *kgo.Record) {
			if end, ok := left[k.Partition]; ok && k.Offset < end && failed == nil {
				if !k.Attrs.IsControl() {
					failed = do(record(topic, k))
				}
				if k.Offset+1 >= end {
					delete(left, k.Partition)
				}
			}
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}
