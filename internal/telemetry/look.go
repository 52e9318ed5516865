package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

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
	if t.crowded.Swap(int64(len(l.Overflow))) == 0 && len(l.Overflow) > 0 {
		t.log.Warn("instruments have more series than they may; what is beyond is one series", slog.String("code", CodeCrowded),
			slog.Any("instruments", l.Overflow), slog.Int("series", mostSeries))
	}
	return l, nil
}

// CodeCrowded is the code of the line in the log which says that instruments have too many series.
const CodeCrowded = "telemetry-overflow"

func (l *Look) add(name string, points []metricdata.DataPoint[int64]) {
	at := slices.IndexFunc(All, func(i *Instrument) bool { return i.Name == name })
	if at < 0 {
		return // the runtime's
	}
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
