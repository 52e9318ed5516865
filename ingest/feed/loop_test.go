package feed_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// anew is a stream that was made anew: whatever the position, it gives what it has from its first message on.
type anew struct{}

func (anew) Name() string                            { return "anew" }
func (anew) Dense() bool                             { return true }
func (anew) Partitions(context.Context) (int, error) { return 1, nil }
func (anew) State(context.Context, int32) (feed.State, error) {
	return feed.State{First: 0, Last: 0}, nil
}
func (a anew) Open(context.Context, int32, *feed.Position) (feed.Cursor, error) {
	return &single{}, nil
}

type single struct{ given bool }

func (c *single) Next(ctx context.Context) ([]feed.Message, error) {
	if c.given {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c.given = true
	return []feed.Message{{Position: feed.Position{Sequence: 0}, Body: []byte("0")}}, nil
}

func (*single) Close(context.Context) {}

// A message that is stored is never stored again, whatever the stream gives.
func TestAStreamThatWasMadeAnewIsRefused(t *testing.T) {
	b := kafkatest.Start(t, 1)
	if err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("anew"), 1); err != nil {
		t.Fatal(err)
	}
	f := scriptedFeed(b, nil, one)
	f.Stream = anew{}
	f.Abandon(func() bool { return false })
	for _, restarts := range []int64{0, 1} {
		carry(t, f, func() bool {
			s := f.Counts.Snapshot()
			return len(s) > 0 && s[0].Messages == 1 && s[0].Restarts["denied"] >= restarts
		})
	}
	if s := f.Counts.Snapshot()[0]; s.Messages != 1 || s.Restarts["denied"] == 0 {
		t.Errorf("counted are %+v", s)
	}
	stored := 0
	if err := b.All(t.Context(), bus.Events, func(bus.Record) error { stored++; return nil }); err != nil || stored != 1 {
		t.Errorf("%d records are stored, %v", stored, err)
	}
}

// growing has messages before the first start, and one more each time a link breaks or a start fails.
type growing struct {
	partitions, breaks int
	last               int64
	fails              func(partition int32) bool // whether the state is not told
}

func (*growing) Name() string                              { return "scripted" }
func (*growing) Dense() bool                               { return true }
func (g *growing) Partitions(context.Context) (int, error) { return g.partitions, nil }
func (g *growing) State(_ context.Context, partition int32) (feed.State, error) {
	if g.fails != nil && g.fails(partition) {
		return feed.State{}, errors.New("the state is not told")
	}
	return feed.State{First: 0, Last: g.last}, nil
}

func (g *growing) Open(_ context.Context, _ int32, after *feed.Position) (feed.Cursor, error) {
	if after == nil {
		return nil, errors.New("a start at the end is asked for")
	}
	if g.breaks > 0 {
		g.breaks--
		g.last++
		return nil, errors.New("the link breaks")
	}
	c := &batch{}
	for n := after.Sequence + 1; n <= g.last; n++ {
		c.messages = append(c.messages, message(n))
	}
	return c, nil
}

// A first start at the end holds its place from then on, also when it has read nothing when the link breaks.
func TestAStartAtTheEndHoldsItsPlace(t *testing.T) {
	b := kafkatest.Start(t, 1)
	f := scriptedFeed(b, nil, one)
	f.Stream, f.Latest = &growing{partitions: 1, last: 6, breaks: 2}, true
	f.Abandon(func() bool { return false })
	run(t, f, func() bool { s := f.Counts.Snapshot(); return len(s) > 0 && s[0].Messages == 2 })
	var stored []string
	if err := b.All(t.Context(), bus.Events, func(r bus.Record) error { stored = append(stored, string(r.Value)); return nil }); err != nil || !slices.Equal(stored, []string{"7", "8"}) {
		t.Errorf("stored are %q, %v; there were six before the first start", stored, err)
	}
}

// A first start at the end that dies at any of its steps, three for each partition, loses and doubles nothing: what it has come to it
// keeps, and what the stream gets when it is over is new.
func TestAStartAtTheEndDiesAnywhere(t *testing.T) {
	const partitions, grown = 3, 5
	positions := bus.CheckpointsOf("scripted")
	for dies := range int64(3*partitions + 1) {
		b := kafkatest.Start(t, 1)
		var step atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		die := func() bool {
			if step.Add(1) != dies+1 {
				return false
			}
			cancel()
			return true
		}
		f := scriptedFeed(b, nil, one)
		g := &growing{partitions: partitions, last: 6, fails: func(int32) bool { return die() }}
		f.Stream, f.Latest = g, true
		f.Abandon(die)
		f.Quick()
		f.Run(ctx, context.WithoutCancel(ctx))
		want, over := int64(0), false
		for p := range int32(partitions) {
			at, err := b.Checkpoint(t.Context(), positions, p)
			if err != nil {
				t.Fatal(err)
			}
			if at != nil {
				want++
			}
			over = over || p == 0 && at != nil
		}
		// All partitions have got message 7, and new ones have had seven before.
		g.partitions, g.last, g.fails = grown, 7, nil
		if over {
			want += (grown - partitions) * (g.last + 1)
		}
		if dies%2 == 0 { // the second start had come as far as to make its topic larger
			if err := b.EnsureCheckpoints(t.Context(), positions, grown); err != nil {
				t.Fatal(err)
			}
		}
		f = scriptedFeed(b, nil, one)
		f.Stream, f.Latest = g, true
		run(t, f, func() bool {
			n := int64(0)
			all := f.Counts.Snapshot()
			for _, s := range all {
				n += s.Messages
			}
			return len(all) == grown && n == want
		})
		for p := range int32(grown) {
			if at, err := b.Checkpoint(t.Context(), positions, p); !strings.HasPrefix(string(at), `{"seq":7,`) && string(at) != `{"seq":7}` || err != nil {
				t.Errorf("it died at step %d, and partition %d is at %s, %v", dies, p, at, err)
			}
		}
	}
}
