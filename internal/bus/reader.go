package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The bounds of a reader.
const (
	// fetchBytes bounds one answer of a broker as it comes, which is compressed: opened it is many times as large, and one is in hand while
	// the next is on its way.
	fetchBytes   = 4 << 20
	session      = 10 * time.Second
	rebalance    = 30 * time.Second
	heartbeat    = time.Second
	fetchMaxWait = 250 * time.Millisecond
)

// Member says which group a reader joins, and for which topic.
type Member struct {
	Topic Topic
	Group string
	// Instance is a name that the member keeps over restarts, so that a restart moves no partitions. It counts on the embedded
	// broker alone, which has one process. On others a name would have to differ between machines; there a member leaves when it
	// ends, and after its session when it was killed.
	Instance string
	// Missed is told of records that the group will never read, before it is given what lies behind them. It is called by Poll,
	// which fails where it fails; then the gap comes again. Nil: they are only logged.
	Missed func(ctx context.Context, g Gap) error
	// Left is told of partitions that are not this member's any more. It is called while Poll or Hold waits, or after Close was
	// called, from a goroutine of the client's. Nil: nobody wants to know.
	Left func(partitions []int32)
}

// Reader is one member of a consumer group. It belongs to one goroutine. Partitions move between members only inside Poll,
// when all that Poll has given is done, so what a member commits is always done; and inside Hold.
type Reader struct {
	bus     *Bus
	member  Member
	client  *kgo.Client
	places  places
	given   []Record // by the last Poll, what of it is not done
	failed  error    // the client has gone on behind what was not given
	trouble Trouble
	flow    *Flow // whose reader it is: it commits by itself
	busy    bool  // partitions must not move
	// settled says that all that Poll has given is done. The client gives partitions back, and would commit them, also when it
	// is closed in the middle of a batch.
	settled atomic.Bool
}

// Reader joins a group for one topic, from its start where the group is new.
func (b *Bus) Reader(m Member) (*Reader, error) {
	r := &Reader{bus: b, member: m, trouble: Trouble{Log: b.config.Log}}
	r.places = places{reader: r, next: map[int32]int64{}}
	r.settled.Store(true)
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("join group %s: %w", m.Group, err)
	}
	if b.config.Boot != "" && m.Instance != "" {
		o = append(o, kgo.InstanceID(m.Instance))
	}
	o = append(append(o, r.consuming()...), kgo.AdjustFetchOffsetsFn(r.places.assigned),
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, all map[string][]int32) { r.revoked(ctx, all[b.name(m.Topic)]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, all map[string][]int32) { r.left(all[b.name(m.Topic)]) }))
	if r.client, err = kgo.NewClient(o...); err != nil {
		return nil, fmt.Errorf("join group %s: %w", m.Group, err)
	}
	return r, nil
}

// consuming is how all our members read.
func (r *Reader) consuming() []kgo.Opt {
	start := kgo.NewOffset().AtStart()
	return []kgo.Opt{kgo.ConsumerGroup(r.bus.config.Prefix + r.member.Group), kgo.ConsumeTopics(r.bus.name(r.member.Topic)),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.ConsumeStartOffset(start), kgo.ConsumeResetOffset(start), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(fetchBytes / 2), kgo.FetchMaxWait(fetchMaxWait),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(cmp.Or(r.bus.session, session)), kgo.RebalanceTimeout(rebalance), kgo.HeartbeatInterval(heartbeat)}
}

// allow lets partitions move.
func (r *Reader) allow() {
	if !r.busy {
		r.client.AllowRebalance()
	}
}

// moveWithin is how long a commit before partitions move may take: Poll waits for it, also when its context has ended.
const moveWithin = 5 * time.Second

// revoked gives partitions back.
func (r *Reader) revoked(ctx context.Context, partitions []int32) {
	if r.settled.Load() {
		ctx, cancel := context.WithTimeout(ctx, moveWithin)
		defer cancel()
		if err := r.Commit(ctx); err != nil {
			r.bus.config.Log.Warn("offsets not committed before partitions move; their records come again", slog.String("group", r.member.Group), slog.Any("err", err))
		}
	}
	r.left(partitions)
}

// left forgets partitions that another member has now.
func (r *Reader) left(partitions []int32) {
	r.places.left(partitions)
	if r.member.Left != nil {
		r.member.Left(partitions)
	}
}

// lookEvery is how often Poll looks for what is not told by records.
const lookEvery = time.Second

// Poll waits for records, at most so many. What it gave before must be done. Faults of the brokers are tried again with growing
// pauses; what lasts for a minute, and what a new reader alone can mend, is an error.
func (r *Reader) Poll(ctx context.Context, most int) ([]Record, error) {
	if r.failed != nil {
		return nil, r.failed
	}
	r.settled.Store(true)
	r.given = nil
	for {
		r.allow()
		within, cancel := context.WithTimeout(ctx, lookEvery)
		fetches := r.client.PollRecords(within, most)
		waited := within.Err() != nil
		cancel()
		if fetches.IsClientClosed() {
			return nil, errors.New("reader is closed")
		}
		if fetches.NumRecords() > 0 {
			r.settled.Store(false)
		}
		all, gaps, bad := r.take(fetches)
		if r.failed = r.missed(ctx, gaps); r.failed == nil {
			r.failed = r.passAll(ctx, bad)
		}
		if r.failed != nil {
			r.settled.Store(false)
			return nil, r.failed
		}
		if len(all) > 0 {
			r.given = all
			r.trouble.Over("reading goes on", slog.String("topic", r.bus.name(r.member.Topic)))
			return all, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if waited {
			continue
		}
		if err := r.faults(ctx, fetches.Errors()); err != nil {
			return nil, err
		}
	}
}

// take gives the records of fetches, what is missing before them, and the partitions whose records say that they lie behind the end
// of the log: where a batch lies is not in its checksum.
func (r *Reader) take(fetches kgo.Fetches) (all []Record, gaps []Gap, bad []int32) {
	gaps = r.places.take()
	all = make([]Record, 0, fetches.NumRecords())
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		if r.bus.config.disk != nil {
			n := len(p.Records)
			for n > 0 && p.Records[n-1].Offset >= p.HighWatermark {
				n--
			}
			if n < len(p.Records) {
				bad = append(bad, p.Partition)
			}
			if p.Records = p.Records[:n]; n == 0 {
				return
			}
		}
		gaps = append(gaps, r.places.read(p)...)
		for _, k := range p.Records {
			all = append(all, record(r.member.Topic, k))
		}
	})
	return all, gaps, bad
}

// faults pauses after faults of the brokers.
func (r *Reader) faults(ctx context.Context, all []kgo.FetchError) error {
	name := r.bus.name(r.member.Topic)
	for _, e := range all {
		switch err := r.fault(ctx, e); {
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		case e.Err == nil:
			continue
		}
		lasts := r.trouble.Again("reading interrupted", e.Err, slog.String("topic", name), slog.Int("partition", int(e.Partition)), slog.String("group", r.member.Group))
		if lasts > troubleLasts {
			return fmt.Errorf("read %s: %w", name, explained(e.Err))
		}
		r.allow()
		return r.trouble.Pause(ctx)
	}
	return nil
}

// fault mends what can be mended here, and gives what cannot.
func (r *Reader) fault(ctx context.Context, e kgo.FetchError) error {
	switch {
	case errors.Is(e.Err, kerr.FencedInstanceID), errors.Is(e.Err, kerr.TopicAuthorizationFailed), errors.Is(e.Err, kerr.GroupAuthorizationFailed), errors.Is(e.Err, kerr.SaslAuthenticationFailed):
		return e.Err
	case errors.Is(e.Err, kerr.UnknownTopicID):
		if n, err := r.bus.Partitions(ctx, r.member.Topic); err == nil && n > 0 {
			return errors.New("the topic was deleted and made again; it is read from its start")
		}
	case r.bus.config.disk != nil && e.Err != nil && !errors.As(e.Err, new(*kerr.Error)):
		_, err := r.pass(ctx, e.Partition)
		return err
	}
	return nil
}

func record(topic Topic, k *kgo.Record) Record {
	return Record{Topic: topic, Key: k.Key, Value: k.Value, Headers: k.Headers, Partition: k.Partition, Offset: k.Offset, Timestamp: k.Timestamp, Mark: k.Attrs.IsControl()}
}

// Commit stores that all that Poll has given is done. After an error by the end of ctx the reader is spent.
func (r *Reader) Commit(ctx context.Context) error {
	if err := r.bus.sync(ctx); err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	if err := within(ctx, func() error { return r.client.CommitUncommittedOffsets(ctx) }); err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	r.settled.Store(true)
	r.given = nil
	return nil
}

// Done stores that the first n of the records that Poll has given, and that are not yet done, are done.
func (r *Reader) Done(ctx context.Context, n int) error {
	if n >= len(r.given) {
		return r.Commit(ctx)
	}
	at := map[int32]int64{}
	for _, rec := range r.given[:n] {
		at[rec.Partition] = rec.Offset + 1
	}
	if err := r.commit(ctx, at); err != nil {
		return err
	}
	r.given = r.given[n:]
	return nil
}

// commit stores offsets.
func (r *Reader) commit(ctx context.Context, at map[int32]int64) error {
	if len(at) == 0 {
		return nil
	}
	if err := r.bus.sync(ctx); err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	all := make([]*kgo.Record, 0, len(at))
	for p, o := range at {
		all = append(all, &kgo.Record{Topic: r.bus.name(r.member.Topic), Partition: p, Offset: o - 1, LeaderEpoch: -1})
	}
	if err := within(ctx, func() error { return r.client.CommitRecords(ctx, all...) }); err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	return nil
}

// Hold waits, and lets partitions move meanwhile: a member that is busy for longer than half a minute would be put out of its group
// and hold up the others until then. Where one has moved of which records are given and not done, nothing that was given is this
// member's to do any more: it reports that, and what is still the member's comes again with the next Poll.
func (r *Reader) Hold(ctx context.Context, d time.Duration) (moved bool, err error) {
	r.places.hold(r.given)
	r.client.AllowRebalance()
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-ctx.Done():
	case <-wait.C:
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	r.client.PollRecords(ended, 1) // it gives nothing, and from here on partitions stay where they are
	back, moved := r.places.release()
	if !moved {
		return false, ctx.Err()
	}
	if len(back) > 0 {
		set := map[int32]kgo.EpochOffset{}
		for p, o := range back {
			set[p] = kgo.EpochOffset{Epoch: -1, Offset: o}
		}
		r.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{r.bus.name(r.member.Topic): set})
	}
	r.given = nil
	r.settled.Store(true)
	return true, ctx.Err()
}

// undone are the offsets of the first record of each partition.
func undone(all []Record) map[int32]int64 {
	at := map[int32]int64{}
	for _, rec := range all {
		if o, ok := at[rec.Partition]; !ok || rec.Offset < o {
			at[rec.Partition] = rec.Offset
		}
	}
	return at
}

// closeWithin is how long Close waits for a join that is under way.
const closeWithin = time.Second

// Close leaves without a commit: what is done has been committed. The client would wait for a join that is under way, as long
// as a session lasts; after a second it is left to end by itself. A named member stays known to the group until its session ends.
func (r *Reader) Close() { r.leave(nil) }

// Leave is a Close that does not wait for longer than ctx lives.
func (r *Reader) Leave(ctx context.Context) { r.leave(ctx.Done()) }

func (r *Reader) leave(over <-chan struct{}) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		r.client.CloseAllowingRebalance()
	}()
	select {
	case <-closed:
	case <-over:
	case <-time.After(closeWithin):
	}
}
