package stage

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What is under way when a session is to end has a while, and no longer than everything has.
func TestALastCommitHasItsTime(t *testing.T) {
	for name, c := range map[string]struct{ drain, want time.Duration }{
		"there is time for all":   {time.Minute, endWithin},
		"there is little for all": {time.Second, time.Second},
		"there is none any more":  {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancel(t.Context())
				drain, stop := context.WithCancelCause(t.Context())
				last, done := outlasting(ctx, drain)
				time.Sleep(time.Hour)
				if last.Err() != nil {
					t.Fatal("it has ended while the session works")
				}
				began := time.Now()
				end()
				time.AfterFunc(c.drain, func() { stop(errors.New("all ends")) })
				<-last.Done()
				if took := time.Since(began); took != c.want {
					t.Errorf("it has ended after %v: %v", took, context.Cause(last))
				}
				if late := c.drain > endWithin; errors.Is(context.Cause(last), errLast) != late {
					t.Errorf("the cause is %v", context.Cause(last))
				}
				done()
			})
		})
	}
}
