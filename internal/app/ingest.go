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
type ingested struct{ records, refused, unresolved, unknown atomic.Int64 }

// taking is the way of records from the sources to their topic.
type taking struct {
	run    *Run
	hub    *hub
	writer *bus.Writer

	mu     sync.Mutex        // sources share what follows
	stored map[string][]byte // positions
	reader *decode.Reader
	aside  []aside
}

func (r *Run) newIngest(ctx context.Context, h *hub, w *bus.Writer) (*taking, error) {
	t := &taking{run: r, hub: h, writer: w, stored: map[string][]byte{}}
	err := h.bus.All(ctx, bus.Checkpoints, func(rec bus.Record) error {
		t.stored[string(rec.Key)] = rec.Value
		return nil
	})
	t.reader = decode.NewPlan(event.NewLayout(), DecodeOptions(r.Config)).Reader()
	return t, err
}

// positions are those that are stored now.
func (t *taking) positions() map[string][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.stored)
}

// deliver stores a batch: its records on the topic events, what is none on dead-letters, then the position. A crash between the
// two repeats the batch, whose alerts have the same ids.
func (t *taking) deliver(ctx context.Context, b ingest.Batch) error {
	if err := t.hub.room(ctx); err != nil {
		return err
	}
	records := t.records(b)
	if err := t.write(ctx, records); err != nil {
		return fmt.Errorf("store records: %w", err)
	}
	if b.Key != "" {
		if err := t.write(ctx, []bus.Record{{Topic: bus.Checkpoints, Key: []byte(b.Key), Value: b.Position}}); err != nil {
			return fmt.Errorf("store position: %w", err)
		}
		t.mu.Lock()
		t.stored[b.Key] = b.Position
		t.mu.Unlock()
	}
	return nil
}

// records are the batch's records with their identity, and its dead letters.
func (t *taking) records(b ingest.Batch) (all []bus.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, raw := range b.Records {
		rec, refused := identify.Record(t.reader, raw.Bytes, placeOf(raw.File, raw.Line))
		if refused != nil {
			all = append(all, t.letter(refused))
			continue
		}
		t.count(raw.Bytes)
		all = append(all, rec)
	}
	for _, bad := range b.Refused {
		all = append(all, t.letter(placeOf(bad.File, bad.Line).Refuse(string(bad.Reason), bad.Detail, bad.Bytes)))
	}
	t.warn()
	return all
}

// placeOf is a line of a file.
func placeOf(file string, line int) *identify.Place {
	l := deadletter.Letter{Stage: deadletter.StageIngest, File: file, Line: line}
	return &identify.Place{Letter: l, Origin: l.Origin()}
}

// count counts the record at hand.
func (t *taking) count(body []byte) {
	c, id := &t.run.ingested, t.reader.AtHand()
	c.records.Add(1)
	if !strings.Contains(id.Account, "@") {
		c.unresolved.Add(1)
	}
	if id.Dataset == decode.DatasetUnknown {
		t.run.members.add(body) // before it is counted: who tells the count tells the names
		c.unknown.Add(1)
	}
}

// aside is what was set aside of one batch for one reason: the first of it, and how much.
type aside struct {
	first   *deadletter.Letter
	records int
}

func (t *taking) letter(l *deadletter.Letter) bus.Record {
	t.run.ingested.refused.Add(1)
	i := slices.IndexFunc(t.aside, func(a aside) bool { return a.first.Reason == l.Reason })
	if i < 0 {
		i, t.aside = len(t.aside), append(t.aside, aside{first: l})
	}
	t.aside[i].records++
	return l.Record()
}

// warn logs the batch's dead letters, a line for each reason.
func (t *taking) warn() {
	for _, a := range t.aside {
		t.run.Log.Warn("records are set aside", slog.String("file", a.first.File), slog.Int("line", a.first.Line), slog.Int("records", a.records),
			slog.String("reason", a.first.Reason), slog.String("detail", a.first.Detail))
	}
	t.aside = nil
}

// write stores records; one that Kafka will never take becomes a dead letter with what of it fits.
func (t *taking) write(ctx context.Context, records []bus.Record) error {
	return writeOrSetAside(ctx, t.writer, records)
}

// writeOrSetAside stores records; of those that Kafka will never take it stores dead letters.
func writeOrSetAside(ctx context.Context, w *bus.Writer, records []bus.Record) error {
	for {
		err := w.Write(ctx, records)
		var large *bus.TooLarge
		if !errors.As(err, &large) {
			return err
		}
		if records, err = large.Replace(records, identify.SetAside); err != nil {
			return err
		}
	}
}
