//go:build unix

package bus_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// told is a log that a test reads.
type said struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

func connected(t *testing.T, c bus.Config) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// What happens to the topics of an Apache Kafka that others use and keep.
func TestTopicsOfOthers(t *testing.T) {
	broker := kafkatest.Apache(t)
	t.Run("instances that start at once all run", func(t *testing.T) {
		for round := range 3 {
			var wg sync.WaitGroup
			for range 6 {
				b := connected(t, broker.Config(fmt.Sprintf("fresh%d.", round), 4))
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					if err := b.Ensure(ctx, nil); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
	})
	t.Run("changed topics are told with a way out", func(t *testing.T) {
		log := &said{}
		c := broker.Config("changed.", 2)
		c.Log = slog.New(slog.NewTextHandler(log, nil))
		b := connected(t, c)
		if err := b.Ensure(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for _, change := range []func(context.Context) error{
			func(ctx context.Context) error { return b.Grow(ctx, bus.Events, 3) },
			func(ctx context.Context) error { return b.Set(ctx, bus.Alerts, "max.message.bytes", "1024") },
			func(ctx context.Context) error { return b.Set(ctx, bus.DeadLetters, "retention.ms", "1000") },
			func(ctx context.Context) error { return b.Delete(ctx, bus.Status) },
		} {
			if err := change(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() {
			for ctx.Err() == nil && b.Problems() < 4 {
				time.Sleep(20 * time.Millisecond)
			}
			cancel()
		}()
		if err := b.Watch(ctx, 500*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"changed.events has 3 partitions", "set kafka.partitions to 3", "--entity-name changed.alerts --add-config max.message.bytes=8388608", "changed.dead-letters keeps records for 1s", "changed.status was deleted"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("nothing tells %q: %s", want, log)
			}
		}
	})
	for name, exactly := range map[string]bool{"exactly once": true, "at least once": false} {
		t.Run("memory is not older than its place, "+name, func(t *testing.T) {
			b := connected(t, broker.Config(fmt.Sprintf("anew-%v.", exactly), 1))
			if err := b.Ensure(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			bus.MadeAnew(t, b, exactly)
		})
	}
	t.Run("a deleted topic costs nothing, and comes back", func(t *testing.T) { deleted(t, broker.Config("deleted.", 2)) })
}

// Of three brokers one may know a topic a little later than another: instances that start at once all run nevertheless.
func TestInstancesThatStartAtOnceOnThreeBrokers(t *testing.T) {
	brokers := kafkatest.ApacheOf(t, 3)
	for round := range 5 {
		var wg sync.WaitGroup
		for i := range 9 {
			b := connected(t, brokers[i%3].Config(fmt.Sprintf("fresh%d.", round), 6))
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				if err := b.Ensure(ctx, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// The same on the embedded one, where somebody may delete a topic too.
func TestADeletedTopic(t *testing.T) {
	e, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: t.TempDir(), Prefix: "deleted.", Partitions: 2, Cap: 1 << 30, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	deleted(t, e.Config())
}

func deleted(t *testing.T, c bus.Config) {
	log := &said{}
	quiet := c
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	b := connected(t, c)
	if err := b.Ensure(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	go func() { _ = b.Watch(t.Context(), 2*time.Second) }()
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(t.Context(), []bus.Record{{Topic: bus.Alerts, Key: []byte("k"), Value: []byte("before")}}); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	defer func() { cancel(); <-done }()
	go func() {
		defer close(done)
		for trouble := (&bus.Trouble{Log: c.Log}); ctx.Err() == nil; _ = trouble.Pause(ctx) {
			if err := follow(ctx, b, got); ctx.Err() == nil {
				trouble.Again("delivery interrupted", err)
			}
		}
	}()
	if v := <-got; v != "before" {
		t.Fatalf("read is %q", v)
	}
	if err := b.Delete(t.Context(), bus.Alerts); err != nil {
		t.Fatal(err)
	}
	const advice = "deleted.alerts was deleted, and what it held is gone: restart noroshi"
	for deadline := time.Now().Add(time.Minute); !strings.Contains(log.String(), advice); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing says what to do: %s", log)
		}
	}
	began, used := len(log.String()), cpu(t)
	time.Sleep(10 * time.Second) // what may happen meanwhile is bounded, and what the process uses of the CPU, whoever else uses it
	if n, spent := len(log.String())-began, cpu(t)-used; n > 8192 || spent > 3*time.Second {
		t.Errorf("in 10 s are %d bytes of log and %v of CPU: %s", n, spent, log)
	}
	within, stop := context.WithTimeout(t.Context(), 5*time.Second)
	err = w.Write(within, []bus.Record{{Topic: bus.Alerts, Key: []byte("k"), Value: []byte("into nothing")}})
	stop()
	t.Logf("writing says %v", err)
	if err := connected(t, quiet).Ensure(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; {
		within, stop := context.WithTimeout(t.Context(), 5*time.Second)
		err := w.Write(within, []bus.Record{{Topic: bus.Alerts, Key: []byte("k"), Value: []byte("after")}})
		stop()
		if err == nil {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("writing does not come back: %v", err)
		}
	}
	for late := time.After(3 * time.Minute); ; {
		select {
		case v := <-got:
			if v == "after" {
				return
			}
		case <-late:
			t.Fatalf("reading does not come back: %s", log)
		}
	}
}

// follow reads alerts until something breaks.
func follow(ctx context.Context, b *bus.Bus, got chan<- string) error {
	r, err := b.Reader(bus.Member{Topic: bus.Alerts, Group: "sink"})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		all, err := r.Poll(ctx, 10)
		if err != nil {
			return err
		}
		for _, rec := range all {
			got <- string(rec.Value)
		}
		if err := r.Commit(ctx); err != nil {
			return err
		}
	}
}

// cpu is what this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
