package sinks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// scripted answers each attempt with the next error of its script, then takes all.
type scripted struct {
	script  []error
	sent    []string
	batches [][]string
	times   []time.Time
}

func (s *scripted) Batch() Batch { return Batch{Messages: 3} }

func (s *scripted) Send(_ context.Context, all []Message) error {
	s.times = append(s.times, time.Now())
	var ids []string
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	s.batches = append(s.batches, ids)
	if len(s.script) > 0 {
		err := s.script[0]
		s.script = s.script[1:]
		if err != nil {
			return err
		}
	}
	for _, m := range all {
		s.sent = append(s.sent, m.ID)
	}
	return nil
}

// given is a queue of so many messages, then nothing.
type given struct {
	n     int
	done  int
	moves int // so many waits say that the messages have moved; then so many are left
	left  int
}

func (g *given) Next(ctx context.Context) (all []Message, err error) {
	for ; g.n > 0; g.n-- {
		all = append(all, Message{ID: fmt.Sprint(len(all))})
	}
	if len(all) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return all, nil
}

func (g *given) Done(_ context.Context, n int) error { g.done += n; return nil }

func (g *given) Hold(ctx context.Context, d time.Duration) (moved bool, err error) {
	if g.moves > 0 {
		g.moves--
		g.n = g.left
		return true, nil
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-time.After(d):
		return false, nil
	}
}

// run delivers so many messages with a script, for an hour of synthetic time.
func run(t *testing.T, n int, script ...error) (s *scripted, g *given, dead []string, c Counts) {
	t.Helper()
	g = &given{n: n}
	s, dead, c = runOn(t, g, script...)
	return s, g, dead, c
}

// TestARefusedAlertIsAnErrorThatSaysWhatItWas: its rule, account and severity are in the log.
func TestARefusedAlertIsAnErrorThatSaysWhatItWas(t *testing.T) {
	var log bytes.Buffer
	r := &Runner{Name: "soc", Sink: &scripted{script: []error{&Refused{Status{Code: 400}}}}, Queue: &given{}, Env: Env{Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil))},
		DeadLetter: func(context.Context, Message, error) error { return nil },
		Sleep:      func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }}
	if err := r.deliverAll(t.Context(), t.Context(), []Message{{ID: "alrt_1", Rule: "r-1", Account: "taro@contoso.example", Severity: "high"}}); err != nil {
		t.Fatal(err)
	}
	want := `level=ERROR msg="alert refused" sink=soc alert=alrt_1 rule=r-1 account=taro@contoso.example severity=high err="message refused: status 400"`
	if !strings.Contains(log.String(), want) || r.Counts().Refused != 1 {
		t.Error(log.String())
	}
}

func runOn(t *testing.T, g *given, script ...error) (s *scripted, dead []string, c Counts) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s = &scripted{script: script}
		r := &Runner{Name: "s", Sink: s, Queue: g, Env: Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)},
			DeadLetter: func(_ context.Context, m Message, _ error) error { dead = append(dead, m.ID); return nil },
			Sleep: func(ctx context.Context, d time.Duration) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(d):
					return nil
				}
			}}
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Hour)
		defer stop()
		if err := r.Run(ctx, t.Context()); err != nil {
			t.Error(err)
		}
		c = r.Counts()
	})
	return s, dead, c
}

func TestASinkFaultPausesAndLosesNothing(t *testing.T) {
	down := errors.New("connection refused")
	s, g, dead, c := run(t, 4, down, down, &Fault{down, 10 * time.Minute}, nil)
	if fmt.Sprint(s.sent) != "[0 1 2 3]" || len(dead) > 0 || g.done != 4 {
		t.Errorf("sent %v, dead %v, done %d", s.sent, dead, g.done)
	}
	if c.Sent != 4 || c.Faults != 3 || c.Paused() {
		t.Errorf("counts %+v", c)
	}
	if wait := s.times[3].Sub(s.times[2]); wait < 10*time.Minute {
		t.Errorf("Retry-After of 10 minutes became %v", wait)
	}
}

func TestAMessageFaultIsSetAsideAtOnce(t *testing.T) {
	no := &Refused{errors.New("too strange")}
	s, _, dead, c := run(t, 3, no, nil, no, no)
	if fmt.Sprint(s.sent) != "[0 2]" || fmt.Sprint(dead) != "[1]" || c.Refused != 1 {
		t.Errorf("sent %v, dead %v, counts %+v", s.sent, dead, c)
	}
}

func TestADisabledSinkKeepsItsPlace(t *testing.T) {
	s, g, dead, c := run(t, 3, &Disabled{Status{Code: 410}})
	if len(s.sent) > 0 || len(dead) > 0 || g.done != 0 || !c.Paused() || len(s.times) != 1 {
		t.Errorf("sent %v, dead %v, done %d, %d attempts", s.sent, dead, g.done, len(s.times))
	}
}

// What is delivered is told before a wait, and at the end, so that a clean stop sends nothing again.
func TestWhatIsDeliveredIsTold(t *testing.T) {
	down := errors.New("connection refused")
	for name, c := range map[string]struct {
		script []error
		sent   int
		done   int
	}{
		"down after the first batch":          {[]error{nil, down, down}, 7, 7},
		"down for ever after the first batch": {append([]error{nil}, slices.Repeat([]error{down}, 10_000)...), 3, 3},
		"disabled after the second batch":     {[]error{nil, nil, &Disabled{Status{Code: 410}}}, 6, 6},
		"one refused of a batch, then down":   {append([]error{&Refused{down}, nil, &Refused{down}, &Refused{down}}, slices.Repeat([]error{down}, 10_000)...), 1, 2},
		"all at once":                         {nil, 7, 7},
		"the last of a batch is refused":      {[]error{&Refused{down}, nil, &Refused{down}, nil, &Refused{down}}, 6, 7},
	} {
		s, g, _, _ := run(t, 7, c.script...)
		if len(s.sent) != c.sent || g.done != c.done {
			t.Errorf("%s: sent are %v, done %d, want %d and %d", name, s.sent, g.done, c.sent, c.done)
		}
	}
}

// TestVerdictsAreOfEachMessage: what is taken is not sent again, what is refused is set aside, and the rest comes before what is behind.
func TestVerdictsAreOfEachMessage(t *testing.T) {
	down, no := errors.New("busy"), &Refused{errors.New("no date")}
	s, g, dead, c := run(t, 4, Verdicts{nil, no, &Fault{down, time.Minute}}, Verdicts{down}, nil, nil)
	if fmt.Sprint(s.batches) != "[[0 1 2] [2] [2] [3]]" || fmt.Sprint(dead) != "[1]" || g.done != 4 || c.Sent != 3 || c.Refused != 1 || c.Faults != 2 || c.Paused() {
		t.Errorf("batches %v, dead %v, done %d, %+v", s.batches, dead, g.done, c)
	}
	if wait := s.times[1].Sub(s.times[0]); wait < time.Minute {
		t.Errorf("Retry-After of a minute became %v", wait)
	}
	if text := (Verdicts{nil, no, down}).Error(); text != "of 3 messages 1 are refused, 1 not taken yet: message refused: no date" {
		t.Error(text)
	}
}

// TestBatches: a batch ends where it is full, and of an account that comes twice the later message waits.
func TestBatches(t *testing.T) {
	var all []Message
	for _, account := range strings.Fields("a b a c a b") {
		all = append(all, Message{Account: account, Body: make([]byte, 10)})
	}
	for want, b := range map[string]Batch{"[0][1][2][3][4][5]": {}, "[0 1 2 3][4 5]": {Messages: 4}, "[0 1][2 3][4 5]": {Messages: 4, Bytes: 25}, "[0 1 2 3 4 5]": {Messages: 9, Bytes: 60},
		"[0 1 3][2 5][4]": {Messages: 9, Apart: true}, "[0 1][2 3][4 5]again": {Messages: 2, Apart: true}, "[0][1][2][3][4][5]again": {Messages: 9, Bytes: 5}} {
		got, left := "", []int{0, 1, 2, 3, 4, 5}
		for len(left) > 0 {
			var batch []int
			batch, left = cut(b, all, left)
			got += fmt.Sprint(batch)
		}
		if got != strings.TrimSuffix(want, "again") {
			t.Errorf("%+v: %s, want %s", b, got, want)
		}
	}
}

// TestWhatASinkIsNotForIsDone: it is counted, and its place in the topic moves on.
func TestWhatASinkIsNotForIsDone(t *testing.T) {
	s, g := &scripted{}, &given{}
	r := &Runner{Name: "s", Sink: s, Queue: g, Env: Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)}, Terms: Terms{Wants: func(m *Message) bool { return m.Severity == "high" }}}
	if err := r.deliverAll(t.Context(), t.Context(), []Message{{ID: "0"}, {ID: "1", Severity: "high"}, {ID: "2"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.tell(t.Context()); err != nil || g.done != 3 || fmt.Sprint(s.sent) != "[1]" || r.Counts().Filtered != 2 || r.Counts().Sent != 1 {
		t.Errorf("done %d, sent %v, %+v, %v", g.done, s.sent, r.Counts(), err)
	}
}

// What has moved to another instance while the sink was paused is not sent any more; what is left comes again.
func TestWhatHasMovedIsNotSent(t *testing.T) {
	down := errors.New("connection refused")
	g := &given{n: 6, moves: 1, left: 1}
	s, _, c := runOn(t, g, nil, down)
	if fmt.Sprint(s.sent) != "[0 1 2 0]" || g.done != 4 || c.Paused() {
		t.Errorf("sent %v, done %d, %+v", s.sent, g.done, c)
	}
}

func TestWaitsGrowAndStayBounded(t *testing.T) {
	var script []error
	for range 40 {
		script = append(script, errors.New("down"))
	}
	s, _, _, _ := run(t, 1, script...)
	for i := 1; i < len(s.times); i++ {
		if wait := s.times[i].Sub(s.times[i-1]); wait > longestWait+time.Second {
			t.Errorf("wait %d is %v", i, wait)
		}
	}
	if total := s.times[40].Sub(s.times[0]); total < 5*time.Minute {
		t.Errorf("40 attempts in %v: the waits do not grow", total)
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{"7": 7 * time.Second, " 7 ": 7 * time.Second, "": 0, "soon": 0, "-1": 0, "999999": time.Hour, "99999999999": time.Hour, "340282366920938463463374607431768211456": time.Hour, now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0} {
		if got := RetryAfter(value, now); got != want {
			t.Errorf("%q is %v, want %v", value, got, want)
		}
	}
}

// FuzzRetryAfter: whatever a destination says, the wait is bounded.
func FuzzRetryAfter(f *testing.F) {
	f.Add("1")
	f.Add("Fri, 02 Jan 2026 03:04:05 GMT")
	f.Fuzz(func(t *testing.T, s string) {
		if d := RetryAfter(s, time.Unix(0, 0)); d < 0 || d > longestRetryAfter {
			t.Fatalf("%q is %v", s, d)
		}
	})
}
