package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// transactionTimeout is how long a transaction of a writer that has died holds up readers at most; Kafka looks for such
	// every 10 s more. A successor of the same name ends it at once.
	transactionTimeout = 10 * time.Second
	fenceKey           = "fence" // of the records behind which a checkpoint is read
	shortenEvery       = 1000    // commits
)

// Transactor writes records and the position of a stream's partition together: readers see all of them or none. One name has
// one transactor: a new one fences the old. It belongs to one goroutine. After an error of Stage or Commit it is spent.
//
// On brokers without transactions it writes the position after the records: what was written before a crash is written again.
type Transactor struct {
	bus         *Bus
	client      *kgo.Client
	topic       Topic
	partition   int32
	atLeastOnce bool

	position *kgo.Record // the one staged last
	commits  int
	rows     bool // rows lie beside the positions
	since    int  // positions and rows written since the rows were written again,
	most     int  // which happens at so many
}

// Transactor makes the transactor of a partition of a checkpoint topic. Once it is there, nothing of an earlier one becomes
// visible any more.
func (b *Bus) Transactor(ctx context.Context, topic Topic, partition int32, atLeastOnce bool) (*Transactor, error) {
	t := &Transactor{bus: b, topic: topic, partition: partition, atLeastOnce: atLeastOnce}
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("make transactor: %w", err)
	}
	o = append(append(o, b.producing()...), kgo.RecordPartitioner(b.partitioner()), kgo.MetadataMinAge(20*time.Millisecond)) // at more than that Kafka 4 stalls the first produce of a transaction
	if !atLeastOnce {
		o = append(o, kgo.TransactionalID(t.name()), kgo.TransactionTimeout(b.patience))
	}
	if t.client, err = kgo.NewClient(o...); err != nil {
		return nil, fmt.Errorf("make transactor: %w", err)
	}
	if _, _, err := t.client.ProducerID(ctx); err != nil {
		t.client.Close()
		return nil, fmt.Errorf("fence %s: %w", t.name(), err)
	}
	return t, nil
}

func (t *Transactor) name() string {
	name := fmt.Sprintf("%s-%d", t.bus.name("ingest-"+t.topic[len(Checkpoints)+1:]), t.partition)
	if t.bus.config.Boot != "" {
		name += "-" + t.bus.config.Boot
	}
	return name
}

// Close ends the transactor. What is staged and not committed is given up, so that readers need not wait for a successor or the
// timeout, as long as ctx lives.
func (t *Transactor) Close(ctx context.Context) {
	if !t.atLeastOnce && ctx.Err() == nil {
		_ = t.client.AbortBufferedRecords(ctx)
		_ = t.client.EndTransaction(ctx, kgo.TryAbort) // where it fails, the timeout is left
	}
	t.client.Close()
}

// Checkpoint is the position committed last, nil before the first commit. It is read behind a record of this transactor's own: once it
// is visible, nothing before it is still to come. See visible.
func (t *Transactor) Checkpoint(ctx context.Context) (value []byte, err error) {
	fence := Record{Topic: t.topic, Partition: t.partition, Key: []byte(fenceKey)}
	if err := t.Stage(ctx, nil, fence); err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if err := t.Commit(ctx); err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	first, err := t.bus.visible(ctx, t.topic, t.partition, t.position.Offset)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	return t.bus.checkpoint(ctx, t.topic, t.partition, first, t.position.Offset+1)
}

// visible waits until readers of a partition see a record that is committed, and gives the partition's first offset.
//
// A commit is answered when the coordinator has decided it. Kafka then writes a mark into each partition, and readers see nothing of
// the transaction before: milliseconds as a rule, longer on a busy broker. So whoever reads right after a commit may miss it. A
// position that is read too early would store records twice. It cannot happen to a successor: the coordinator lets a new producer of
// a name begin only when the marks of the name's last transaction are written, and the successor reads behind a record of its own.
// All, Last and Bounds promise no more than what readers see now; nothing that decides what is stored next may rely on them alone.
func (b *Bus) visible(ctx context.Context, topic Topic, partition int32, offset int64) (first int64, err error) {
	for {
		first, last, err := b.Bounds(ctx, topic, partition)
		if err != nil || last >= offset {
			return first, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stage writes records, and rows and the position after them, where nobody sees them before Commit. A TooLarge names the records that
// Kafka will never take. Without transactions the others are stored then, and rows and position are not.
func (t *Transactor) Stage(ctx context.Context, records []Record, position Record, rows ...Record) error {
	out := t.bus.outgoing(records...)
	beside := t.beside(rows, position)
	t.position = beside[len(rows)]
	if t.atLeastOnce {
		if err := t.write(ctx, out); err != nil {
			return err
		}
		if err := t.bus.sync(ctx); err != nil {
			return fmt.Errorf("write position: %w", err)
		}
		if err := t.write(ctx, beside); err != nil {
			return fmt.Errorf("write position: %w", err)
		}
		return nil
	}
	if err := t.client.BeginTransaction(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	err := t.write(ctx, append(out, beside...))
	var large *TooLarge
	if errors.As(err, &large) && large.Records[len(large.Records)-1] >= len(records) {
		return fmt.Errorf("write position: %w", large.Cause)
	}
	return err
}

// write returns once all records are acknowledged.
func (t *Transactor) write(ctx context.Context, out []*kgo.Record) error {
	if len(out) == 0 {
		return nil
	}
	return t.bus.produce(ctx, t.client, out)
}

// Commit makes what was staged visible; see visible. After an error it may have become visible or not: a new transactor's Checkpoint
// tells.
func (t *Transactor) Commit(ctx context.Context) error {
	if err := t.settle(ctx); err != nil {
		return err
	}
	t.commits++
	switch {
	case t.bus.config.Boot == "": // Kafka compacts
	case t.rows:
		if err := t.renew(ctx); err != nil { // what was staged is visible all the same
			t.bus.config.Log.Warn("old rows not deleted", slog.String("topic", t.bus.name(t.topic)), slog.Any("err", err))
		}
	case t.commits%shortenEvery == 0:
		if err := t.bus.shorten(ctx, t.topic, t.partition, t.position.Offset); err != nil { // what was staged is visible all the same
			t.bus.config.Log.Warn("old positions not deleted", slog.String("topic", t.bus.name(t.topic)), slog.Any("err", err))
		}
	}
	return nil
}

func (t *Transactor) settle(ctx context.Context) error {
	if t.atLeastOnce {
		return nil
	}
	if err := t.bus.sync(ctx); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	if err := t.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

// Abort gives up what was staged, so that readers need not wait for a successor or the timeout.
func (t *Transactor) Abort(ctx context.Context) error {
	if t.atLeastOnce {
		return nil
	}
	if err := t.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
		return fmt.Errorf("abort transaction: %w", err)
	}
	return nil
}

// Transactional says whether the brokers have transactions that we may use. Event Hubs' Kafka endpoint has none in its Standard
// tier. That we may not use those that are there, with names that begin as given, is an error.
func (b *Bus) Transactional(ctx context.Context, names ...Topic) (yes bool, err error) {
	err = b.patiently(ctx, func(ctx context.Context) error {
		yes, err = b.transactional(ctx, names)
		return err
	})
	return yes, err
}

func (b *Bus) transactional(ctx context.Context, names []Topic) (bool, error) {
	versions, err := b.admin.ApiVersions(ctx)
	if err != nil {
		return false, fmt.Errorf("ask for transactions: %w", err)
	}
	answered := false
	for _, v := range versions { // one of several brokers may be down
		if v.Err != nil {
			err = v.Err
			continue
		}
		answered = true
		if _, ok := v.KeyMaxVersion(int16(kmsg.EndTxn)); !ok {
			return false, nil
		}
	}
	if !answered {
		return false, fmt.Errorf("ask for transactions: %w", err)
	}
	refused := ""
	for _, name := range names {
		if err = b.probe(ctx, name+"-probe"); err != nil {
			refused = b.name(name) + "-"
			break
		}
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, kerr.UnsupportedVersion), errors.Is(err, kerr.InvalidRequest), errors.Is(err, kerr.UnsupportedForMessageFormat):
		return false, nil
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return false, fmt.Errorf("transactions are not allowed to this user: allow it to write and describe transactional ids that begin with %s, or set kafka.transactions to false: %w", refused, err)
	}
	return false, fmt.Errorf("ask for transactions: %w", err)
}

// TransactionsDenied reports whether Transactional has found transactions that this user may not use.
func TransactionsDenied(err error) bool {
	return errors.Is(err, kerr.TransactionalIDAuthorizationFailed)
}

// probe begins to use a transactional id.
func (b *Bus) probe(ctx context.Context, id Topic) error {
	o, err := b.options()
	if err != nil {
		return err
	}
	c, err := kgo.NewClient(append(o, kgo.TransactionalID(b.name(id)), kgo.TransactionTimeout(transactionTimeout))...)
	if err != nil {
		return err
	}
	defer c.Close()
	_, _, err = c.ProducerID(ctx)
	return err
}
