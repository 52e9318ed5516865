package app

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"noroshi/detector"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/identify"
	"noroshi/internal/kafkatest"
	"noroshi/rules"
)

// repeating evaluates the same records again and again.
type repeating struct {
	t       *testing.T
	run     *Run
	bus     *bus.Bus
	writer  *bus.Writer
	records []bus.Record
	written int64
}

func newRepeating(t *testing.T, n int) *repeating {
	t.Helper()
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	b := kafkatest.Start(t, 4)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	r := &repeating{t: t, bus: b, writer: w, run: &Run{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}}
	r.run.ruling.Store(&ruling{set: detector.New(set, detector.Options{})})
	again := NewAgain(decode.Options{})
	for i := range n {
		body := strings.Replace(sound(fmt.Sprint(i)), "taro@", fmt.Sprintf("user%d@", i%37), 1)
		rec, refused := again.identify.Record([]byte(body), &identify.Place{Letter: deadletter.Letter{Stage: deadletter.StageIngest}})
		if refused != nil {
			t.Fatal(refused)
		}
		r.records = append(r.records, rec)
	}
	return r
}

// session begins a session of the detector, and gives what ends it.
func (r *repeating) session(number int) (end func()) {
	r.t.Helper()
	ctx, stop := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- r.run.detect(ctx, r.t.Context(), &detection{kafka: &kafka{bus: r.bus}, writer: r.writer, name: &names{}}, place{detectorGroup, number})
	}()
	return func() {
		stop()
		if err := <-ended; err != nil {
			r.t.Error(err)
		}
	}
}

// write writes the records once more.
func (r *repeating) write() {
	r.t.Helper()
	if err := r.writer.Write(r.t.Context(), r.records); err != nil {
		r.t.Fatal(err)
	}
	r.written += int64(len(r.records))
}

// once waits until all is read, and looks that each record was evaluated once.
func (r *repeating) once() {
	r.t.Helper()
	d := &r.run.detected
	eventuallyWithin(r.t, "all is read", func() bool { return d.events.Load()+d.duplicates.Load() >= r.written })
	if got := d.events.Load(); got != int64(len(r.records)) {
		r.t.Errorf("%d records are evaluated, want %d", got, len(r.records))
	}
}

// moving are partitions that one session has left and no other has begun with.
func (r *repeating) moving() int {
	all := &r.run.repeats
	all.mu.Lock()
	defer all.mu.Unlock()
	return len(all.free)
}

// TestRepeatsStayKnownWhenPartitionsMove from one session to the next: none is evaluated again.
func TestRepeatsStayKnownWhenPartitionsMove(t *testing.T) {
	r := newRepeating(t, 200)
	for number := range 2 {
		r.write()
		end := r.session(number)
		r.once()
		end()
	}
}

// TestRepeatsStayKnownBetweenSessionsThatLive: partitions move to a session that has come, and back when it ends.
func TestRepeatsStayKnownBetweenSessionsThatLive(t *testing.T) {
	r := newRepeating(t, 200)
	r.write()
	endFirst := r.session(0)
	defer endFirst()
	r.once()
	endSecond := r.session(1)
	for _, step := range []func(){func() {}, endSecond} {
		step()
		eventuallyWithin(t, "partitions move", func() bool { return r.moving() > 0 })
		r.write()
		r.once()
		if n := r.moving(); n > 0 {
			t.Errorf("what was seen of %d partitions is not taken over", n)
		}
	}
}
