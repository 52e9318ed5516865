package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
)

// ingested counts what sources have handed over. An account is unresolved that has neither a user principal name nor an entry
// in the directory.
type ingested struct{ records, refused, unresolved, unknown atomic.Int64 }

// taking is the way of records from the sources to their topic.
type taking struct {
	run    *Run
	hub    *hub
	writer *bus.Writer
	stored map[string][]byte // positions, as they were at the start

	mu     sync.Mutex // sources share the reader
	reader *decode.Reader
	aside  []aside
}

// The headers of a record on the topic events. Its value is the record's own bytes, unchanged.
const (
	headerDataset = "dataset"
	headerID      = "id"
	headerTenant  = "tenant"
	headerTime    = "time"
	headerOrigin  = "origin"
	headerSchema  = "schema"
	// headerEnqueued is when the stream took the message in which the record came; records of files have none.
	headerEnqueued = "enqueued"
)

func (r *Run) newIngest(ctx context.Context, h *hub, w *bus.Writer) (*taking, error) {
	t := &taking{run: r, hub: h, writer: w, stored: map[string][]byte{}}
	err := h.bus.All(ctx, bus.Checkpoints, func(rec bus.Record) error {
		t.stored[string(rec.Key)] = rec.Value
		return nil
	})
	t.reader = decode.NewPlan(event.NewLayout(), decodeOptions(r.Config)).Reader()
	return t, err
}

func (t *taking) position(key string) []byte { return t.stored[key] }

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
	}
	return nil
}

// records are the batch's records with their identity, and its dead letters.
func (t *taking) records(b ingest.Batch) (all []bus.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, raw := range b.Records {
		if err := t.reader.ReadAlone(raw.Bytes, time.Time{}); err != nil {
			e := decode.Undecodable(err)
			all = append(all, t.letter(raw, string(e.Reason), e.Cause.Error()))
			continue
		}
		id := t.reader.AtHand()
		t.run.ingested.records.Add(1)
		if !strings.Contains(id.Account, "@") {
			t.run.ingested.unresolved.Add(1)
		}
		if id.Dataset == decode.DatasetUnknown {
			t.run.members.add(raw.Bytes) // before it is counted: who tells the count tells the names
			t.run.ingested.unknown.Add(1)
		}
		all = append(all, eventRecord(id, raw.Bytes, fmt.Sprintf("%s:%d", raw.File, raw.Line), time.Time{}))
	}
	for _, bad := range b.Refused {
		all = append(all, t.letter(ingest.Raw{Bytes: bad.Bytes, File: bad.File, Line: bad.Line}, string(bad.Reason), bad.Detail))
	}
	t.warn()
	return all
}

// warn logs the batch's dead letters, a line for each reason.
func (t *taking) warn() {
	for _, s := range t.aside {
		t.run.Log.Warn("records are set aside", slog.String("file", s.file), slog.Int("line", s.line), slog.Int("records", s.records), slog.String("reason", s.reason), slog.String("detail", s.detail))
	}
	t.aside = t.aside[:0]
}

// aside is what was set aside of one batch for one reason, with the place of the first.
type aside struct {
	reason, detail, file string
	line, records        int
}

// eventRecord is a record as it lies on its topic: its own bytes, unchanged, under the key of its account. The texts of key and
// headers share one piece of memory; nothing of the identity is kept.
func eventRecord(id decode.Record, body []byte, origin string, enqueued time.Time) bus.Record {
	text := make([]byte, 0, len(id.Tenant)+len("/")+len(id.Account)+len(id.Dataset)+len(id.ID)+len(id.Tenant)+len(origin)+2*timeRoom)
	last := 0
	part := func(longer []byte) []byte {
		text = longer
		from := last
		last = len(text)
		return text[from:last:last]
	}
	r := bus.Record{Topic: bus.Events, Value: body, Headers: make([]bus.Header, 0, 6)}
	header := func(key string, longer []byte) {
		r.Headers = append(r.Headers, bus.Header{Key: key, Value: part(longer)})
	}
	r.Key = part(id.AppendKey(text))
	header(headerDataset, append(text, id.Dataset...))
	header(headerID, append(text, id.ID...))
	header(headerTenant, append(text, id.Tenant...))
	header(headerTime, decode.AppendTime(text, id.Time))
	header(headerOrigin, append(text, origin...))
	if !enqueued.IsZero() {
		header(headerEnqueued, decode.AppendTime(text, enqueued))
	}
	return r
}

// enqueuedOf is when the stream took a record of the topic events, else when Kafka did.
func enqueuedOf(r *bus.Record) time.Time {
	if text := r.Header(headerEnqueued); text != "" {
		if at, ok := decode.Time(text); ok {
			return at
		}
	}
	return r.Timestamp
}

// timeRoom is at least as long as a time in a header.
const timeRoom = 40

func (t *taking) letter(raw ingest.Raw, reason, detail string) bus.Record {
	t.run.ingested.refused.Add(1)
	i := slices.IndexFunc(t.aside, func(a aside) bool { return a.reason == reason })
	if i < 0 {
		i, t.aside = len(t.aside), append(t.aside, aside{reason: reason, detail: detail, file: raw.File, line: raw.Line})
	}
	t.aside[i].records++
	l := deadletter.Letter{Reason: reason, Detail: detail, Stage: deadletter.StageIngest, File: raw.File, Line: raw.Line, Value: raw.Bytes}
	return l.Record()
}

// write stores records; one that Kafka will never take becomes a dead letter with what of it fits.
func (t *taking) write(ctx context.Context, records []bus.Record) error {
	return writeOrSetAside(ctx, t.writer, records)
}

// maxSetAside is how much of a record that is too large for Kafka its dead letter holds, in bytes.
const maxSetAside = 512 << 10

// writeOrSetAside stores records; of those that Kafka will never take it stores dead letters.
func writeOrSetAside(ctx context.Context, w *bus.Writer, records []bus.Record) error {
	for {
		err := w.Write(ctx, records)
		var large *bus.TooLarge
		if !errors.As(err, &large) {
			return err
		}
		if records, err = large.Replace(records, setAside); err != nil {
			return err
		}
	}
}

// maxText is how much of its key and of each of its headers.
const maxText = 4 << 10

// setAside is the dead letter of a record that Kafka will never take; of a dead letter it is that letter, as far as it fits. It
// gives false where nothing is left to leave out.
func setAside(r bus.Record, cause error) (bus.Record, bool) {
	if r.Topic == bus.DeadLetters && len(r.Value) == 0 {
		return r, false
	}
	cut := func(b []byte, most int) []byte { return b[:min(len(b), most)] }
	most := maxSetAside
	if r.Topic == bus.DeadLetters {
		most = min(most, len(r.Value)/2) // brokers may have limits of their own
	}
	r.Key, r.Value, r.Headers = cut(r.Key, maxText), cut(r.Value, most), slices.Clone(r.Headers)
	for i := range r.Headers {
		r.Headers[i].Value = cut(r.Headers[i].Value, maxText)
	}
	if r.Topic == bus.DeadLetters {
		return r, true
	}
	l := deadletter.Letter{Reason: string(decode.BadSize), Detail: cause.Error(), Stage: deadletter.StageIngest, File: r.Header(headerOrigin), Key: r.Key, Headers: r.Headers, Value: r.Value}
	if r.Topic == bus.Alerts {
		l.Stage = deadletter.StageDetect
	}
	return l.Record(), true
}

// alertHead is what is read of an alert on its way out.
type alertHead struct {
	ID       string    `json:"id"`
	Revision int       `json:"revision"`
	Status   string    `json:"status"`
	Time     time.Time `json:"time"`
}

func headOf(body []byte) (h alertHead, err error) {
	if err := json.Unmarshal(body, &h); err != nil {
		return h, fmt.Errorf("read alert: %w", err)
	}
	return h, nil
}
