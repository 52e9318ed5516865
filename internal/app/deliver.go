package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/sinks"
)

// deliverRecords is how many alerts a sink takes from its place in the topic at a time.
const deliverRecords = 500

// runner makes the runner of a sink. Its queue comes with deliver.
func (r *Run) runner(b *bus.Bus, w *bus.Writer, s NamedSink) *sinks.Runner {
	q := &queue{sink: s.Name}
	return &sinks.Runner{Name: s.Name, Sink: s.Sink, Queue: q, Sleep: feed.Pause, Env: sinks.Env{Now: time.Now, Log: r.Log},
		DeadLetter: func(ctx context.Context, m sinks.Message, cause error) error {
			rec := q.find(m)
			l := deadletter.Letter{Reason: "refused", Detail: cause.Error(), Stage: deadletter.StageSink + s.Name, Topic: bus.Alerts, Partition: rec.Partition, Offset: rec.Offset, Key: rec.Key, Headers: rec.Headers, Value: rec.Value}
			return w.Write(ctx, []bus.Record{l.Record()})
		}}
}

// deliver runs a sink, and starts again after a fault of Kafka, until ctx ends.
func (r *Run) deliver(ctx context.Context, b *bus.Bus, runner *sinks.Runner) error {
	q, ok := runner.Queue.(*queue)
	if !ok {
		return errors.New("the runner has another queue")
	}
	for {
		var err error
		if q.reader, err = b.Reader(bus.Alerts, sinkGroup+q.sink, q.sink); err != nil {
			return err
		}
		err = runner.Run(ctx)
		q.reader.Close()
		if ctx.Err() != nil || err == nil {
			return nil
		}
		r.Log.Warn("delivery interrupted", slog.String("sink", q.sink), slog.Any("err", err))
		if feed.Pause(ctx, time.Second) != nil {
			return nil
		}
	}
}

// queue is a sink's own place in the topic alerts.
type queue struct {
	sink   string
	reader *bus.Reader
	now    []bus.Record
}

// Next implements sinks.Queue.
func (q *queue) Next(ctx context.Context) (all []sinks.Message, err error) {
	if q.now, err = q.reader.Poll(ctx, deliverRecords); err != nil {
		return nil, err
	}
	for i := range q.now {
		rec := &q.now[i]
		if only := rec.Header(deadletter.OnlySink); rec.Header(headerSchema) != alert.Schema || only != "" && only != q.sink {
			continue
		}
		h, err := headOf(rec.Value)
		if err != nil {
			continue // it is not ours: nothing on this topic is without its head
		}
		all = append(all, sinks.Message{ID: h.ID, Revision: h.Revision, Status: h.Status, Time: h.Time, Body: rec.Value})
	}
	return all, nil
}

// Done implements sinks.Queue.
func (q *queue) Done(ctx context.Context) error { return q.reader.Commit(ctx) }

// find is the record of a message of the last Next.
func (q *queue) find(m sinks.Message) bus.Record {
	for _, rec := range q.now {
		if len(rec.Value) > 0 && len(m.Body) > 0 && &rec.Value[0] == &m.Body[0] {
			return rec
		}
	}
	return bus.Record{Value: m.Body}
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
