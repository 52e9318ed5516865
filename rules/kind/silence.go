package kind

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"time"

	"noroshi/internal/state"
)

// Silence fires for a source that should speak and does not.
type Silence struct{}

// Name implements Kind.
func (Silence) Name() string { return "silence" }

// Doc implements Kind.
func (Silence) Doc() string {
	return "Fires when a key has shown no event for longer than it should. Decided late."
}

// cells is how many cells the shortest silence has: what falls into one of them counts once.
const cells = 20

// longest is a silence that no clock comes to.
const longest = int64(200 * 365 * 24 * time.Hour)

// Keys implements Kind.
func (Silence) Keys() []Key {
	when := keyWhen
	when.Required, when.Default = false, "every event"
	return []Key{when, keyBy, {Name: "longer", Doc: "How long a key must be silent at least.", Type: Duration, Required: true, Least: 1, Most: maxWithin.Seconds()},
		{Name: "ratio", Doc: "How many times as long as its longest pause of the history a silence must be, too.", Type: Number, Least: 1, Most: 1000},
		{Name: "history", Doc: "How far back pauses are compared.", Type: Duration, Least: 1, Most: maxWithin.Seconds(), Default: "7d"}, keyAbout}
}

// New implements Kind.
func (k Silence) New(v *Values) *Rule {
	r := &Rule{Kind: k, Wall: true}
	longer := v.Duration("longer")
	s := &silenceSpec{longer: int64(longer), cell: int64(max(time.Second, longer/cells)), ratio: v.Number("ratio"), history: int64(7 * 24 * time.Hour)}
	if v.Has("history") {
		s.history = int64(v.Duration("history"))
	}
	if v.Clause("when") < 0 {
		*v.Clauses = append(*v.Clauses, Clause{})
	}
	r.Shape = shape(s.cell)
	r.Settles, r.Cell = longer, time.Duration(s.cell)
	r.Memory = func() Memory { return &silent{silenceSpec: s} }
	return r
}

type silenceSpec struct {
	longer, cell, history int64
	ratio                 float64
}

// silent is when a key spoke.
type silent struct {
	*silenceSpec
	spoke []spoken // in order
	done  int      // how many of the first cells are decided
	peaks peaks    // the gaps that ended at these
	open  peaks    // what walk uses
	fresh bool     // there is something that is not written
	lost  gap      // the largest of those that were forgotten too early, as if it had ended where the last of them did
}

// maxCells is how many cells of a key are held that are decided; ten times as many may wait.
const maxCells = 10_000

// spoken is a cell in which the key spoke.
type spoken struct {
	cell  int64
	first state.Entry // its first event in order, until the cell is decided
	after behind
}

// behind is what follows a cell. It is decided when the clock has passed the end of the shortest silence behind it, so that events may
// come in any order until then.
type behind uint8

const (
	open   behind = iota // not decided
	speech               // the key spoke again in time
	quiet                // a silence
)

// Add implements Memory.
func (s *silent) Add(c *state.Context, _ *Hit, e state.Entry) {
	at, have := slices.BinarySearchFunc(s.spoke, state.Floor(e.Time, s.cell), func(x spoken, cell int64) int { return int(max(-1, min(1, x.cell-cell))) })
	if have {
		if x := &s.spoke[at]; x.after == open && bytes.Compare(e.Identity(), x.first.Identity()) < 0 {
			e.Packed = c.Held(e.Packed)
			x.first, s.fresh = e, true
		}
		return
	}
	e.Packed = c.Held(e.Packed)
	s.fresh = true
	s.spoke = slices.Insert(s.spoke, at, spoken{cell: state.Floor(e.Time, s.cell), first: e})
	if at < s.done {
		s.done, s.peaks = 0, s.peaks[:0] // the gaps are others
		s.settle()
	}
	s.forget(c)
}

// decide decides what the clock has passed, the first cells first.
func (s *silent) decide(c *state.Context) {
	s.walk(func(i int, limit int64) { s.judge(c, i, limit) })
	s.settle()
	s.forget(c)
}

// walk gives the cells that are not decided, and how long the key may be silent behind each.
func (s *silent) walk(each func(i int, limit int64)) {
	s.open = append(s.open[:0], s.peaks...)
	for i := s.done; i < len(s.spoke); i++ {
		s.open = s.with(s.open, i)
		if s.spoke[i].after == open {
			each(i, s.limit(i, s.open))
		}
	}
}

// settle goes on behind cells that have been decided.
func (s *silent) settle() {
	for ; s.done < len(s.spoke) && s.spoke[s.done].after != open; s.done++ {
		s.peaks = s.with(s.peaks, s.done)
	}
}

// with is the history at a cell, made of that at the cell before it.
func (s *silent) with(p peaks, i int) peaks {
	if s.ratio == 0 {
		return p
	}
	if cell := s.spoke[i].cell; i > 0 && s.spoke[i-1].after != quiet {
		p = p.add(gap{ended: cell, cells: cell - s.spoke[i-1].cell})
	}
	return p.from(s.spoke[i].cell*s.cell-s.history, s.cell)
}

// judge decides a cell when its time has come, and tells the silence behind it if there is one.
func (s *silent) judge(c *state.Context, i int, limit int64) {
	x := &s.spoke[i]
	end := state.Plus(s.until(x.cell, limit), c.Wait)
	if !c.Passed(end) {
		return
	}
	if i+1 < len(s.spoke) && s.spoke[i+1].cell-x.cell <= limit/s.cell {
		x.after, x.first, s.fresh = speech, state.Entry{}, true
		return
	}
	x.after, s.fresh = quiet, true
	f := state.Finding{Anchor: []string{strconv.FormatInt(x.cell, 10)}, Time: state.Plus(x.cell*s.cell, limit), First: &x.first, Revision: 1, Final: true,
		Counted: []state.Counted{{Entry: &x.first, Fires: true}}, Window: []state.Entry{x.first}, Wall: c.Sources < c.Now && c.Sources <= end}
	c.Tell(&f)
	x.first = state.Entry{}
}

// until is when a silence behind a cell is one, whatever comes.
func (s *silent) until(cell, limit int64) int64 {
	return state.Plus(cell*s.cell, state.Plus(limit/s.cell*s.cell, s.cell))
}

// limit is how long the key may be silent behind a cell, in whole nanoseconds: a ratio such as 1.4 is no binary fraction.
func (s *silent) limit(i int, history peaks) int64 {
	if s.ratio == 0 {
		return s.longer
	}
	most := int64(0)
	if len(history) > 0 {
		most = history[0].cells
	}
	if s.lost.ended*s.cell > s.spoke[i].cell*s.cell-s.history {
		most = max(most, s.lost.cells)
	}
	return max(s.longer, int64(math.Round(min(s.ratio*(float64(most)*float64(s.cell)), float64(longest)))))
}

// limitAt is limit for a cell that need not be waiting.
func (s *silent) limitAt(i int) int64 {
	var history peaks
	for k := range i + 1 {
		history = s.with(history, k)
	}
	return s.limit(i, history)
}

// Due implements state.Memory.
func (s *silent) Due(c *state.Context) int64 {
	n := len(s.spoke)
	if n == 0 {
		return state.Never
	}
	due := state.Never
	s.walk(func(i int, limit int64) { due = min(due, state.Plus(s.until(s.spoke[i].cell, limit), c.Wait)) })
	if due < state.Never {
		return due
	}
	return s.forgotten(c)
}

// forgotten is when a key that is silent has no history any more.
func (s *silent) forgotten(c *state.Context) int64 {
	return state.Plus(s.spoke[len(s.spoke)-1].cell*s.cell, max(s.history, s.longer)+c.Wait+c.Keep)
}

// Advance implements state.Memory.
func (s *silent) Advance(c *state.Context) (empty bool) {
	n := len(s.spoke)
	if n == 0 {
		return true
	}
	s.decide(c)
	n = len(s.spoke)
	return s.spoke[n-1].after != open && c.Passed(s.forgotten(c))
}

// Close implements state.Memory.
func (s *silent) Close(*state.Context) {}

// forget drops cells that no decision to come can ask for, and those that are too many.
func (s *silent) forget(c *state.Context) {
	last := min(s.done, len(s.spoke)-1)
	back := s.spoke[last].cell * s.cell
	if s.ratio > 0 {
		back -= s.history
	}
	n := 0
	for n+1 < last && s.spoke[n+1].cell*s.cell <= back {
		n++
	}
	s.drop(n)
	n = min(len(s.spoke)-maxCells, s.done)
	if n = max(n, len(s.spoke)-10*maxCells); n <= 0 {
		return
	}
	c.Counts.Overflow += n
	s.fresh = true
	for k := 1; k <= n; k++ {
		if x := &s.spoke[k]; s.spoke[k-1].after != quiet {
			s.lost = gap{ended: x.cell, cells: max(s.lost.cells, x.cell-s.spoke[k-1].cell)}
		}
	}
	s.drop(n)
}

// drop drops the first cells.
func (s *silent) drop(n int) {
	clear(s.spoke[:n])
	s.spoke, s.done = s.spoke[n:], max(0, s.done-n)
}

// Changed implements state.Coarse: cells that were forgotten are forgotten again.
func (s *silent) Changed() bool { return s.fresh }

// Append implements state.Memory.
func (s *silent) Append(to []byte) []byte {
	s.fresh = false
	to = binary.AppendUvarint(to, uint64(len(s.spoke)))
	for i := range s.spoke {
		x := &s.spoke[i]
		to = append(binary.AppendVarint(to, x.cell), byte(x.after))
		if x.after == open {
			to = state.AppendEntries(to, []state.Entry{x.first})
		}
	}
	if s.lost.cells > 0 {
		to = binary.AppendVarint(binary.AppendVarint(to, s.lost.ended), s.lost.cells)
	}
	return to
}

// Load implements state.Memory.
func (s *silent) Load(row []byte) error {
	f := state.Read(row)
	for n := f.Many(); n > 0; n-- {
		x := spoken{cell: f.Int(), after: behind(f.Byte())}
		if x.after == open {
			if first := f.Entries(); len(first) == 1 {
				x.first = first[0]
			}
		}
		s.spoke = append(s.spoke, x)
	}
	if f.Len() > 0 {
		s.lost = gap{ended: f.Int(), cells: f.Int()}
	}
	s.settle()
	return f.Err()
}
