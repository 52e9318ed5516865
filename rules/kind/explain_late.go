package kind

import (
	"bytes"
	"fmt"
	"time"

	"noroshi/internal/state"
)

// explainLate implements lately.
func (a absent) explainLate(w *state.Window, c *state.Context, of *Asked) *Progress {
	if of.Hit == nil {
		return a.waiting(w, c)
	}
	i, have := w.Find(&of.Entry)
	if !have {
		return &Progress{Gone: true}
	}
	if of.Entry.Clauses&1 == 0 {
		p := newProgress()
		p.Parts = []Part{a.goesWith(w, i)}
		return p
	}
	return a.explain(w, c, i)
}

// explain tells of an entry whether something goes with it, and whether that can be told yet.
func (a absent) explain(w *state.Window, c *state.Context, i int) *Progress {
	e := &w.Entries[i]
	p := newProgress()
	p.From, p.To = state.Plus(e.Time, -w.Before), state.Plus(e.Time, w.After)
	p.Later = p.To
	part := Part{Name: "without", Note: "the other event has not come"}
	var came *state.Entry
	for k := state.After(w.Entries, p.From-1); k < len(w.Entries) && w.Entries[k].Time <= p.To; k++ {
		if k != i && w.Entries[k].Clauses&2 != 0 {
			came = &w.Entries[k]
			part.Note = "the other event came"
			part.Entries = append(part.Entries, came)
		}
	}
	if part.Holds = came == nil; !part.Holds {
		part.Short = "the other event came at " + said(came.Time)
	}
	p.Parts = []Part{{Name: "when", Holds: true, Entries: []*state.Entry{e}}, part}
	switch {
	case !part.Holds:
	case !c.Passed(state.Plus(p.To, c.Wait)):
		p.Waits = state.Plus(p.To, c.Wait)
	default:
		p.Fires = c.Shown.All(p.To, state.WaitMost)
		if !p.Fires && !c.Complete && !c.Passed(state.Plus(p.To, state.WaitMost+c.Wait)) {
			p.Waits = state.Plus(p.To, state.WaitMost+c.Wait)
		}
	}
	return p
}

// waiting tells of the first entry that waits, else that nothing does.
func (a absent) waiting(w *state.Window, c *state.Context) *Progress {
	var first *Progress
	more := 0
	for i := range w.Entries {
		if w.Entries[i].Clauses&1 == 0 || w.Entries[i].Decided() || w.Entries[i].Time > c.Now {
			continue
		}
		switch p := a.explain(w, c, i); {
		case !p.Parts[1].Holds:
		case first == nil:
			first = p
		default:
			more++
			first.Parts[0].Entries = append(first.Parts[0].Entries, &w.Entries[i])
		}
	}
	fired := lastFired(w, c.Now)
	if first == nil && fired != nil {
		first = newProgress()
	}
	if first != nil {
		first.Fired = fired
	}
	return first
}

// goesWith tells to which entries of when an entry of without belongs.
func (absent) goesWith(w *state.Window, i int) Part {
	t := w.Entries[i].Time
	p := Part{Name: "when", Note: "no event belongs to it", Short: "it is the other event, and no event waited for it"}
	for k := state.After(w.Entries, state.Plus(t, -w.After)-1); k < len(w.Entries) && w.Entries[k].Time <= state.Plus(t, w.Before); k++ {
		if k != i && w.Entries[k].Clauses&1 != 0 {
			p.Entries, p.Note = append(p.Entries, &w.Entries[k]), "belongs to it"
			p.Short = "it is the other event that was waited for at " + said(w.Entries[k].Time)
		}
	}
	return p
}

// Explain implements Explaining.
func (s *silent) Explain(c *state.Context, of *Asked) *Progress {
	i := len(s.spoke) - 1
	if of.Hit != nil {
		if i = s.cellOf(of.Entry.Time); i < 0 {
			return &Progress{Gone: true}
		}
	}
	if i < 0 {
		return nil
	}
	x := &s.spoke[i]
	p := newProgress()
	limit := s.limitAt(i)
	p.From = x.cell * s.cell
	until := state.Plus(s.until(x.cell, limit), c.Wait)
	if p.Later = until; !c.Passed(state.Plus(s.until(x.cell, s.longer), c.Wait)) { // the limit may yet become less
		p.Later = state.Plus(s.until(x.cell, s.longer), c.Wait)
	}
	pause := max(0, state.Plus(c.Now, -p.From))
	spoke := i+1 < len(s.spoke) && s.spoke[i+1].cell-x.cell <= limit/s.cell
	if i+1 < len(s.spoke) {
		pause = (s.spoke[i+1].cell - x.cell) * s.cell
	}
	p.To = state.Plus(p.From, pause)
	need := s.until(x.cell, limit) - p.From // whole cells: the first pause that is over the limit
	part := Part{Name: "longer", Have: seconds(pause), Need: seconds(need), Unit: Seconds,
		Note: fmt.Sprintf("in steps of %s since %s", Written(time.Duration(s.cell)), said(p.From))}
	passed := x.after == quiet || x.after == open && !spoke && c.Passed(until)
	part.Holds = passed
	switch {
	case passed:
	case spoke || x.after == speech:
		part.Note += "; then an event came"
		part.Short = fmt.Sprintf("an event came after %s; the rule fires after %s without one", Written(time.Duration(pause)), Written(time.Duration(need)))
	default:
		p.Waits = until
		part.Short = fmt.Sprintf("no event has come for %s; the rule fires after %s", Written(time.Duration(pause)), Written(time.Duration(need)))
	}
	if limit > s.longer {
		part.Note += fmt.Sprintf("; the longest pause of the history, %s, counts %s times", Written(time.Duration(float64(limit)/s.ratio)), quantity(s.ratio))
	}
	p.Parts = []Part{part}
	p.Fires = passed && of.Hit != nil && (x.after != open || bytes.Equal(x.first.Identity(), of.Entry.Identity()))
	if passed && of.Hit == nil {
		p.Fires = true
	}
	return p
}

// cellOf is the place of the cell of a time, -1 where it is not held.
func (s *silent) cellOf(at int64) int {
	cell := state.Floor(at, s.cell)
	for i := len(s.spoke) - 1; i >= 0 && s.spoke[i].cell >= cell; i-- {
		if s.spoke[i].cell == cell {
			return i
		}
	}
	return -1
}

func seconds(nanoseconds int64) float64 { return float64(nanoseconds) / 1e9 }
