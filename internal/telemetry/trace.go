package telemetry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Each revision of an alert has one trace, from the source's message to the receiver's answer:
//
//	ingest            from when the source took the message until Kafka had the record
//	└ detect          until the rule had given the alert, or, over signals, until Kafka had the signal
//	  └ correlate     over signals: until the rule had given the alert
//	    └ deliver     of each sink: from when Kafka had the alert until the sink was done with it
//	      └ send      of each attempt: the request, which carries this span on
//
// Only alerts pay. Nothing is written beside a record and no span is begun for it: its headers and Kafka's own times tell all that
// the first spans say, so the detector makes them when a rule has given an alert. Ids of traces and of all spans but attempts are hashes
// of the alert's id: what comes again after a crash has the same ones, and each instance knows those of the others.
const (
	spanIngest    = "ingest"
	spanDetect    = "detect"
	spanCorrelate = "correlate"
	spanDeliver   = "deliver"
	spanSend      = "send"
)

// The attributes of spans. None is an account, an address or a text of a record.
const (
	alertID       = attribute.Key("noroshi.alert.id")
	alertRevision = attribute.Key("noroshi.alert.revision")
	alertSeverity = attribute.Key("noroshi.alert.severity")
	outcome       = attribute.Key("noroshi.delivery.outcome")
	attempt       = attribute.Key("noroshi.delivery.attempt")
	attempts      = attribute.Key("noroshi.delivery.attempts")
	position      = attribute.Key("noroshi.source.position")
)

// Found is an alert that a rule has given, and what is known of its way. Times that are not known are zero.
type Found struct {
	Alert          string
	Revision       int
	Rule, Severity string
	Message        Message   // the record came in it
	Partition      int32     // of the topic events
	Offset         int64     // there
	Happened       time.Time // what the rule has found
	Enqueued       time.Time // when the source took the message
	Stored         time.Time // when Kafka had the record; zero: no record has made the alert due, but a clock
	Signalled      time.Time // when Kafka had the signal
	Evaluated      time.Time // now
}

// Message is where a stream has what came from it.
type Message struct {
	Source    string // "": it came from no stream
	Partition string
	Position  int64
}

// ids name spans. They are for the generator of ids alone.
type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

type idsKey struct{}

// generator gives a span the ids that its context names, else any.
type generator struct{}

// NewIDs implements sdktrace.IDGenerator.
func (generator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if named, ok := ctx.Value(idsKey{}).(ids); ok {
		return named.trace, named.span
	}
	var t trace.TraceID
	binary.BigEndian.PutUint64(t[:8], rand.Uint64()) //nolint:gosec // nobody is kept out by an id
	binary.BigEndian.PutUint64(t[8:], rand.Uint64()|1)
	return t, anySpan()
}

// NewSpanID implements sdktrace.IDGenerator.
func (generator) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if named, ok := ctx.Value(idsKey{}).(ids); ok {
		return named.span
	}
	return anySpan()
}

func anySpan() (s trace.SpanID) {
	binary.BigEndian.PutUint64(s[:], rand.Uint64()|1) //nolint:gosec // as above
	return s
}

// traceOf is the id of the trace of an alert's revision.
func traceOf(alert string, revision int) (t trace.TraceID) {
	sum := sha256.Sum256(fmt.Appendf(nil, "noroshi trace\x00%s\x00%d", alert, revision))
	copy(t[:], sum[:])
	return t
}

// spanOf is the id of a span that a trace has once.
func spanOf(t trace.TraceID, name, of string) (s trace.SpanID) {
	sum := sha256.Sum256(fmt.Appendf(nil, "noroshi span\x00%s\x00%s\x00%s", t, name, of))
	copy(s[:], sum[:])
	return s
}

// span makes a span that is over, and the context of what is below it.
func (t *Telemetry) span(ctx context.Context, id trace.TraceID, name, of string, from, to time.Time, options ...trace.SpanStartOption) context.Context {
	ctx = context.WithValue(ctx, idsKey{}, ids{id, spanOf(id, name, of)})
	ctx, s := t.tracer.Start(ctx, name, append(options, trace.WithTimestamp(earlier(from, to)))...)
	s.End(trace.WithTimestamp(to))
	return ctx
}

// earlier is the beginning of a span: the clocks of hosts are not the same.
func earlier(from, to time.Time) time.Time {
	if from.IsZero() || from.After(to) {
		return to
	}
	return from
}

// Found tells of an alert: its delays, and the first spans of its trace. It gives what the next hop has to know of the trace, in the form
// of the header traceparent; "" where there is none, or it is not sampled.
func (t *Telemetry) Found(ctx context.Context, f *Found) (traceparent string) {
	if t.tracer != nil {
		ctx = t.found(ctx, f)
		traceparent = inject(ctx)
	}
	if !f.Stored.IsZero() { // what a clock has made due came late on purpose
		t.Delay(ctx, EventDelay, f.Evaluated.Sub(f.Happened), f.Severity)
		if !f.Enqueued.IsZero() {
			t.Delay(ctx, EnqueuedDelay, f.Evaluated.Sub(f.Enqueued), f.Severity)
		}
	}
	return traceparent
}

func (t *Telemetry) found(ctx context.Context, f *Found) context.Context {
	id := traceOf(f.Alert, f.Revision)
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	if !f.Stored.IsZero() {
		ctx = t.span(ctx, id, spanIngest, "", or(f.Enqueued, f.Stored), f.Stored, trace.WithSpanKind(trace.SpanKindProducer),
			trace.WithAttributes(ingestAttributes(f)...))
	}
	about := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(alertID.String(f.Alert), alertRevision.Int(f.Revision), alertSeverity.String(f.Severity), ruleID.String(f.Rule))}
	if f.Revision > 1 { // the trace of the first one
		first := traceOf(f.Alert, 1)
		about = append(about, trace.WithLinks(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: first,
			SpanID: spanOf(first, spanDetect, ""), TraceFlags: trace.FlagsSampled})}))
	}
	if f.Signalled.IsZero() {
		return t.span(ctx, id, spanDetect, "", f.Stored, f.Evaluated, about...)
	}
	ctx = t.span(ctx, id, spanDetect, "", f.Stored, f.Signalled, trace.WithSpanKind(trace.SpanKindConsumer))
	return t.span(ctx, id, spanCorrelate, "", f.Signalled, f.Evaluated, about...)
}

func or(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// ingestAttributes tell where the record lay, and where it lies.
func ingestAttributes(f *Found) []attribute.KeyValue {
	all := []attribute.KeyValue{semconv.MessagingSystemKafka, semconv.MessagingDestinationPartitionID(fmt.Sprint(f.Partition))}
	if f.Offset >= 0 {
		all = append(all, semconv.MessagingKafkaOffset(int(f.Offset)))
	}
	if m := &f.Message; m.Source != "" {
		all = append(all, sourceName.String(m.Source), attribute.String("noroshi.source.partition", m.Partition), position.Int64(m.Position))
	}
	return all
}

// Carried is an alert on its way to a destination.
type Carried struct {
	Traceparent string    // as Found gave it
	Written     time.Time // when Kafka had it
}

// Send tells that an attempt begins to send alerts. It gives what the request is to carry on, "" for nothing, and what is to be told when
// the attempt is over: the status of HTTP, 0 where there is none, and a word for the fault, "" where there is none. A request has the
// trace of its first alert, and links to those of the others.
func (t *Telemetry) Send(ctx context.Context, sink string, number int, all []Carried, at time.Time) (traceparent string, over func(at time.Time, status int, fault string)) {
	over = func(time.Time, int, string) {}
	var sampled []trace.SpanContext
	for i := range all {
		if c := extract(ctx, all[i].Traceparent); c.IsSampled() {
			sampled = append(sampled, below(c, sink))
		}
	}
	switch {
	case len(sampled) == 0:
		return "", over
	case t.tracer == nil: // others have the trace
		return all[0].Traceparent, over
	}
	var links []trace.Link
	for _, c := range sampled[1:] {
		links = append(links, trace.Link{SpanContext: c})
	}
	ctx, s := t.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, sampled[0]), spanSend, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(at), trace.WithLinks(links...), trace.WithAttributes(sinkName.String(sink), attempt.Int(number), semconv.MessagingBatchMessageCount(len(all))))
	return inject(ctx), func(at time.Time, status int, fault string) {
		if status > 0 {
			s.SetAttributes(semconv.HTTPResponseStatusCode(status))
		}
		if fault != "" {
			s.SetAttributes(semconv.ErrorTypeKey.String(fault))
			s.SetStatus(codes.Error, "")
		}
		s.End(trace.WithTimestamp(at))
	}
}

// below is the span of a delivery, which is made when that is over.
func below(c trace.SpanContext, sink string) trace.SpanContext {
	return c.WithSpanID(spanOf(c.TraceID(), spanDeliver, sink))
}

// Delivered tells what has become of an alert at a sink, and what the last attempt carried on.
func (t *Telemetry) Delivered(ctx context.Context, sink, became string, number int, c Carried, sent string, at time.Time) {
	from := extract(ctx, c.Traceparent)
	if t.tracer != nil && from.IsSampled() {
		options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithAttributes(sinkName.String(sink), outcome.String(became), attempts.Int(number))}
		if s := extract(ctx, sent); s.IsValid() && s.TraceID() != from.TraceID() { // it was sent with others
			options = append(options, trace.WithLinks(trace.Link{SpanContext: s}))
		}
		ctx = t.span(trace.ContextWithRemoteSpanContext(ctx, from), from.TraceID(), spanDeliver, sink, c.Written, at, options...)
	}
	if !c.Written.IsZero() {
		t.Delay(ctx, DeliveryDelay, at.Sub(c.Written), sink, became)
	}
}

const header = "traceparent"

func inject(ctx context.Context) string {
	to := propagation.MapCarrier{}
	if trace.SpanContextFromContext(ctx).IsSampled() {
		propagation.TraceContext{}.Inject(ctx, to)
	}
	return to[header]
}

// extract reads a traceparent. What is none gives nothing.
func extract(ctx context.Context, traceparent string) trace.SpanContext {
	if traceparent == "" {
		return trace.SpanContext{}
	}
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{header: traceparent}))
}

// TraceID is the id of the trace that a traceparent names, for a line in the log; "" where it names none.
func TraceID(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) < 4 {
		return ""
	}
	if id, err := trace.TraceIDFromHex(parts[1]); err == nil {
		return id.String()
	}
	return ""
}
