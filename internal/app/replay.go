// Package app wires the rooms together and runs them.
package app

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
	Bad       func(place, reason string)
	Progress  func(read int64) // called now and then with the bytes read of the input at hand
}

// Stats are the counts of a replay; Records = Events + Duplicates + Undecodable.
type Stats struct {
	Records     int            `json:"records"`
	Events      int            `json:"events"`
	Duplicates  int            `json:"duplicates"`
	Undecodable int            `json:"undecodable"`
	Alerts      int            `json:"alerts"`
	ByRule      map[string]int `json:"by_rule"`
	ByDataset   map[string]int `json:"by_dataset"`
	Failed      map[string]int `json:"failed_by_rule,omitempty"` // records on which a condition failed at run time
	Candidates  int            `json:"candidates"`               // rule and record pairs that were tried
	Runs        int            `json:"vm_runs"`                  // of them those that the VM decided
}

// Run replays the inputs, one after the other, on all workers. Alerts come in order of their time and record id, so exports
// in any order give the same; each id comes once.
func (r *Replay) Run(ctx context.Context, inputs []Input) (Stats, error) {
	t := &tail{replay: r, memory: r.Set.Memory(), spool: newSpool(spoolMemory), stats: Stats{ByRule: map[string]int{}, ByDataset: map[string]int{}, Failed: map[string]int{}}}
	defer t.spool.close()
	t.turn.L = &t.mu
	workers := make([]*matching, max(1, r.Workers))
	for i := range workers {
		workers[i] = &matching{worker: r.Set.Worker(), datasets: map[string]int{}}
	}
	for _, one := range inputs {
		if err := r.one(ctx, one, t, workers); err != nil {
			return t.stats, err
		}
	}
	if err := t.finish(); err != nil {
		return t.stats, err
	}
	for _, m := range workers {
		t.count(m)
	}
	return t.stats, nil
}

// one replays one input.
func (r *Replay) one(ctx context.Context, one Input, t *tail, workers []*matching) error {
	in, err := ingest.Open(one.Name, one.From)
	if err != nil {
		return err
	}
	t.name, t.seq, t.err = one.Name, 0, nil
	var wg sync.WaitGroup
	for _, m := range workers {
		wg.Go(func() { m.run(ctx, in, t) })
	}
	wg.Wait()
	return t.err
}

// matching is one worker and the block that it works on.
type matching struct {
	worker   *detector.Worker
	block    ingest.Block
	events   []outcome
	steps    []byte
	datasets map[string]int
	dataset  string // of the event counted last, and how many of it have come in a row
	inRow    int
}

// flush counts the events of one dataset that came in a row.
func (m *matching) flush() {
	if m.inRow > 0 {
		m.datasets[m.dataset] += m.inRow
		m.inRow = 0
	}
}

// outcome is what the ordered part needs of a record: its hash and where its steps lie, or why it is none.
type outcome struct {
	hash     uint64
	from, to int32
	line     int
	time     int64
	err      *decode.Error
	dataset  string
}

func (m *matching) run(ctx context.Context, in *ingest.Input, t *tail) {
	for {
		if err := ctx.Err(); err != nil {
			t.fail(err)
			return
		}
		more, err := in.Next(&m.block)
		if err != nil {
			t.fail(err)
			return
		}
		if !more {
			return
		}
		m.match()
		if !t.take(m) {
			return
		}
		if p := t.replay.Progress; p != nil {
			p(in.BytesRead())
		}
	}
}

// match evaluates the block's records.
func (m *matching) match() {
	m.events, m.steps = m.events[:0], m.steps[:0]
	w := m.worker
	for _, s := range m.block.Records {
		e := outcome{line: s.Line}
		if err := w.Read(m.block.Data, int(s.From), int(s.To), time.Time{}); err != nil {
			e.err = undecodable(err)
			m.events = append(m.events, e)
			continue
		}
		e.hash, e.from, e.time = w.Reader().Duplicate(), int32(len(m.steps)), w.Reader().Time().UnixNano()
		e.dataset = w.Reader().Dataset()
		m.steps = w.Match(m.steps)
		e.to = int32(len(m.steps))
		m.events = append(m.events, e)
	}
}

func undecodable(err error) *decode.Error {
	var e *decode.Error
	if errors.As(err, &e) {
		return e
	}
	return &decode.Error{Reason: decode.BadJSON, Cause: err}
}

// tail is the ordered part: repeats are dropped and steps gathered in the order of the input, whoever matched them.
type tail struct {
	replay *Replay
	memory *detector.Memory
	spool  *spool
	name   string
	stats  Stats
	seen   detector.Seen
	told   detector.Seen // alerts, by hash of their id
	last   int64         // the latest event

	mu   sync.Mutex
	turn sync.Cond
	seq  int
	err  error
}

func (t *tail) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
	t.turn.Broadcast()
}

// take waits for the block's turn; false after a failure. Workers hold one block each, so a slow one holds back the others,
// not memory.
func (t *tail) take(m *matching) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for m.block.Seq != t.seq && t.err == nil {
		t.turn.Wait()
	}
	if t.err != nil {
		return false
	}
	if err := t.block(m); err != nil {
		t.err = err
	}
	t.seq++
	t.turn.Broadcast()
	return t.err == nil
}

func (t *tail) block(m *matching) error {
	bad := m.block.Bad
	for i := range m.events {
		for len(bad) > 0 && bad[0].Before <= i {
			t.bad(bad[0].Line, bad[0].Reason, bad[0].Detail)
			bad = bad[1:]
		}
		e := &m.events[i]
		if e.err != nil {
			t.bad(e.line, e.err.Reason, e.err.Cause.Error())
			continue
		}
		if t.stats.Records++; t.seen.Add(e.hash) {
			t.stats.Duplicates++
			continue
		}
		t.stats.Events++
		if e.dataset != m.dataset {
			m.flush()
			m.dataset = e.dataset
		}
		m.inRow++
		t.last = max(t.last, e.time)
		var err error
		detector.Steps(m.steps[e.from:e.to], func(packed []byte) {
			if err == nil {
				err = t.step(packed)
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

func (t *tail) bad(line int, reason decode.Reason, detail string) {
	t.stats.Records++
	t.stats.Undecodable++
	if t.replay.Bad != nil {
		t.replay.Bad(fmt.Sprintf("%s:%d", t.name, line), string(reason)+": "+detail)
	}
}

func (t *tail) step(packed []byte) error {
	if t.replay.AsArrived {
		return t.apply(packed)
	}
	return t.spool.add(packed)
}

var seed = maphash.MakeSeed()

// apply gives the alerts that a step completes.
func (t *tail) apply(packed []byte) error {
	var s kind.Step
	if err := s.Unpack(packed); err != nil {
		return fmt.Errorf("apply step: %w", err)
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
func (t *tail) count(m *matching) {
	t.stats.Candidates += m.worker.Candidates
	t.stats.Runs += m.worker.Runs()
	m.flush()
	for d, n := range m.datasets {
		t.stats.ByDataset[d] += n
	}
	for i, n := range m.worker.Failed {
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
