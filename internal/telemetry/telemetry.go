// Package telemetry gives what is counted to readers of OpenTelemetry.
//
// The instruments are asynchronous. Whoever counts keeps plain numbers of its own, and an observer hands them over when a reader asks:
// counting on the way of a record costs one addition and no look-up of attributes, and a series that is not observed any more takes
// no memory. All instruments stand in one list, All; a series of theirs is named by labels, the values of the instrument's keys. These
// come from the configuration, the rules and our own words, never from a record, so that their number is bounded.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name of what counts.
const scope = "noroshi"

// mostSeries is how many series an instrument may have. Beyond them OpenTelemetry puts all into one, which is told as Overflow.
const mostSeries = 20_000

// mostLinks is how many alerts of one request a span names: more than a sink ever takes from its topic at a time.
const mostLinks = 1000

// Bounds are those of histograms, in seconds: from what a promise is about to what a source may be late.
var Bounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400}

// Telemetry is the instruments of one process, and the traces of its alerts.
type Telemetry struct {
	log     *slog.Logger
	metrics *sdk.MeterProvider
	looks   *sdk.ManualReader
	scrapes *prometheus.Registry
	delays  map[*Instrument]metric.Float64Histogram
	crowded atomic.Int64

	traces *sdktrace.TracerProvider // nil: there are none
	tracer trace.Tracer

	couriers []*courier
	spans    *tracesCourier
}

// Options are what telemetry is made of. Version is that of the program, Instance the name of the process. Observe hands over all that is
// counted: it is called for each look of each reader, one call at a time for each of them. Log takes what goes wrong with telemetry
// itself.
type Options struct {
	Version  string
	Instance string
	Observe  func(o *Observer)
	Log      *slog.Logger // nil: nobody listens
	OTLP     OTLP
	Readers  []sdk.Reader // beside those that there are in any case
}

// Observer takes what is counted.
type Observer struct {
	to  metric.Observer
	all map[*Instrument]metric.Int64Observable
}

// Observe gives the value of a series. There are as many labels as the instrument has keys.
func (o *Observer) Observe(i *Instrument, value int64, labels ...string) {
	o.to.ObserveInt64(o.all[i], value, metric.WithAttributeSet(i.series(labels)))
}

func (i *Instrument) series(labels []string) attribute.Set {
	set := make([]attribute.KeyValue, len(i.Keys))
	for n, key := range i.Keys {
		set[n] = attribute.String(string(key), labels[n])
	}
	return attribute.NewSet(set...)
}

// New makes the instruments. Look and Prometheus read them in any case. Nothing is sent before something has been counted, and no
// collector need be there.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Telemetry{looks: sdk.NewManualReader(), log: o.Log, delays: map[*Instrument]metric.Float64Histogram{}}
	otel.SetErrorHandler(&troubles{log: o.Log})
	otel.SetLogger(logr.FromSlogHandler(o.Log.Handler()))
	about, err := o.resource(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.openTraces(ctx, &o, about); err != nil {
		return nil, fmt.Errorf("make traces: %w", err)
	}
	if err := t.openMetrics(ctx, &o, about); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return t, t.instruments(&o)
}

// resource says whose telemetry it is. The environment may say more, and another name: OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME.
func (o *Options) resource(ctx context.Context) (*resource.Resource, error) {
	ours := []attribute.KeyValue{serviceName.String(scope), serviceVersion.String(o.Version)}
	if o.Instance != "" {
		ours = append(ours, semconv.ServiceInstanceID(o.Instance))
	}
	r, err := resource.New(ctx, resource.WithAttributes(ours...), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return resource.NewWithAttributes(Schema, r.Attributes()...), nil
}

func (t *Telemetry) courier(what string) *courier {
	c := &courier{what: what, log: t.log}
	t.couriers = append(t.couriers, c)
	return c
}

func (t *Telemetry) openMetrics(ctx context.Context, o *Options, about *resource.Resource) error {
	scrapes, err := t.registry()
	if err != nil {
		return err
	}
	options := []sdk.Option{sdk.WithResource(about), sdk.WithCardinalityLimit(mostSeries)}
	for _, r := range append([]sdk.Reader{t.looks, scrapes}, o.Readers...) {
		options = append(options, sdk.WithReader(r))
	}
	if o.OTLP.sendsMetrics() {
		to, err := o.OTLP.metrics(ctx)
		if err != nil {
			return err
		}
		every := []sdk.PeriodicReaderOption{sdk.WithTimeout(o.OTLP.within())}
		if o.OTLP.Every > 0 {
			every = append(every, sdk.WithInterval(o.OTLP.Every))
		}
		options = append(options, sdk.WithReader(sdk.NewPeriodicReader(metricsCourier{to, t.courier("metrics")}, every...)))
	}
	t.metrics = sdk.NewMeterProvider(options...)
	return nil
}

func (t *Telemetry) openTraces(ctx context.Context, o *Options, about *resource.Resource) error {
	if !o.OTLP.sendsTraces() {
		return nil
	}
	to, err := o.OTLP.traces(ctx)
	if err != nil {
		return err
	}
	t.spans = &tracesCourier{SpanExporter: to, courier: t.courier("traces")}
	limits := sdktrace.NewSpanLimits()
	limits.LinkCountLimit = mostLinks
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(about), sdktrace.WithIDGenerator(generator{}), sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithSpanProcessor(bounded{sdktrace.NewBatchSpanProcessor(t.spans, sdktrace.WithBatchTimeout(queueFor), sdktrace.WithMaxQueueSize(2*mostWaiting),
			sdktrace.WithExportTimeout(o.OTLP.within())), t.spans})}
	if s := o.OTLP.Sample; s != nil {
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(*s))))
	}
	t.traces = sdktrace.NewTracerProvider(options...)
	t.tracer = t.traces.Tracer(scope, trace.WithInstrumentationVersion(o.Version), trace.WithSchemaURL(Schema))
	return nil
}

// instruments makes all instruments, and those of the runtime.
func (t *Telemetry) instruments(o *Options) error {
	meter := t.metrics.Meter(scope, metric.WithInstrumentationVersion(o.Version), metric.WithSchemaURL(Schema))
	made := map[*Instrument]metric.Int64Observable{}
	var watched []metric.Observable
	for _, i := range All {
		var err error
		if i.Kind == Histogram {
			t.delays[i], err = meter.Float64Histogram(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Text), metric.WithExplicitBucketBoundaries(Bounds...))
		} else if made[i], err = i.make(meter); err == nil {
			watched = append(watched, made[i])
		}
		if err != nil {
			return fmt.Errorf("make instrument %s: %w", i.Name, err)
		}
	}
	_, err := meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		all := &Observer{to, made}
		t.observe(all)
		o.Observe(all)
		return nil
	}, watched...)
	if err != nil {
		return fmt.Errorf("watch instruments: %w", err)
	}
	if err := runtime.Start(runtime.WithMeterProvider(t.metrics)); err != nil {
		return fmt.Errorf("watch the runtime: %w", err)
	}
	return nil
}

// observe tells of telemetry itself.
func (t *Telemetry) observe(o *Observer) {
	o.Observe(Crowded, t.crowded.Load())
	for _, c := range t.couriers {
		o.Observe(Exports, c.sent.Load(), c.what)
		o.Observe(ExportsFailed, c.failed.Load(), c.what)
	}
	if t.spans != nil {
		o.Observe(SpansSent, t.spans.spans.Load())
		o.Observe(SpansLost, t.spans.lost.Load())
	}
}

func (i *Instrument) make(m metric.Meter) (metric.Int64Observable, error) {
	unit, text := metric.WithUnit(i.Unit), metric.WithDescription(i.Text)
	switch i.Kind {
	case Counter:
		return m.Int64ObservableCounter(i.Name, unit, text)
	case Sum:
		return m.Int64ObservableUpDownCounter(i.Name, unit, text)
	}
	return m.Int64ObservableGauge(i.Name, unit, text)
}

// Delay notes a time in a histogram. There are as many labels as the instrument has keys.
func (t *Telemetry) Delay(ctx context.Context, i *Instrument, d time.Duration, labels ...string) {
	t.delays[i].Record(ctx, max(0, d).Seconds(), metric.WithAttributeSet(i.series(labels)))
}

// Close sends what has not been sent, and ends the readers. It takes no longer than ctx lives, whatever the collector does.
func (t *Telemetry) Close(ctx context.Context) error {
	return within(ctx, func(ctx context.Context) error {
		var err error
		if t.traces != nil {
			err = t.traces.Shutdown(ctx)
		}
		return errors.Join(err, t.metrics.Shutdown(ctx))
	})
}
