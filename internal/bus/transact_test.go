package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

var hub = bus.CheckpointsOf("contoso-audit")

func transactor(t *testing.T, b *bus.Bus, partition int32) *bus.Transactor {
	t.Helper()
	tx, err := b.Transactor(t.Context(), hub, partition, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Close(ended(t)) })
	return tx
}

// ended is a context with which a transactor is closed as if its process died.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func stage(t *testing.T, tx *bus.Transactor, position string, values ...string) {
	t.Helper()
	var all []bus.Record
	for _, v := range values {
		all = append(all, bus.Record{Topic: bus.Events, Key: []byte("taro@example.com"), Value: []byte(v)})
	}
	if err := tx.Stage(t.Context(), all, bus.Record{Key: []byte("position"), Value: []byte(position)}); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, tx *bus.Transactor) {
	t.Helper()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func seen(t *testing.T, b *bus.Bus) (all []string) {
	t.Helper()
	if err := b.All(t.Context(), bus.Events, func(r bus.Record) error {
		all = append(all, string(r.Value))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// long is longer than a test lasts.
const long = 10 * time.Minute

// await waits until records are seen, in any order. An Apache Kafka makes a transaction visible a little after it has answered.
func await(t *testing.T, b *bus.Bus, want ...string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		got := seen(t, b)
		slices.Sort(got)
		if slices.Equal(got, want) {
			return
		}
		if len(got) > len(want) || time.Now().After(deadline) {
			t.Errorf("got %q, want %q", got, want)
			return
		}
	}
}

func TestTransactions(t *testing.T) {
	kafkatest.Each(t, 2, func(t *testing.T, b *bus.Bus) {
		if err := b.EnsureCheckpoints(t.Context(), hub, 2); err != nil {
			t.Fatal(err)
		}
		if ok, err := b.Transactional(t.Context(), "ingest"); !ok || err != nil {
			t.Fatalf("no transactions: %v", err)
		}
		checkpoint := func(tx *bus.Transactor) string {
			t.Helper()
			v, err := tx.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return string(v)
		}
		first := transactor(t, b, 1)
		if got := checkpoint(first); got != "" {
			t.Errorf("a new partition has the position %q", got)
		}
		stage(t, first, "1", "a", "b")
		commit(t, first)
		stage(t, first, "2", "lost")
		await(t, b, "a", "b")
		second := transactor(t, b, 1)
		if got := checkpoint(second); got != "1" {
			t.Errorf("the successor begins at %q", got)
		}
		if err := first.Commit(t.Context()); err == nil {
			t.Error("one that is fenced can commit")
		}
		for i := range 100 {
			stage(t, second, fmt.Sprint(2+i), "c")
			commit(t, second)
		}
		stage(t, second, "given up", "d")
		if err := second.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := checkpoint(second); got != "101" {
			t.Errorf("after an abort the position is %q", got)
		}
		if got := checkpoint(transactor(t, b, 0)); got != "" {
			t.Errorf("the other partition has the position %q", got)
		}
		await(t, b, append([]string{"a", "b"}, slices.Repeat([]string{"c"}, 100)...)...)
		if err := b.EnsureCheckpoints(t.Context(), hub, 4); err != nil {
			t.Errorf("a stream that has grown: %v", err)
		}
		var shrunk *bus.Shrunk
		if err := b.EnsureCheckpoints(t.Context(), hub, 2); !errors.As(err, &shrunk) {
			t.Errorf("a stream that has shrunk: %v", err)
		}
	})
}

// Each partition has one owner at a time; those of a member that has ended, or that joins, move.
func TestPartitionsAreShared(t *testing.T) {
	kafkatest.Each(t, 2, func(t *testing.T, b *bus.Bus) {
		if err := b.EnsureCheckpoints(t.Context(), hub, 4); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var mu sync.Mutex
		owner := map[int32]string{}
		changed := sync.NewCond(&mu)
		member := func(name string) (leave func()) {
			ctx, cancel := context.WithCancel(ctx)
			done := make(chan struct{})
			go func() {
				defer close(done)
				if err := b.Share(ctx, hub, "ingest-contoso-audit", "", func(ctx context.Context, p int32) {
					set := func(from, to string) {
						mu.Lock()
						defer mu.Unlock()
						if owner[p] != from {
							t.Errorf("partition %d is %q's while %q has it", p, owner[p], name)
						}
						owner[p] = to
						changed.Broadcast()
					}
					set("", name)
					<-ctx.Done()
					set(name, "")
				}); err != nil {
					t.Error(err)
				}
			}()
			return func() { cancel(); <-done }
		}
		await := func(want map[string]int) {
			t.Helper()
			stop := context.AfterFunc(ctx, changed.Broadcast)
			defer stop()
			mu.Lock()
			defer mu.Unlock()
			for {
				got := map[string]int{}
				for _, o := range owner {
					got[o]++
				}
				ok := len(got) == len(want)
				for k, n := range want {
					ok = ok && got[k] == n
				}
				if ok {
					return
				}
				if ctx.Err() != nil {
					t.Fatalf("partitions are shared as %v, want %v", got, want)
				}
				changed.Wait()
			}
		}
		a := member("a")
		await(map[string]int{"a": 4})
		second := member("b")
		await(map[string]int{"a": 2, "b": 2})
		a()
		await(map[string]int{"b": 4})
		second()
	})
}

// What lies below the end and is hidden, because its transaction was aborted, does not keep readers from the end: neither while
// another transaction is open behind it nor afterwards.
func TestAnAbortedTransactionBelowAnOpenOne(t *testing.T) {
	kafkatest.Each(t, 1, func(t *testing.T, b *bus.Bus) {
		if err := b.EnsureCheckpoints(t.Context(), hub, 2); err != nil {
			t.Fatal(err)
		}
		b.Wait(long)
		aborted, open := transactor(t, b, 0), transactor(t, b, 1)
		stage(t, aborted, "1", "hidden")
		stage(t, open, "1", "behind")
		if err := aborted.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, b); len(got) != 0 { // it returns, although the open one stays open
			t.Errorf("seen while the transaction is open: %q", got)
		}
		commit(t, open)
		await(t, b, "behind")
	})
}

// A dead writer's transaction holds up readers until its successor is there, not until its timeout.
func TestASuccessorFreesReaders(t *testing.T) {
	kafkatest.Each(t, 1, func(t *testing.T, b *bus.Bus) {
		if err := b.EnsureCheckpoints(t.Context(), hub, 1); err != nil {
			t.Fatal(err)
		}
		b.Wait(long)
		dead := transactor(t, b, 0)
		stage(t, dead, "1", "lost")
		w, err := b.Writer()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.Write(t.Context(), []bus.Record{{Topic: bus.Events, Key: []byte("k"), Value: []byte("behind")}}); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, b); len(got) != 0 {
			t.Errorf("seen before the dead one's end: %q", got)
		}
		began := time.Now()
		transactor(t, b, 0)
		await(t, b, "behind")
		t.Logf("readers go on %v after the successor has begun", time.Since(began).Round(time.Millisecond))
	})
}

// One that is closed in the middle of a transaction gives it up, also after a commit that has failed.
func TestAClosedOneFreesReaders(t *testing.T) {
	kafkatest.Each(t, 1, func(t *testing.T, b *bus.Bus) {
		if err := b.EnsureCheckpoints(t.Context(), hub, 1); err != nil {
			t.Fatal(err)
		}
		b.Wait(long)
		closed := transactor(t, b, 0)
		stage(t, closed, "1", "lost")
		if err := closed.Commit(ended(t)); err == nil {
			t.Fatal("a commit without time succeeds")
		}
		closed.Close(t.Context())
		w, err := b.Writer()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.Write(t.Context(), []bus.Record{{Topic: bus.Events, Key: []byte("k"), Value: []byte("behind")}}); err != nil {
			t.Fatal(err)
		}
		r, err := b.Reader(bus.Member{Topic: bus.Events, Group: "waiting", Instance: "waiting"})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the transaction's own is longer
		defer cancel()
		if got, err := r.Poll(ctx, 10); err != nil || len(got) != 1 || string(got[0].Value) != "behind" {
			t.Errorf("seen are %v, %v", got, err)
		}
	})
}

// Without a successor Kafka gives up a dead writer's transaction: the embedded one at its timeout, an Apache Kafka when it next
// looks, every 10 s.
func TestTheTimeoutFreesReaders(t *testing.T) {
	kafkatest.Each(t, 1, func(t *testing.T, b *bus.Bus) {
		t.Parallel()
		if err := b.EnsureCheckpoints(t.Context(), hub, 1); err != nil {
			t.Fatal(err)
		}
		stage(t, transactor(t, b, 0), "1", "lost")
		began := time.Now()
		w, err := b.Writer()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.Write(t.Context(), []bus.Record{{Topic: bus.Events, Key: []byte("k"), Value: []byte("behind")}}); err != nil {
			t.Fatal(err)
		}
		r, err := b.Reader(bus.Member{Topic: bus.Events, Group: "waiting", Instance: "waiting"})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got, err := r.Poll(ctx, 10)
		if err != nil || len(got) != 1 || string(got[0].Value) != "behind" {
			t.Fatalf("seen: %v, %v", got, err)
		}
		t.Logf("readers were held up for %v", time.Since(began).Round(100*time.Millisecond))
	})
}

// A topic of positions that somebody else has made must keep them.
func TestPositionsAreKept(t *testing.T) {
	kafkatest.Each(t, 1, func(t *testing.T, b *bus.Bus) {
		for policy, kept := range map[string]bool{"delete": false, "compact": true, "compact,delete": false} {
			name := "other-" + strings.ReplaceAll(policy, ",", "-")
			if err := b.MakeTopic(t.Context(), bus.CheckpointsOf(name), map[string]string{"cleanup.policy": policy, "retention.ms": "604800000"}); err != nil {
				t.Fatal(err)
			}
			if err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf(name), 1); (err == nil) != kept {
				t.Errorf("cleanup.policy=%s: %v", policy, err)
			}
		}
	})
}

// Several that find a stream grown at once all go on: how many partitions a topic has is asked of the brokers, also where the client
// has just learnt another number.
func TestSeveralMakeATopicLarger(t *testing.T) {
	kafkatest.Each(t, 1, func(t *testing.T, b *bus.Bus) {
		for n := 1; n < 5; n++ {
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if err := b.EnsureCheckpoints(t.Context(), hub, n); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if got, err := b.Partitions(t.Context(), hub); got != n || err != nil {
				t.Errorf("%d partitions, want %d, %v", got, n, err)
			}
		}
	})
}
