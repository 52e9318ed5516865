package feed_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// smaller is a stream that has as many partitions as it is told to have.
type smaller struct {
	growing
	now atomic.Int64
}

func (s *smaller) Partitions(context.Context) (int, error) { return int(s.now.Load()), nil }

// locked is a text that is written and read at the same time.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestAStreamThatCannotBeCarriedEndsNothingElse: it is told once, it is a fault of the source, and carried when that is over.
func TestAStreamThatCannotBeCarriedEndsNothingElse(t *testing.T) {
	b := kafkatest.Start(t, 1)
	if err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("scripted"), 3); err != nil {
		t.Fatal(err)
	}
	f := scriptedFeed(b, nil, one)
	s, log := &smaller{growing: growing{last: 6}}, &locked{}
	s.now.Store(2)
	f.Stream, f.Latest, f.Log = s, true, slog.New(slog.NewTextHandler(log, nil))
	f.Abandon(func() bool { return false })
	failed := false
	run(t, f, func() bool {
		err := f.Counts.Fault("scripted")
		if failed = failed || err != nil && strings.Contains(err.Error(), "made anew"); failed {
			s.now.Store(3)
		}
		return failed && err == nil && len(f.Counts.Snapshot()) == 3
	})
	if n := strings.Count(log.String(), "source cannot be carried"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log)
	}
}
