package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Batches writes records and positions so that readers see all of a batch, or nothing of it. One name has one writer: a new one
// fences the old. It is for one goroutine at a time. After an error it is spent, and only the positions that a new one reads tell
// whether its last batch is there.
type Batches struct {
	bus    *Bus
	client *kgo.Client
	name   string
}

// Batches makes the writer of a name, on brokers with transactions. Once it is there, nothing of an earlier one becomes visible any
// more.
func (b *Bus) Batches(ctx context.Context, name string) (*Batches, error) {
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("make transactions: %w", err)
	}
	id := b.name(Topic("ingest-" + name))
	if b.config.Boot != "" {
		id += "-" + b.config.Boot
	}
	o = append(append(o, b.producing()...), kgo.RecordPartitioner(b.partitioner()), kgo.MetadataMinAge(20*time.Millisecond))
	c, err := kgo.NewClient(append(o, kgo.TransactionalID(id), kgo.TransactionTimeout(b.patience))...)
	if err != nil {
		return nil, fmt.Errorf("make transactions: %w", err)
	}
	if _, _, err := c.ProducerID(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("fence %s: %w", id, explained(err))
	}
	return &Batches{b, c, name}, nil
}

// Close ends the writer. What is not committed is given up.
func (w *Batches) Close(ctx context.Context) {
	if ctx.Err() == nil {
		_ = w.client.AbortBufferedRecords(ctx)
		_ = w.client.EndTransaction(ctx, kgo.TryAbort) // where it fails, the timeout is left
	}
	w.client.Close()
}

// Positions are those that are stored. They are read behind a record of this writer's own: once it is visible, nothing of an earlier
// writer is still to come. See visible.
func (w *Batches) Positions(ctx context.Context) (map[string][]byte, error) {
	fence := Record{Topic: Checkpoints, Key: []byte(fenceKey + "/" + w.name)}
	f, err := w.commit(ctx, slices.Values([][]Record{{fence}}), nil)
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	if _, err := w.bus.visible(ctx, Checkpoints, f.sent[0].Partition, f.sent[0].Offset); err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	return w.bus.Positions(ctx)
}

// Write stores a batch, whose records come in parts: while one is made, those before it are sent. Records that Kafka will never take
// are replaced by what smaller makes of them; it counts them over all parts the first time, then over what it gave last. Write
// returns nil once Kafka has decided that all of it becomes visible; see visible.
func (w *Batches) Write(ctx context.Context, parts iter.Seq[[]Record], smaller func(*TooLarge) ([]Record, error)) error {
	_, err := w.commit(ctx, parts, smaller)
	return err
}

// commit writes records in one transaction, and gives the flight that they came on.
func (w *Batches) commit(ctx context.Context, parts iter.Seq[[]Record], smaller func(*TooLarge) ([]Record, error)) (*flight, error) {
	if err := w.client.BeginTransaction(); err != nil {
		return nil, fmt.Errorf("begin transaction: %w", err)
	}
	f := w.bus.flight(w.client)
	for part := range parts {
		f.send(ctx, w.bus.outgoing(part...))
	}
	err := f.land(ctx)
	for large := (*TooLarge)(nil); errors.As(err, &large) && smaller != nil; {
		again, problem := smaller(large)
		if problem != nil {
			return nil, problem
		}
		err = w.bus.produce(ctx, w.client, w.bus.outgoing(again...))
	}
	if err != nil {
		return nil, err
	}
	if err := w.bus.sync(ctx); err != nil {
		return nil, fmt.Errorf("commit transaction: %w", err)
	}
	if err := w.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return nil, fmt.Errorf("commit transaction: %w", explained(err))
	}
	return f, nil
}
