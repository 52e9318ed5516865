package app

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"noroshi/internal/bus"
)

// names are the names of this process's sessions in the groups of the detector, and of their transactions. A session that is started again
// under its name has its partitions back at once, and ends the transactions of its predecessor.
type names struct {
	mu       sync.Mutex
	process  string           // "": there is one process
	instead  map[place]string // of sessions whose name another process has
	released func()
}

// place is a session's place in this process.
type place struct {
	group  string
	number int
}

// newNames finds names that no other process on this Kafka has.
func newNames(c *bus.Config, log *slog.Logger) *names {
	n := &names{instead: map[place]string{}, released: func() {}}
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
func (n *names) instance(of place) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	process := n.process
	if other := n.instead[of]; other != "" {
		process = other
	}
	if process == "" {
		return fmt.Sprintf("%s-%d", of.group, of.number)
	}
	return fmt.Sprintf("%s-%s-%d", of.group, process, of.number)
}

// change gives a session another name. Two processes that both insist on one would put each other out for ever.
func (n *names) change(of place) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.instead[of] = rand.Text()
}
