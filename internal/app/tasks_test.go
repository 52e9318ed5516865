package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestEveryFailureIsTold: also the second of the same tasks, and that of others while the first is being told.
func TestEveryFailureIsTold(t *testing.T) {
	alarm := make(chan struct{}, 1)
	one, other := newTasks(t.Context(), "one", alarm), newTasks(t.Context(), "other", alarm)
	fail := func(text string) func(context.Context) error {
		return func(context.Context) error { return errors.New(text) }
	}
	one.run(fail("first"))
	one.run(fail("second"))
	other.run(fail("third"))
	one.wg.Wait()
	other.wg.Wait()
	<-alarm
	err := errors.Join(one.end(t.Context()), other.end(t.Context()))
	for _, want := range []string{"first", "second", "third"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v says nothing of the %s failure", err, want)
		}
	}
}

// TestWhatHeedsNoContextIsLeft when its time is over, and named.
func TestWhatHeedsNoContextIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		tasks := newTasks(t.Context(), "delivery", make(chan struct{}, 1))
		tasks.run(func(context.Context) error { <-release; return nil })
		left, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		began := time.Now()
		if err := tasks.end(left); err == nil || err.Error() != "delivery has not ended" || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
