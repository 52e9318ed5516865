package detector

import (
	"math"
	"slices"
	"strconv"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/cond"
	"noroshi/internal/cond/index"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// Worker matches one record after the other, in one goroutine, without memory that grows with them.
type Worker struct {
	set      *Set
	reader   *decode.Reader
	ev       *event.Event
	machine  *cond.Machine
	memos    []*index.Memo // by slot
	stamp    []uint32      // by rule: the record that tried it last
	now      uint32
	list     []int32 // candidates
	hits     []int32
	hit      kind.Hit
	facts    []byte
	enqueued time.Time

	// Candidates counts the rules that records were tried on.
	Candidates int
	// Evaluated counts, by rule, the records that it was tried on.
	Evaluated []int
	// Failed counts, by rule, the records on which its condition failed at run time; it is false for them.
	Failed []int
	// Excused are the rules whose condition the record at hand satisfies, and one of whose exceptions holds.
	Excused []int32
}

// Worker makes what one goroutine needs.
func (s *Set) Worker() *Worker {
	w := &Worker{set: s, reader: s.plan.Reader(), memos: make([]*index.Memo, s.plan.Layout().Len()), stamp: make([]uint32, len(s.rules)), Evaluated: make([]int, len(s.rules)), Failed: make([]int, len(s.rules))}
	w.ev = w.reader.Event
	w.machine = cond.NewMachine(w.ev, s.scope)
	for slot, t := range s.tables {
		w.memos[slot] = index.NewMemo(t)
	}
	return w
}

// Reader is the record at hand.
func (w *Worker) Reader() *decode.Reader { return w.reader }

// Runs counts how often the VM ran.
func (w *Worker) Runs() int { return w.machine.Runs }

// Read reads the record b[from:to]; see decode.Reader.Read.
func (w *Worker) Read(b []byte, from, to int, enqueued time.Time) error {
	w.enqueued = enqueued
	return w.reader.Read(b, from, to, enqueued)
}

// ReadAlone reads a record that stands alone.
func (w *Worker) ReadAlone(rec []byte, enqueued time.Time) error {
	w.enqueued = enqueued
	return w.reader.ReadAlone(rec, enqueued)
}

// Hits are the rules that the record at hand satisfies, in their order; the answer holds until the next call.
func (w *Worker) Hits() []int32 {
	w.list, w.hits, w.Excused = w.list[:0], w.hits[:0], w.Excused[:0]
	if w.now++; w.now == math.MaxUint32 {
		clear(w.stamp)
		w.now = 1
	}
	w.probe(w.set.probes[w.reader.Shape()])
	if lists := w.set.listed[w.reader.Shape()]; len(lists) > 0 && w.reader.HasLists() {
		w.probe(lists)
	}
	w.try(w.list)
	w.try(w.set.always)
	if len(w.hits) > 1 {
		slices.Sort(w.hits)
	}
	return w.hits
}

// probe looks the texts of slots up and adds the rules that wait for them to the candidates.
func (w *Worker) probe(slots []event.Slot) {
	for _, slot := range slots {
		if t := w.ev.Text(slot); t != "" {
			w.list = w.memos[slot].Rules(t, w.list)
		}
	}
}

func (w *Worker) try(list []int32) {
	for _, i := range list {
		if w.stamp[i] != w.now {
			w.stamp[i] = w.now
			if w.fires(i) {
				w.hits = append(w.hits, i)
			}
		}
	}
}

// fires asks first what a look at the event decides, because it is cheaper than the VM, and believes only the VM.
func (w *Worker) fires(i int32) bool {
	w.Candidates++
	w.Evaluated[i]++
	r := w.set.rules[i]
	if !r.filter.Holds(w.ev) {
		return false
	}
	holds, err := w.machine.Holds(r.When)
	if err != nil {
		w.Failed[i]++
	}
	if holds && w.excused(r) {
		w.Excused = append(w.Excused, i)
		return false
	}
	return holds
}

// excused reports whether one of the rule's exceptions holds. One that has expired by the event's own time does not.
func (w *Worker) excused(r *rule) bool {
	for i := range r.Unless {
		x := &r.Unless[i]
		if !x.Expired(w.reader.Time()) {
			if holds, _ := w.machine.Holds(x.When); holds {
				return true
			}
		}
	}
	return false
}

// Match appends the packed hits of the record at hand, each behind its length in four bytes, big-endian; see EachHit.
func (w *Worker) Match(to []byte) []byte {
	for _, i := range w.Hits() {
		at := len(to)
		to = append(to, 0, 0, 0, 0)
		w.fill(i)
		to = w.hit.Append(to)
		putLength(to[at:], len(to)-at-4)
	}
	return to
}

func putLength(b []byte, n int) {
	b[0], b[1], b[2], b[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
}

// EachHit takes apart what Match has appended.
func EachHit(b []byte, each func(packed []byte)) {
	for len(b) >= 4 {
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		each(b[4 : 4+n])
		b = b[4+n:]
	}
}

// fill makes the hit of a rule for the record at hand. Its texts live until the next record.
func (w *Worker) fill(i int32) {
	r, ev, s := w.set.rules[i], w.ev, &w.hit
	asn, _ := strconv.Atoi(ev.Text(event.SourceASN))
	same := w.reader.Same()
	*s = kind.Hit{
		Rule: i, Time: w.reader.Time(), Enqueued: w.enqueued, ID: same.ID, Tenant: ev.Text(event.Tenant), Account: ev.Text(event.Account),
		Action: same.Action, Outcome: same.Outcome, Dataset: ev.Text(event.Dataset), Actor: alert.Actor{Name: ev.Text(event.UserName), Kind: ev.Text(event.UserKind), ID: ev.Text(event.UserID)},
		Target: ev.Text(event.TargetName), Source: alert.Source{IP: ev.Text(event.SourceIP), Country: ev.Text(event.SourceCountry), ASN: asn},
		Session: ev.Text(event.Session), App: ev.Text(event.AppID), Destinations: s.Destinations[:0], Key: s.Key[:0], Respond: s.Respond[:0],
	}
	s.Destinations = append(append(s.Destinations, ev.List(event.ForwardTo)...), ev.List(event.SendsTo)...)
	for _, slot := range r.By {
		s.Key = append(s.Key, ev.Text(slot))
	}
	s.Facts, s.Cut = w.factsFor(r)
	s.Summary = w.summary(r.Rule)
	for _, m := range r.Respond {
		s.Respond = append(s.Respond, alert.Remedy{ID: m.ID, Text: alert.OneLine(w.machine.Render(m.Text), alert.MaxSummary), Command: command(w.machine.RenderQuoted(m.Command))})
	}
}

// command is a command on one line, nothing where it is too long: a part of it would be another command.
func command(text string) string {
	if len(text) > alert.MaxCommand {
		return ""
	}
	return alert.OneLine(text, alert.MaxCommand)
}

func (w *Worker) summary(r *rules.Rule) string {
	if r.Summary == nil {
		return alert.OneLine(r.Title+": "+w.ev.Text(event.Account), alert.MaxSummary)
	}
	return alert.OneLine(w.machine.Render(r.Summary), alert.MaxSummary)
}

// factsFor is a JSON object of the fields that the rule names, as far as the record has them and they fit.
func (w *Worker) factsFor(r *rule) (facts []byte, cut bool) {
	b := append(w.facts[:0], '{')
	for _, f := range r.facts {
		at := len(b)
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, f.name...)
		n := len(b)
		if b = w.appendValue(b, f.slot); len(b) == n {
			b = b[:at]
		} else if len(b) >= alert.MaxFacts { // room for the brace
			b, cut = b[:at], true
		}
	}
	w.facts = append(b, '}')
	return w.facts, cut
}

// appendValue appends a slot's value as JSON, nothing where the record has none.
func (w *Worker) appendValue(b []byte, s event.Slot) []byte {
	switch w.ev.Layout().Def(s).Type {
	case event.List:
		list := w.ev.List(s)
		if len(list) == 0 {
			return b
		}
		for i, t := range list {
			b = alert.AppendQuoted(append(b, "[,"[min(i, 1)]), t)
		}
		return append(b, ']')
	case event.Number:
		if t := w.ev.Text(s); t != "" {
			n, err := strconv.ParseFloat(t, 64)
			if err == nil {
				return strconv.AppendFloat(b, n, 'f', -1, 64)
			}
		}
		return b
	case event.Bool:
		if t := w.ev.Text(s); t != "" {
			return strconv.AppendBool(b, t == "true")
		}
		return b
	}
	if t := w.ev.Text(s); t != "" {
		return alert.AppendQuoted(b, t)
	}
	return b
}
