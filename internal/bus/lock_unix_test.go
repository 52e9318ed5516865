//go:build unix

package bus

import (
	"path/filepath"
	"sync"
	"testing"
)

// Whoever looks whether a folder is in use does not keep a run from starting in it.
func TestLooksDoNotTakeTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var looking sync.WaitGroup
	end := make(chan struct{})
	for range 2 {
		looking.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
					taken(path)
				}
			}
		})
	}
	for range 300 {
		f, err := lock(path)
		if err != nil {
			t.Fatal(err)
		}
		if !taken(path) {
			t.Fatal("it is not taken")
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	close(end)
	looking.Wait()
}
