package main

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheSecondSignalWaitsForNothing, whatever the command does.
func TestTheSecondSignalWaitsForNothing(t *testing.T) {
	for signal, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143} {
		synctest.Test(t, func(t *testing.T) {
			signals := make(chan os.Signal, 2)
			time.AfterFunc(3*time.Second, func() { signals <- signal })
			began := time.Now()
			code := after(signals, make(chan int))
			if took := time.Since(began); code != want || took != 3*time.Second {
				t.Errorf("%v: exit code %d after %v", signal, code, took-3*time.Second)
			}
		})
	}
}
