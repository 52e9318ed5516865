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
		r.looked.Store(time.Now().UnixNano())
		time.Sleep(hangsAfter)
		if err := r.live(); err != nil {
			t.Errorf("it hangs too early: %v", err)
		}
		time.Sleep(time.Second)
		if err := r.live(); err == nil || !strings.Contains(err.Error(), "3m1s") {
			t.Errorf("it does not hang: %v", err)
		}
	})
}
