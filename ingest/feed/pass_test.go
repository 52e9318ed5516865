package feed

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// unread is a stream of which nothing is to be read. It does not survive being opened.
type unread struct{ Stream }

func (unread) Name() string     { return "unread" }
func (unread) Reads(int32) bool { return false }

// A partition that is not configured is not opened and not counted, and no other waits for it. How far it has come is told: what it has shown
// when it was configured would stop clocks.
func TestAPartitionThatIsNotConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &Feed{Stream: unread{}, Counts: &Counts{}, Now: time.Now, pauses: &usualPauses}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			f.carry(ctx, ctx, 4)
		}()
		time.Sleep(10 * time.Minute)
		told := f.Counts.Progress(time.Now())
		if len(told) != 1 || told[0].Partition != 4 || time.Since(told[0].At) > clocksDiffer+usualPauses.look {
			t.Errorf("it tells %+v", told)
		}
		if all := f.Counts.Snapshot(); len(all) > 0 {
			t.Errorf("counted are %+v", all)
		}
		old := time.Now().Add(-time.Hour)
		if f.pace.next(0, old, time.Now()); !f.pace.may(0, time.Now()) {
			t.Error("another partition waits for it")
		}
		cancel()
		<-ended
	})
}
