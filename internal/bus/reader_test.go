package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestPollEndsAlsoWhilePartitionsMove and the commit before that is not answered. The client itself gives it up after half a minute.
func TestPollEndsAlsoWhilePartitionsMove(t *testing.T) {
	e, b := start(t, t.TempDir(), 1<<30)
	var all []Record
	for i := range 100 {
		all = append(all, Record{Topic: Events, Key: fmt.Append(nil, i), Value: []byte("x")})
	}
	write(t, b, all...)
	var read atomic.Int64
	poll := func(ctx context.Context) chan error {
		r, err := b.Reader(Member{Topic: Events, Group: "g"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		ended := make(chan error, 1)
		go func() {
			for {
				got, err := r.Poll(ctx, 1000)
				if err != nil {
					ended <- err
					return
				}
				read.Add(int64(len(got)))
			}
		}()
		return ended
	}
	asked, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	var once sync.Once
	e.cluster.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		e.cluster.KeepControl()
		once.Do(func() { close(asked) })
		e.cluster.SleepControl(func() { <-release })
		return nil, nil, false
	})
	ctx, stop := context.WithCancel(t.Context())
	first := poll(ctx)
	for deadline := time.Now().Add(time.Minute); read.Load() < int64(len(all)); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d records are read", read.Load())
		}
	}
	poll(ctx)
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("nothing is committed before partitions move")
	}
	stop()
	select {
	case err := <-first:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(moveWithin + 15*time.Second):
		t.Fatal("Poll does not end")
	}
}
