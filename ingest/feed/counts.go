package feed

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// Tally is what one transaction holds. It is counted when the transaction is committed.
type Tally struct {
	messages, records, bytes int64
	unresolved, missed       int64
	notUTF8, partial         int64
	letters                  map[string]int64
	shown                    map[Dataset]*shown
}

// Delay is how long records of one dataset took from their event to the stream, in milliseconds: of old records the sum of
// nanoseconds would soon be too large.
type Delay struct {
	Records int64 `json:"records"`
	Sum     int64 `json:"sum_ms"`
	Longest int64 `json:"longest_ms"`
}

// Plus is the delay of these records and others.
func (d Delay) Plus(o Delay) Delay {
	return Delay{d.Records + o.Records, d.Sum + o.Sum, max(d.Longest, o.Longest)}
}

// NewTally is an empty one.
func NewTally() *Tally { return &Tally{letters: map[string]int64{}, shown: map[Dataset]*shown{}} }

func (t *Tally) message(m Message) {
	t.messages++
	t.bytes += int64(len(m.Body))
}

// Record counts a record of a dataset that happened at a time and came into the stream at another, zero where that is not known. The
// texts need not outlive the call.
func (t *Tally) Record(of Dataset, at, enqueued time.Time) {
	t.records++
	one := t.shown[of]
	if one == nil {
		one = &shown{}
		t.shown[of.Clone()] = one
	}
	ms := int64(0)
	if !enqueued.IsZero() {
		ms = max(0, enqueued.Sub(at).Milliseconds()) // clocks differ
		if most := enqueued.Add(future); at.After(most) {
			at = most
		}
	}
	one.delay = one.delay.Plus(Delay{1, ms, ms})
	one.span.Plus(&Span{at, at})
}

// Unresolved counts a record whose account is no user principal name.
func (t *Tally) Unresolved() { t.unresolved++ }

// NotUTF8 counts a record that is not UTF-8 and is read all the same.
func (t *Tally) NotUTF8() { t.notUTF8++ }

// Partial counts a record in which an audit record cannot be read.
func (t *Tally) Partial() { t.partial++ }

// Missed counts a message that will never be read.
func (t *Tally) Missed() { t.missed++ }

// Letter counts a dead letter.
func (t *Tally) Letter(reason string) { t.letters[reason]++ }

// tooLarge counts a record that has become a dead letter after all.
func (t *Tally) tooLarge() {
	t.records--
	t.Letter("size")
}

// Counts are the counts of all feeds of an instance.
type Counts struct {
	mu     sync.Mutex
	all    map[place]*Partition
	faults map[string]error // by source, of what is done before partitions are read
	same   map[string]int   // see Alike
}

// Alike are the sources whose partitions hold records of the same kinds, and how many each has.
func (c *Counts) Alike() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.same)
}

// alike notes a source whose partitions hold records of the same kinds.
func (c *Counts) alike(source string, partitions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.same == nil {
		c.same = map[string]int{}
	}
	c.same[source] = partitions
}

// Fault is why a source gives nothing at all, nil where it does.
func (c *Counts) Fault(source string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults[source]
}

// fails notes that a source gives nothing, or with nil that it does.
func (c *Counts) fails(source string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults == nil {
		c.faults = map[string]error{}
	}
	c.faults[source] = err
}

type place struct {
	source    string
	partition int32
}

// Partition are the counts of one partition, since the instance started.
type Partition struct {
	mu     sync.Mutex
	s      Snapshot
	opened bool // since the last fault
	passed bool // nothing is to be read of it

	progress time.Time         // how far it has come, see Progress
	heard    time.Time         // when it gave a message last, or said what it holds
	fresh    map[Dataset]*Span // what it has shown since that was asked
}

// Snapshot is what the counts of a partition say at one moment.
type Snapshot struct {
	Source     string           `json:"source"`
	Partition  int32            `json:"partition"`
	Owned      bool             `json:"owned"` // by this instance, now
	Messages   int64            `json:"messages"`
	Records    int64            `json:"records"`
	Bytes      int64            `json:"bytes"`
	Unresolved int64            `json:"unresolved"`        // records whose account is no user principal name
	NotUTF8    int64            `json:"not_utf8"`          // records that are not UTF-8
	Partial    int64            `json:"partial"`           // records in which an audit record cannot be read
	Sequence   int64            `json:"sequence"`          // of the message stored last; -1: none yet
	Looked     bool             `json:"looked"`            // the stream has said what it holds:
	First      int64            `json:"first"`             // the oldest message, and
	Last       int64            `json:"last_enqueued"`     // the newest; -1: there has been none
	Enqueued   time.Time        `json:"enqueued,omitzero"` // when the stream took the message stored last
	Committed  int64            `json:"transactions_committed"`
	Aborted    int64            `json:"transactions_aborted"`
	Missed     int64            `json:"missed"` // messages that will never be read: deleted by the stream before, or left out by it; of a sparse stream at most so many
	Restarts   map[string]int64 `json:"restarts"`
	Letters    map[string]int64 `json:"dead_letters"`
	Delays     map[string]Delay `json:"source_delay"`
	Fault      error            `json:"-"` // that interrupts reading now, nil where it goes on
}

// Lag is how many messages wait in the stream, -1 where that is not known.
func (s *Snapshot) Lag() int64 {
	if !s.Looked {
		return -1
	}
	return max(0, s.Last-max(s.Sequence, s.First-1))
}

func (c *Counts) partition(source string, partition int32) *Partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[place]*Partition{}
	}
	at := place{source, partition}
	if c.all[at] == nil {
		c.all[at] = &Partition{s: Snapshot{Source: source, Partition: partition, Sequence: -1, Last: -1, Restarts: map[string]int64{}, Letters: map[string]int64{}, Delays: map[string]Delay{}}}
	}
	return c.all[at]
}

// Snapshot gives all partitions this instance has had and of which something is to be read, by source and partition.
func (c *Counts) Snapshot() (all []Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.all {
		if s, read := p.ifRead(); read {
			all = append(all, s)
		}
	}
	Sort(all)
	return all
}

// Sort sorts by source and partition.
func Sort(all []Snapshot) {
	slices.SortFunc(all, func(a, b Snapshot) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Partition, b.Partition))
	})
}

func (p *Partition) snapshot() Snapshot {
	s, _ := p.ifRead()
	return s
}

// ifRead is a snapshot, and whether anything is to be read of the partition.
func (p *Partition) ifRead() (s Snapshot, read bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s = p.s
	s.Restarts, s.Letters, s.Delays = maps.Clone(s.Restarts), maps.Clone(s.Letters), maps.Clone(s.Delays)
	return s, !p.passed
}

func (p *Partition) change(do func(s *Snapshot)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do(&p.s)
}

// pass notes that nothing is to be read of the partition.
func (p *Partition) pass() { p.change(func(*Snapshot) { p.passed = true }) }

func (p *Partition) own(yes bool) { p.change(func(s *Snapshot) { s.Owned = yes }) }

// restarted notes a fault. It is over when a message is stored, or when the stream was opened again and says that nothing waits.
func (p *Partition) restarted(reason string, err error) {
	p.change(func(s *Snapshot) {
		s.Restarts[reason]++
		s.Fault, p.opened = err, false
	})
}

func (p *Partition) open() { p.change(func(*Snapshot) { p.opened = true }) }

func (p *Partition) aborted() { p.change(func(s *Snapshot) { s.Aborted++ }) }

// saw notes what the stream holds, as it said when it was asked at a time.
func (p *Partition) saw(state State, asked time.Time) {
	p.change(func(s *Snapshot) {
		p.heard = asked
		if state.Last <= s.Sequence && !asked.IsZero() {
			p.come(state.through(asked.Add(-clocksDiffer)))
		}
		s.Looked, s.First, s.Last = true, state.First, max(state.Last, s.Sequence)
		if p.opened && s.Lag() == 0 {
			s.Fault = nil
		}
	})
}

// unseen notes that the stream does not say what it holds.
func (p *Partition) unseen() { p.change(func(s *Snapshot) { s.Looked = false }) }

func (p *Partition) at(pos Position) {
	p.change(func(s *Snapshot) {
		s.Sequence, s.Enqueued = pos.Sequence, pos.Enqueued
		p.come(pos.Enqueued)
	})
}

// committed counts what a transaction has stored that was committed at a time.
func (p *Partition) committed(t *Tally, after *Position, now time.Time) {
	p.change(func(s *Snapshot) {
		p.heard = now
		p.come(earlier(after.Enqueued, now))
		for of, one := range t.shown {
			p.show(of, one.span)
		}
		s.Committed++
		s.Fault = nil
		s.Messages += t.messages
		s.Records += t.records
		s.Unresolved += t.unresolved
		s.Missed += t.missed
		s.NotUTF8 += t.notUTF8
		s.Partial += t.partial
		s.Bytes += t.bytes
		s.Sequence, s.Enqueued = after.Sequence, after.Enqueued
		s.Last = max(s.Last, s.Sequence)
		for k, n := range t.letters {
			s.Letters[k] += n
		}
		for of, one := range t.shown {
			s.Delays[of.Name] = s.Delays[of.Name].Plus(one.delay)
		}
	})
}
