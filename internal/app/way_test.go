package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/telemetry"
)

// What a trace says of the way to an alert: of a stream, of a file, over signals, and where a clock has made it due.
func TestTheWayToAnAlert(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1e9+int64(s), 0).UTC() }
	a := &alert.Alert{ID: "alrt_A", Revision: 2, Severity: "high", Rule: alert.Rule{ID: "r"}, Time: at(0), Times: alert.Times{Evaluated: at(9)}}
	about := telemetry.Found{Alert: "alrt_A", Revision: 2, Rule: "r", Severity: "high", Happened: at(0), Evaluated: at(9), Offset: -1}
	with := func(change func(f *telemetry.Found)) telemetry.Found {
		f := about
		change(&f)
		return f
	}
	record := func(origin, enqueued string) *bus.Record {
		rec := &bus.Record{Partition: 2, Offset: 7, Timestamp: at(3), Headers: []bus.Header{{Key: "origin", Value: []byte(origin)}}}
		if enqueued != "" {
			rec.Headers = append(rec.Headers, bus.Header{Key: "enqueued", Value: []byte(enqueued)})
		}
		return rec
	}
	signal := func(topic byte, offset int64) *detector.Signal {
		return &detector.Signal{From: detector.Upstream{Topic: topic, Partition: 1}, At: detector.Place{Offset: offset, Written: at(1).UnixNano()}}
	}
	lies := func(f *telemetry.Found) { f.Partition, f.Offset, f.Stored = 2, 7, at(3) }
	for name, one := range map[string]struct {
		by   way
		want telemetry.Found
	}{
		"of a stream": {way{rec: record("audit/12@9#0", "2001-09-09T01:46:42.000Z")}, with(func(f *telemetry.Found) {
			lies(f)
			f.Enqueued, f.Message = at(2), telemetry.Message{Source: "audit", Partition: "12", Position: 9}
		})},
		"of a file":                 {way{rec: record("logs/taro@contoso.example.ndjson:7", "")}, with(lies)},
		"of another stream's name":  {way{rec: record("odd", "2001-09-09T01:46:42.000Z")}, with(func(f *telemetry.Found) { lies(f); f.Enqueued = at(2) })},
		"over signals":              {way{rec: record("", ""), signal: signal(detector.UpEvents, 5)}, with(func(f *telemetry.Found) { f.Partition, f.Offset, f.Stored, f.Signalled = 1, 5, at(1), at(3) })},
		"over signals of signals":   {way{rec: record("", ""), signal: signal(detector.UpSignals, 5)}, with(func(f *telemetry.Found) { f.Stored, f.Signalled = at(1), at(3) })},
		"a clock, and over signals": {way{rec: record("", ""), signal: signal(detector.UpEvents, -1)}, with(func(f *telemetry.Found) { f.Signalled = at(3) })},
		"a clock":                   {*byClock, about},
	} {
		got := one.by.found(a)
		if diff := cmp.Diff(one.want, *got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
