package sinks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// world is a topic, a destination that does what it likes, and what has become of each alert. Time passes only while somebody waits.
type world struct {
	t      *testing.T
	rnd    *rand.Rand
	now    time.Time
	log    []Message
	done   int // so many have been told to be done
	given  int // so many have been given behind these
	batch  Batch
	judges bool // the destination judges each message by itself
	crash  bool // the process is gone, as the next call finds out
	end    context.CancelFunc
	r      *Runner

	poison  map[string]bool // alerts that the destination never takes
	took    map[string]bool
	named   map[string]bool // by a summary that was taken
	dead    map[string]bool
	results map[string]Outcome
	last    map[string]int    // by account: the furthest that has arrived
	content map[string]string // of summaries, by revision
}

var errCrash = errors.New("the process is gone")

// lives ends calls of a process that is gone, and checks what holds at every moment.
func (w *world) lives() error {
	w.check()
	if w.crash || w.rnd.IntN(150) == 0 {
		w.crash = true
		return errCrash
	}
	return nil
}

func (w *world) Next(context.Context) ([]Message, error) {
	if err := w.lives(); err != nil {
		return nil, err
	}
	if w.done == len(w.log) {
		w.end()
		return nil, context.Canceled
	}
	w.given = 1 + w.rnd.IntN(min(40, len(w.log)-w.done))
	return slices.Clone(w.log[w.done : w.done+w.given]), nil
}

func (w *world) Done(_ context.Context, n int) error {
	if err := w.lives(); err != nil {
		return err
	}
	w.done += n
	w.check()
	return nil
}

func (w *world) Hold(_ context.Context, d time.Duration) (bool, error) {
	w.now = w.now.Add(d)
	if err := w.lives(); err != nil {
		return false, err
	}
	return w.rnd.IntN(20) == 0, nil
}

func (w *world) Batch() Batch { return w.batch }

// Send takes, refuses, fails, or takes and seems to fail.
func (w *world) Send(_ context.Context, all []Message) error {
	if w.crash {
		return errCrash
	}
	if w.rnd.IntN(3) == 0 {
		if w.rnd.IntN(3) == 0 && !w.poisonous(all) {
			w.take(all)
		}
		w.crash = w.rnd.IntN(20) == 0
		return &Fault{Cause: errors.New("busy"), RetryAfter: time.Duration(w.rnd.IntN(2)) * 20 * time.Minute}
	}
	if w.judges && w.rnd.IntN(2) == 0 {
		return w.judge(all)
	}
	if w.poisonous(all) || all[0].Rule == SummaryRule && w.rnd.IntN(10) == 0 {
		return &Refused{errors.New("too strange")}
	}
	w.take(all)
	w.crash = w.rnd.IntN(30) == 0
	return nil
}

func (w *world) poisonous(all []Message) bool {
	return slices.ContainsFunc(all, func(m Message) bool { return w.poison[m.ID] })
}

func (w *world) judge(all []Message) error {
	v := make(Verdicts, len(all))
	for i := range all {
		switch {
		case w.poison[all[i].ID]:
			v[i] = &Refused{errors.New("too strange")}
		case w.rnd.IntN(3) == 0:
			v[i] = errors.New("busy")
		default:
			w.take(all[i : i+1])
		}
	}
	return v
}

func (w *world) take(all []Message) {
	for i := range all {
		if all[i].Rule != SummaryRule {
			w.took[all[i].ID] = true
			w.arrived(all[i].ID)
			continue
		}
		w.takeSummary(&all[i])
	}
}

// takeSummary checks that what has another content has another key: a destination that knows keys would drop it.
func (w *world) takeSummary(m *Message) {
	var a struct{ Linked []string }
	if err := json.Unmarshal(m.Body, &a); err != nil || len(a.Linked) < 1 {
		w.t.Errorf("a summary of nothing: %v %s", err, m.Body)
	}
	if was, known := w.content[m.Key()]; known && was != fmt.Sprint(a.Linked) {
		w.t.Errorf("the summary %s is of other alerts than it was", m.Key())
	}
	w.content[m.Key()] = fmt.Sprint(a.Linked)
	for _, id := range a.Linked {
		w.named[id] = true
		w.arrived(id)
	}
}

// arrived checks the order of an account.
func (w *world) arrived(id string) {
	i := slices.IndexFunc(w.log, func(m Message) bool { return m.ID == id })
	account := w.log[i].Account
	for before := w.last[account]; before < i; before++ {
		if m := &w.log[before]; m.Account == account && m.Severity == "high" && !w.poison[m.ID] && !w.took[m.ID] && !w.named[m.ID] {
			w.t.Fatalf("%s has arrived before %s of the same account", id, m.ID)
		}
	}
	w.last[account] = max(w.last[account], i)
}

// check is what holds at every moment: what is done has an end, each alert one of them, and nothing of what was read is lost.
func (w *world) check() {
	c := w.r.Counts()
	if sum := c.Sent + c.Summarised + c.Filtered + c.Refused + c.Held + c.Returned; sum != c.Read || c.Held < 0 {
		w.t.Fatalf("%d were read, and %d have become something: %+v", c.Read, sum, c)
	}
	for i := range w.log[:w.done] {
		m := &w.log[i]
		filtered := m.Severity != "high"
		ended := w.took[m.ID] || w.named[m.ID] || w.dead[m.ID]
		if filtered == ended {
			w.t.Fatalf("%s is done: filtered %t, taken %t, named %t, dead %t", m.ID, filtered, w.took[m.ID], w.named[m.ID], w.dead[m.ID])
		}
		if o := w.results[m.ID]; !filtered && (o == "" || o == WasRefused && !w.dead[m.ID] || o == WasSent && !w.took[m.ID] || o == WasSummarised && !w.named[m.ID]) {
			w.t.Fatalf("the result of %s is %q", m.ID, o)
		}
	}
}

func (w *world) runner() *Runner {
	return &Runner{Name: "s", Sink: w, Queue: w, Env: Env{Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)},
		DeadLetter: func(_ context.Context, m Message, _ error) error {
			if err := w.lives(); err != nil {
				return err
			}
			w.dead[m.ID] = true
			return nil
		},
		Results: func(_ context.Context, all []Result) error {
			if w.crash {
				return errCrash
			}
			for _, r := range all {
				w.results[r.Alert] = r.Outcome
			}
			return nil
		},
		Sleep: func(context.Context, time.Duration) error { return errCrash },
		Terms: Terms{Wants: func(m *Message) bool { return m.Severity == "high" }, MaxAge: time.Hour, Every: time.Duration(w.rnd.IntN(2)) * time.Second}}
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), poison: map[string]bool{}, took: map[string]bool{}, named: map[string]bool{}, dead: map[string]bool{},
		results: map[string]Outcome{}, last: map[string]int{}, content: map[string]string{}}
	w.judges = w.rnd.IntN(2) == 0
	w.batch = Batch{Messages: 1 + w.rnd.IntN(8), Apart: w.judges}
	written := w.now.Add(-2 * time.Hour)
	for i := range 50 + w.rnd.IntN(150) {
		m := Message{ID: fmt.Sprintf("a-%03d", i), Revision: 1, Status: "firing", Account: fmt.Sprint("account ", w.rnd.IntN(6)), Severity: "high", Time: written, Written: written}
		if w.rnd.IntN(5) == 0 {
			m.Severity = "low"
		}
		m.Body = []byte(`{"id":"` + m.ID + `"}`)
		w.poison[m.ID] = w.rnd.IntN(15) == 0
		w.log, written = append(w.log, m), written.Add(time.Duration(w.rnd.IntN(80))*time.Second)
	}
	return w
}

// TestNothingElseEndsAnAlert: whatever the destination answers and whenever the process dies, each alert is sent, also in a summary,
// filtered, waiting or a dead letter, at every moment; and those of an account arrive in order.
func TestNothingElseEndsAnAlert(t *testing.T) {
	deaths, summaries := 0, 0
	for seed := range uint64(300) {
		w := newWorld(t, seed)
		for lives := 0; w.done < len(w.log); lives++ {
			if lives > 5000 {
				t.Fatalf("seed %d: it never ends: %d of %d", seed, w.done, len(w.log))
			}
			ctx, end := context.WithCancel(t.Context())
			w.end, w.crash, w.r = end, false, w.runner()
			w.now = w.now.Add(time.Millisecond)
			err := w.r.Run(ctx, t.Context())
			end()
			if err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			if err != nil {
				deaths++
			}
			w.check()
			if c := w.r.Counts(); c.Held != 0 {
				t.Fatalf("seed %d: nothing runs, and something is held: %+v", seed, c)
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		summaries += len(w.content)
	}
	if deaths < 150 || summaries < 300 {
		t.Errorf("%d deaths and %d summaries show too little", deaths, summaries)
	}
}
