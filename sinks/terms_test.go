package sinks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestABreakerOpensByShareAndByRow: five faults in a row, or half of the last twenty attempts, open it; one success closes it.
func TestABreakerOpensByShareAndByRow(t *testing.T) {
	for attempts, want := range map[string]bool{
		"":                              false,
		"xxxx":                          false,
		"xxxxx":                         true,
		"xxxxx.":                        false,
		strings.Repeat("x.", 9) + "x":   false, // nineteen
		strings.Repeat(".x", 10):        true,
		strings.Repeat(".x", 9) + "..":  false, // nine of twenty
		strings.Repeat("..x", 50):       false,
		strings.Repeat(".xx", 6) + ".x": true,
		strings.Repeat(".x", 10) + ".":  false,
		strings.Repeat(".x", 10) + ".x": false,
	} {
		var b breaker
		for _, a := range attempts {
			b.note(a == 'x')
		}
		if b.open != want {
			t.Errorf("%q: open is %t", attempts, b.open)
		}
	}
}

// TestAnOpenBreakerTriesOneAlert: a destination that fails gets one alert at a time, after longer waits, until it takes one.
func TestAnOpenBreakerTriesOneAlert(t *testing.T) {
	down := errors.New("down")
	s, _, _, c := run(t, 6, slices.Repeat([]error{down}, 9)...)
	var sizes []int
	for _, b := range s.batches {
		sizes = append(sizes, len(b))
	}
	if fmt.Sprint(sizes) != "[3 3 3 3 3 1 1 1 1 1 2 3]" || fmt.Sprint(s.sent) != "[0 1 2 3 4 5]" || c.State != Delivering {
		t.Errorf("batches of %v, sent %v, %+v", sizes, s.sent, c)
	}
	for i := 5; i < 10; i++ {
		if wait := s.times[i].Sub(s.times[i-1]); wait < leastWhenOpen {
			t.Errorf("attempt %d comes after %v", i, wait)
		}
	}
}

// TestRate: at least so long lies between two alerts; those of one second come together where a batch holds several.
func TestRate(t *testing.T) {
	for every, want := range map[time.Duration][]int{time.Minute: {1, 1, 1, 1, 1, 1, 1}, 400 * time.Millisecond: {2, 2, 2, 1}, time.Millisecond: {3, 3, 1}} {
		synctest.Test(t, func(t *testing.T) {
			var said bytes.Buffer
			s := &scripted{}
			r := runner(s, &given{n: 7}, &said)
			r.Every = every
			ctx, stop := context.WithTimeout(t.Context(), time.Hour)
			defer stop()
			if err := r.Run(ctx, t.Context()); err != nil {
				t.Error(err)
			}
			var got []int
			for i, batch := range s.batches {
				got = append(got, len(batch))
				if i > 0 && s.times[i].Sub(s.times[i-1]) != time.Duration(got[i-1])*every {
					t.Errorf("every %s: sent at %v", every, s.times)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("every %s: sent are %v, expected %v", every, got, want)
			}
		})
	}
}

// TestASummaryWaitsForTheSecretOfItsHashes: a secret that cannot be read at first stops nothing for good.
func TestASummaryWaitsForTheSecretOfItsHashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		at := time.Now()
		s := &bodies{}
		r := runner(s, &writtenAt{given{n: 3}, []time.Time{at, at, at}}, &said)
		time.Sleep(2 * time.Hour)
		r.MaxAge = time.Hour
		tries := 0
		r.Redact = &Redaction{Hash: []string{"account"}, Key: func() (string, error) {
			if tries++; tries < 5 {
				return "", errors.New("no such file")
			}
			return "a secret of enough letters", nil
		}}
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		if err := r.Run(ctx, t.Context()); err != nil {
			t.Error(err)
		}
		if c := r.Counts(); len(s.got) != 1 || s.got[0].Rule != SummaryRule || c.Summarised != 3 || c.Faults == 0 {
			t.Errorf("%v, %+v", s.got, c)
		}
	})
}

// writtenAt is a queue of messages that were written then.
type writtenAt struct {
	given
	at []time.Time
}

func (q *writtenAt) Next(ctx context.Context) ([]Message, error) {
	all, err := q.given.Next(ctx)
	for i := range all {
		all[i] = Message{ID: fmt.Sprint("a-", i), Revision: 1, Rule: "r", Account: fmt.Sprint("account ", i%2), Severity: []string{"low", "critical", "high"}[i%3], Time: q.at[i], Written: q.at[i], Body: []byte("{}")}
	}
	return all, err
}

// bodies is a destination that fails so many times, then takes everything.
type bodies struct {
	fails int
	got   []Message
}

func (*bodies) Batch() Batch { return Batch{} }

func (s *bodies) Send(_ context.Context, all []Message) error {
	if s.fails--; s.fails >= 0 {
		return &Fault{Cause: errors.New("down"), RetryAfter: time.Hour}
	}
	s.got = append(s.got, all...)
	return nil
}

// TestWhatIsTooOldComesAsOneSummary, also what becomes too old while it waits for a destination that is down.
func TestWhatIsTooOldComesAsOneSummary(t *testing.T) {
	for name, c := range map[string]struct {
		ages  []time.Duration
		fails int
		want  string
	}{
		"all are new":                       {ages: []time.Duration{0, time.Minute, time.Hour}, want: "a-0 a-1 a-2"},
		"one is old":                        {ages: []time.Duration{2 * time.Hour, time.Minute}, want: "a-0 a-1"},
		"several are old":                   {ages: []time.Duration{3 * time.Hour, 2 * time.Hour, 0, 0}, want: "noroshi-summary/1[a-0 a-1]critical a-2 a-3"},
		"they become old in an outage":      {ages: []time.Duration{0, 0, 0}, fails: 2, want: "noroshi-summary/1[a-0 a-1 a-2]critical"},
		"one more becomes old in an outage": {ages: []time.Duration{2 * time.Hour, 2 * time.Hour, 0, 0}, fails: 2, want: "noroshi-summary/2[a-0 a-1 a-2 a-3]critical"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				q := &writtenAt{given: given{n: len(c.ages)}}
				for _, age := range c.ages {
					q.at = append(q.at, time.Now().Add(-age))
				}
				s := &bodies{fails: c.fails}
				r := runner(s, q, &said)
				r.MaxAge = time.Hour
				ctx, stop := context.WithTimeout(t.Context(), 12*time.Hour)
				defer stop()
				if err := r.Run(ctx, t.Context()); err != nil {
					t.Error(err)
				}
				var got []string
				for _, m := range s.got {
					if m.Rule != SummaryRule {
						got = append(got, m.ID)
						continue
					}
					var a struct {
						Linked  []string
						Summary string
						Window  struct{ Count int }
					}
					if err := json.Unmarshal(m.Body, &a); err != nil {
						t.Fatal(err)
					}
					got = append(got, fmt.Sprintf("%s/%d%v%s", m.Rule, m.Revision, a.Linked, m.Severity))
					if a.Window.Count != len(a.Linked) || !strings.Contains(a.Summary, "longer than 1h") {
						t.Errorf("%s", m.Body)
					}
				}
				if text := strings.Join(got, " "); text != c.want {
					t.Errorf("got %s, want %s", text, c.want)
				}
				if c := r.Counts(); c.Sent+c.Summarised != int64(len(q.at)) || q.done != len(q.at) {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

// slow takes a while for each batch.
type slow struct {
	scripted
	done func()
}

func (s *slow) Send(ctx context.Context, all []Message) error {
	s.done()
	time.Sleep(2 * time.Second)
	return s.scripted.Send(ctx, all)
}

// TestWhatIsDoneIsToldOnItsWay: a crash in the midst of many messages sends little again.
func TestWhatIsDoneIsToldOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		var before []int
		q := &given{n: 9}
		r := runner(nil, q, &said)
		r.Sink = &slow{done: func() { before = append(before, q.done) }}
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		if err := r.Run(ctx, t.Context()); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(before, q.done) != "[0 3 6] 9" {
			t.Errorf("before each batch %v were told, in the end %d", before, q.done)
		}
	})
}

// TestResults: what became of each alert is told before it is done, with the answer; where that cannot be stored, delivery goes on.
func TestResults(t *testing.T) {
	no := &Refused{errors.New("no date")}
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var said bytes.Buffer
			answer := &Answer{}
			s := &scripted{script: []error{errors.New("down"), Verdicts{nil, no, nil}}}
			q := &given{n: 4}
			r := runner(s, q, &said)
			r.Env.Answer = answer
			r.Sink = answering{s, answer}
			var got []Result
			r.Results = func(_ context.Context, all []Result) error {
				if q.done > 0 && len(got) == 0 {
					t.Error("it is told too late")
				}
				got = append(got, all...)
				if fails {
					return errors.New("broker away")
				}
				return nil
			}
			ctx, stop := context.WithTimeout(t.Context(), time.Hour)
			defer stop()
			if err := r.Run(ctx, t.Context()); err != nil {
				t.Error(err)
			}
			var text []string
			for _, one := range got {
				text = append(text, fmt.Sprintf("%s %s %d %q", one.Alert, one.Outcome, one.Attempts, one.Answer))
			}
			want := `1 refused 2 "message refused: no date"|0 sent 2 "status 202"|2 sent 2 "status 202"|3 sent 1 "status 202"`
			if strings.Join(text, "|") != want || q.done != 4 || (r.Counts().Untold > 0) != fails {
				t.Errorf("%v\ndone %d, %+v", strings.Join(text, "|"), q.done, r.Counts())
			}
		})
	}
}

// answering says what the destination said.
type answering struct {
	Sink
	answer *Answer
}

func (a answering) Send(ctx context.Context, all []Message) error {
	a.answer.Set("status 202")
	return a.Sink.Send(ctx, all)
}

// TestDrillsAreTold also where the sink is not for them.
func TestDrillsAreTold(t *testing.T) {
	var got []Result
	r := &Runner{Name: "s", Sink: &scripted{}, Queue: &given{}, Env: Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)}, Terms: Terms{Wants: func(*Message) bool { return false }},
		Results: func(_ context.Context, all []Result) error { got = append(got, all...); return nil }}
	if err := r.deliverAll(t.Context(), t.Context(), []Message{{ID: "0"}, {ID: "1", Tenant: "noroshi-drill"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.tell(t.Context()); err != nil || len(got) != 1 || got[0].Alert != "1" || got[0].Outcome != WasFiltered || !got[0].Drill {
		t.Errorf("%+v, %v", got, err)
	}
}
