package app

import (
	"context"
	"fmt"
	"testing"
	"time"

	"noroshi/internal/bus"
)

// A drill tells of its own alerts alone, also where a sink's answer is seen before the alert: heartbeats and other drills go on meanwhile.
func TestADrillTellsOfItselfAlone(t *testing.T) {
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	d := NewDrill("noroshi-drill", time.Now())
	f := newFollowing(d, []string{"soc", "pager"})
	told := func(alert, sink, outcome string) bus.Record {
		return bus.Record{Value: fmt.Appendf(nil, `{"sink":%q,"outcome":%q,"alert":%q,"drill":true}`, sink, outcome, alert)}
	}
	f.event(bus.Record{Value: d.Body})
	f.result(told("alrt_heartbeat", "soc", "filtered"))
	f.result(told("alrt_ours", "soc", "sent"))
	f.alert(bus.Record{Value: fmt.Appendf(nil, `{"id":"alrt_ours","rule":{"id":"r"},"evidence":[{"id":%q}]}`, d.ID)})
	f.result(told("alrt_heartbeat", "pager", "refused"))
	f.result(told("alrt_ours", "pager", "sent"))
	f.result(told("alrt_ours", "pager", "sent"))
	var got []string
	if err := f.Run(ctx, time.Now(), func(h Hop) { got = append(got, h.Hop+" "+h.Alert+" "+h.Sink) }); err != nil {
		t.Fatal(err)
	}
	want := []string{"stored  ", "found alrt_ours ", "told alrt_ours soc", "told alrt_ours pager"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it tells %q, expected %q", got, want)
	}
}
