// Package replay evaluates rules on files, without any server.
package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"sync"
	"time"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/internal/alert"
	"noroshi/internal/decode"
	"noroshi/rules/kind"
)

// Input is a named stream of records.
type Input struct {
	Name string
	From io.Reader
}

// Replay evaluates records of files.
type Replay struct {
	Set       *detector.Set
	Workers   int
	AsArrived bool                     // apply in the order of the input, not of time
	Since     time.Time                // alerts before it are left out
	Until     time.Time                // alerts from it on are left out
	Last      time.Duration            // alerts earlier than so long before the last event are left out
	Alert     func(*alert.Alert) error // called from one goroutine; the alert holds until it returns
	Fault     func(Fault)              // called from one goroutine, in the order of the input
	Progress  func(read int64)         // called now and then with the bytes read of the input at hand
}

// Fault is a place in an input that cannot be read, or, for the reasons encoding and inside, not as a whole.
type Fault struct {
	Input  string
	Line   int
	Reason decode.Reason
	Detail string
}

// Stats are the counts of a replay; Records = Events + Duplicates + Undecodable.
type Stats struct {
	Records     int            `json:"records"`
	Events      int            `json:"events"`
	Duplicates  int            `json:"duplicates"`
	Undecodable int            `json:"undecodable"`
	ByReason    map[string]int `json:"undecodable_by_reason,omitempty"`
	NotUTF8     int            `json:"not_utf8"`               // records that are not UTF-8 and are read all the same
	Partial     int            `json:"partial"`                // records in which an audit record could not be read
	Unknown     int            `json:"unknown"`                // records of no known kind, repeats among them
	UnknownKeys []string       `json:"unknown_keys,omitempty"` // names of the members of the first of them
	Alerts      int            `json:"alerts"`
	ByRule      map[string]int `json:"by_rule"`
	ByDataset   map[string]int `json:"by_dataset"`
	Failed      map[string]int `json:"failed_by_rule,omitempty"` // records on which a condition failed at run time
	CutLists    int            `json:"cut_lists,omitempty"`      // lists longer than conditions see
	Candidates  int            `json:"candidates"`               // rule and record pairs that were tried
	Runs        int            `json:"vm_runs"`                  // of them those that the VM decided
}

func newStats() Stats {
	return Stats{ByReason: map[string]int{}, ByRule: map[string]int{}, ByDataset: map[string]int{}, Failed: map[string]int{}}
}

// Run replays the inputs, one after the other, on all workers. Alerts come in order of their time and record id, so exports
// in any order give the same; each id comes once.
func (r *Replay) Run(ctx context.Context, inputs []Input) (Stats, error) {
	t := &tail{replay: r, memory: r.Set.Memory(), spool: newSpool(spoolMemory), stats: newStats()}
	defer t.spool.close()
	workers := make([]*detector.Worker, max(1, r.Workers))
	free := make(chan *piece, piecesFor(len(workers)))
	for i := range workers {
		workers[i] = r.Set.Worker()
	}
	for range cap(free) {
		free <- &piece{}
	}
	for _, one := range inputs {
		if err := r.one(ctx, one, t, workers, free); err != nil {
			return t.stats, err
		}
	}
	if err := t.finish(); err != nil {
		return t.stats, err
	}
	t.flush()
	t.stats.UnknownKeys = t.unknown.Names()
	for _, w := range workers {
		t.count(w)
	}
	return t.stats, nil
}

// piecesFor is how many pieces are under way: enough that nobody waits for a neighbour, few enough to stay in the caches.
func piecesFor(workers int) int {
	if workers == 1 {
		return 1
	}
	return 2 * workers
}

// one replays one input.
func (r *Replay) one(ctx context.Context, one Input, t *tail, workers []*detector.Worker, free chan *piece) error {
	in, err := ingest.Open(one.Name, one.From)
	if err != nil {
		return err
	}
	t.name, t.seq, t.err, t.waiting = one.Name, 0, nil, map[int]*piece{}
	if len(workers) == 1 { // what has just been read is still in the cache
		for p := range free {
			if more, err := r.fill(ctx, in, p); err != nil || !more {
				free <- p
				return errors.Join(t.err, err)
			}
			p.match(workers[0])
			t.take(p, free)
		}
	}
	read := make(chan *piece, cap(free))
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(read)
		t.fail(r.read(ctx, in, free, read))
	})
	for _, w := range workers {
		wg.Go(func() {
			for p := range read {
				p.match(w)
				t.take(p, free)
			}
		})
	}
	wg.Wait()
	return t.err
}

// read fills pieces until the input ends, or something has failed.
func (r *Replay) read(ctx context.Context, in *ingest.Input, free chan *piece, read chan<- *piece) error {
	for p := range free {
		if more, err := r.fill(ctx, in, p); err != nil || !more {
			free <- p
			return err
		}
		read <- p
	}
	return nil
}

// fill fills a piece; false at the end of the input, or when there is no use in going on.
func (r *Replay) fill(ctx context.Context, in *ingest.Input, p *piece) (bool, error) {
	more, err := in.Next(&p.block)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil || !more || p.failed {
		return false, err
	}
	if r.Progress != nil {
		r.Progress(in.BytesRead())
	}
	return true, nil
}

// piece is a block of the input and what was made of it.
type piece struct {
	block  ingest.Block
	events []outcome
	hits   []byte
	failed bool // the reader need not go on
}

// outcome is what the ordered part needs of a record: its hash and where its hits lie, or why it is none.
type outcome struct {
	hash     uint64
	from, to int32
	line     int
	time     int64
	err      *decode.Error
	dataset  string
	encoding string // what is not UTF-8
	partial  string // what could not be read inside
}

// match evaluates the block's records.
func (p *piece) match(w *detector.Worker) {
	p.events, p.hits = p.events[:0], p.hits[:0]
	for _, s := range p.block.Records {
		e := outcome{line: s.Line}
		if err := w.Read(p.block.Data, int(s.From), int(s.To), time.Time{}); err != nil {
			e.err = decode.Undecodable(err)
			p.events = append(p.events, e)
			continue
		}
		e.hash, e.from, e.time = w.Reader().Duplicate(), int32(len(p.hits)), w.Reader().Time().UnixNano()
		e.dataset, e.encoding = w.Reader().Dataset(), w.Reader().Encoding()
		e.partial = w.Reader().Partial()
		p.hits = w.Match(p.hits)
		e.to = int32(len(p.hits))
		p.events = append(p.events, e)
	}
}

// tail is the ordered part: repeats are dropped and hits gathered in the order of the input, whoever matched them.
type tail struct {
	replay *Replay
	memory *detector.Memory
	spool  *spool
	name   string
	stats  Stats
	seen   detector.Seen
	told   detector.Seen // alerts, by hash of their id
	last   int64         // the latest event

	unknown decode.Members // of records of no known kind

	dataset string // of the event counted last, and how many of it have come in a row
	inRow   int

	mu      sync.Mutex
	seq     int            // the piece whose turn it is
	waiting map[int]*piece // those that are done before their turn
	err     error
}

func (t *tail) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

// take takes a piece, and every piece whose turn has come. After a failure it takes nothing more.
func (t *tail) take(p *piece, free chan<- *piece) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting[p.block.Seq] = p
	for {
		next, ok := t.waiting[t.seq]
		if !ok {
			return
		}
		delete(t.waiting, t.seq)
		t.seq++
		if t.err == nil {
			t.err = t.piece(next)
		}
		next.failed = t.err != nil
		free <- next
	}
}

func (t *tail) piece(p *piece) error {
	bad := p.block.Bad
	for i := range p.events {
		for len(bad) > 0 && bad[0].Before <= i {
			t.bad(bad[0].Line, bad[0].Reason, bad[0].Detail)
			bad = bad[1:]
		}
		e := &p.events[i]
		if e.err != nil {
			t.bad(e.line, e.err.Reason, e.err.Cause.Error())
			continue
		}
		if e.encoding != "" {
			t.stats.NotUTF8++
			t.fault(e.line, decode.ReasonEncoding, e.encoding)
		}
		if e.partial != "" {
			t.stats.Partial++
			t.fault(e.line, decode.ReasonInside, e.partial)
		}
		if e.dataset == decode.DatasetUnknown {
			t.stats.Unknown++
			t.unknown.Add(p.block.Bytes(i))
		}
		if t.stats.Records++; t.seen.Add(e.hash) {
			t.stats.Duplicates++
			continue
		}
		t.stats.Events++
		if e.dataset != t.dataset {
			t.flush()
			t.dataset = e.dataset
		}
		t.inRow++
		t.last = max(t.last, e.time)
		var err error
		detector.EachHit(p.hits[e.from:e.to], func(packed []byte) {
			if err == nil {
				err = t.hit(packed)
			}
		})
		if err != nil {
			return err
		}
	}
	for _, b := range bad {
		t.bad(b.Line, b.Reason, b.Detail)
	}
	return nil
}

// flush counts the events of one dataset that came in a row.
func (t *tail) flush() {
	if t.inRow > 0 {
		t.stats.ByDataset[t.dataset] += t.inRow
		t.inRow = 0
	}
}

func (t *tail) bad(line int, reason decode.Reason, detail string) {
	t.stats.Records++
	t.stats.Undecodable++
	t.stats.ByReason[string(reason)]++
	t.fault(line, reason, detail)
}

func (t *tail) fault(line int, reason decode.Reason, detail string) {
	if t.replay.Fault != nil {
		t.replay.Fault(Fault{Input: t.name, Line: line, Reason: reason, Detail: detail})
	}
}

func (t *tail) hit(packed []byte) error {
	if t.replay.AsArrived {
		return t.apply(packed)
	}
	return t.spool.add(packed)
}

var seed = maphash.MakeSeed()

// apply gives the alerts that a hit completes.
func (t *tail) apply(packed []byte) error {
	var s kind.Hit
	if err := s.Unpack(packed); err != nil {
		return fmt.Errorf("apply hit: %w", err)
	}
	var failed error
	t.memory.Apply(&s, func(a *alert.Alert) {
		if failed != nil || t.outside(a.Time) || t.told.Add(maphash.String(seed, a.ID)) {
			return
		}
		t.stats.Alerts++
		t.stats.ByRule[a.Rule.ID]++
		failed = t.replay.Alert(a)
	})
	return failed
}

func (t *tail) outside(at time.Time) bool {
	r := t.replay
	return !r.Since.IsZero() && at.Before(r.Since) || !r.Until.IsZero() && !at.Before(r.Until) ||
		r.Last > 0 && at.Before(time.Unix(0, t.last).Add(-r.Last))
}

func (t *tail) finish() error { return t.spool.each(t.apply) }

// count adds what a worker counted.
func (t *tail) count(w *detector.Worker) {
	t.stats.CutLists += w.Reader().Cut
	t.stats.Candidates += w.Candidates
	t.stats.Runs += w.Runs()
	for i, n := range w.Failed {
		if n > 0 {
			t.stats.Failed[t.replay.Set.Rules()[i].ID] += n
		}
	}
}

// Sample reads the first records of an input's beginning, for choosing what rules are looked up by.
func Sample(head []byte, most int) (sample [][]byte) {
	in, err := ingest.Open("sample", bytes.NewReader(head))
	if err != nil {
		return nil
	}
	var b ingest.Block
	for len(sample) < most {
		more, err := in.Next(&b)
		if err != nil || !more {
			break
		}
		for i := range b.Records {
			sample = append(sample, append([]byte(nil), b.Bytes(i)...))
		}
	}
	return sample[:min(len(sample), most)]
}
