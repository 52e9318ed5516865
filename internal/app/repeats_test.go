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

// TestRepeatsStayKnownWhenPartitionsMove from one session to the next: none is evaluated again.
func TestRepeatsStayKnownWhenPartitionsMove(t *testing.T) {
	const n = 200
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	b := kafkatest.Start(t, 4)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	again := NewAgain(decode.Options{})
	write := func() {
		t.Helper()
		var all []bus.Record
		for i := range n {
			body := strings.Replace(sound(fmt.Sprint(i)), "taro@", fmt.Sprintf("user%d@", i%37), 1)
			rec, refused := again.identify.Record([]byte(body), &identify.Place{Letter: deadletter.Letter{Stage: deadletter.StageIngest}})
			if refused != nil {
				t.Fatal(refused)
			}
			all = append(all, rec)
		}
		if err := w.Write(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	r := &Run{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}
	r.set = detector.New(set, detector.Options{})
	for number := range 2 {
		write()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.detect(ctx, t.Context(), b, w, number) }()
		eventuallyWithin(t, "all is read", func() bool { return r.detected.events.Load()+r.detected.duplicates.Load() >= int64(n*(number+1)) })
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if events := r.detected.events.Load(); events != n {
		t.Errorf("%d records are evaluated, want %d", events, n)
	}
}
