// Package replay evaluates rules on files, without any server.
package replay

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/internal/alert"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Input is a named stream of records.
type Input struct {
	Name string
	From io.Reader
	Err  error // why there is nothing to read from
}

// Unread is an input that cannot be read, or not to its end.
type Unread struct {
	Input string
	Cause error
}

func (u *Unread) Error() string { return u.Cause.Error() }

// Unwrap gives the cause.
func (u *Unread) Unwrap() error { return u.Cause }

// Replay evaluates records of files.
type Replay struct {
	Set       *detector.Set
	Workers   int
	AsArrived bool                     // apply in the order of the input, not of time
	Now       time.Time                // when the replay began; times far behind it do not move the clock
	Since     time.Time                // alerts before it are left out
	Until     time.Time                // alerts from it on are left out
	Last      time.Duration            // alerts earlier than so long before the last event are left out
	Alert     func(*alert.Alert) error // called from one goroutine; the alert holds until it returns
	JSON      func([]byte) error       // where it is not nil: called instead of Alert, with the alert as JSON
	Fault     func(Fault)              // called from one goroutine, in the order of the input
	Progress  func(read int64)         // called now and then with the bytes read of all inputs
	Applying  func(done, all int)      // called now and then when all is read, with the hits that memory has seen
	Seen      func(Seen)               // where it is not nil: called from one goroutine with the events of each dataset and hour
	Hidden    func(Hidden)             // likewise with each event that an exception excused
	Story     *Story                   // where it is not nil: what belongs into accounts' stories, if the set has lines of stories

	watch  *watch             // of an explanation
	before int64              // bytes of the inputs before the one at hand
	reused []*detector.Worker // of an earlier replay of this set; what they counted then is counted again
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
	Shadow      map[string]int `json:"shadow_by_rule,omitempty"`   // of them those of rules in shadow
	Building    map[string]int `json:"building_by_rule,omitempty"` // beside them, those of rules whose alerts are for other rules
	Excused     map[string]int `json:"excused_by_rule,omitempty"`  // events that an exception excused
	ByDataset   map[string]int `json:"by_dataset"`
	Failed      map[string]int `json:"failed_by_rule,omitempty"` // records on which a condition failed at run time
	// Bounds are the bounds of memory that have bitten, by rule.
	Bounds     map[string]state.Counts `json:"bounds_by_rule,omitempty"`
	CutLists   int                     `json:"cut_lists,omitempty"`     // lists longer than conditions see
	Candidates int                     `json:"candidates"`              // rule and record pairs that were tried
	Runs       int                     `json:"vm_runs"`                 // of them those that the VM decided
	Unread     []string                `json:"unread_inputs,omitempty"` // inputs that cannot be read, or not to their end
}

func newStats() Stats {
	return Stats{ByReason: map[string]int{}, ByRule: map[string]int{}, Shadow: map[string]int{}, Building: map[string]int{}, Excused: map[string]int{},
		ByDataset: map[string]int{}, Failed: map[string]int{}}
}

// bounds are the counts of a rule.
func (s *Stats) bounds(rule string) state.Counts {
	if s.Bounds == nil {
		s.Bounds = map[string]state.Counts{}
	}
	return s.Bounds[rule]
}

// Run replays the inputs, one after the other, on all workers. Alerts come in order of their time and record id, so exports
// in any order give the same; each id comes once. An input that cannot be read does not stop the others: where nothing else fails,
// the error joins an *Unread for each.
func (r *Replay) Run(ctx context.Context, inputs []Input) (Stats, error) {
	o := &ordering{replay: r, stats: newStats()}
	o.applying = newApplying(r.Set, r.watch, r.Story, o.alert)
	o.arrived, o.now, o.until = r.AsArrived, r.Now, r.Until
	r.before = 0
	defer o.close()
	workers := make([]*detector.Worker, max(1, r.Workers))
	free := make(chan *matched, blocksFor(len(workers)))
	for i := range workers {
		if i < len(r.reused) {
			workers[i] = r.reused[i]
		} else {
			workers[i] = r.Set.Worker()
			workers[i].Packing = detector.Together
		}
	}
	for range cap(free) {
		free <- &matched{watch: r.watch, names: r.Hidden != nil}
	}
	var unread []error
	for _, one := range inputs {
		err := r.one(ctx, one, o, workers, free)
		var u *Unread
		switch {
		case errors.As(err, &u):
			unread = append(unread, u)
			o.stats.Unread = append(o.stats.Unread, u.Input)
		case err != nil:
			return o.stats, err
		}
	}
	for _, w := range workers {
		o.count(w)
	}
	if err := o.finish(ctx, r.Applying); err != nil {
		return o.stats, err
	}
	o.bounds()
	o.flush()
	o.stats.UnknownKeys = o.unknown.Names()
	return o.stats, errors.Join(unread...)
}

// blocksFor is how many blocks are under way: enough that nobody waits for a neighbour, few enough to stay in the caches.
func blocksFor(workers int) int {
	if workers == 1 {
		return 1
	}
	return 2 * workers
}

// one replays one input. Where it cannot be read, what was read before is taken, and the error is an *Unread.
func (r *Replay) one(ctx context.Context, one Input, o *ordering, workers []*detector.Worker, free chan *matched) error {
	o.name, o.seq, o.err, o.waiting = one.Name, 0, nil, map[int]*matched{}
	if one.Err != nil {
		return &Unread{one.Name, one.Err}
	}
	in, err := ingest.Open(one.Name, one.From)
	var foreign *ingest.Foreign
	switch {
	case errors.As(err, &foreign):
		o.bad(1, decode.BadJSON, foreign.Error())
		return &Unread{one.Name, fmt.Errorf("%s is not a log and was not read", one.Name)}
	case err != nil:
		return &Unread{one.Name, err}
	}
	defer func() { r.before += in.BytesRead() }()
	if len(workers) == 1 { // what has just been read is still in the cache
		for p := range free {
			if more, err := r.fill(ctx, one, in, p); err != nil || !more {
				free <- p
				return cmp.Or(o.err, err)
			}
			p.match(workers[0])
			o.take(p, free)
		}
	}
	read := make(chan *matched, cap(free))
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(read)
		err = r.read(ctx, one, in, free, read)
	})
	for _, w := range workers {
		wg.Go(func() {
			for p := range read {
				p.match(w)
				o.take(p, free)
			}
		})
	}
	wg.Wait()
	return cmp.Or(o.err, err)
}

// read fills blocks until the input ends, or something has failed.
func (r *Replay) read(ctx context.Context, one Input, in *ingest.Input, free chan *matched, read chan<- *matched) error {
	for p := range free {
		if more, err := r.fill(ctx, one, in, p); err != nil || !more {
			free <- p
			return err
		}
		read <- p
	}
	return nil
}

// fill fills a block; false at the end of the input, or when there is no use in going on.
func (r *Replay) fill(ctx context.Context, one Input, in *ingest.Input, p *matched) (bool, error) {
	more, err := in.Next(&p.block)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return false, &Unread{one.Name, err}
	}
	if !more || p.failed {
		return false, nil
	}
	if r.Progress != nil {
		r.Progress(r.before + in.BytesRead())
	}
	return true, nil
}

// matched is a block of the input and what was made of it.
type matched struct {
	block  ingest.Block
	events []outcome
	hits   []byte
	// excused are the rules that exceptions kept silent, by event.
	excused []excused
	failed  bool // the reader need not go on
	watch   *watch
	names   bool // whose events exceptions excused is asked for
}

// outcome is what the ordered part needs of a record: its hash and where its hits lie, or why it is none.
type outcome struct {
	hash     uint64
	from, to int32
	excused  int32 // how many rules
	line     int
	time     int64
	dataset  string
	rare     *rare // nil of most records
}

// rare is what the ordered part needs of few records.
type rare struct {
	err      *decode.Error
	tenant   string // where rules ask what the dataset has shown
	shows    bool
	encoding string // what is not UTF-8
	partial  string // what could not be read inside
}

// match evaluates the block's records.
func (m *matched) match(w *detector.Worker) {
	m.events, m.hits, m.excused = m.events[:0], m.hits[:0], m.excused[:0]
	for _, s := range m.block.Records {
		e := outcome{line: s.Line}
		if err := w.Read(m.block.Data, int(s.From), int(s.To), time.Time{}); err != nil {
			e.rare = &rare{err: decode.Undecodable(err)}
			m.events = append(m.events, e)
			continue
		}
		e.hash, e.from, e.time = w.Reader().Duplicate(), int32(len(m.hits)), w.Reader().Time().UnixNano()
		e.dataset = w.Reader().Dataset()
		e.rare = rareOf(w, e.dataset)
		m.hits = w.Match(m.hits)
		e.to = int32(len(m.hits))
		m.watch.matched(w, m.hits[e.from:e.to]) // also of a record without hits: it looks at what a record lacks
		if len(w.Excused) > 0 {
			m.excuse(w)
			e.excused = int32(len(w.Excused))
		}
		m.events = append(m.events, e)
	}
}

// rareOf is what is rare of the record at hand, nil where nothing is.
func rareOf(w *detector.Worker, dataset string) *rare {
	encoding, partial, shows := w.Reader().Encoding(), w.Reader().Partial(), w.Needs(dataset)
	if encoding == "" && partial == "" && !shows {
		return nil
	}
	r := &rare{encoding: encoding, partial: partial, shows: shows}
	if shows {
		r.tenant = strings.Clone(w.Reader().Event.Text(event.Tenant))
	}
	return r
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
