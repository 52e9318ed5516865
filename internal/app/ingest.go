package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"noroshi/ingest"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/identify"
)

// ingested counts what sources have handed over. An account is unresolved that has neither a user principal name nor an entry
// in the directory.
type ingested struct{ records, refused, unresolved, unknown, notUTF8, partial atomic.Int64 }

// intake is the way of records from the sources to their topic.
type intake struct {
	run    *Run
	kafka  *kafka
	writer *bus.Writer

	mu     sync.Mutex        // sources share what follows
	stored map[string][]byte // positions
	reader *decode.Reader
	aside  []aside
}

func (r *Run) newIngest(ctx context.Context, k *kafka, w *bus.Writer) (*intake, error) {
	in := &intake{run: r, kafka: k, writer: w}
	var err error
	in.stored, err = k.bus.Positions(ctx)
	in.reader = decode.NewPlan(event.NewLayout(), DecodeOptions(r.Config)).Reader()
	return in, err
}

// positions are those that are stored now.
func (in *intake) positions() map[string][]byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	return maps.Clone(in.stored)
}

// deliver stores a batch: its records on the topic events, what is none on dead-letters, then the position. A crash between the
// two repeats the batch, whose alerts have the same ids.
//
// A fault of Kafka is tried again with growing pauses, until ctx ends.
func (in *intake) deliver(ctx context.Context, b ingest.Batch) error {
	trouble := &bus.Trouble{Log: in.run.Log}
	for {
		err := in.store(ctx, b)
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

func (in *intake) store(ctx context.Context, b ingest.Batch) error {
	if err := in.kafka.room(ctx); err != nil {
		return err
	}
	records := in.records(b)
	if err := in.write(ctx, records); err != nil {
		return fmt.Errorf("store records: %w", err)
	}
	if b.Key != "" {
		if err := in.write(ctx, []bus.Record{{Topic: bus.Checkpoints, Key: []byte(b.Key), Value: b.Position}}); err != nil {
			return fmt.Errorf("store position: %w", err)
		}
		in.mu.Lock()
		in.stored[b.Key] = b.Position
		in.mu.Unlock()
	}
	return nil
}

// records are the batch's records with their identity, and its dead letters.
func (in *intake) records(b ingest.Batch) (all []bus.Record) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, raw := range b.Records {
		place := placeOf(raw.File, raw.Line)
		rec, refused := identify.Record(in.reader, raw.Bytes, place)
		if refused != nil {
			all = append(all, in.letter(refused))
			continue
		}
		in.count(raw.Bytes, place.Origin)
		all = append(all, rec)
	}
	for _, bad := range b.Refused {
		all = append(all, in.letter(placeOf(bad.File, bad.Line).Refuse(string(bad.Reason), bad.Detail, bad.Bytes)))
	}
	in.warn()
	return all
}

// placeOf is a line of a file.
func placeOf(file string, line int) *identify.Place {
	l := deadletter.Letter{Stage: deadletter.StageIngest, File: file, Line: line}
	return &identify.Place{Letter: l, Origin: l.Origin()}
}

// count counts the record at hand.
func (in *intake) count(body []byte, origin string) {
	c, id := &in.run.ingested, in.reader.AtHand()
	c.records.Add(1)
	if !strings.Contains(id.Account, "@") {
		c.unresolved.Add(1)
	}
	if id.Dataset == decode.DatasetUnknown {
		in.run.members.add(body) // before it is counted: who tells the count tells the names
		c.unknown.Add(1)
	}
	in.run.lacking(in.reader, origin, func() { c.notUTF8.Add(1) }, func() { c.partial.Add(1) })
}

// aside is what was set aside of one batch for one reason: the first of it, and how much.
type aside struct {
	first   *deadletter.Letter
	records int
}

func (in *intake) letter(l *deadletter.Letter) bus.Record {
	in.run.ingested.refused.Add(1)
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

// write stores records; one that Kafka will never take becomes a dead letter with what of it fits.
func (in *intake) write(ctx context.Context, records []bus.Record) error {
	return in.run.writeOrSetAside(ctx, in.writer, records)
}

// writeOrSetAside stores records; of those that Kafka will never take it stores dead letters.
func (r *Run) writeOrSetAside(ctx context.Context, w *bus.Writer, records []bus.Record) error {
	for {
		err := w.Write(ctx, records)
		var large *bus.TooLarge
		if !errors.As(err, &large) {
			return err
		}
		r.tooLarge.Add(int64(len(large.Records)))
		r.Log.Error("records are larger than their topic takes; dead letters stand for them", slog.String("topic", string(records[large.Records[0]].Topic)),
			slog.Int("records", len(large.Records)), slog.String("way_out", "raise the topic's max.message.bytes to 8388608 and replay the dead letters"))
		if records, err = large.Replace(records, identify.SetAside); err != nil {
			return err
		}
	}
}
