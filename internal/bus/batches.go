package bus

import (
	"context"
	"errors"
	"fmt"
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
	fence := w.bus.outgoing(Record{Topic: Checkpoints, Key: []byte(fenceKey + "/" + w.name)})
	if err := w.commit(ctx, []*kgo.Record{fence}, nil); err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	if _, err := w.bus.visible(ctx, Checkpoints, fence.Partition, fence.Offset); err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	return w.bus.Positions(ctx)
}

// Write stores a batch. Records that Kafka will never take are replaced by what smaller makes of them; the batch's records are
// changed then. It returns nil once Kafka has decided that all of it becomes visible; see visible.
func (w *Batches) Write(ctx context.Context, records []Record, smaller func(*TooLarge, []Record) ([]Record, error)) error {
	out := make([]*kgo.Record, len(records))
	for i, r := range records {
		out[i] = w.bus.outgoing(r)
	}
	return w.commit(ctx, out, func(large *TooLarge) ([]*kgo.Record, error) {
		replaced, err := smaller(large, records)
		records = replaced
		again := make([]*kgo.Record, len(replaced))
		for i, r := range replaced {
			again[i] = w.bus.outgoing(r)
		}
		return again, err
	})
}

// commit writes records in one transaction.
func (w *Batches) commit(ctx context.Context, out []*kgo.Record, smaller func(*TooLarge) ([]*kgo.Record, error)) error {
	if err := w.client.BeginTransaction(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	for {
		err := w.bus.produce(ctx, w.client, out)
		var large *TooLarge
		if errors.As(err, &large) && smaller != nil {
			out, err = smaller(large)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		break
	}
	if err := w.bus.sync(ctx); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	if err := w.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("commit transaction: %w", explained(err))
	}
	return nil
}
