// Package telemetry gives what is counted to readers of OpenTelemetry.
//
// The instruments are asynchronous. Whoever counts keeps plain numbers of its own, and an observer hands them over when a reader asks:
// counting on the way of a record costs one addition and no look-up of attributes, and a series that is not observed any more takes
// no memory. All instruments stand in one list, All; a series of theirs is named by labels, the values of the instrument's keys. These
// come from the configuration, the rules and our own words, never from a record, so that their number is bounded.
package telemetry

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// scope is the name of what counts.
const scope = "noroshi"

// mostSeries is how many series an instrument may have. Beyond them OpenTelemetry puts all into one, which is told as Overflow.
const mostSeries = 20_000

// Telemetry is the instruments of one process.
type Telemetry struct {
	provider *sdk.MeterProvider
	looks    *sdk.ManualReader
	scrapes  *prometheus.Registry
	log      *slog.Logger
}

// Options are what telemetry is made of. Version is that of the program. Observe hands over all that is counted: it is called for each
// look of each reader, one call at a time for each of them. Log takes what goes wrong with telemetry itself.
type Options struct {
	Version string
	Observe func(o *Observer)
	Log     *slog.Logger // nil: nobody listens
	Readers []sdk.Reader // beside those that there are in any case
}

// Observer takes what is counted.
type Observer struct {
	to  metric.Observer
	all map[string]metric.Int64Observable
}

// Observe gives the value of a series. There are as many labels as the instrument has keys.
func (o *Observer) Observe(i *Instrument, value int64, labels ...string) {
	set := make([]attribute.KeyValue, len(i.Keys))
	for n, key := range i.Keys {
		set[n] = attribute.String(string(key), labels[n])
	}
	o.to.ObserveInt64(o.all[i.Name], value, metric.WithAttributeSet(attribute.NewSet(set...)))
}

// New makes the instruments. Look and Prometheus read them in any case.
func New(o Options) (*Telemetry, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Telemetry{looks: sdk.NewManualReader(), log: o.Log}
	scrapes, err := t.registry()
	if err != nil {
		return nil, err
	}
	about := resource.NewWithAttributes(Schema, serviceName.String(scope), serviceVersion.String(o.Version))
	options := []sdk.Option{sdk.WithResource(about), sdk.WithCardinalityLimit(mostSeries)}
	for _, r := range append([]sdk.Reader{t.looks, scrapes}, o.Readers...) {
		options = append(options, sdk.WithReader(r))
	}
	t.provider = sdk.NewMeterProvider(options...)
	meter := t.provider.Meter(scope, metric.WithInstrumentationVersion(o.Version), metric.WithSchemaURL(Schema))
	made := map[string]metric.Int64Observable{}
	var watched []metric.Observable
	for _, i := range All {
		one, err := i.make(meter)
		if err != nil {
			return nil, fmt.Errorf("make instrument %s: %w", i.Name, err)
		}
		made[i.Name] = one
		watched = append(watched, one)
	}
	_, err = meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		o.Observe(&Observer{to, made})
		return nil
	}, watched...)
	if err != nil {
		return nil, fmt.Errorf("watch instruments: %w", err)
	}
	return t, nil
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

// Close ends the readers; what they have not sent they may send until ctx ends.
func (t *Telemetry) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }
