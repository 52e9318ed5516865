package sinks

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A runner says how its sink is, since when, what it failed with last and when it is tried again.
func TestARunnerSaysHowItsSinkIs(t *testing.T) {
	down := &Fault{errors.New("connection refused"), time.Minute}
	gone := &Disabled{Status{Code: 410}}
	for name, c := range map[string]struct {
		script []error
		n      int
		after  time.Duration
		want   Counts
	}{
		"nothing has come":  {after: time.Hour, want: Counts{State: Delivering}},
		"all is taken":      {n: 3, after: time.Hour, want: Counts{State: Delivering, Sent: 3}},
		"it is tried again": {n: 3, script: []error{down, down, down}, after: 90 * time.Second, want: Counts{State: Retrying, Faults: 2, Fault: down}},
		"it has come back":  {n: 3, script: []error{down, down}, after: time.Hour, want: Counts{State: Delivering, Sent: 3, Faults: 2, Fault: down}},
		"it is disabled":    {n: 3, script: []error{down, gone}, after: time.Hour, want: Counts{State: Dead, Faults: 1, Fault: gone}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				began := time.Now()
				r := runner(&scripted{script: c.script}, &given{n: c.n}, &said)
				ctx, stop := context.WithTimeout(t.Context(), c.after)
				defer stop()
				ended := make(chan error)
				go func() { ended <- r.Run(ctx, t.Context()) }()
				time.Sleep(c.after - time.Second)
				got := r.Counts()
				if got.State != c.want.State || got.Sent != c.want.Sent || got.Faults != c.want.Faults || !errors.Is(got.Fault, c.want.Fault) {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				switch {
				case got.Since.Before(began) || got.Since.After(time.Now()):
					t.Errorf("since %v", got.Since)
				case (got.State == Retrying) != got.Next.After(time.Now()):
					t.Errorf("it is tried again at %v", got.Next)
				case (got.Sent > 0) == got.Took.IsZero():
					t.Errorf("the last was taken at %v", got.Took)
				}
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func runner(s Sink, q Queue, said *bytes.Buffer) *Runner {
	return &Runner{Name: "s", Sink: s, Queue: q, Env: Env{Now: time.Now, Log: slog.New(slog.NewTextHandler(said, nil))},
		DeadLetter: func(context.Context, Message, error) error { return nil },
		Sleep: func(ctx context.Context, d time.Duration) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(d):
				return nil
			}
		}}
}

// A fault that lasts is told when it begins, each minute, and when it is over.
func TestAFaultThatLastsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		script := make([]error, 200)
		for i := range script {
			script[i] = &Fault{errors.New("connection refused"), 10 * time.Second}
		}
		r := runner(&scripted{script: script}, &given{n: 1}, &said)
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		if err := r.Run(ctx, t.Context()); err != nil {
			t.Error(err)
		}
		if n := strings.Count(said.String(), "sink paused"); n != 1 {
			t.Errorf("told %d times that it begins", n)
		}
		if n := strings.Count(said.String(), "sink still paused"); n < 5 || n > 9 {
			t.Errorf("told %d times that it lasts:\n%s", n, said.String())
		}
	})
}

// A queue that cannot be read interrupts a sink until messages come, or until it has not failed for a while.
func TestAQueueThatCannotBeReadInterrupts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		r := runner(&scripted{}, &given{n: 1}, &said)
		lost := errors.New("broker away")
		r.Interrupted(lost, time.Second)
		if c := r.Counts(); c.State != Interrupted || !errors.Is(c.Fault, lost) || !c.Next.Equal(time.Now().Add(time.Second)) {
			t.Errorf("%+v", c)
		}
		time.Sleep(time.Minute)
		if c := r.Counts(); c.State != Interrupted {
			t.Errorf("%+v", c)
		}
		time.Sleep(time.Minute)
		if c := r.Counts(); c.State != Delivering {
			t.Errorf("%+v", c)
		}
		r.Interrupted(lost, time.Second)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := r.Run(ctx, t.Context()); err != nil || r.Counts().State != Delivering {
			t.Errorf("%v %+v", err, r.Counts())
		}
	})
}
