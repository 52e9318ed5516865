// Package feed carries the partitions of a stream outside onto Kafka: each message once, in order.
//
// The order of the steps is what makes it exact: fence whoever had the partition before, read the position committed last, open
// the stream behind it, then store messages and the position after them in one transaction. Whatever goes wrong, the loop goes
// back to the fence.
package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"noroshi/internal/bus"
)

// The bounds of one transaction. A message that alone is larger has a transaction of its own.
const (
	MaxMessages = 200
	MaxBytes    = 8 << 20
	maxRecords  = 10_000 // that messages have become; the last may pass it
)

// The faults that are not simply tried again.
var (
	ErrLost   = errors.New("another reader has taken the partition")
	ErrDenied = errors.New("the stream cannot be read")
)

// Prepare appends what is stored of a message: events, and dead letters for what is none. It never fails. It is called from the
// goroutine of one partition and tells the tally what it made.
type Prepare func(to []bus.Record, m Message, t *Tally) []bus.Record

// Feed carries one stream. All fields but Instance, Latest and AtLeastOnce are needed.
type Feed struct {
	Stream Stream
	Bus    *bus.Bus
	// Instance keeps its partitions over a restart; without, partitions move when an instance ends.
	Instance string
	// Latest says that a first start begins at the end, and not where the stream's Open has it.
	Latest bool
	// AtLeastOnce is for brokers without transactions.
	AtLeastOnce bool
	// Prepare makes what prepares the messages of a partition.
	Prepare func(partition int32) Prepare
	// Missed makes the records that tell of messages which will never be read.
	Missed func(partition int32, g Gap) []bus.Record
	// TooLarge makes of a record that Kafka will never take a smaller one, false where nothing of it is left to leave out.
	TooLarge func(r bus.Record, cause error) (bus.Record, bool)
	// Room waits until Kafka has room.
	Room   func(ctx context.Context) error
	Counts *Counts
	Log    *slog.Logger
	// Now is the clock; nil: nothing tells how far partitions have come.
	Now func() time.Time

	begin  func(ctx context.Context, partition int32) (transactor, error) // for tests that abandon transactions
	pauses *pauses
	pace   pace
}

// transactor is bus.Transactor.
type transactor interface {
	Checkpoint(ctx context.Context) ([]byte, error)
	Rows(ctx context.Context) (map[string][]byte, error)
	Stage(ctx context.Context, records []bus.Record, position bus.Record, rows ...bus.Record) error
	Commit(ctx context.Context) error
	Abort(ctx context.Context) error
	Close(ctx context.Context)
}

// pauses are how long the loop waits after a fault.
type pauses struct{ first, most, lost, denied, look, grown time.Duration }

var usualPauses = pauses{first: 500 * time.Millisecond, most: 30 * time.Second, lost: 30 * time.Second, denied: 45 * time.Second, look: 30 * time.Second, grown: 2 * time.Minute}

// storeWithin is the bound of one transaction.
const storeWithin = 30 * time.Second

// Run carries until ctx ends. A transaction under way then has until drain ends. What cannot be carried is tried again. Run shares the
// partitions with other instances that
// carry the same stream onto the same Kafka.
func (f *Feed) Run(ctx, drain context.Context) {
	if f.pauses == nil {
		f.pauses = &usualPauses
	}
	topic := bus.CheckpointsOf(f.Stream.Name())
	if f.begin == nil {
		f.begin = func(ctx context.Context, partition int32) (transactor, error) {
			return f.Bus.Transactor(ctx, topic, partition, f.AtLeastOnce)
		}
	}
	wait, told := f.backoff(), telling{}
	for {
		err := f.share(ctx, drain, topic)
		f.Counts.fails(f.Stream.Name(), err)
		if ctx.Err() != nil {
			return
		}
		if err == nil { // there are more partitions
			wait.Reset()
			continue
		}
		pause := f.after(err, wait)
		if told.due(err.Error()) {
			f.Log.Error("source cannot be carried", slog.String("source", f.Stream.Name()), slog.Duration("again_in", pause), slog.Any("err", err))
		}
		if told.pause(ctx, pause) != nil {
			return
		}
	}
}

// share carries until the stream has more partitions, or something fails that is not of one partition.
func (f *Feed) share(ctx, drain context.Context, topic bus.Topic) error {
	n, err := f.prepared(ctx, drain, topic)
	if err != nil {
		return err
	}
	same, grown := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		f.watch(same, n, grown)
	}()
	err = f.Bus.Share(same, topic, "ingest-"+f.Stream.Name(), f.Instance, func(ctx context.Context, partition int32) { f.carry(ctx, drain, partition) })
	grown()
	<-watched
	return err
}

// prepared gives the number of partitions once the topic of their positions is there.
func (f *Feed) prepared(ctx, drain context.Context, topic bus.Topic) (int, error) {
	n, err := f.partitions(ctx)
	if err != nil {
		return 0, err
	}
	err = f.Bus.EnsureCheckpoints(ctx, topic, n)
	if err == nil && f.Latest {
		err = f.until(ctx, "the ends of the source's partitions are not stored", func() error { return f.fromTheEnd(ctx, drain, topic, n) })
	}
	if err != nil {
		return 0, fmt.Errorf("source %s: %w", f.Stream.Name(), err)
	}
	if _, varied := f.Stream.(Varied); !varied {
		f.Counts.alike(f.Stream.Name(), n)
	}
	f.Log.Info("source opened", slog.String("source", f.Stream.Name()), slog.Int("partitions", n), slog.Bool("exactly_once", !f.AtLeastOnce))
	return n, nil
}

// fromTheEnd stores the end of each partition as its position before a first start reads anything: what comes later is ours, also
// when something breaks before the first message. Partition 0 comes last. Where it has a position the first start is over, and a
// partition without one has come since.
func (f *Feed) fromTheEnd(ctx, drain context.Context, topic bus.Topic, n int) error {
	value, err := f.Bus.Checkpoint(ctx, topic, 0)
	for p := int32(n) - 1; p >= 0 && value == nil && err == nil; p-- {
		err = f.storeEnd(ctx, drain, p)
	}
	return err
}

func (f *Feed) storeEnd(ctx, drain context.Context, partition int32) error {
	tx, err := f.begin(ctx, partition)
	if err != nil {
		return err
	}
	defer end(drain, tx.Close)
	value, err := tx.Checkpoint(ctx)
	if err != nil || value != nil {
		return err
	}
	s, err := f.Stream.State(ctx, partition)
	if err != nil {
		return err
	}
	if err := tx.Stage(ctx, nil, lately{}.record(Position{Sequence: s.Last})); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// watch looks now and then whether the stream has got more partitions.
func (f *Feed) watch(ctx context.Context, n int, grown func()) {
	for Pause(ctx, f.pauses.grown) == nil {
		if now, err := f.Stream.Partitions(ctx); err == nil && now > n {
			f.Log.Info("source has more partitions", slog.String("source", f.Stream.Name()), slog.Int("partitions", now))
			grown()
			return
		}
	}
}

// partitions asks until the stream answers.
func (f *Feed) partitions(ctx context.Context) (n int, err error) {
	err = f.until(ctx, "source does not answer", func() error {
		n, err = f.Stream.Partitions(ctx)
		return err
	})
	return n, err
}

// until does what is done before anything is carried, again and again until it succeeds or ctx ends.
func (f *Feed) until(ctx context.Context, failing string, do func() error) error {
	wait, told := f.backoff(), telling{}
	for {
		err := do()
		f.Counts.fails(f.Stream.Name(), err)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if told.due(err.Error()) {
			f.Log.Error(failing, slog.String("source", f.Stream.Name()), slog.Any("err", err))
		}
		if err := told.pause(ctx, f.after(err, wait)); err != nil {
			return err
		}
	}
}

func (f *Feed) backoff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = f.pauses.first, f.pauses.most
	return b
}

// after is how long to wait after a fault.
func (f *Feed) after(err error, b *backoff.ExponentialBackOff) time.Duration {
	switch {
	case errors.Is(err, ErrLost): // the group will say who has it; a reader outside the group may also have ended by then
		return f.pauses.lost
	case errors.Is(err, ErrDenied):
		return f.pauses.denied
	}
	return b.NextBackOff()
}

// carry is the loop of one partition.
func (f *Feed) carry(ctx, drain context.Context, partition int32) {
	if c, chooses := f.Stream.(Chooser); chooses && !c.Reads(partition) {
		f.pass(ctx, partition)
		return
	}
	l := &loop{feed: f, partition: partition, counts: f.Counts.partition(f.Stream.Name(), partition), wait: f.backoff(),
		log: f.Log.With(slog.String("source", f.Stream.Name()), slog.Int("partition", int(partition)))}
	l.counts.own(true)
	defer l.counts.own(false)
	f.pace.begin(partition, f.now())
	defer f.pace.leave(partition)
	looking := make(chan struct{})
	inner, stop := context.WithCancel(ctx)
	go func() {
		defer close(looking)
		l.look(inner)
	}()
	defer func() { stop(); <-looking }()
	for ctx.Err() == nil {
		err := l.session(ctx, drain)
		if ctx.Err() != nil {
			return
		}
		reason := reasonOf(err)
		l.counts.restarted(reason, err)
		wait := f.after(err, l.wait)
		level := slog.LevelWarn
		if errors.Is(err, ErrDenied) {
			level = slog.LevelError
		}
		if l.told.due(reason) {
			l.log.Log(ctx, level, "source interrupted", slog.String("reason", reason), slog.Duration("again_in", wait), slog.Any("err", err))
		}
		_ = l.told.pause(ctx, wait) // ctx says the same
	}
}

// pass is the loop of a partition of which nothing is to be read.
func (f *Feed) pass(ctx context.Context, partition int32) {
	counts := f.Counts.partition(f.Stream.Name(), partition)
	counts.pass()
	counts.own(true)
	defer counts.own(false)
	for wait := time.Duration(0); Pause(ctx, wait) == nil; wait = f.pauses.look {
		counts.saw(State{Last: -1}, f.now())
	}
}

// The reasons of a restart, as they are counted.
const (
	reasonLost   = "ownership_lost"
	reasonDenied = "denied"
	reasonKafka  = "kafka"
	reasonStream = "stream"
)

// kafkaFault is a fault on our side of the loop.
type kafkaFault struct{ error }

func (k kafkaFault) Unwrap() error { return k.error }

func reasonOf(err error) string {
	var k kafkaFault
	switch {
	case errors.Is(err, ErrLost):
		return reasonLost
	case errors.Is(err, ErrDenied):
		return reasonDenied
	case errors.As(err, &k):
		return reasonKafka
	}
	return reasonStream
}

// positionKey is the key of positions in their topic.
const positionKey = "position"

// writable is a time of a year that RFC 3339 can write, zero for others: a producer may give any number as a record's timestamp.
func writable(t time.Time) time.Time {
	if y := t.Year(); y < 1 || y > 9999 {
		return time.Time{}
	}
	return t
}

// parsePosition reads a row of positions; nil: nothing is stored.
func parsePosition(value []byte) (*row, error) {
	if value == nil {
		return nil, nil
	}
	var r row
	if err := json.Unmarshal(value, &r); err != nil {
		return nil, fmt.Errorf("read position %q: %w", value, err)
	}
	return &r, nil
}

// Outlive gives a context that ends so long after ctx.
func Outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if Pause(inner, d) == nil {
			cancel()
		}
	})
	return inner, func() {
		stop()
		cancel()
	}
}

// Pause waits, or ends with ctx.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
