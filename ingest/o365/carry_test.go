package o365_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/o365"
	"noroshi/internal/bus"
	"noroshi/internal/o365test"
)

// records is a blob of so many records, numbered from a number on.
func records(from, n int) []byte {
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"Id":"r-%d","Operation":"Send"}`, from+i)
	}
	b.WriteByte(']')
	return []byte(b.String())
}

// carrier carries a stream; each piece becomes one record for each of its records.
func carrier(t *testing.T, c o365.Config, b *bus.Bus, counts *feed.Counts) (*feed.Feed, *o365.Stream) {
	t.Helper()
	s, err := o365.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &feed.Feed{Stream: s, Bus: b, Counts: counts, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Prepare: func(partition int32) feed.Prepare { return prepare },
		Missed:  func(int32, feed.Gap) []bus.Record { t.Error("messages are said to be missed"); return nil },
		TooLarge: func(r bus.Record, _ error) (bus.Record, bool) {
			t.Error("a record is said to be too large")
			return r, false
		},
		Room: func(context.Context) error { return nil }}, s
}

func prepare(to []bus.Record, m feed.Message, tally *feed.Tally) []bus.Record {
	if m.Lost != "" {
		to = append(to, bus.Record{Topic: bus.Alerts, Key: []byte("k"), Value: []byte(m.Lost)})
		tally.Missed()
	}
	if m.Refused != nil {
		tally.Letter(m.Refused.Reason)
		return append(to, bus.Record{Topic: bus.DeadLetters, Key: []byte("k"), Value: []byte(m.Part + ": " + m.Refused.Reason + ": " + m.Refused.Detail + ": " + string(m.Body))})
	}
	for _, r := range strings.Split(strings.Trim(string(m.Body), "[]"), "},{") {
		id, _, _ := strings.Cut(r, `","`)
		_, id, _ = strings.Cut(id, `"Id":"`)
		tally.Record(feed.Dataset{Name: "test"}, time.Time{}, time.Time{})
		to = append(to, bus.Record{Topic: bus.Events, Key: []byte("k"), Value: []byte(id)})
	}
	return to
}

// lie are what lies on a topic that readers see.
func lie(t *testing.T, b *bus.Bus, topic bus.Topic) (all []string) {
	t.Helper()
	if err := b.All(t.Context(), topic, func(r bus.Record) error {
		if r.Header("schema") == "" {
			all = append(all, string(r.Value))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// carriedUntil carries until done says so.
func carriedUntil(t *testing.T, f *feed.Feed, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx, context.WithoutCancel(ctx))
	}()
	for ctx.Err() == nil && !done() {
		time.Sleep(20 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Errorf("it does not come to it that %s; counted are %+v", what, f.Counts.Snapshot())
	}
	cancel()
	<-ended
}

// once says what is missing or there twice of so many records.
func once(t *testing.T, all []string, n int) {
	t.Helper()
	times := map[string]int{}
	for _, id := range all {
		times[id]++
	}
	wrong := 0
	for i := range n {
		if k := times[fmt.Sprint("r-", i)]; k != 1 && wrong < 5 {
			wrong++
			t.Errorf("record %d is there %d times", i, k)
		}
	}
	if len(all) != n {
		t.Errorf("%d records, expected %d", len(all), n)
	}
}

var exchange = o365test.Exchange
