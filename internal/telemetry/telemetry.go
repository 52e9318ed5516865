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
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
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

// New makes the instruments. Observe is called for each look of each reader, one call at a time for each of them; Look is a reader
// that is there in any case, exporters are others.
func New(version string, observe func(o *Observer), readers ...sdk.Reader) (*Telemetry, error) {
	t := &Telemetry{looks: sdk.NewManualReader()}
	about := resource.NewWithAttributes(Schema, serviceName.String(scope), serviceVersion.String(version))
	options := []sdk.Option{sdk.WithResource(about), sdk.WithCardinalityLimit(mostSeries), sdk.WithReader(t.looks)}
	for _, r := range readers {
		options = append(options, sdk.WithReader(r))
	}
	t.provider = sdk.NewMeterProvider(options...)
	meter := t.provider.Meter(scope, metric.WithInstrumentationVersion(version), metric.WithSchemaURL(Schema))
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
	_, err := meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		observe(&Observer{to, made})
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

// Look is what all instruments say at one moment.
type Look struct {
	series map[string][]Series
	// Overflow are the instruments that have more series than they may.
	Overflow []string
}

// Series is one series of an instrument.
type Series struct {
	Labels []string // the values of the instrument's keys
	Value  int64
}

// Look observes all instruments.
func (t *Telemetry) Look(ctx context.Context) (*Look, error) {
	var got metricdata.ResourceMetrics
	if err := t.looks.Collect(ctx, &got); err != nil {
		return nil, fmt.Errorf("look at instruments: %w", err)
	}
	l := &Look{series: map[string][]Series{}}
	for _, s := range got.ScopeMetrics {
		for _, m := range s.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				l.add(m.Name, d.DataPoints)
			case metricdata.Gauge[int64]:
				l.add(m.Name, d.DataPoints)
			}
		}
	}
	return l, nil
}

func (l *Look) add(name string, points []metricdata.DataPoint[int64]) {
	at := slices.IndexFunc(All, func(i *Instrument) bool { return i.Name == name })
	for _, p := range points {
		if _, over := p.Attributes.Value(overflow); over {
			l.Overflow = append(l.Overflow, name)
			continue
		}
		s := Series{Value: p.Value, Labels: make([]string, len(All[at].Keys))}
		for n, key := range All[at].Keys {
			v, _ := p.Attributes.Value(key)
			s.Labels[n] = v.AsString()
		}
		l.series[name] = append(l.series[name], s)
	}
	slices.SortFunc(l.series[name], func(a, b Series) int { return slices.Compare(a.Labels, b.Labels) })
}

// Series are the series of an instrument, by their labels.
func (l *Look) Series(i *Instrument) []Series { return l.series[i.Name] }

// Value is the value of an instrument without keys. It reports whether the instrument says anything.
func (l *Look) Value(i *Instrument) (value int64, known bool) {
	for _, s := range l.series[i.Name] {
		return s.Value, true
	}
	return 0, false
}
