package replay

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestProgressIsTold: bytes of all inputs together, then hits, each up to the whole.
func TestProgressIsTold(t *testing.T) {
	r, _ := shipped(t)
	r.Now = time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	read, done, all, after := int64(0), -1, 0, false
	r.Progress = func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		if all > 0 {
			t.Error("reading is told behind applying")
		}
		read = max(read, n)
	}
	r.Applying = func(n, of int) {
		after = after || n < done
		done, all = n, of
	}
	text := strings.Join(exports(30_000), "\n")
	stats, err := r.Run(context.Background(), []Input{{Name: "a", From: strings.NewReader(text)}, {Name: "b", From: strings.NewReader(text)}})
	if err != nil {
		t.Fatal(err)
	}
	if read != int64(2*len(text)) {
		t.Errorf("%d bytes are told of %d", read, 2*len(text))
	}
	if hits := stats.Alerts; all < hits || done != (all-1)/reportEvery*reportEvery || after {
		t.Errorf("%d of %d hits are told", done, all)
	}
}
