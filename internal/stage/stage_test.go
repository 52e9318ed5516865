package stage_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
	"noroshi/internal/stage"
	"noroshi/internal/state"
)

const (
	partitions = 4
	within     = time.Minute // until something happens on a busy machine
)

// world is what the sessions of a test share.
type world struct {
	t       *testing.T
	bus     *bus.Bus
	exactly bool
	counts  stage.Counts
	log     strings.Builder

	mu     sync.Mutex
	parts  []*counting // in the order in which they were opened
	fail   string      // the record that cannot be done
	stored int         // records whose work is stored
	ended  int         // sessions
}

// counting is a part that counts the records of each key.
type counting struct {
	*world
	partition int32
	counts    map[string]int
	changed   map[string]bool
	did       int  // since Stored
	begun     bool // records have come
	left      bool
}

func (w *world) open(partition int32) stage.Part {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &counting{world: w, partition: partition, counts: map[string]int{}, changed: map[string]bool{}}
	w.parts = append(w.parts, p)
	return p
}

func (p *counting) Load(key, memory []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun {
		p.t.Errorf("partition %d: memory of %q comes behind records", p.partition, key)
	}
	if strings.HasPrefix(string(key), "gone") {
		return stage.ErrUnknown
	}
	f := state.Read(memory)
	p.counts[string(key)] = int(f.Int())
	return f.Err()
}

func (p *counting) Do(r *bus.Record, out *stage.Out) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = true
	if p.left {
		p.t.Errorf("partition %d: %q comes when it has left", p.partition, r.Value)
	}
	if string(r.Value) == p.fail {
		return errors.New("it cannot be done")
	}
	key := string(r.Key)
	p.counts[key]++
	p.changed[key], p.changed["\x00all"] = true, true
	p.counts["\x00all"]++
	p.did++
	out.Write(bus.Record{Topic: bus.Alerts, Key: r.Key, Value: fmt.Appendf(nil, "%s is %d of %s", r.Value, p.counts[key], key)})
	return nil
}

func (p *counting) Pause(*stage.Out) {}

func (p *counting) Changes(each func(key, memory []byte, form state.Form)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.changed {
		each([]byte(key), binary.AppendVarint(nil, int64(p.counts[key])), state.Whole)
	}
	clear(p.changed)
}

func (p *counting) Sweep(_ int, each func(key, memory []byte)) (ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, n := range p.counts {
		each([]byte(key), binary.AppendVarint(nil, int64(n)))
	}
	return true
}

func (p *counting) Stored() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stored += p.did
	p.did = 0
}

func (p *counting) Renew() {}

func (p *counting) Tend(time.Time) {}

func (p *counting) Left() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.did > 0 {
		p.t.Errorf("partition %d: it has left, and %d records are not stored", p.partition, p.did)
	}
	p.left = true
}

// Write makes the world a log.
func (w *world) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

// session starts a session. End ends it and gives what Run has returned.
func (w *world) session(name string) (end func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stage.Session{Bus: w.bus, Open: w.open, Now: time.Now, Counts: &w.counts, Log: slog.New(slog.NewTextHandler(w, nil)),
		Lasts: func(key []byte) bool { return key[0] == 0 }, Name: func(key []byte) string { return strings.TrimPrefix(string(key), "\x00") },
		Step: bus.Step{Topic: bus.Events, Group: "counting", State: bus.DetectorState, Instance: name, Exactly: w.exactly,
			Smaller: func(l *bus.TooLarge, _ []bus.Record) ([]bus.Record, error) { return nil, l }}}
	done := make(chan error, 1)
	go func() {
		drain, stop := context.WithTimeout(context.Background(), within)
		defer stop()
		err := s.Run(ctx, drain)
		w.mu.Lock()
		w.ended++
		w.mu.Unlock()
		done <- err
	}()
	end = sync.OnceValue(func() error { cancel(); return <-done })
	w.t.Cleanup(func() { _ = end() })
	return end
}

// write writes so many records of each of some keys.
func (w *world) write(from, to int, keys ...string) {
	w.t.Helper()
	out, err := w.bus.Writer()
	if err != nil {
		w.t.Fatal(err)
	}
	defer out.Close()
	var all []bus.Record
	for i := from; i < to; i++ {
		for _, k := range keys {
			all = append(all, bus.Record{Topic: bus.Events, Key: []byte(k), Value: fmt.Append(nil, k, " ", i)})
		}
	}
	if err := out.Write(w.t.Context(), all); err != nil {
		w.t.Fatal(err)
	}
}

// await waits until something is so.
func (w *world) await(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		ok := is()
		w.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain: %s; the log: %s", what, w.log.String())
		}
	}
}

// owned are the parts that have not left, by partition; what earlier sessions had is not among them.
func (w *world) owned() map[int32]*counting {
	all := map[int32]*counting{}
	for _, p := range w.parts {
		if all[p.partition] = p; p.left {
			delete(all, p.partition)
		}
	}
	return all
}

// alerts are how often each alert can be read.
func (w *world) alerts() map[string]int {
	w.t.Helper()
	all := map[string]int{}
	if err := w.bus.All(w.t.Context(), bus.Alerts, func(r bus.Record) error { all[string(r.Value)]++; return nil }); err != nil {
		w.t.Fatal(err)
	}
	return all
}

// each runs a test exactly once and at least once.
func each(t *testing.T, do func(t *testing.T, w *world)) {
	for name, exactly := range map[string]bool{"exactly once": true, "at least once": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do(t, &world{t: t, bus: kafkatest.Start(t, partitions), exactly: exactly})
		})
	}
}

var keys = []string{"a", "b", "c", "d", "e", "f", "g", "h"}

// A new session has the memory of the one before, and what no part knows is taken away.
func TestMemoryOutlivesASession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		end := w.session("one")
		w.write(0, 10, append(keys, "gone")...)
		w.await("all is stored", func() bool { return w.stored == 90 })
		if err := end(); err != nil {
			t.Fatal(err)
		}
		w.write(10, 11, keys...)
		end = w.session("one")
		w.await("the rest is stored", func() bool { return w.stored == 98 })
		if err := end(); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		for _, k := range append(keys, "gone") {
			for i := range 10 {
				want[fmt.Sprintf("%s %d is %d of %[1]s", k, i, i+1)] = 1
			}
		}
		for _, k := range keys {
			want[fmt.Sprintf("%s 10 is 11 of %[1]s", k)] = 1
		}
		var got map[string]int
		w.await("all alerts are visible", func() bool { got = w.alerts(); return len(got) >= len(want) })
		if !maps.Equal(got, want) {
			t.Errorf("got %v, expected %v", got, want)
		}
		if n := w.counts.Unknown.Load(); n != 1 {
			t.Errorf("%d unknown keys, expected 1", n)
		}
		w.session("one")
		w.await("it is taken away", func() bool { return len(w.owned()) == partitions && w.counts.Taken.Load() == 3*partitions })
		if n := w.counts.Unknown.Load(); n != 1 {
			t.Errorf("%d unknown keys, expected 1 still", n)
		}
	})
}

// Partitions that move go with what is stored of them, and each record is done once.
func TestPartitionsMove(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one := w.session("one")
		w.write(0, 5, keys...)
		w.await("one has all", func() bool { return w.stored == 40 })
		two := w.session("two")
		w.await("two has some", func() bool { return w.counts.Taken.Load() > partitions && len(w.owned()) == partitions })
		w.write(5, 10, keys...)
		w.await("both have done the rest", func() bool { return w.stored == 80 })
		if err := one(); err != nil {
			t.Fatal(err)
		}
		w.await("two has all", func() bool { return w.counts.Taken.Load() >= 2*partitions && len(w.owned()) == partitions })
		w.write(10, 15, keys...)
		w.await("two has done the rest", func() bool { return w.stored == 120 })
		if err := two(); err != nil {
			t.Fatal(err)
		}
		for p, left := range w.owned() {
			t.Errorf("partition %d has not left: %v", p, left.counts)
		}
		var got map[string]int
		w.await("all alerts are visible", func() bool { got = w.alerts(); return len(got) >= 120 })
		for _, k := range keys {
			for i := range 15 {
				if alert := fmt.Sprintf("%s %d is %d of %[1]s", k, i, i+1); got[alert] != 1 {
					t.Errorf("%q came %d times", alert, got[alert])
				}
			}
		}
	})
}

// Of a session that fails nothing counts that was not stored: its parts do not leave, and a new session begins where the last commit was.
func TestAFailingSessionLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		end := w.session("one")
		w.write(0, 5, "a")
		w.await("they are stored", func() bool { return w.stored == 5 })
		if err := end(); err != nil {
			t.Fatal(err)
		}
		w.fail = "a 9"
		w.write(5, 10, "a")
		before := len(w.parts)
		end = w.session("one")
		w.await("it ends by itself", func() bool { return w.ended == 2 })
		if err := end(); err == nil || !strings.Contains(err.Error(), "it cannot be done") {
			t.Errorf("it has ended with %v", err)
		}
		for _, p := range w.parts[before:] {
			if p.left {
				t.Errorf("partition %d of a session that failed has left", p.partition)
			}
		}
		w.fail = ""
		end = w.session("one")
		w.await("all is stored", func() bool { return w.stored >= 10 })
		if err := end(); err != nil {
			t.Fatal(err)
		}
		var got map[string]int
		w.await("the last alert is visible", func() bool { got = w.alerts(); return got["a 9 is 10 of a"] > 0 })
		for i := range 10 {
			n := got[fmt.Sprintf("a %d is %d of a", i, i+1)]
			if n == 0 || n > 1 && w.exactly {
				t.Errorf("a %d came %d times: %v", i, n, got)
			}
		}
		if len(got) != 10 {
			t.Errorf("got %v", got)
		}
	})
}

// Memory that is older than the place begins anew, said with whose it was; what lasts stays.
func TestOldMemoryBeginsAnew(t *testing.T) {
	for name, exactly := range map[string]bool{"exactly once": true, "at least once": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w := &world{t: t, exactly: exactly}
			round := func(from, to int) {
				t.Helper()
				e, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: dir, Prefix: "test.", Partitions: 1, Cap: 1 << 30, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				if w.bus, err = bus.Connect(e.Config()); err == nil {
					err = w.bus.Ensure(t.Context(), e.TopicSettings())
				}
				if err != nil {
					t.Fatal(err)
				}
				defer w.bus.Close()
				end := w.session("one")
				w.write(from, to, "a", "b")
				w.await("they are stored", func() bool { return w.stored >= 2*to })
				if err := end(); err != nil {
					t.Fatal(err)
				}
			}
			last := func(want map[string]int) {
				t.Helper()
				if got := w.parts[len(w.parts)-1].counts; !maps.Equal(got, want) {
					t.Errorf("the memory is %v, expected %v", got, want)
				}
			}
			round(0, 2)
			stored, old := filepath.Join(dir, "kafka", "partitions", "test.detector-state-0"), filepath.Join(t.TempDir(), "old")
			if err := os.CopyFS(old, os.DirFS(stored)); err != nil {
				t.Fatal(err)
			}
			round(2, 5)
			last(map[string]int{"a": 5, "b": 5, "\x00all": 10})
			if err := errors.Join(os.RemoveAll(stored), os.CopyFS(stored, os.DirFS(old))); err != nil {
				t.Fatal(err)
			}
			round(5, 6)
			last(map[string]int{"a": 1, "b": 1, "\x00all": 6})
			round(6, 7)
			last(map[string]int{"a": 2, "b": 2, "\x00all": 8})
			if n := w.counts.Lost.Load(); n != 1 {
				t.Errorf("%d lost, expected 1", n)
			}
			if want := `because="it is older than the place" keys=2 rules="[a b]"`; strings.Count(w.log.String(), want) != 1 {
				t.Errorf("nothing, or more than one line, tells %s: %s", want, w.log.String())
			}
		})
	}
}
