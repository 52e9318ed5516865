package app

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/identify"
	"noroshi/internal/telemetry"
	"noroshi/rules/kind"
	"noroshi/sinks"
)

// way is what is known of the way of the alerts that a record gives. It is looked at when there is one: other records cost nothing.
type way struct {
	rec    *bus.Record      // of events or of signals; nil: no record but a clock has made the alerts due
	signal *detector.Signal // what rec holds, where it is of signals
	hit    []byte           // of signal, the one that is applied
}

// byClock is the way of alerts that a clock has made due.
var byClock = &way{}

// found is an alert and its way.
func (w *way) found(a *alert.Alert) *telemetry.Found {
	f := &telemetry.Found{Alert: a.ID, Revision: a.Revision, Rule: a.Rule.ID, Severity: a.Severity, Offset: -1, Happened: a.Time, Evaluated: a.Times.Evaluated}
	switch {
	case w.rec == nil:
	case w.signal != nil:
		f.Signalled = w.rec.Timestamp
		if at := w.signal.At; at.Offset >= 0 {
			f.Stored, f.Enqueued = time.Unix(0, at.Written), enqueuedOf(w.hit)
			if w.signal.From.Topic == detector.UpEvents {
				f.Partition, f.Offset = w.signal.From.Partition, at.Offset
			}
		}
	default:
		f.Partition, f.Offset, f.Stored = w.rec.Partition, w.rec.Offset, w.rec.Timestamp
		if w.rec.Header(identify.HeaderEnqueued) != "" { // it came from a stream
			f.Enqueued, f.Message = identify.Enqueued(w.rec), messageOf([]byte(w.rec.Header(identify.HeaderOrigin)))
		}
	}
	return f
}

func enqueuedOf(packed []byte) time.Time {
	var h kind.Hit
	if h.Unpack(packed) != nil {
		return time.Time{}
	}
	return h.Enqueued
}

// messageOf reads where a record of a stream came from, such as audit/2@9#0: what a file is called is no matter of a trace.
func messageOf(origin []byte) (m telemetry.Message) {
	at := bytes.LastIndexByte(origin, '@')
	if at < 0 {
		return m
	}
	of := bytes.LastIndexByte(origin[:at], '/')
	if of < 0 {
		return m
	}
	number, _, _ := bytes.Cut(origin[at+1:], []byte("#"))
	position, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return m
	}
	return telemetry.Message{Source: string(origin[:of]), Partition: string(origin[of+1 : at]), Position: position}
}

// watchOf tells of the deliveries of a sink.
func (r *Run) watchOf(ctx context.Context, sink string) sinks.Watch {
	return sinks.Watch{
		Attempt: func(number int, all []sinks.Message) (string, func(error, int)) {
			carried := make([]telemetry.Carried, len(all))
			for i := range all {
				carried[i] = telemetry.Carried{Traceparent: all[i].Traceparent, Written: all[i].Written}
			}
			traceparent, over := r.telemetry.Send(ctx, sink, number, carried, time.Now())
			return traceparent, func(err error, status int) { over(time.Now(), status, sinks.Kind(err)) }
		},
		Ended: func(m *sinks.Message, o sinks.Outcome, attempts int, carried string) {
			c := telemetry.Carried{Traceparent: m.Traceparent, Written: m.Written}
			r.telemetry.Delivered(ctx, sink, string(o), attempts, c, carried, time.Now())
		},
	}
}
