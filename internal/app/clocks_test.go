package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/config"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/identify"
	"noroshi/internal/kafkatest"
	"noroshi/rules"
)

// ticked is a detector whose records and ticks a test writes.
type ticked struct {
	t      *testing.T
	run    *Run
	bus    *bus.Bus
	writer *bus.Writer
	to     *bus.Everywhere
	wall   atomic.Int64
	ticks  int
	said   lockedBuffer
}

// lockedBuffer takes a log.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

var at3 = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

func newTicked(t *testing.T, rule string) *ticked {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rule.yaml")
	if err := os.WriteFile(path, []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	set, ps := rules.Load(rules.Options{Paths: []string{path}})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	b := kafkatest.Start(t, 2)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	to, err := b.Everywhere(bus.Events)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(to.Close)
	x := &ticked{t: t, bus: b, writer: w, to: to, run: &Run{Config: config.Default()}}
	x.run.Log = slog.New(slog.NewTextHandler(&x.said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(x.said.text.String())
		}
	})
	x.run.ruling.Store(&ruling{set: detector.New(set, detector.Options{}), lateness: event.Lateness{}})
	x.wall.Store(at3.Add(100 * time.Hour).UnixNano())
	x.run.clocks.wall = func() time.Time { return time.Unix(0, x.wall.Load()) }
	return x
}

// session begins a session of the detector, and gives what kills it.
func (x *ticked) session() (kill func()) {
	ctx, stop := context.WithCancel(x.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = x.run.detect(ctx, ctx, &detection{kafka: &kafka{bus: x.bus}, writer: x.writer, name: &names{}}, place{detectorGroup, 0})
	}()
	return func() {
		stop()
		<-ended
	}
}

// signIn writes a sign-in at a time after three.
func (x *ticked) signIn(id string, at time.Duration) {
	x.t.Helper()
	body := fmt.Sprintf(`{"time":"%[1]s","category":"SignInLogs","tenantId":"t-1","properties":{"id":%[2]q,"createdDateTime":"%[1]s",`+
		`"userPrincipalName":"taro@contoso.example","ipAddress":"203.0.113.7","isInteractive":true,"status":{"errorCode":0}}}`, at3.Add(at).Format(time.RFC3339), id)
	rec, refused := NewAgain(decode.Options{}).identify.Record([]byte(body), &identify.Place{Letter: deadletter.Letter{Stage: deadletter.StageIngest}})
	if refused != nil {
		x.t.Fatal(refused)
	}
	if err := x.writer.Write(x.t.Context(), []bus.Record{rec}); err != nil {
		x.t.Fatal(err)
	}
}

// progress is of a source with one dataset; times are since three.
func progress(source, dataset string, to, last time.Duration) clock.Source {
	return clock.Source{Name: source, Progress: at3.Add(to).UnixNano(), Shown: []clock.Shown{{Tenant: "t-1", Dataset: dataset, First: at3.UnixNano(), Last: at3.Add(last).UnixNano()}}}
}

// tick writes a tick and waits until all partitions have heard it.
func (x *ticked) tick(t clock.Tick) {
	x.t.Helper()
	x.ticks++
	mark := fmt.Sprint("mark/", x.ticks)
	x.wall.Add(int64(standEvery))
	t.Made = x.wall.Load()
	t.Sources = append(t.Sources, clock.Source{Name: mark, Progress: clock.Unknown})
	if err := x.to.Write(x.t.Context(), tickRecord(&t)); err != nil {
		x.t.Fatal(err)
	}
	eventuallyWithin(x.t, "a tick is heard", func() bool {
		x.run.clocks.mu.Lock()
		defer x.run.clocks.mu.Unlock()
		heard := 0
		for _, s := range x.run.clocks.all {
			for _, one := range s.sources {
				if one.Name == mark {
					heard++
				}
			}
		}
		return heard == 2
	})
}

// alerts are those that can be read now.
func (x *ticked) alerts() (all []alert.Alert) {
	x.t.Helper()
	if err := x.bus.All(x.t.Context(), bus.Alerts, func(r bus.Record) error {
		var a alert.Alert
		err := json.Unmarshal(r.Value, &a)
		all = append(all, a)
		return err
	}); err != nil {
		x.t.Fatal(err)
	}
	return all
}

func (x *ticked) silent(why string) {
	x.t.Helper()
	if all := x.alerts(); len(all) > 0 {
		x.t.Fatalf("%s: it is told all the same: %s", why, all[0].Rule.ID)
	}
}

// An absence is told when the clocks of both datasets have passed it and the one that is needed has shown something later. A source that
// lags stops it, also over a crash, until it is retired.
func TestAnAbsenceWaitsForItsSources(t *testing.T) {
	x := newTicked(t, `id: no-mail
title: A sign-in without mail
severity: low
kind: absence
when: event.dataset == "entra.signin"
without: {when: event.dataset == "defender.email_events", after: 10m}
needs: [defender.email_events]
`)
	kill := x.session()
	x.signIn("s-1", 0)
	const past = time.Hour
	x.tick(clock.Tick{Sources: []clock.Source{progress("signins/0", "entra.signin", past, 0)}})
	x.silent("no mail was seen")
	x.tick(clock.Tick{Sources: []clock.Source{progress("mail/0", "defender.email_events", past, 5*time.Minute),
		progress("mail/1", "defender.email_events", 20*time.Minute, 5*time.Minute)}})
	x.silent("one partition of mail lags, and mail has shown nothing later")
	x.tick(clock.Tick{Sources: []clock.Source{progress("mail/0", "defender.email_events", past, 15*time.Minute)}})
	x.silent("one partition of mail lags")
	kill()
	kill = x.session()
	x.tick(clock.Tick{Sources: []clock.Source{progress("signins/0", "entra.signin", 2*past, 0)}})
	x.silent("it lags over a crash")
	before := x.standing()
	if before["signins/0"] != at3.Add(2*past).UnixNano() || before["mail/0"] != at3.Add(past).UnixNano() || before["mail/1"] != at3.Add(20*time.Minute).UnixNano() {
		t.Errorf("after the crash the sources are at %v", before)
	}
	x.tick(clock.Tick{Sources: []clock.Source{progress("mail/0", "defender.email_events", 0, 0), progress("mail/1", "defender.email_events", 0, 0)}})
	if after := x.standing(); after["mail/0"] != before["mail/0"] || after["mail/1"] != before["mail/1"] {
		t.Errorf("a clock went back: %v, then %v", before, after)
	}
	further := []clock.Source{progress("signins/0", "entra.signin", 3*past, 0), progress("mail/0", "defender.email_events", 3*past, 15*time.Minute)}
	x.tick(clock.Tick{Sources: further})
	x.silent("the others have gone on")
	x.tick(clock.Tick{Sources: further, Retired: []clock.Retired{{Name: "mail/1", At: x.wall.Load() + 1}}})
	eventuallyWithin(t, "it is told when the source that lags is retired", func() bool { return len(x.alerts()) == 1 })
	if a := x.alerts()[0]; a.Rule.ID != "no-mail" || a.Clock != "" {
		t.Errorf("%s is told, by the clock %q", a.Rule.ID, a.Clock)
	}
	kill()
}

// standing is how far the sources are, as the first partition sees it.
func (x *ticked) standing() map[string]int64 {
	x.run.clocks.mu.Lock()
	defer x.run.clocks.mu.Unlock()
	all := map[string]int64{}
	for _, s := range x.run.clocks.all[0].sources {
		all[s.Name] = s.Progress
	}
	return all
}

// The clock on the wall decides a silence when no source of the dataset ticks any more, and the alert says so.
func TestTheWallDecidesASilenceOfDeadSources(t *testing.T) {
	x := newTicked(t, `id: silent
title: No sign-in any more
severity: low
kind: silence
when: event.dataset == "entra.signin"
by: [account]
longer: 1h
`)
	defer x.session()()
	x.signIn("s-1", 0)
	for range 6 {
		x.wall.Add(int64(time.Minute))
		x.tick(clock.Tick{Sources: []clock.Source{progress("signins/0", "entra.signin", 0, 0)}})
	}
	x.silent("its source ticks")
	for range 6 {
		x.wall.Add(int64(time.Minute))
		x.tick(clock.Tick{})
	}
	eventuallyWithin(t, "it is told when its source ticks no more", func() bool { return len(x.alerts()) == 1 })
	if a := x.alerts()[0]; a.Rule.ID != "silent" || a.Clock != alert.Wall {
		t.Errorf("%s is told, by the clock %q", a.Rule.ID, a.Clock)
	}
}

// While nothing comes but ticks, a session commits at most once in five seconds.
func TestAnIdleSessionCommitsSeldom(t *testing.T) {
	x := newTicked(t, "id: a\ntitle: A\nseverity: low\nkind: threshold\ncount: 2\nwithin: 1m\nwhen: event.action == \"Send\"\n")
	began := time.Now()
	defer x.session()()
	c := &x.run.detected.stage
	for c.Commits.Load() < 2 { // the first soon, the second five seconds later
		x.tick(clock.Tick{Sources: []clock.Source{progress("signins/0", "entra.signin", time.Since(began), 0)}})
		if most := int64(time.Since(began)/(5*time.Second)) + 1; c.Commits.Load() > most {
			t.Fatalf("%d commits in %s", c.Commits.Load(), time.Since(began))
		}
	}
}
