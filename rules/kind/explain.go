package kind

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Asked is the event about which a memory is asked. Without a hit it is asked about the key, at the clock.
type Asked struct {
	Hit   *Hit
	Entry state.Entry
	// Whole asks for the events that count, and for when they are too old, too.
	Whole bool
}

// Progress is how far a memory is from firing: for an event, or at a time. Its entries are those of the memory. Times that do not
// matter are state.Never.
type Progress struct {
	Fires bool         // the rule fires for the event
	Fired *state.Entry // the newest event for which the rule has fired, as far as it is held
	// Told is the first event of the alert that tells the event, where another event has that alert told before; Bucket is what the
	// alert is known by, Repeat for how long one alert tells all.
	Told           *state.Entry
	Bucket, Repeat int64
	Parts          []Part
	// Events between these times are looked at. Of a window the first is too old to count.
	From, To int64
	// Left is when more is missing than now, because an event is too old then.
	Left int64
	// Waits is what the clock has to pass before it can be decided.
	Waits int64
	// Later is when the answer stays as it is: events up to this time can still change it.
	Later int64
	// Gone says that the event is not held any more.
	Gone bool
}

// Part is one of the things that must hold before a rule fires.
type Part struct {
	Name  string // the step, or the key in the rule's file
	Holds bool
	Have  float64
	Need  float64 // 0: it is not counted
	Unit  Unit
	Note  string // what else there is to say
	// Short says in a sentence why the rule does not fire, for somebody who reads nothing else. Parts that only count lack it: what
	// they lack is a number.
	Short   string
	Entries []*state.Entry
}

// Unit is what a part counts.
type Unit uint8

// The units.
const (
	Events Unit = iota
	Different
	Amount
	Seconds
	Kilometres
	KilometresAnHour
)

// newProgress is a progress of which no time matters yet.
func newProgress() *Progress {
	return &Progress{From: state.Never, To: state.Never, Left: state.Never, Waits: state.Never, Later: state.Never}
}

// counted is a part that counts.
func counted(name string, have, need float64, unit Unit) Part {
	return Part{Name: name, Holds: have >= need, Have: have, Need: need, Unit: unit}
}

// learning is how long a key has been known of the time that a rule learns, and how long it still learns.
func learning(known, learn, until int64) Part {
	p := counted("learn", seconds(known), seconds(learn), Seconds)
	if !p.Holds {
		p.Short = fmt.Sprintf("it has been known for %s; the rule learns for %s, until %s",
			Written(time.Duration(known)), Written(time.Duration(learn)), said(until))
	}
	return p
}

// Missing is how much a part lacks.
func (p *Part) Missing() float64 { return max(0, p.Need-p.Have) }

// Share is how much of what is needed is there, from 0 to 1.
func (p *Part) Share() float64 {
	switch {
	case p.Holds:
		return 1
	case p.Need > 0:
		return max(0, min(1, p.Have/p.Need))
	}
	return 0
}

// Near is how near the rule is to firing, from 0 to 1.
func (p *Progress) Near() float64 {
	switch {
	case p.Fires || p.Fired != nil:
		return 1
	case len(p.Parts) == 0:
		return 0
	}
	all := 0.0
	for i := range p.Parts {
		all += p.Parts[i].Share()
	}
	return all / float64(len(p.Parts))
}

// Explaining is a memory that tells how far it is from firing. It changes nothing. Nil says that nothing is held.
type Explaining interface {
	Explain(c *state.Context, of *Asked) *Progress
}

// explaining is a kind that looks at windows and tells how far one is from firing: for entry i, or at a time where i is negative.
type explaining interface {
	explain(w *state.Window, i int, at int64, whole bool) *Progress
}

// Explain implements Explaining.
func (w *windowed) Explain(c *state.Context, of *Asked) *Progress {
	return explainWindow(w.Window, c, of)
}

func explainWindow(w *state.Window, c *state.Context, of *Asked) *Progress {
	p := explainKind(w, c, of)
	if p != nil && p.Fires && of.Hit != nil {
		p.Told, p.Bucket = w.ToldBefore(&of.Entry)
		p.Repeat = w.Repeat
	}
	return p
}

func explainKind(w *state.Window, c *state.Context, of *Asked) *Progress {
	if k, late := w.Kind.(lately); late {
		return k.explainLate(w, c, of)
	}
	k, ok := w.Kind.(explaining)
	if w.Kind == nil {
		k, ok = w.Pairs.(explaining)
	}
	switch {
	case !ok:
		return nil
	case of.Hit == nil:
		at := present(w, c)
		if p := k.explain(w, -1, at, of.Whole); p != nil {
			p.Fired = lastFired(w, at)
			return p
		}
		return nil
	}
	i, have := w.Find(&of.Entry)
	if !have {
		return &Progress{Gone: true}
	}
	return k.explain(w, i, of.Entry.Time, of.Whole)
}

// present is the time at which a window is looked at: that of the clock, or of what came last where no source has shown a time.
func present(w *state.Window, c *state.Context) int64 {
	if n := len(w.Entries); c.Now == math.MinInt64 && n > 0 {
		return w.Entries[n-1].Time
	}
	return c.Now
}

// lately is a kind whose rule is decided late.
type lately interface {
	explainLate(w *state.Window, c *state.Context, of *Asked) *Progress
}

// lastFired is the newest entry for which the rule has fired, as far as it has not left the window.
func lastFired(w *state.Window, at int64) *state.Entry {
	for i := len(w.Entries) - 1; i >= 0 && w.Entries[i].Time > state.Plus(at, -max(w.Within, w.Repeat)); i-- {
		if w.Entries[i].Fired() {
			return &w.Entries[i]
		}
	}
	return nil
}

// said is a time as notes have it.
func said(at int64) string { return string(event.AppendTime(nil, time.Unix(0, at).UTC())) }

// Written is a duration as rules have it: 1d2h, 5m20s.
func Written(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	d = d.Round(time.Second)
	var b strings.Builder
	for _, u := range [...]struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / u.of; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.of
		}
	}
	return b.String()
}

// quantity is a number as notes have it: three decimals are enough.
func quantity(f float64) string { return strconv.FormatFloat(math.Round(f*1000)/1000, 'f', -1, 64) }

// pointers are entries by their places.
func pointers(all []state.Entry) (to []*state.Entry) {
	for i := range all {
		to = append(to, &all[i])
	}
	return to
}

// explain implements explaining.
func (alone) explain(w *state.Window, i int, at int64, _ bool) *Progress {
	p := newProgress()
	if i >= 0 {
		p.Fires = true
		return p
	}
	if lastFired(w, at) == nil {
		return nil
	}
	return p
}

// explain implements explaining.
func (t *enough) explain(w *state.Window, i int, at int64, whole bool) *Progress {
	from, to := state.After(w.Entries, state.Plus(at, -w.Within)), state.After(w.Entries, at)
	all := w.Entries[from:to]
	if len(all) == 0 {
		return nil
	}
	p := newProgress()
	p.From, p.To, p.Later = state.Plus(at, -w.Within), at, at
	p.Parts = []Part{t.part(w, all)}
	p.Fires = i >= 0 && p.Parts[0].Holds
	if whole {
		p.Parts[0].Entries = pointers(all)
		p.Left = t.leaves(w, all)
	}
	return p
}

// leaves is when more is missing because the first entries are too old.
func (t *enough) leaves(w *state.Window, all []state.Entry) int64 {
	seen := map[uint64]struct{}{}
	at := len(all) - 1 // the entry that goes then
	for i := len(all) - 1; i >= 0; i-- {
		n := len(seen)
		switch {
		case t.distinct > 0:
			if w.EachValue(&all[i], func(v uint64) { seen[v] = struct{}{} }); len(seen) > n {
				at = i
			}
		case t.count > 0 && len(all)-i <= t.count, t.sum > 0 && all[i].Value != 0:
			at = i
		}
	}
	return state.Plus(all[at].Time, w.Within)
}

// part is what a threshold counts among entries.
func (t *enough) part(w *state.Window, all []state.Entry) Part {
	switch {
	case t.count > 0:
		return counted("count", float64(len(all)), float64(t.count), Events)
	case t.distinct > 0:
		seen := map[uint64]struct{}{}
		for i := range all {
			w.EachValue(&all[i], func(v uint64) { seen[v] = struct{}{} })
		}
		return counted("distinct", float64(len(seen)), float64(t.distinct), Different)
	}
	p := counted("sum", sumOf(all), t.sum, Amount)
	p.Holds = t.reached(w, all)
	return p
}
