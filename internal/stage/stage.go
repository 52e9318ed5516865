// Package stage runs a pure step of the pipeline on Kafka: it gives the step the records of the partitions that fall to it, and stores
// what the step makes of them, its memory and how far it has come.
package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/state"
)

// Part is what a step keeps of one partition. But for Load it belongs to the goroutine of its session.
type Part interface {
	// Load reads the memory of one key as Changes gave it. It is called before anything else, once for each key, from another goroutine.
	// ErrUnknown says that the step has no use for the key now.
	Load(key, memory []byte) error
	// Do takes the next record. An error ends the session: the record comes again to another part.
	Do(r *bus.Record, out *Out) error
	// Pause comes behind the last record of those that were read at once.
	Pause(out *Out)
	// Changes gives the memory of each key that has changed since it was called last, as a whole or what was added. What is given last is
	// stored last. The bytes hold until each returns.
	Changes(each func(key, memory []byte, form state.Form))
	// Sweep comes behind Changes, in rounds; see state.Sweep.
	Sweep(room int, each func(key, memory []byte)) (ended bool)
	// Stored says that what was made of all records so far is stored.
	Stored()
	// Renew comes between two commits, before the first record behind the earlier: then the part may become another one that goes on with
	// what this one holds. Where it drops keys, Changes says so.
	Renew()
	// Tend comes each minute, also when there are no records.
	Tend(now time.Time)
	// Left says that the partition is another's from now on. All that was made is stored.
	Left()
}

// ErrUnknown says that a part knows nothing of a key.
var ErrUnknown = errors.New("the key is unknown")

// Out is what a step makes of records.
type Out struct{ records []bus.Record }

// Write adds a record. It is stored soon.
func (o *Out) Write(r bus.Record) { o.records = append(o.records, r) }

// Records are those so far, in order.
func (o *Out) Records() []bus.Record { return o.records }

// Counts are what all sessions of a step have done. They may be read at any time.
type Counts struct {
	Taken      atomic.Int64 // partitions
	Restoring  atomic.Int64 // sessions that read the memory of partitions at the moment
	Restored   atomic.Int64 // keys of their memory
	Unknown    atomic.Int64 // keys of rules that are gone, or that remember something else now; they are dropped
	Unreadable atomic.Int64 // keys whose memory could not be read
	Lost       atomic.Int64 // partitions whose memory did not belong to the place from which they are read
	Stale      atomic.Int64 // rows of sessions that had lost the partition
	Rows       atomic.Int64 // written
	RowBytes   atomic.Int64
	Commits    atomic.Int64
	Refused    atomic.Int64 // commits of which nothing was stored
}

// The rhythm of a session.
const (
	pollRecords = 1000
	commitEvery = 100 * time.Millisecond
	// commitSoonest is between two commits also where each record gives something: a commit takes some milliseconds, and each that comes at
	// once would wait for the one before.
	commitSoonest = 25 * time.Millisecond
	tendEvery     = time.Minute
	turnEvery     = time.Second
	// idleEvery is between two commits where nothing came but records that are patient.
	idleEvery = 5 * time.Second
)

// endWithin is how long a commit may take at the end. The group may be sharing out its partitions and waiting for members that were killed;
// whoever ends leaves it then, so that nobody waits for him, too, and what is not stored comes again to another.
var endWithin = 10 * time.Second

var errLast = errors.New("the last commit has taken too long")

// Session is a member of a step's group. It belongs to one goroutine, and is spent when Run returns.
type Session struct {
	Bus  *bus.Bus
	Step bus.Step                   // but for Take and Left
	Open func(partition int32) Part // may be called from another goroutine
	// Turn comes between two commits: a step that is to become another one becomes it then, and Renew is called for its parts. Turns
	// reports whether it is to; it is asked at least each second, and what waits to be committed is committed then. nil: the step stays.
	Turn  func()
	Turns func() bool
	// Await is asked from another goroutine when a partition has fallen to this session whose memory has keys that its part does not know.
	// It may wait until they can be known, and reports whether the part is to be made anew. nil: it is not.
	Await  func(ctx context.Context, unknown [][]byte) (again bool)
	Now    func() time.Time // the clock on the wall, for the rhythm of commits alone
	Counts *Counts
	Log    *slog.Logger
	// Lasts reports whether the memory of a key holds wherever the partition is read from. It stays where all other memory of a partition
	// begins anew. nil: none does.
	Lasts func(key []byte) bool
	// Name gives whose memory a key has, for the log. nil: it is not told.
	Name func(key []byte) string
	// Begins and Ends come around what parts make of the records that were read at once, which waits for nobody: what does not end hangs.
	// nil: nobody asks.
	Begins, Ends func()
	// Took is told how long a commit has taken, and how long memory of a partition to be read, from two goroutines; nil: nobody is told.
	Took func(what Work, d time.Duration)
	// Patient reports whether what is made of a record may be stored some seconds later, and a record that is made; nil: of none.
	Patient func(*bus.Record) bool

	flow    *bus.Flow
	out     Out
	touched map[int32]*part // since the last commit
	batch   map[int32]*part // the parts of the records read last
	due     time.Time       // when the next commit is; zero if no record was taken since the last one
	last    time.Time       // when the last commit ended
	soon    bool
	tended  time.Time // when parts were last tended

	mu     sync.Mutex
	parts  map[int32]*part
	broken bool // what parts hold is not stored
}

// part is a Part and how its memory is written.
type part struct {
	Part
	log   state.Changelog
	stray []bus.Record // rows that take away what does not count, with the next commit
}

// Run works until ctx ends, and then stores what it has made, at the latest until drain ends. After an error what was not stored comes
// again to a new session.
func (s *Session) Run(ctx, drain context.Context) error {
	s.parts, s.touched, s.batch = map[int32]*part{}, map[int32]*part{}, map[int32]*part{}
	step := s.Step
	step.Take, step.Left, step.Restoring = s.take, s.left, &s.Counts.Restoring
	var err error
	if s.flow, err = s.Bus.Flow(step); err != nil {
		return err
	}
	last, done := outlasting(ctx, drain)
	defer done()
	err = s.run(ctx, last)
	if err != nil {
		s.mu.Lock()
		s.broken = true
		s.mu.Unlock()
	}
	if err == nil || ctx.Err() != nil {
		s.flow.Quit(drain)
	} else {
		s.flow.Leave(drain)
	}
	return err
}

func (s *Session) run(ctx, drain context.Context) error {
	for {
		records, err := s.poll(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		s.turn()
		if err := s.do(drain, records); err != nil {
			return err
		}
		ending := ctx.Err() != nil
		if !s.due.IsZero() && (ending || s.wait() <= 0 || s.turns()) {
			if err := s.commit(drain); err != nil {
				return err
			}
			s.turn()
		}
		s.tend()
		if ending {
			return nil
		}
	}
}

// outlasting is a context that ends with drain, and endWithin after ctx.
func outlasting(ctx, drain context.Context) (context.Context, func()) {
	last, cancel := context.WithCancelCause(drain)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(endWithin, func() { cancel(errLast) }) })
	return last, func() { stop(); cancel(nil) }
}

// turns reports whether the step is to become another one.
func (s *Session) turns() bool { return s.Turns != nil && s.Turns() }

// turn lets the step and its parts become another one where nothing is under way. Parts that are taken later are renewed before their
// first record.
func (s *Session) turn() {
	if s.Turn == nil || !s.due.IsZero() {
		return
	}
	s.Turn()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		p.Renew()
	}
}

// tend lets parts give back what they do not need any more.
func (s *Session) tend() {
	now := s.Now()
	if now.Sub(s.tended) < tendEvery {
		return
	}
	s.tended = now
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		p.Tend(now)
	}
}

// wait is how long the next commit may wait.
func (s *Session) wait() time.Duration {
	now := s.Now()
	wait := s.due.Sub(now)
	if s.soon {
		wait = min(wait, commitSoonest-now.Sub(s.last))
	}
	return wait
}

// poll waits for records; while something is not stored only as long as the next commit may wait.
func (s *Session) poll(ctx context.Context) ([]bus.Record, error) {
	wait := turnEvery
	if !s.due.IsZero() {
		wait = min(wait, max(s.wait(), time.Millisecond))
	}
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	records, err := s.flow.Poll(within, pollRecords)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, nil
	}
	return records, err
}

// do gives records to their parts, and begins to write what these make of them.
func (s *Session) do(ctx context.Context, records []bus.Record) error {
	if len(records) == 0 {
		return nil
	}
	now := s.Now()
	idle, err := s.make(records)
	if err != nil {
		return err
	}
	due := now.Add(commitEvery)
	if idle && s.patient(s.out.records) {
		due = later(due, s.last.Add(idleEvery))
	}
	if s.due.IsZero() || due.Before(s.due) {
		s.due = due
	}
	s.soon = s.soon || s.Step.Exactly && len(s.out.records) > 0 && !(idle && s.patient(s.out.records)) // else it is seen before the commit
	return s.flow.Write(ctx, s.out.records)
}

// make lets parts make what is to be written of records. It reports whether all of these are patient.
func (s *Session) make(records []bus.Record) (idle bool, err error) {
	if s.Begins != nil {
		s.Begins()
		defer s.Ends()
	}
	idle = true
	s.out.records = s.out.records[:0]
	clear(s.batch)
	for i := range records {
		r := &records[i]
		idle = idle && s.Patient != nil && s.Patient(r)
		p := s.batch[r.Partition]
		if p == nil {
			if p = s.part(r.Partition); p == nil {
				return false, fmt.Errorf("a record of partition %d came before its memory", r.Partition)
			}
			if s.touched[r.Partition] != p {
				p.Renew()
			}
			s.batch[r.Partition], s.touched[r.Partition] = p, p
		}
		if err := p.Do(r, &s.out); err != nil {
			return false, err
		}
	}
	for _, p := range s.batch {
		p.Pause(&s.out)
	}
	return idle, nil
}

// patient reports whether records may all be stored some seconds later.
func (s *Session) patient(all []bus.Record) bool {
	return !slices.ContainsFunc(all, func(r bus.Record) bool { return !s.Patient(&r) })
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *Session) part(partition int32) *part {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts[partition]
}

// commit stores what was made since the last one.
func (s *Session) commit(ctx context.Context) error {
	var rows []bus.Record
	for n, p := range s.touched {
		rows = append(rows, p.stray...)
		p.stray = nil
		p.Changes(p.log.Put)
		p.log.Rows(p.Sweep, func(r state.Row) {
			s.Counts.RowBytes.Add(int64(len(r.Key) + len(r.Value)))
			rows = append(rows, bus.Record{Partition: n, Key: r.Key, Value: r.Value})
		})
	}
	began := s.Now()
	stored, err := s.flow.Commit(ctx, rows)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if !stored {
		s.Counts.Refused.Add(1)
		return errors.New("store: the group has moved on; nothing was stored, and all comes again")
	}
	s.took(Committing, began)
	s.Counts.Commits.Add(1)
	s.Counts.Rows.Add(int64(len(rows)))
	for _, p := range s.touched {
		p.Stored()
	}
	clear(s.touched)
	s.due, s.last, s.soon = time.Time{}, s.Now(), false
	return nil
}

// take makes the part of a partition that has fallen to this session.
func (s *Session) take(ctx context.Context, partition int32, stored bus.Stored) error {
	began := s.Now()
	p, found := s.restore(ctx, partition, stored)
	s.took(Restoring, began)
	for len(found.unknown) > 0 && s.Await != nil && ctx.Err() == nil && s.Await(ctx, found.unknown) {
		p, found = s.restore(ctx, partition, stored)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, key := range found.unknown {
		p.log.Put(key, nil, state.Gone)
	}
	s.tell(partition, stored, &found)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[partition] = p
	return nil
}

// left gives partitions up. The client calls it while the session waits in Poll, when all is stored, or after the session has ended.
func (s *Session) left(partitions []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range partitions {
		if p := s.parts[n]; p != nil && !s.broken {
			p.Left()
		}
		delete(s.parts, n)
	}
}
