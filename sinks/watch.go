package sinks

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
)

// Watch is told how deliveries go. What is nil is not called; all is called from the runner's goroutine.
type Watch struct {
	// Attempt comes before each attempt, with the messages as they lie on the topic. It gives what the request is to carry on as its
	// traceparent, "" for nothing, and what is called when the attempt is over: with its error, and the status of HTTP, 0 where there is
	// none.
	Attempt func(number int, all []Message) (traceparent string, over func(err error, status int))
	// Ended comes when a message has come to an end, but for those that the sink is not for. Carried is what the last attempt was to
	// carry on.
	Ended func(m *Message, o Outcome, attempts int, carried string)
}

type carriedKey struct{}

// Carrying is a context for requests that are to carry on a traceparent.
func Carrying(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" {
		return ctx
	}
	return context.WithValue(ctx, carriedKey{}, traceparent)
}

// Carried is the traceparent that a request is to carry on, "" where there is none.
func Carried(ctx context.Context) string {
	text, _ := ctx.Value(carriedKey{}).(string)
	return text
}

// Kind is a word for what is wrong with an attempt, "" where nothing is: it shows nothing of what a destination says.
func Kind(err error) string {
	var v Verdicts
	switch {
	case err == nil:
		return ""
	case errors.As(err, new(*Refused)):
		return "refused"
	case errors.As(err, new(*Disabled)):
		return "disabled"
	case errors.As(err, &v):
		return "partly"
	}
	return "fault"
}

// Trace is the attribute of a log line that names the trace of an alert, an empty one where it has none.
func (m *Message) Trace() slog.Attr {
	trace, span, ok := m.TraceIDs()
	if !ok {
		return slog.Attr{}
	}
	return slog.Group("", slog.String("trace_id", hex.EncodeToString(trace)), slog.String("span_id", hex.EncodeToString(span)))
}

// TraceIDs are the ids of its trace and of the span there, of 16 and of 8 bytes.
func (m *Message) TraceIDs() (trace, span []byte, ok bool) {
	parts := strings.Split(m.Traceparent, "-")
	if len(parts) < 4 {
		return nil, nil, false
	}
	trace, err := hex.DecodeString(parts[1])
	if err != nil || len(trace) != 16 {
		return nil, nil, false
	}
	span, err = hex.DecodeString(parts[2])
	return trace, span, err == nil && len(span) == 8
}

// attempted tells that an attempt begins.
func (r *Runner) attempted(ctx context.Context, p *parcel) (context.Context, func(err error, status int)) {
	r.carried = ""
	if r.Watch.Attempt == nil {
		return ctx, func(error, int) {}
	}
	all := make([]Message, len(p.of))
	for at, i := range p.of {
		all[at] = r.all[i]
	}
	var over func(error, int)
	r.carried, over = r.Watch.Attempt(r.attempts, all)
	return Carrying(ctx, r.carried), over
}
