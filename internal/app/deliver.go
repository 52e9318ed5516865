package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/incident"
	"noroshi/sinks"
)

// deliverRecords is how many alerts a sink takes from its place in the topic at a time.
const deliverRecords = 500

// resultsWithin is how long results may take to be stored.
const resultsWithin = 10 * time.Second

// runner makes the runner of a sink. Its queue comes with deliver.
func (r *Run) runner(b *bus.Bus, w *bus.Writer, s NamedSink) *sinks.Runner {
	q := &queue{sink: s.Name, log: r.Log}
	if s.Answer != nil {
		s.Answer.Told = (&references{bus: b, sink: s.Name}).find
	}
	return &sinks.Runner{Name: s.Name, Sink: s.Sink, Queue: q, Terms: s.Terms, Sleep: feed.Pause, Env: sinks.Env{Now: time.Now, Log: r.Log, Answer: s.Answer},
		Results: func(ctx context.Context, all []sinks.Result) error { return r.tellResults(ctx, w, all) },
		DeadLetter: func(ctx context.Context, m sinks.Message, cause error) error {
			rec := q.find(m)
			l := deadletter.Letter{Reason: "refused", Detail: r.Config.Secrets.Hide(cause.Error()), Stage: deadletter.StageSink + s.Name, Topic: bus.Alerts, Partition: rec.Partition, Offset: rec.Offset, Key: rec.Key, Headers: rec.Headers, Value: rec.Value}
			return w.Write(ctx, []bus.Record{l.Record()})
		}}
}

// deliver runs a sink, and starts again after a fault of Kafka, until ctx ends. What is under way then has until drain ends.
func (r *Run) deliver(ctx, drain context.Context, b *bus.Bus, w *bus.Writer, runner *sinks.Runner) error {
	q, ok := runner.Queue.(*queue)
	if !ok {
		return errors.New("the runner has another queue")
	}
	trouble := &bus.Trouble{Log: r.Log}
	if r.telemetry != nil {
		runner.Watch = r.watchOf(ctx, runner.Name)
	}
	for {
		var err error
		if q.reader, err = b.Reader(bus.Member{Topic: bus.Alerts, Group: sinkGroup + q.sink, Instance: q.sink, Missed: r.missedRecords(w)}); err != nil {
			return err
		}
		err = runner.Run(ctx, drain)
		q.reader.Leave(drain)
		if ctx.Err() != nil || err == nil {
			return nil
		}
		trouble.Again("delivery interrupted", err, slog.String("sink", q.sink))
		runner.Interrupted(err, trouble.Next())
		if trouble.Pause(ctx) != nil {
			return nil
		}
	}
}

// queue is a sink's own place in the topic alerts.
type queue struct {
	sink    string
	log     *slog.Logger
	skipped atomic.Int64 // messages that are no alerts
	reader  *bus.Reader
	now     []bus.Record
	ends    []int // behind the record of each message that is not done, counted from the first record that is not
}

// Next implements sinks.Queue.
func (q *queue) Next(ctx context.Context) (all []sinks.Message, err error) {
	if q.now, err = q.reader.Poll(ctx, deliverRecords); err != nil {
		return nil, err
	}
	return q.messages(), nil
}

// messages are those for this sink among the records read last.
func (q *queue) messages() (all []sinks.Message) {
	q.ends = q.ends[:0]
	for i := range q.now {
		rec := &q.now[i]
		if others(rec, q.sink) || ofStory(rec) {
			continue
		}
		m, err := message(rec)
		if err != nil {
			q.skip(rec, err)
			continue
		}
		all = append(all, m)
		q.ends = append(q.ends, i+1)
	}
	return all
}

// ofStory reports whether a record is no alert, but what belongs into an account's story beside alerts: it is for incidents.
func ofStory(rec *bus.Record) bool {
	s := rec.Header(headerSchema)
	return s == incident.ActivitySchema || s == incident.ProfileSchema
}

// others reports whether a record is for another sink alone.
func others(rec *bus.Record, sink string) bool {
	only := rec.Header(deadletter.OnlySink)
	return only != "" && only != sink
}

// message is the alert of a record.
func message(rec *bus.Record) (m sinks.Message, err error) {
	h, err := headOf(rec)
	if err != nil {
		return m, err
	}
	if s := rec.Header(headerSchema); s != alert.Schema {
		return m, fmt.Errorf("its schema is %q", s)
	}
	return sinks.Message{ID: h.ID, Revision: h.Revision, Status: h.Status, Time: h.Time,
		Rule: h.Rule.ID, Class: h.Rule.Class, Tenant: h.Tenant, Account: h.Account, Severity: h.Severity, Body: rec.Value, Written: rec.Timestamp, Shard: rec.Key, Traceparent: rec.Header(headerTrace)}, nil
}

// waitsFor reports whether a sink waits for the alert of a record: what it is not for waits for nobody.
func (s *NamedSink) waitsFor(rec *bus.Record) bool {
	if others(rec, s.Name) {
		return false
	}
	m, err := message(rec)
	return err == nil && (s.Wants == nil || s.Wants(&m))
}

// tellResults puts results on their topic, by the account of their alerts.
func (r *Run) tellResults(ctx context.Context, w *bus.Writer, all []sinks.Result) error {
	ctx, cancel := context.WithTimeout(ctx, resultsWithin)
	defer cancel()
	records := make([]bus.Record, len(all))
	for i := range all {
		all[i].Answer = r.shown(all[i].Answer)
		value, err := json.Marshal(&all[i])
		if err != nil {
			return err
		}
		records[i] = bus.Record{Topic: bus.DeliveryResults, Key: all[i].Shard, Value: value}
	}
	return w.Write(ctx, records)
}

// skip counts a message that is not ours: every alert says its schema and has a head.
func (q *queue) skip(rec *bus.Record, err error) {
	q.skipped.Add(1)
	if q.log != nil {
		q.log.Warn("message skipped: it is no alert", slog.String("sink", q.sink), slog.Int("partition", int(rec.Partition)),
			slog.Int64("offset", rec.Offset), slog.Any("err", err))
	}
}

// Done implements sinks.Queue. What is no message of this sink's is done with the last one.
func (q *queue) Done(ctx context.Context, n int) error {
	if n == len(q.ends) {
		return q.reader.Commit(ctx)
	}
	records := q.ends[n-1]
	if err := q.reader.Done(ctx, records); err != nil {
		return err
	}
	q.ends = q.ends[n:]
	for i := range q.ends {
		q.ends[i] -= records
	}
	return nil
}

// Hold implements sinks.Queue.
func (q *queue) Hold(ctx context.Context, d time.Duration) (moved bool, err error) {
	return q.reader.Hold(ctx, d)
}

// find is the record of a message of the last Next.
func (q *queue) find(m sinks.Message) bus.Record {
	for _, rec := range q.now {
		if len(rec.Value) > 0 && len(m.Body) > 0 && &rec.Value[0] == &m.Body[0] {
			return rec
		}
	}
	return bus.Record{Value: m.Body}
}
