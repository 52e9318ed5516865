package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"noroshi/ingest"
	"noroshi/internal/bus"
	"noroshi/internal/config"
)

// shelf stores batches, and answers with an error now and then: for some it stores them all the same.
type shelf struct {
	r      *rand.Rand
	events []string
	rows   map[string][]byte
	open   *shelfWriter
	asked  func() // before records are stored
}

type shelfWriter struct {
	shelf *shelf
	spent bool
}

var errShelf = errors.New("the broker went away")

func (w *shelfWriter) Positions(context.Context) (map[string][]byte, error) {
	if w.shelf.r.IntN(5) == 0 {
		w.spent = true
		return nil, errShelf
	}
	all := map[string][]byte{}
	for k, v := range w.shelf.rows {
		all[k] = v
	}
	return all, nil
}

func (w *shelfWriter) Write(_ context.Context, parts iter.Seq[[]bus.Record], _ func(*bus.TooLarge) ([]bus.Record, error)) error {
	if w.spent || w.shelf.open != w {
		panic("it is used after an error")
	}
	all := slices.Concat(slices.Collect(parts)...)
	w.shelf.asked()
	answer := w.shelf.r.IntN(4)
	if w.spent = answer < 2; answer == 0 {
		return errShelf
	}
	for _, r := range all {
		if r.Topic == bus.Checkpoints {
			w.shelf.rows[string(r.Key)] = r.Value
			continue
		}
		w.shelf.events = append(w.shelf.events, string(r.Value))
	}
	if w.spent {
		return errShelf
	}
	return nil
}

func (w *shelfWriter) Close(context.Context) { w.spent = true }

// TestABatchIsStoredOnce: also where the answer to its transaction was lost.
func TestABatchIsStoredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{r: rand.New(rand.NewPCG(1, 2)), rows: map[string][]byte{}}
		conf := config.Default()
		run := &Run{Config: conf, Log: slog.New(slog.DiscardHandler)}
		in := &intake{run: run, kafka: &kafka{}, identify: NewAgain(IdentityOptions(conf)).identify, open: func(context.Context) (batches, error) {
			if s.r.IntN(4) == 0 {
				return nil, errShelf
			}
			s.open = &shelfWriter{shelf: s}
			return s.open, nil
		}}
		stored := 0
		counted := func() int64 { return run.stored().records + run.stored().letters }
		s.asked = func() {
			if n := counted(); n != int64(stored) {
				t.Fatalf("%d records are counted, and %d are known to be stored", n, stored)
			}
		}
		for n := range 500 {
			b := ingest.Batch{Key: fmt.Sprint("file/1/", n%3), Position: fmt.Append(nil, n)}
			var want []string
			for i := range 1 + n%40/39*5*partRecords/2 { // most have one record, some are made in parts
				want = append(want, fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"%d/%d","Operation":"New-InboxRule","RecordType":1,"UserId":"taro@example.com","Workload":"Exchange"}`, n, i))
				b.Records = append(b.Records, ingest.Raw{Bytes: []byte(want[i]), File: "a", Line: i})
			}
			want = append(want, "no record")
			b.Refused = append(b.Refused, ingest.Refused{Bad: ingest.Bad{Reason: "json", Bytes: []byte("no record")}, File: "a"})
			if err := in.deliver(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if got := string(in.positions()[b.Key]); got != fmt.Sprint(n) || !slices.Equal(s.events[stored:], want) {
				t.Fatalf("after %d batches %d records are stored, the last position is %s", n+1, len(s.events), got)
			}
			stored += len(want)
		}
		if read, refused := run.ingested.records.Load(), run.ingested.refused.Load(); read+refused != int64(stored) || refused != 500 {
			t.Errorf("%d records are counted and %d refused of %d", read, refused, stored)
		}
		for n := range 50 { // of what is given up nothing is counted
			ctx, cancel := context.WithCancel(t.Context())
			s.asked = cancel
			b := ingest.Batch{Key: "file/1/0", Position: fmt.Append(nil, "last ", n), Refused: []ingest.Refused{{Bad: ingest.Bad{Reason: "json", Bytes: []byte("no record")}, File: "a"}}}
			if in.deliver(ctx, b) == nil {
				stored++
			}
			cancel()
		}
		if n := counted(); n != int64(stored) || stored == len(s.events) {
			t.Errorf("%d records are counted, and %d are known to be stored", n, stored)
		}
	})
}
