package feed_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// scripted is a stream of one batch of messages, of which the first were deleted.
type scripted struct {
	first    int64
	last     int64
	messages []feed.Message
	sparse   bool
	state    func() // runs while the state is asked for
}

func (*scripted) Name() string                            { return "scripted" }
func (s *scripted) Dense() bool                           { return !s.sparse }
func (*scripted) Partitions(context.Context) (int, error) { return 1, nil }
func (s *scripted) State(context.Context, int32) (feed.State, error) {
	if s.state != nil {
		defer s.state()
	}
	return feed.State{First: s.first, Last: s.last}, nil
}

func (s *scripted) Open(_ context.Context, _ int32, after *feed.Position) (feed.Cursor, error) {
	c := &batch{}
	for _, m := range s.messages {
		if after == nil || m.Sequence > after.Sequence {
			c.messages = append(c.messages, m)
		}
	}
	return c, nil
}

type batch struct{ messages []feed.Message }

func (c *batch) Next(ctx context.Context) ([]feed.Message, error) {
	if len(c.messages) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	all := c.messages
	c.messages = nil
	return all, nil
}

func (*batch) Close(context.Context) {}

func message(sequence int64) feed.Message {
	return feed.Message{Position: feed.Position{Sequence: sequence}, Body: fmt.Append(nil, sequence)}
}

// during does something until done says so.
func during(t *testing.T, f *feed.Feed, do func(ctx context.Context), done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do(ctx)
	}()
	for look := time.Tick(5 * time.Millisecond); ctx.Err() == nil && !done(); <-look {
	}
	if ctx.Err() != nil {
		t.Errorf("it never comes to it; counted are %+v", f.Counts.Snapshot())
	}
	cancel()
	<-ended
}

// carry carries partition 0, and run all of them, until done says so.
func carry(t *testing.T, f *feed.Feed, done func() bool) {
	t.Helper()
	during(t, f, func(ctx context.Context) { f.Carry(ctx, 0) }, done)
}

func run(t *testing.T, f *feed.Feed, done func() bool) {
	t.Helper()
	f.Quick()
	during(t, f, func(ctx context.Context) { f.Run(ctx, context.WithoutCancel(ctx)) }, done)
}

// carriedUntil carries a scripted stream until so many messages are stored, and gives what lies on the topic events.
func carriedUntil(t *testing.T, b *bus.Bus, f *feed.Feed, messages int64) (stored []string) {
	t.Helper()
	if err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("scripted"), 1); err != nil {
		t.Fatal(err)
	}
	carry(t, f, func() bool { s := f.Counts.Snapshot(); return len(s) > 0 && s[0].Messages >= messages })
	if err := b.All(t.Context(), bus.Events, func(r bus.Record) error { stored = append(stored, string(r.Value)); return nil }); err != nil {
		t.Fatal(err)
	}
	return stored
}

func one(to []bus.Record, m feed.Message, t *feed.Tally) []bus.Record {
	t.Record(feed.Dataset{Name: "test"}, time.Time{}, time.Time{})
	return append(to, bus.Record{Topic: bus.Events, Key: []byte("k"), Value: m.Body})
}

func scriptedFeed(b *bus.Bus, s *scripted, prepare feed.Prepare) *feed.Feed {
	return &feed.Feed{Stream: s, Bus: b, Counts: &feed.Counts{}, Log: slog.New(slog.DiscardHandler), Room: func(context.Context) error { return nil }, Prepare: func(int32) feed.Prepare { return prepare },
		Missed: func(_ int32, g feed.Gap) []bus.Record {
			return []bus.Record{{Topic: bus.Events, Key: []byte("k"), Value: fmt.Appendf(nil, "missed %d-%d", g.From, g.To)}}
		},
		TooLarge: func(r bus.Record, _ error) (bus.Record, bool) { r.Value = []byte("large"); return r, true }}
}

// A gap is told where it lies, once, also when transactions fail before. Numbers that a sparse stream leaves out by itself are none;
// a dense one is asked a second time.
func TestGapsAreToldOnce(t *testing.T) {
	for want, sparse := range map[string]bool{"0, 1, missed 2-49, 50, 53": true, "0, 1, missed 2-49, 50, missed 51-52, 53, missed 54-54, 55": false} {
		b := kafkatest.Start(t, 1)
		s := &scripted{first: 50, last: 53, sparse: sparse, messages: []feed.Message{message(0), message(1), message(50), message(53)}}
		if !sparse {
			s.messages = append(s.messages, message(55))
		}
		f := scriptedFeed(b, s, one)
		failures := 3
		f.Abandon(func() bool { failures--; return failures >= 0 })
		if got := strings.Join(carriedUntil(t, b, f, int64(len(s.messages))), ", "); got != want {
			t.Errorf("stored are %s; wanted %s", got, want)
		}
		c := f.Counts.Snapshot()[0]
		if missed, doubts := map[bool]int64{true: 48, false: 51}[sparse], map[bool]int64{true: 0, false: 2}[sparse]; c.Missed != missed || c.Records != int64(len(s.messages)) || c.Messages != c.Records || c.Aborted == 0 || c.Restarts["stream"] != doubts {
			t.Errorf("counted are %+v", c)
		}
	}
}

// Marks are no messages, and their numbers are stored as positions all the same.
func TestMarksArePassed(t *testing.T) {
	b := kafkatest.Start(t, 1)
	mark := func(n int64) feed.Message {
		return feed.Message{Position: feed.Position{Sequence: n}, Body: []byte("mark"), Mark: true}
	}
	s := &scripted{last: 4, sparse: true, messages: []feed.Message{mark(0), message(1), mark(2), message(3), mark(4)}}
	f := scriptedFeed(b, s, one)
	f.Abandon(func() bool { return false })
	got := strings.Join(carriedUntil(t, b, f, 2), ", ")
	at, err := b.Checkpoint(t.Context(), bus.CheckpointsOf("scripted"), 0)
	if c := f.Counts.Snapshot()[0]; got != "1, 3" || !strings.HasPrefix(string(at), `{"seq":4,`) || err != nil || c.Messages != 2 || c.Lag() != 0 {
		t.Errorf("stored are %s, the position is %s, %v, counted are %+v", got, at, err, c)
	}
}

// What is stored is not held.
func TestStoredMessagesAreNotHeld(t *testing.T) {
	b := kafkatest.Start(t, 1)
	s := &scripted{last: 99}
	var held atomic.Int32
	for i := range int64(100) {
		m := message(i)
		m.Body = append(make([]byte, 0, 10_000), m.Body...)
		held.Add(1)
		runtime.AddCleanup(&m.Body[0], func(int) { held.Add(-1) }, 0)
		s.messages = append(s.messages, m)
	}
	f := scriptedFeed(b, nil, one)
	f.Stream = &givenAway{s}
	f.Abandon(func() bool { return false })
	if err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("scripted"), 1); err != nil {
		t.Fatal(err)
	}
	carry(t, f, func() bool {
		runtime.GC()
		c := f.Counts.Snapshot()
		return len(c) > 0 && c[0].Messages == 100 && held.Load() < 5
	})
}

// givenAway gives its messages away.
type givenAway struct{ *scripted }

func (o *givenAway) Open(context.Context, int32, *feed.Position) (feed.Cursor, error) {
	c := &batch{messages: o.messages}
	o.messages = nil
	return c, nil
}

// A record that Kafka will never take does not double its neighbours, with transactions and without; one of which nothing is left
// holds up its partition, and says so.
func TestARecordTooLargeDoublesNobody(t *testing.T) {
	for _, atLeastOnce := range []bool{false, true} {
		b := kafkatest.Start(t, 1)
		s := &scripted{last: 3, messages: []feed.Message{message(0), message(1), message(2), message(3)}}
		f := scriptedFeed(b, s, func(to []bus.Record, m feed.Message, t *feed.Tally) []bus.Record {
			to = one(to, m, t)
			if m.Sequence%3 > 0 {
				to[len(to)-1].Value = make([]byte, 16<<20)
			}
			return to
		})
		f.AtLeastOnce = atLeastOnce
		f.Abandon(func() bool { return false })
		got := carriedUntil(t, b, f, 4)
		slices.Sort(got)
		if c := f.Counts.Snapshot()[0]; strings.Join(got, ", ") != "0, 3, large, large" || c.Letters["size"] != 2 || c.Records != 2 || c.Messages != 4 {
			t.Errorf("at least once %t: stored are %.100q, counted are %+v", atLeastOnce, got, c)
		}
		f.TooLarge = func(r bus.Record, _ error) (bus.Record, bool) { return r, false }
		s.messages = append(s.messages, message(4))
		carry(t, f, func() bool { return f.Counts.Snapshot()[0].Restarts["kafka"] >= 2 })
		if c := f.Counts.Snapshot()[0]; c.Messages != 4 {
			t.Errorf("at least once %t: counted are %+v", atLeastOnce, c)
		}
	}
}

// A time that no text can hold does not hold up its message.
func TestATimeOutOfRangeIsLeftOut(t *testing.T) {
	b := kafkatest.Start(t, 1)
	s := &scripted{messages: []feed.Message{message(0)}}
	s.messages[0].Enqueued = time.UnixMilli(math.MaxInt64)
	f := scriptedFeed(b, s, one)
	f.Abandon(func() bool { return false })
	carriedUntil(t, b, f, 1)
	if at, err := b.Checkpoint(t.Context(), bus.CheckpointsOf("scripted"), 0); !strings.HasPrefix(string(at), `{"seq":0`) || err != nil {
		t.Errorf("the position is %s, %v", at, err)
	}
}

// What messages become bounds a transaction, too.
func TestATransactionIsBoundedByItsRecords(t *testing.T) {
	b := kafkatest.Start(t, 1)
	s := &scripted{last: 5}
	for i := range int64(6) {
		s.messages = append(s.messages, message(i))
	}
	most := 0
	f := scriptedFeed(b, s, func(to []bus.Record, m feed.Message, t *feed.Tally) []bus.Record {
		for range 6000 {
			to = one(to, m, t)
		}
		most = max(most, len(to))
		return to
	})
	f.Abandon(func() bool { return false })
	if got := carriedUntil(t, b, f, 6); len(got) != 36_000 || most > 12_000 {
		t.Errorf("%d records, %d in one transaction", len(got), most)
	}
}

// A stream whose answer is slow has not been made anew: what is stored while it answers is newer than the answer.
func TestASlowAnswerIsNoStreamMadeAnew(t *testing.T) {
	b := kafkatest.Start(t, 1)
	var log bytes.Buffer
	stored, answered := make(chan struct{}), make(chan struct{})
	s := &scripted{last: 1}
	f := scriptedFeed(b, s, one)
	s.messages = []feed.Message{message(0), message(1), message(2)}
	first := true
	s.state = func() {
		if first {
			first = false
			<-stored
			close(answered)
		}
	}
	f.Log = slog.New(slog.NewTextHandler(&log, nil))
	f.Abandon(func() bool { return false })
	go func() {
		for look := time.Tick(time.Millisecond); ; <-look {
			if c := f.Counts.Snapshot(); len(c) > 0 && c[0].Messages == 3 || t.Context().Err() != nil {
				close(stored)
				return
			}
		}
	}()
	carriedUntil(t, b, f, 3)
	<-answered
	if strings.Contains(log.String(), "made anew") {
		t.Error(log.String())
	}
}

// widening is a stream that gets a second partition, with messages in it, while it is carried.
type widening struct{ partitions, opened atomic.Int32 }

func (*widening) Name() string                              { return "widening" }
func (*widening) Dense() bool                               { return true }
func (w *widening) Partitions(context.Context) (int, error) { return int(w.partitions.Load()), nil }
func (*widening) State(context.Context, int32) (feed.State, error) {
	return feed.State{First: 0, Last: 1}, nil
}
func (w *widening) Open(ctx context.Context, partition int32, after *feed.Position) (feed.Cursor, error) {
	s := &scripted{messages: []feed.Message{message(0), message(1)}}
	w.opened.Add(1)
	return s.Open(ctx, partition, after)
}

// A partition that a stream gets later is carried from its oldest message, without a restart, also where the first start began at
// the end.
func TestAPartitionThatComesLaterIsCarriedWhole(t *testing.T) {
	b := kafkatest.Start(t, 1)
	w := &widening{}
	w.partitions.Store(1)
	f := scriptedFeed(b, nil, one)
	f.Stream, f.Latest = w, true
	run(t, f, func() bool {
		if w.opened.Load() > 0 {
			w.partitions.Store(2)
		}
		s := f.Counts.Snapshot()
		return len(s) == 2 && s[1].Messages == 2
	})
	if s := f.Counts.Snapshot(); len(s) != 2 || s[0].Messages != 0 || s[1].Messages != 2 {
		t.Errorf("counted are %+v", s)
	}
	if n := f.Counts.Alike()["widening"]; n != 2 {
		t.Errorf("%d partitions are alike, expected 2", n)
	}
}
