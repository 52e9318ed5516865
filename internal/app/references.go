package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"noroshi/internal/bus"
	"noroshi/sinks"
)

// references are by what a destination knows alerts, as the topic of results tells it: those of other instances and of before the start
// too. They belong to the goroutine of their sink.
type references struct {
	bus    *bus.Bus
	sink   string
	by     map[string]string // alerts, and summaries
	next   map[int32]int64   // the topic has been read to there
	looked time.Time
}

const (
	lookAgain     = time.Minute      // at most so often is the topic read
	lookWithin    = 30 * time.Second // what is not read by then is read with the next attempt
	maxReferences = 200_000
)

// find gives the reference of an alert, "" where none is known.
func (f *references) find(ctx context.Context, alert string) (string, error) {
	if ref := f.by[alert]; ref != "" || time.Since(f.looked) < lookAgain {
		return ref, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	if f.by == nil {
		f.by, f.next = map[string]string{}, map[int32]int64{}
	}
	ours := fmt.Appendf(nil, `"sink":%q`, f.sink)
	err := f.bus.Since(ctx, bus.DeliveryResults, f.next, func(r bus.Record) error {
		if !bytes.Contains(r.Value, ours) || !bytes.Contains(r.Value, []byte(`"ref":`)) {
			return nil
		}
		var one sinks.Result
		if json.Unmarshal(r.Value, &one) != nil || one.Sink != f.sink || one.Ref == "" {
			return nil
		}
		if len(f.by) >= maxReferences {
			clear(f.by) // the newest are at the end
		}
		if one.Outcome == sinks.WasSummarised {
			f.by[one.Summary] = one.Ref
		} else {
			f.by[one.Alert] = one.Ref
		}
		return nil
	})
	if err != nil && !errors.Is(err, bus.ErrNoTopic) {
		return "", fmt.Errorf("read results of deliveries: %w", err)
	}
	f.looked = time.Now()
	return f.by[alert], nil
}
