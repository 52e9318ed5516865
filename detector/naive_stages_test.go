package detector_test

import (
	"fmt"
	"math"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/rules"
)

// stages are memories as they lie in the partitions of a live stream: records of an account in one of the first stage, keys of other
// rules in one of the second.
type stages struct {
	set     *detector.Set
	first   []*detector.Memory
	second  []*detector.Memory
	gather  []*detector.Signals // of the first, then of the second
	applied []map[detector.Upstream]*detector.Applied
	clock   [1 + detector.MaxCrossings]int64 // of the second, by crossings
	queue   [][][]byte                       // signals by partition
	failed  error
	number  int64
	rest    int64 // of the number of records between two looks at the signals
}

const stagePartitions = 3

func newStages(set *detector.Set, o detector.MemoryOptions, rest int) *stages {
	s := &stages{set: set, queue: make([][][]byte, stagePartitions), rest: int64(rest)}
	for i := range s.clock {
		s.clock[i] = math.MinInt64
	}
	for i := range int32(2 * stagePartitions) {
		from, stage := detector.Upstream{Topic: detector.UpEvents, Partition: i}, detector.First
		if i >= stagePartitions {
			from, stage = detector.Upstream{Topic: detector.UpSignals, Partition: i - stagePartitions}, detector.Second
			s.applied = append(s.applied, map[detector.Upstream]*detector.Applied{})
		}
		g := set.Signals(from, stagePartitions)
		s.gather = append(s.gather, g)
		o.Stage, o.Send = stage, g.Take
		if stage == detector.First {
			s.first = append(s.first, set.Memory(o))
		} else {
			o.Clocks, o.Crossed = s, func(_ string, n int) int64 { return s.clock[n] }
			s.second = append(s.second, set.Memory(o))
		}
	}
	return s
}

// flush sends what one of the partitions has gathered.
func (s *stages) flush(n int, at detector.Place) {
	s.gather[n].Flush(at, func(to int32, signal []byte) { s.queue[to] = append(s.queue[to], signal) })
}

// clockPlace is the place of what a clock has made due.
var clockPlace = detector.Place{Offset: -1}

func (s *stages) advance(at time.Time, take func(*alert.Alert)) {
	for i, m := range s.first {
		m.Advance(at, take)
		s.flush(i, clockPlace)
	}
	s.drain(take)
	for n := range s.clock {
		s.clock[n] = at.UnixNano()
		for i, m := range s.second {
			m.Follow(take)
			s.flush(stagePartitions+i, clockPlace)
		}
		s.drain(take)
	}
}

// Of implements detector.Clocks.
func (s *stages) Of(string, []string) int64 { return s.clock[0] }

// Wall implements detector.Clocks.
func (s *stages) Wall(string, []string) (int64, bool) { return 0, false }

// Shows implements detector.Clocks.
func (s *stages) Shows(string, string, int64, int64) bool { return false }

// apply applies the hits of a record of an account.
func (s *stages) apply(account string, hits [][]byte, take func(*alert.Alert)) {
	p := detector.KeyPartition("", "", []string{account}, stagePartitions)
	for _, packed := range hits {
		if s.gather[p].Take(packed) {
			continue
		}
		s.fail(s.first[p].Apply(packed, take))
	}
	s.number++
	s.flush(int(p), detector.Place{Offset: s.number, Written: s.number})
	if s.number%s.rest == 0 {
		s.drain(take)
	}
}

// drain applies the signals that wait, and those that come of them. Each comes twice, as after a crash.
func (s *stages) drain(take func(*alert.Alert)) {
	for waits := true; waits; {
		waits = false
		for p := range s.queue {
			now := s.queue[p]
			s.queue[p] = nil
			for _, signal := range now {
				waits = true
				s.signal(p, signal, take)
				s.signal(p, signal, take)
			}
		}
	}
}

func (s *stages) signal(p int, b []byte, take func(*alert.Alert)) {
	sig, err := s.set.Signal(b)
	if err != nil || len(sig.Unknown) > 0 {
		s.fail(fmt.Errorf("read signal: %w, %v", err, sig))
		return
	}
	a := s.applied[p][sig.From]
	if a == nil {
		a = &detector.Applied{}
		s.applied[p][sig.From] = a
	}
	if a.Pass(sig) {
		return
	}
	for _, packed := range sig.Hits {
		s.fail(s.second[p].Apply(packed, take))
	}
	s.number++
	s.flush(stagePartitions+p, detector.Place{Offset: s.number, Written: s.number})
}

func (s *stages) end(at time.Time, take func(*alert.Alert)) {
	for i, m := range s.first {
		m.End(at, take)
		s.flush(i, clockPlace)
	}
	s.drain(take)
	for range 1 + rules.MaxDeep { // the alerts of one partition may be of use in another
		for i, m := range s.second {
			m.End(at, take)
			s.flush(stagePartitions+i, clockPlace)
		}
		s.drain(take)
	}
}

func (s *stages) fail(err error) {
	if err != nil && s.failed == nil {
		s.failed = err
	}
}

// runStages gives what two stages find.
func (x tried) runStages(c theCase, how way, o detector.MemoryOptions, hits [][][]byte, take func(*alert.Alert)) error {
	s := newStages(x.set, o, how.stages)
	var last time.Time
	for _, i := range how.order {
		e := c.events[i]
		last = later(last, e.at)
		if how.inOrder {
			s.advance(e.at, take)
		}
		s.apply(e.text("account"), hits[i], take)
	}
	s.end(last, take)
	return s.failed
}
