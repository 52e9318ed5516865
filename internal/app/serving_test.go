package app

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestARunThatDoesNotLookAtItselfHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Run{}
		r.hearts.heart("reporting").turns()
		time.Sleep(hangsAfter)
		if err := r.live(); err != nil {
			t.Errorf("it hangs too early: %v", err)
		}
		time.Sleep(time.Second)
		if err := r.live(); err == nil || !strings.Contains(err.Error(), "reporting hangs") {
			t.Errorf("it does not hang: %v", err)
		}
	})
}
