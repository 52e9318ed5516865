package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Step says what a Flow reads, where the memory of its partitions lies, and how it commits.
type Step struct {
	Topic    Topic
	Group    string
	State    Topic // rows of the partitions' memory: as many partitions as Topic has
	Instance string
	Exactly  bool
	// Take is given the memory of a partition that has fallen to this member, before the first record of it. It is called from a
	// goroutine of the client's. Where it fails, the flow does.
	Take func(ctx context.Context, partition int32, stored Stored) error
	// Left is told of partitions that are not this member's any more, like Member.Left.
	Left func(partitions []int32)
	// Restoring counts the calls that read memory at the moment; nil: nobody asks.
	Restoring *atomic.Int64
	// Missed is Member.Missed.
	Missed func(ctx context.Context, g Gap) error
	// Smaller makes dead letters of records that Kafka will never take.
	Smaller func(*TooLarge, []Record) ([]Record, error)
}

// Flow is a member of a group and the producer of what it makes of its records, in one client. What it writes between two commits, the
// rows of its memory and how far it has read become visible together where Step.Exactly says so; else one after the other, in this
// order, so that after a crash the records come again, to a memory that may know them. It belongs to one goroutine.
//
// Partitions move only in Poll, and only when all is committed: so no commit is lost to a rebalance. After an error a flow is spent:
// what was not committed comes again to a new one.
type Flow struct {
	bus     *Bus
	step    Step
	reader  *Reader
	session *kgo.GroupTransactSession // nil: at least once
	begun   bool                      // a transaction is open
	moved   atomic.Bool               // partitions have moved since the last commit

	mu     sync.Mutex
	owned  map[int32]*owned // by partition
	broken error            // why no partition can be taken

	under   *flight // what was written and is not acknowledged
	written []Record
}

// Flow joins the group.
func (b *Bus) Flow(s Step) (*Flow, error) {
	f := &Flow{bus: b, step: s, owned: map[int32]*owned{}}
	r := &Reader{bus: b, member: Member{Topic: s.Topic, Group: s.Group, Instance: s.Instance, Missed: s.Missed}, trouble: Trouble{Log: b.config.Log}, flow: f}
	r.places = places{reader: r, next: map[int32]int64{}}
	f.reader = r
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("join group %s: %w", s.Group, err)
	}
	name := b.name(s.Topic)
	o = append(append(append(o, b.producing()...), r.consuming()...), kgo.RecordPartitioner(b.partitioner()), kgo.MetadataMinAge(20*time.Millisecond),
		kgo.AdjustFetchOffsetsFn(f.assigned), kgo.OnPartitionsAssigned(f.gained),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, all map[string][]int32) { f.left(all[name]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, all map[string][]int32) { f.lost(all[name]) }))
	if s.Instance != "" {
		o = append(o, kgo.InstanceID(s.Instance))
	}
	if !s.Exactly {
		if r.client, err = kgo.NewClient(o...); err != nil {
			return nil, fmt.Errorf("join group %s: %w", s.Group, err)
		}
		return f, nil
	}
	o = append(o, kgo.TransactionalID(f.id()), kgo.TransactionTimeout(b.patience))
	if f.session, err = kgo.NewGroupTransactSession(o...); err != nil {
		return nil, fmt.Errorf("join group %s: %w", s.Group, err)
	}
	r.client = f.session.Client()
	return f, nil
}

// id names the flow's transactions: one that is started again ends those of its predecessor at once.
func (f *Flow) id() string {
	id := f.bus.name(Topic(f.step.Group + "-" + f.step.Instance))
	if f.bus.config.Boot != "" {
		id += "-" + f.bus.config.Boot
	}
	return id
}

// gained ends what a predecessor of this name has left open, before the positions are asked for: they wait for its end.
func (f *Flow) gained(ctx context.Context, c *kgo.Client, all map[string][]int32) {
	if f.session == nil || len(all[f.bus.name(f.step.Topic)]) == 0 {
		return
	}
	if _, _, err := c.ProducerID(ctx); err != nil && ctx.Err() == nil {
		f.breaks(fmt.Errorf("fence %s: %w", f.id(), err))
	}
}

// assigned reads the memory of partitions that have fallen to this member, behind a fence: a record of this flow's. Once it is visible,
// nothing of an earlier owner is still to come that counts.
func (f *Flow) assigned(ctx context.Context, all map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	name := f.bus.name(f.step.Topic)
	known := map[int32]bool{} // the group has read of the partition before
	for p, at := range all[name] {
		known[p] = at.EpochOffset().Offset > 0
	}
	all, err := f.reader.places.assigned(ctx, all)
	if err == nil {
		err = f.take(ctx, all[name], known)
	}
	if err != nil && ctx.Err() == nil {
		f.breaks(err)
	}
	for p := range all[name] { // where the client knows no position it would not go back to it after a transaction that fails
		if next, ok := f.reader.places.at(p); ok {
			all[name][p] = kgo.NewOffset().At(next)
		}
	}
	return all, err
}

func (f *Flow) take(ctx context.Context, partitions map[int32]kgo.Offset, known map[int32]bool) error {
	if n := f.step.Restoring; n != nil {
		n.Add(1)
		defer n.Add(-1)
	}
	places, err := f.places(ctx, partitions)
	if err != nil {
		return err
	}
	stored, err := f.bus.restore(ctx, f.step.State, places)
	if err != nil {
		return fmt.Errorf("read %s: %w", f.bus.name(f.step.State), err)
	}
	for p := range partitions {
		s := stored[p]
		s.Known = known[p]
		if err := f.step.Take(ctx, p, *s); err != nil {
			return err
		}
		f.mu.Lock()
		f.owned[p] = &s.owned
		f.mu.Unlock()
	}
	return nil
}

// places are how far the group has read of partitions.
func (f *Flow) places(ctx context.Context, partitions map[int32]kgo.Offset) (map[int32]groupPlace, error) {
	if len(partitions) == 0 {
		return nil, nil
	}
	all, err := f.bus.committed(ctx, f.step.Group, f.step.Topic)
	if err != nil {
		return nil, err
	}
	places := map[int32]groupPlace{}
	for p := range partitions {
		places[p] = nowhere
		if c, have := all[p]; have {
			places[p] = c
		}
	}
	return places, nil
}

func (f *Flow) left(partitions []int32) {
	if len(partitions) == 0 {
		return
	}
	f.moved.Store(true)
	f.reader.places.left(partitions)
	f.mu.Lock()
	for _, p := range partitions {
		delete(f.owned, p)
	}
	f.mu.Unlock()
	f.step.Left(partitions)
}

// lost partitions may be another member's since some time: nothing of what is under way counts.
func (f *Flow) lost(partitions []int32) {
	if len(partitions) == 0 {
		return
	}
	f.breaks(errors.New("the group has gone on without this member"))
	f.left(partitions)
}

func (f *Flow) breaks(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.broken = err
	}
}

func (f *Flow) fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.broken
}

// Poll waits for records, at most so many, of partitions that have been taken. What it gives is done with the next Commit, and must not be
// polled for longer than a rebalance may wait.
func (f *Flow) Poll(ctx context.Context, most int) ([]Record, error) {
	for {
		if err := f.fault(); err != nil {
			return nil, err
		}
		all, err := f.reader.Poll(ctx, most)
		if broken := f.fault(); broken != nil {
			return nil, broken
		}
		if len(all) == 0 || err != nil {
			return nil, err
		}
		if f.reader.busy || f.session == nil || !f.moved.Swap(false) {
			f.reader.busy = true
			return all, nil
		}
		// The session would refuse its next commit, for it cannot know that there was nothing to lose.
		if _, err := f.session.End(ctx, kgo.TryAbort); err != nil {
			return nil, fmt.Errorf("end transaction: %w", err)
		}
	}
}

// Write begins to write records. What becomes of them, Commit tells.
func (f *Flow) Write(ctx context.Context, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := f.begin(); err != nil {
		return err
	}
	if f.under == nil {
		f.under = f.bus.flight(f.reader.client)
	}
	f.under.send(ctx, f.bus.outgoing(records...))
	f.written = append(f.written, records...)
	return nil
}

func (f *Flow) begin() error {
	if f.session == nil || f.begun {
		return nil
	}
	if err := f.session.Begin(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	f.begun = true
	return nil
}

// acknowledged waits for what was written; dead letters stand for what Kafka will never take.
func (f *Flow) acknowledged(ctx context.Context) error {
	for f.under != nil {
		err := f.under.land(ctx)
		var large *TooLarge
		refused := errors.As(err, &large)
		if err == nil || refused {
			f.rows(f.under.sent)
		}
		written := f.written
		f.under, f.written = nil, nil
		if !refused {
			return err
		}
		smaller, err := f.step.Smaller(large, written)
		if err != nil {
			return err
		}
		if err := f.Write(ctx, smaller); err != nil {
			return err
		}
	}
	return nil
}

// rows notes where memory ends behind records that are acknowledged.
func (f *Flow) rows(sent []*kgo.Record) {
	name := f.bus.name(f.step.State)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range sent {
		if o := f.owned[r.Partition]; o != nil && r.Topic == name {
			o.end = max(o.end, r.Offset+1)
		}
	}
}

// Commit stores the rows of partitions' memory, and that all that Poll has given is done. It reports false where nothing of what was
// written counts; then the flow is spent, as after an error.
func (f *Flow) Commit(ctx context.Context, rows []Record) (stored bool, err error) {
	if err := f.begin(); err != nil {
		return false, err
	}
	if f.session == nil { // nobody may find a row of what was not told
		if err := f.acknowledged(ctx); err != nil {
			return false, err
		}
	}
	if err := f.Write(ctx, f.signed(rows)); err != nil {
		return false, err
	}
	if err := f.acknowledged(ctx); err != nil {
		return false, err
	}
	if f.session == nil {
		return f.committed(f.waited(ctx, f.reader.Commit(f.bonded(ctx))))
	}
	if err := f.bus.sync(ctx); err != nil {
		return false, fmt.Errorf("commit transaction: %w", err)
	}
	bonded := f.bonded(ctx)
	err = within(ctx, func() error { stored, err = f.session.End(bonded, kgo.TryCommit); return err })
	if err != nil {
		return false, fmt.Errorf("commit transaction: %w", f.waited(ctx, explained(err)))
	}
	f.begun = false
	if !stored {
		return false, nil
	}
	return f.committed(nil)
}

// placeEvery is in how many rows of a partition one tells the place that the memory has come to.
const placeEvery = 1000

// signed gives rows with their owner, and tells the memory now and then which place it has come to.
func (f *Flow) signed(rows []Record) []Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	var places []Record
	for i := range rows {
		r := &rows[i]
		r.Topic = f.step.State
		o := f.owned[r.Partition]
		if o == nil {
			o = &owned{}
		}
		r.Headers = append(r.Headers, Header{Key: headerOwner, Value: strconv.AppendInt(nil, o.fence, 10)})
		if next, known := f.reader.places.at(r.Partition); known && o.fence > 0 && o.rows%placeEvery == 0 {
			places = append(places, o.at(next, r))
		}
		o.rows++
	}
	return append(rows, places...)
}

func (f *Flow) committed(err error) (bool, error) {
	if err != nil {
		return false, err
	}
	f.reader.busy = false
	return true, nil
}

// Leave ends the flow. What is not committed is given up, and comes again.
func (f *Flow) Leave(ctx context.Context) {
	if f.session != nil && ctx.Err() == nil {
		within, cancel := context.WithTimeout(ctx, closeWithin)
		_ = f.reader.client.AbortBufferedRecords(within)
		_ = f.reader.client.EndTransaction(within, kgo.TryAbort) // where it fails, the timeout is left
		cancel()
	}
	f.reader.Leave(ctx)
}

// Quit is Leave for good: the group shares the partitions out again at once, and need not wait for the end of the session. A member that is
// joining waits for all others, and commits nothing until then.
func (f *Flow) Quit(ctx context.Context) {
	f.Leave(ctx)
	if f.step.Instance == "" || ctx.Err() != nil {
		return
	}
	within, cancel := context.WithTimeout(ctx, closeWithin)
	defer cancel()
	_, _ = f.bus.admin.LeaveGroup(within, kadm.LeaveGroup(f.bus.config.Prefix+f.step.Group).InstanceIDs(f.step.Instance)) // the session's end is left
}

// Fenced reports whether another process goes by the name of this flow's.
func Fenced(err error) bool { return errors.Is(err, kerr.FencedInstanceID) }
