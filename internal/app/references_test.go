package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
	"noroshi/sinks"
)

// TestWhatIsReadOfResultsStaysRead: a topic that takes longer to read than one attempt may is read in several.
func TestWhatIsReadOfResultsStaysRead(t *testing.T) {
	b := kafkatest.Start(t, 2)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	write := func(ref string, alerts ...string) {
		t.Helper()
		for _, id := range alerts {
			value, err := json.Marshal(sinks.Result{Sink: "soc", Alert: id, Ref: ref})
			if err == nil {
				err = w.Write(t.Context(), []bus.Record{{Topic: bus.DeliveryResults, Key: []byte(id), Value: value}})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	write("C1/1", "a-1", "a-2", "a-3", "a-4")
	next, read := map[int32]int64{}, 0
	for err = nil; read < 4; {
		ctx, stop := context.WithCancel(t.Context())
		err = b.Since(ctx, bus.DeliveryResults, next, func(bus.Record) error {
			if read++; read == 2 {
				stop()
				return errors.New("it takes too long")
			}
			return nil
		})
		stop()
	}
	if err != nil || read != 5 { // the second was not done
		t.Errorf("%v, %d were read", err, read)
	}
	f := &references{bus: b, sink: "soc"}
	for _, row := range []struct{ alert, want string }{{"a-3", "C1/1"}, {"a-5", ""}} {
		if got, err := f.find(t.Context(), row.alert); err != nil || got != row.want {
			t.Errorf("%s: %q, %v", row.alert, got, err)
		}
	}
	write("C1/2", "a-5", "a-1")
	f.looked = time.Time{}
	if got, err := f.find(t.Context(), "a-5"); err != nil || got != "C1/2" || len(f.by) != 5 {
		t.Errorf("%q, %v, %v", got, err, f.by)
	}
	total := int64(0)
	for _, n := range f.next {
		total += n
	}
	if total != 6 {
		t.Errorf("read to %s, of 6 results", fmt.Sprint(f.next))
	}
}
