package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// CodeUnsent is the code of the line in the log which says that a collector does not take what it is sent.
const CodeUnsent = "telemetry-not-sent"

// courier notes how sending goes. That a collector takes nothing is told once, and once that it takes again: what is lost in between is
// counted. Nothing waits for it.
type courier struct {
	what    string // metrics, traces
	log     *slog.Logger
	sent    atomic.Int64 // times that the collector has taken something
	failed  atomic.Int64
	mu      sync.Mutex
	failing bool
}

func (c *courier) note(err error) {
	c.mu.Lock()
	changed := c.failing != (err != nil)
	c.failing = err != nil
	c.mu.Unlock()
	if err != nil {
		c.failed.Add(1)
	} else {
		c.sent.Add(1)
	}
	switch {
	case changed && err != nil:
		c.log.Warn("telemetry is not sent: the collector does not take it; the run goes on without", slog.String("code", CodeUnsent),
			slog.String("what", c.what), slog.Any("err", err), slog.String("way_out", "look at telemetry.otlp in the configuration, and at the collector"))
	case changed:
		c.log.Info("telemetry is sent again", slog.String("what", c.what))
	}
}

// metricsCourier sends metrics.
type metricsCourier struct {
	sdk.Exporter
	*courier
}

// Export implements sdk.Exporter. Faults end here.
func (c metricsCourier) Export(ctx context.Context, all *metricdata.ResourceMetrics) error {
	c.note(c.Exporter.Export(ctx, all))
	return nil
}

// tracesCourier sends spans, and counts them.
type tracesCourier struct {
	sdktrace.SpanExporter
	*courier
	waiting, spans, lost atomic.Int64
}

// ExportSpans implements sdktrace.SpanExporter. Faults end here.
func (c *tracesCourier) ExportSpans(ctx context.Context, all []sdktrace.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, all)
	c.note(err)
	n := int64(len(all))
	c.waiting.Add(-n)
	if err != nil {
		c.lost.Add(n)
	} else {
		c.spans.Add(n)
	}
	return nil
}

// mostWaiting is how many spans wait for a collector; those of some thousand alerts.
const mostWaiting = 16 << 10

// bounded passes spans on to a queue that has room for all that wait, so that each that is dropped is counted.
type bounded struct {
	sdktrace.SpanProcessor
	to *tracesCourier
}

// OnEnd implements sdktrace.SpanProcessor.
func (b bounded) OnEnd(s sdktrace.ReadOnlySpan) {
	if b.to.waiting.Add(1) > mostWaiting {
		b.to.waiting.Add(-1)
		b.to.lost.Add(1)
		return
	}
	b.SpanProcessor.OnEnd(s)
}

// troubles take what the libraries of OpenTelemetry say of themselves. They say the same again and again.
type troubles struct {
	log *slog.Logger
	mu  sync.Mutex
	was map[string]bool
}

// mostTroubles is how many different troubles are told.
const mostTroubles = 100

// Handle implements otel.ErrorHandler.
func (t *troubles) Handle(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := err.Error()
	if t.was == nil {
		t.was = map[string]bool{}
	}
	if t.was[text] || len(t.was) >= mostTroubles {
		return
	}
	t.was[text] = true
	t.log.Warn("trouble with telemetry; the run goes on", slog.String("code", CodeUnsent), slog.Any("err", err))
}

// within waits for do, but not longer than ctx lives.
func within(ctx context.Context, do func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("telemetry has not ended: %w", context.Cause(ctx))
	}
}

// queueFor is how long spans wait for others to be sent with.
const queueFor = 2 * time.Second
