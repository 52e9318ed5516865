package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
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
	"noroshi/internal/stage"
	"noroshi/internal/state"
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

func newTicked(t *testing.T, texts ...string) *ticked {
	t.Helper()
	return newTickedIn(t, t.TempDir(), texts...)
}

// newTickedIn is newTicked on the data of an earlier one.
func newTickedIn(t *testing.T, data string, texts ...string) *ticked {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("rule-%d.yaml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	b := kafkatest.StartIn(t, data, 2)
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
	x.run.Config.Kafka.Partitions = 2
	x.run.ruling.Store(&ruling{set: detector.New(set, detector.Options{}), lateness: event.Lateness{}})
	x.wall.Store(at3.Add(100 * time.Hour).UnixNano())
	x.run.clocks.wall = func() time.Time { return time.Unix(0, x.wall.Load()) }
	return x
}

// session begins a session of each stage of the detector, and gives what kills them.
func (x *ticked) session() (kill func()) {
	ctx, stop := context.WithCancel(x.t.Context())
	var both sync.WaitGroup
	for _, group := range []string{detectorGroup, signalsGroup} {
		both.Go(func() {
			_ = x.run.detect(ctx, ctx, &detection{kafka: &kafka{bus: x.bus}, writer: x.writer, name: &names{}}, place{group, 0})
		})
	}
	return func() {
		stop()
		both.Wait()
	}
}

// signIn writes a sign-in at a time after three.
func (x *ticked) signIn(id string, at time.Duration) {
	x.t.Helper()
	x.record(id, "taro", 0, at)
}

// record writes a sign-in of an account that ended with a code.
func (x *ticked) record(id, account string, code int, at time.Duration) {
	x.t.Helper()
	x.write(signInOf(id, account, code, at), &identify.Place{Letter: deadletter.Letter{Stage: deadletter.StageIngest}})
}

func signInOf(id, account string, code int, at time.Duration) string {
	return fmt.Sprintf(`{"time":"%[1]s","category":"SignInLogs","tenantId":"t-1","properties":{"id":%[2]q,"createdDateTime":"%[1]s",`+
		`"userPrincipalName":"%[3]s@contoso.example","ipAddress":"203.0.113.7","isInteractive":true,"status":{"errorCode":%[4]d}}}`,
		at3.Add(at).Format(time.RFC3339), id, account, code)
}

// write writes a record that comes from somewhere.
func (x *ticked) write(body string, from *identify.Place) {
	x.t.Helper()
	rec, refused := NewAgain(decode.Options{}).identify.Record([]byte(body), from)
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
	t.Sources = append(t.Sources, clock.Source{Name: mark, Progress: clock.Unknown})
	var written time.Time
	eventuallyWithin(x.t, "a tick is heard", func() bool {
		if time.Since(written) > 3*time.Second { // it is said again, as a source does: what came before may have been said just now
			written = time.Now()
			x.wall.Add(int64(standEvery))
			t.Made = x.wall.Load()
			if err := x.to.Write(x.t.Context(), tickRecord(&t)); err != nil {
				x.t.Fatal(err)
			}
		}
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
		if x.run.ruling.Load().set.Travels() {
			return heard == 4
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
	for _, by := range []string{"[account]", "[]", "[source.ip]"} {
		t.Run(by, func(t *testing.T) { anAbsenceWaits(t, by) })
	}
}

func anAbsenceWaits(t *testing.T, by string) {
	x := newTicked(t, `by: `+by+`
id: no-mail
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
	x.tick(clock.Tick{Sources: []clock.Source{progress("signins/0", "entra.signin", past, 0), progress("mail/1", "defender.email_events", 5*time.Minute, 0)}})
	x.silent("mail lags")
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

// What a stream has shown is known with its records: it is not lost where a detector is killed before a tick tells it, and no tick does again.
// Nor does a clock pass a source that lags because no tick has told what that one shows.
func TestWhatAStreamHasShownOutlivesACrash(t *testing.T) {
	for _, by := range []string{"[account]", "[source.ip]"} {
		t.Run(by, func(t *testing.T) { shownOutlives(t, by) })
	}
}

func shownOutlives(t *testing.T, by string) {
	x := newTicked(t, `by: `+by+`
id: silent
title: No sign-in any more
severity: low
kind: silence
when: event.dataset == "entra.signin"
longer: 1h
`)
	kill := x.session()
	x.write(signInOf("s-1", "taro", 0, 0), &identify.Place{Origin: []byte("signins/0@7#0"),
		Letter: deadletter.Letter{Stage: deadletter.StageIngest, Source: "signins", Sequence: 7, Enqueued: at3}})
	eventuallyWithin(t, "the sign-in is stored", func() bool {
		stored := x.run.detected.stage.Commits.Load() > 0
		if x.run.ruling.Load().set.Travels() {
			stored = stored && x.run.detected.signals.applied.Load() == 1 && x.run.detected.signals.stage.Commits.Load() > 0
		}
		return x.run.detected.events.Load() == 1 && stored
	})
	kill()
	defer x.session()()
	lags := func(to time.Duration) clock.Source {
		return clock.Source{Name: "signins/0", Progress: at3.Add(to).UnixNano()}
	}
	x.tick(clock.Tick{Sources: []clock.Source{lags(5 * time.Minute)}})
	x.tick(clock.Tick{Sources: []clock.Source{progress("signins/1", "entra.signin", 5*time.Hour, 0)}})
	x.silent("the source lags that has shown the sign-in")
	x.tick(clock.Tick{Sources: []clock.Source{lags(5 * time.Hour)}})
	eventuallyWithin(t, "the silence is told", func() bool { return len(x.alerts()) == 1 })
	if a := x.alerts()[0]; a.Rule.ID != "silent" || a.Clock != "" {
		t.Errorf("%s is told, by the clock %q", a.Rule.ID, a.Clock)
	}
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
	for _, by := range []string{"[account]", "[event.dataset]"} {
		t.Run(by, func(t *testing.T) { theWallDecides(t, by) })
	}
}

func theWallDecides(t *testing.T, by string) {
	x := newTicked(t, `by: `+by+`
id: silent
title: No sign-in any more
severity: low
kind: silence
when: event.dataset == "entra.signin"
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
	for _, by := range []string{"[account]", "[source.ip]"} {
		t.Run(by, func(t *testing.T) { commitsSeldom(t, by) })
	}
}

func commitsSeldom(t *testing.T, by string) {
	x := newTicked(t, "by: "+by+"\nid: a\ntitle: A\nseverity: low\nkind: threshold\ncount: 2\nwithin: 1m\nwhen: event.action == \"Send\"\n")
	began := time.Now()
	defer x.session()()
	first, second := &x.run.detected.stage, &x.run.detected.signals.stage
	for first.Commits.Load() < 2 { // the first soon, the second five seconds later
		x.tick(clock.Tick{Sources: []clock.Source{progress("signins/0", "entra.signin", time.Since(began), 0)}})
		most := int64(time.Since(began)/(5*time.Second)) + 1
		if first.Commits.Load() > most || second.Commits.Load() > most {
			t.Fatalf("%d and %d commits in %s", first.Commits.Load(), second.Commits.Load(), time.Since(began))
		}
	}
}

// The clock of a partition of signals stands until all partitions of events have told how far the sources have come, also after a crash.
func TestAClockOverSignalsIsThatOfTheLastPartition(t *testing.T) {
	x := newTicked(t, "by: []\nid: a\ntitle: A\nseverity: low\nkind: threshold\ncount: 2\nwithin: 1m\nwhen: event.action == \"Send\"\n")
	s := &session{run: x.run, second: true}
	s.turn()
	p := s.openSignals(0).(*signalPart)
	hear := func(upstream string, hours time.Duration) {
		t.Helper()
		tick := clock.Tick{Made: x.wall.Load(), Sources: []clock.Source{progress("hub/0", "entra.signin", hours*time.Hour, 0)}}
		r := bus.Record{Value: state.AppendBytes(nil, tick.Append(nil)),
			Headers: []bus.Header{{Key: headerSchema, Value: []byte(schemaTicks)}, {Key: headerUpstream, Value: []byte(upstream)}}}
		var out stage.Out
		if err := p.Do(&r, &out); err != nil {
			t.Fatal(err)
		}
		p.Pause(&out)
	}
	at := func(hours time.Duration) {
		t.Helper()
		want := at3.Add(hours * time.Hour).UnixNano()
		if hours == 0 {
			want = clock.Unknown
		}
		if got := p.clocks.Of("t-1", nil); got != want {
			t.Errorf("the clock is at %s, want %s", time.Unix(0, got).UTC(), time.Unix(0, want).UTC())
		}
	}
	hear("0", 5)
	at(0)
	if n := x.run.detected.signals.waiting(); n != 1 {
		t.Errorf("%d partitions wait", n)
	}
	hear("1", 3)
	at(3)
	hear("1", 7)
	at(5)
	again := s.openSignals(0).(*signalPart)
	p.Changes(func(key, row []byte, _ state.Form) {
		if err := again.Load(key, row); err != nil {
			t.Error(err)
		}
	})
	p = again
	at(5)
	hear("1", 9)
	at(5)
	hear("0", 8)
	at(8)
	if n := x.run.detected.signals.waiting(); n != 0 {
		t.Errorf("%d partitions wait", n)
	}
	for _, strange := range []string{"", "2", "-1", "x"} {
		hear(strange, 20)
	}
	if n := x.run.detected.signals.unreadable.Load(); n != 4 {
		t.Errorf("%d ticks are refused", n)
	}
	at(8)
	hear(strconv.Itoa(1), 10)
	at(8)
}
