package bus

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A commit waits while the group shares out its partitions. Where that takes longer than there is time, it says so.
func TestACommitSaysThatItsGroupWaits(t *testing.T) {
	bothWays(t, func(t *testing.T, exactly bool) {
		e, b := start(t, t.TempDir(), 1<<30)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		taken := make(chan Stored, 10)
		f, err := b.Flow(Step{Topic: Events, Group: "shift", State: DetectorState, Instance: "shift-0", Exactly: exactly,
			Take: func(_ context.Context, _ int32, stored Stored) error { taken <- stored; return nil }, Left: func([]int32) {}})
		if err != nil {
			t.Fatal(err)
		}
		joins, over := make(chan struct{}), make(chan struct{})
		defer func() { close(over); f.Leave(ctx) }()
		poll := func() []Record {
			within, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			all, err := f.Poll(within, 10)
			if ctx.Err() != nil || err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			return all
		}
		for len(taken) < 4 {
			poll()
		}
		e.cluster.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
			close(joins)
			e.cluster.SleepControl(func() { <-over })
			return nil, nil, false
		})
		e.cluster.ControlKey(int16(kmsg.DescribeGroups), func(req kmsg.Request) (kmsg.Response, error, bool) {
			answer := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
			answer.Groups = []kmsg.DescribeGroupsResponseGroup{{Group: "test.shift", State: "PreparingRebalance", ProtocolType: "consumer",
				Members: make([]kmsg.DescribeGroupsResponseGroupMember, 3)}}
			return answer, nil, true
		})
		f.reader.client.ForceRebalance()
		for waiting := true; waiting; {
			poll()
			select {
			case <-joins:
				waiting = false
			default:
			}
		}
		write(t, b, Record{Topic: Events, Key: []byte("k"), Value: []byte("record")})
		for len(poll()) == 0 {
			continue
		}
		within, stop := context.WithTimeout(ctx, 300*time.Millisecond)
		defer stop()
		stored, err := f.Commit(within, nil)
		if stored || err == nil || !strings.Contains(err.Error(), "group test.shift is sharing out its partitions and waits for one of its 3 members") {
			t.Errorf("stored %t: %v", stored, err)
		}
	})
}
