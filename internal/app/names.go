package app

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"noroshi/internal/bus"
)

// names are the names of this process's sessions in the detector's group, and of their transactions. A session that is started again
// under its name has its partitions back at once, and ends the transactions of its predecessor.
type names struct {
	mu       sync.Mutex
	process  string         // "": there is one process
	instead  map[int]string // of sessions whose name another process has
	released func()
}

// newNames finds names that no other process on this Kafka has.
func newNames(c *bus.Config, log *slog.Logger) *names {
	n := &names{instead: map[int]string{}, released: func() {}}
	if c.Boot != "" {
		return n
	}
	host, err := os.Hostname()
	var slot int
	if err == nil {
		slot, n.released, err = bus.Slot(c)
	}
	if err != nil {
		n.process, n.released = rand.Text(), func() {}
		log.Warn("this process has no name that outlives it: after a crash others wait for the end of its session", slog.Any("err", err))
		return n
	}
	n.process = fmt.Sprintf("%s-%d", host, slot)
	return n
}

// instance is the name of a session.
func (n *names) instance(number int) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	process := n.process
	if other := n.instead[number]; other != "" {
		process = other
	}
	if process == "" {
		return fmt.Sprintf("%s-%d", detectorGroup, number)
	}
	return fmt.Sprintf("%s-%s-%d", detectorGroup, process, number)
}

// change gives a session another name. Two processes that both insist on one would put each other out for ever.
func (n *names) change(number int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.instead[number] = rand.Text()
}
