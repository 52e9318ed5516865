package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/ingest"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/identify"
)

// ingested counts what has been stored of what sources have handed over. An account is unresolved that has neither a user principal
// name nor an entry in the directory.
type ingested struct{ records, refused, unresolved, unknown, notUTF8, partial atomic.Int64 }

// batchCounts are what one batch holds. They count when the batch is stored.
type batchCounts struct{ records, refused, unresolved, unknown, notUTF8, partial, tooLarge int64 }

// count counts a batch that has been stored.
func (r *Run) count(b *batchCounts) {
	c := &r.ingested
	c.records.Add(b.records)
	c.refused.Add(b.refused)
	c.unresolved.Add(b.unresolved)
	c.unknown.Add(b.unknown)
	c.notUTF8.Add(b.notUTF8)
	c.partial.Add(b.partial)
	r.tooLarge.Add(b.tooLarge)
}

// intake is the way of records from the sources to their topic.
type intake struct {
	run    *Run
	kafka  *kafka
	writer *bus.Writer
	open   func(ctx context.Context) (batches, error) // nil on brokers without transactions

	storing sync.Mutex // sources share the transactions
	batches batches    // nil where there are none, and after a fault

	mu       sync.Mutex        // sources share what follows
	stored   map[string][]byte // positions
	identify *identify.Identifier
	place    identify.Place
	aside    []aside
}

// closeWithin bounds the giving up of a transaction; else its timeout ends it.
const closeWithin = 5 * time.Second

// batches is bus.Batches.
type batches interface {
	Positions(ctx context.Context) (map[string][]byte, error)
	Write(ctx context.Context, parts iter.Seq[[]bus.Record], smaller func(*bus.TooLarge) ([]bus.Record, error)) error
	Close(ctx context.Context)
}

func (r *Run) newIngest(ctx context.Context, k *kafka, w *bus.Writer) (*intake, error) {
	in, err := r.openIngest(ctx, k, w)
	for i := range r.files {
		if row := in.stored[keyReached+r.files[i].name]; row != nil {
			r.files[i].restore(row)
		}
		r.files[i].recall(in.stored)
	}
	return in, err
}

func (r *Run) openIngest(ctx context.Context, k *kafka, w *bus.Writer) (*intake, error) {
	in := &intake{run: r, kafka: k, writer: w}
	in.identify = identify.New(decode.NewPlan(event.NewLayout(), r.resolving()).Reader())
	if len(r.Sources) == 0 {
		return in, nil
	}
	exactly, err := r.exactly(ctx, k, "ingest")
	if err != nil { // records come at least once then
		r.Log.Warn("files are read without transactions", slog.Any("err", err))
	}
	if !exactly {
		in.stored, err = k.bus.Positions(ctx)
		return in, err
	}
	name := r.filesName()
	in.open = func(ctx context.Context) (batches, error) { return k.bus.Batches(ctx, name) }
	return in, in.begin(ctx)
}

// filesName is what the transactions of this instance's files are named by: two instances must not share it.
func (r *Run) filesName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	h := sha256.New()
	fmt.Fprintln(h, host)
	for _, s := range r.Config.Sources {
		fmt.Fprintln(h, s.File.Paths)
	}
	return "files-" + hex.EncodeToString(h.Sum(nil)[:8])
}

// begin makes the transactions anew. It takes the positions that are stored now: a batch of before may have been stored, or not.
func (in *intake) begin(ctx context.Context) error {
	var err error
	if in.batches, err = in.open(ctx); err != nil {
		in.batches = nil
		return err
	}
	stored, err := in.batches.Positions(ctx)
	if err != nil {
		in.giveUp(ctx)
		return err
	}
	in.mu.Lock()
	in.stored = stored
	in.mu.Unlock()
	return nil
}

// end gives up what is not stored.
func (in *intake) end(ctx context.Context) {
	in.storing.Lock()
	defer in.storing.Unlock()
	in.giveUp(ctx)
}

// giveUp ends the transactions, also when ctx has ended.
func (in *intake) giveUp(ctx context.Context) {
	if in.batches == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	in.batches.Close(ctx)
	in.batches = nil
}

// positions are those that are stored now.
func (in *intake) positions() map[string][]byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	return maps.Clone(in.stored)
}

// deliver stores a batch: its records on the topic events, what is not a record on dead-letters, and the position, all of it or nothing.
// A fault of Kafka is tried again with growing pauses, until ctx ends.
func (in *intake) deliver(ctx context.Context, b ingest.Batch) error {
	return in.put(ctx, in.making(b))
}

func (in *intake) making(b ingest.Batch) *making {
	return &making{intake: in, batch: b, made: make([]bus.Record, 0, len(b.Records)+len(b.Refused))}
}

func (in *intake) put(ctx context.Context, making *making) error {
	if err := in.kafka.room(ctx); err != nil {
		return err
	}
	trouble := &bus.Trouble{Log: in.run.Log}
	for {
		err := in.store(ctx, making)
		if err == nil || ctx.Err() != nil {
			trouble.Over("records are stored again")
			return err
		}
		trouble.Again("records not stored", err)
		if err := trouble.Pause(ctx); err != nil {
			return err
		}
	}
}

// deliverOf is deliver, and notes what a source has brought.
func (in *intake) deliverOf(f *files) ingest.Deliver {
	return func(ctx context.Context, b ingest.Batch) error {
		m := in.making(b)
		m.of = f
		err := in.put(ctx, m)
		if err == nil {
			f.brought.Add(int64(len(b.Records) + len(b.Refused)))
			f.take(&m.shown, time.Now().UTC())
		}
		return err
	}
}

func (in *intake) store(ctx context.Context, m *making) error {
	put := in.storeExactly
	if in.open == nil {
		put = in.storeInOrder
	}
	err := put(ctx, m)
	if err != nil {
		return err
	}
	in.run.count(&m.counts)
	if b := &m.batch; b.Key != "" {
		in.mu.Lock()
		in.stored[b.Key] = b.Position
		in.mu.Unlock()
	}
	return nil
}

// storeInOrder stores the position after the records: a crash between the two repeats the batch, whose alerts have the same ids.
func (in *intake) storeInOrder(ctx context.Context, m *making) error {
	err := in.writer.WriteParts(ctx, m.records)
	if err := m.orSetAside(ctx, err); err != nil {
		return fmt.Errorf("store records: %w", err)
	}
	if err := in.writer.Write(ctx, m.position()); err != nil {
		return fmt.Errorf("store position: %w", err)
	}
	return nil
}

// storeExactly stores the batch in one transaction. Where it is not known whether the one before was stored, the positions tell.
func (in *intake) storeExactly(ctx context.Context, m *making) error {
	in.storing.Lock()
	defer in.storing.Unlock()
	if in.batches == nil {
		if err := in.begin(ctx); err != nil {
			return fmt.Errorf("store records: %w", err)
		}
		in.mu.Lock()
		row := in.stored[m.batch.Key]
		in.mu.Unlock()
		if m.batch.Key != "" && row != nil && bytes.Equal(row, m.batch.Position) {
			return nil // it was
		}
	}
	err := in.batches.Write(ctx, m.all, m.smaller())
	if err != nil {
		in.giveUp(ctx)
		return fmt.Errorf("store records: %w", err)
	}
	return nil
}

// at sets the place of what comes next.
func (in *intake) at(file string, line int) *identify.Place {
	p := &in.place
	p.Letter = deadletter.Letter{Stage: deadletter.StageIngest, File: file, Line: line}
	p.Origin = p.Letter.AppendOrigin(p.Origin[:0])
	return p
}

// count counts the record at hand.
func (in *intake) count(b *batchCounts, body, origin []byte) {
	id := in.identify.AtHand()
	b.records++
	if !strings.Contains(id.Account, "@") {
		b.unresolved++
	}
	if id.Dataset == decode.DatasetUnknown {
		in.run.members.add(body)
		b.unknown++
	}
	in.run.lacking(in.identify.Reader, origin, func() { b.notUTF8++ }, func() { b.partial++ })
}

// aside is what was set aside of one batch for one reason: the first of it, and how much.
type aside struct {
	first   *deadletter.Letter
	records int
}

func (in *intake) letter(b *batchCounts, l *deadletter.Letter) bus.Record {
	b.refused++
	i := slices.IndexFunc(in.aside, func(a aside) bool { return a.first.Reason == l.Reason })
	if i < 0 {
		i, in.aside = len(in.aside), append(in.aside, aside{first: l})
	}
	in.aside[i].records++
	return l.Record()
}

// warn logs the batch's dead letters, a line for each reason.
func (in *intake) warn() {
	for _, a := range in.aside {
		in.run.Log.Warn("records are set aside", slog.String("file", a.first.File), slog.Int("line", a.first.Line), slog.Int("records", a.records),
			slog.String("reason", a.first.Reason), slog.String("detail", a.first.Detail))
	}
	in.aside = nil
}

// setAside makes dead letters of records that Kafka will never take.
func (r *Run) setAside(large *bus.TooLarge, records []bus.Record) ([]bus.Record, error) {
	r.tooLarge.Add(int64(len(large.Records)))
	return r.replace(large, records)
}

func (r *Run) replace(large *bus.TooLarge, records []bus.Record) ([]bus.Record, error) {
	r.Log.Error("records are larger than their topic takes; dead letters stand for them", slog.String("topic", string(records[large.Records[0]].Topic)),
		slog.Int("records", len(large.Records)), slog.String("way_out", "raise the topic's max.message.bytes to 8388608 and replay the dead letters"))
	return large.Replace(records, identify.SetAside)
}
