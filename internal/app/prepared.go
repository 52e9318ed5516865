package app

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/ingest/file"
)

// prepared is whether a run can do all of its work.
type prepared struct {
	running atomic.Pointer[time.Time] // since when everything is started
	ending  atomic.Bool

	mu     sync.Mutex
	opened map[string]bool // sources that were open once
}

// othersHave is how long an instance waits for partitions. One that has got none by then has none to do: others have them.
const othersHave = 30 * time.Second

// ready says why the instance cannot do all of its work yet; nil: it can. A source that was open once counts as open: what is wrong with
// it later is told by the health.
func (r *Run) ready(now time.Time) error {
	p := &r.prepared
	since := p.running.Load()
	switch {
	case p.ending.Load():
		return errors.New("it is ending")
	case since == nil:
		return errors.New("it is starting")
	}
	alone := now.Sub(*since) >= othersHave
	if r.has(Detect) {
		events, signals := &r.detected.stage, &r.detected.signals.stage
		switch least := r.leastTaken(); {
		case events.Restoring.Load()+signals.Restoring.Load() > 0:
			return errors.New("what rules remember is read")
		case !alone && (events.Taken.Load() < least || signals.Taken.Load() < least):
			return errors.New("it has no partitions yet")
		}
	}
	return p.open(r.unopened(), alone)
}

// leastTaken is how many partitions this instance takes at least before it is ready.
func (r *Run) leastTaken() int64 {
	if len(r.Config.Kafka.Brokers) == 0 { // nobody else is there
		return int64(r.Config.Kafka.Partitions)
	}
	return 1
}

// unopened says of each source why it is not open; nil: it is.
func (r *Run) unopened() map[string]error {
	all := map[string]error{}
	for i, one := range r.Sources {
		f, ok := one.(*file.Source)
		if name := fileSource(i, len(r.Sources)); ok && f.Counts().Looks().Turn == 0 {
			all[name] = errors.New("no file was looked at yet")
		} else {
			all[name] = nil
		}
	}
	partitions := r.counts.Snapshot()
	for _, f := range r.Feeds {
		name := f.Stream.Name()
		if err := r.counts.Fault(name); err != nil {
			all[name] = err
			continue
		}
		all[name] = errNoPartition
		for i := range partitions {
			if p := &partitions[i]; p.Source == name && p.Owned {
				all[name] = nil
				if !p.Looked {
					all[name] = fmt.Errorf("partition %d is not open", p.Partition)
					break
				}
			}
		}
	}
	return all
}

// errNoPartition says that a source has no partition here.
var errNoPartition = errors.New("this instance has no partition of it yet")

// open notes which sources are open, and says which one never was.
func (p *prepared) open(all map[string]error, alone bool) (why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened == nil {
		p.opened = map[string]bool{}
	}
	for _, name := range sortedKeys(all) {
		switch err := all[name]; {
		case err == nil || alone && errors.Is(err, errNoPartition):
			p.opened[name] = true
		case !p.opened[name] && why == nil:
			why = fmt.Errorf("source %s: %w", name, err)
		}
	}
	return why
}
