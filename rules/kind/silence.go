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
	r := &Rule{Kind: k}
	longer := v.Duration("longer")
	s := &silenceSpec{longer: int64(longer), cell: int64(max(time.Second, longer/cells)), ratio: v.Number("ratio"), history: int64(7 * 24 * time.Hour)}
	if v.Has("history") {
		s.history = int64(v.Duration("history"))
	}
	if v.Clause("when") < 0 {
		*v.Clauses = append(*v.Clauses, Clause{})
	}
	r.Shape = shape(s.cell)
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
}

// spoken is a cell in which the key spoke.
type spoken struct {
	cell  int64
	first state.Entry // its first event in order; packed as long as it can be asked for
	told  bool        // the silence behind it
}

// Add implements Memory.
func (s *silent) Add(c *state.Context, _ *Hit, e state.Entry) {
	at, have := slices.BinarySearchFunc(s.spoke, state.Floor(e.Time, s.cell), func(x spoken, cell int64) int { return int(max(-1, min(1, x.cell-cell))) })
	if have {
		if x := &s.spoke[at]; bytes.Compare(e.Identity(), x.first.Identity()) < 0 {
			e.Packed = bytes.Clone(e.Packed)
			x.first = e
		}
		return
	}
	e.Packed = bytes.Clone(e.Packed)
	s.spoke = slices.Insert(s.spoke, at, spoken{cell: state.Floor(e.Time, s.cell), first: e})
	if at > 0 {
		s.judge(c, at-1)
	}
	s.judge(c, at)
	s.forget(c)
}

// judge tells the silence behind a cell if there is one.
func (s *silent) judge(c *state.Context, i int) {
	x := &s.spoke[i]
	limit := s.limit(i)
	over := false
	if i+1 < len(s.spoke) {
		over = float64((s.spoke[i+1].cell-x.cell)*s.cell) > limit
	} else {
		over = c.Passed(s.until(x.cell, limit) + c.Wait)
	}
	if !over || x.told {
		return
	}
	x.told = true
	f := state.Finding{Anchor: []string{strconv.FormatInt(x.cell, 10)}, Time: x.cell*s.cell + int64(limit), First: &x.first, Revision: 1, Final: true,
		Counted: []state.Counted{{Entry: &x.first, Fires: true}}, Window: []state.Entry{x.first}}
	c.Tell(&f)
}

// until is when a silence behind a cell is one, whatever comes.
func (s *silent) until(cell int64, limit float64) int64 {
	return (cell + int64(math.Floor(limit/float64(s.cell))) + 1) * s.cell
}

// limit is how long the key may be silent behind a cell.
func (s *silent) limit(i int) float64 {
	limit := float64(s.longer)
	if s.ratio == 0 {
		return limit
	}
	from := s.spoke[i].cell*s.cell - s.history
	for k := 1; k <= i; k++ {
		if s.spoke[k].cell*s.cell <= from {
			continue
		}
		if gap := float64((s.spoke[k].cell - s.spoke[k-1].cell) * s.cell); !s.spoke[k-1].told {
			limit = max(limit, s.ratio*gap)
		}
	}
	return limit
}

// Due implements state.Memory.
func (s *silent) Due(c *state.Context) int64 {
	n := len(s.spoke)
	if n == 0 {
		return state.Never
	}
	if last := &s.spoke[n-1]; !last.told {
		return s.until(last.cell, s.limit(n-1)) + c.Wait
	}
	return s.forgotten(c)
}

// forgotten is when a key that is silent has no history any more.
func (s *silent) forgotten(c *state.Context) int64 {
	return s.spoke[len(s.spoke)-1].cell*s.cell + max(s.history, s.longer) + c.Wait + c.Keep
}

// Advance implements state.Memory.
func (s *silent) Advance(c *state.Context) (empty bool) {
	n := len(s.spoke)
	if n == 0 {
		return true
	}
	s.judge(c, n-1)
	return s.spoke[n-1].told && c.Passed(s.forgotten(c))
}

// Close implements state.Memory.
func (s *silent) Close(*state.Context) {}

// forget drops cells that no silence to come can ask for.
func (s *silent) forget(c *state.Context) {
	last := s.spoke[len(s.spoke)-1].cell * s.cell
	back := max(c.Keep, s.cell)
	if s.ratio > 0 {
		back += s.history
	}
	n := 0
	for n+2 < len(s.spoke) && s.spoke[n+1].cell*s.cell <= last-back && c.Now != math.MinInt64 {
		n++
	}
	s.spoke = slices.Delete(s.spoke, 0, n)
	for i := range s.spoke {
		if x := &s.spoke[i]; x.cell*s.cell < last-c.Keep-2*s.longer && i+2 < len(s.spoke) && c.Now != math.MinInt64 {
			x.first = state.Entry{}
		}
	}
}

// Append implements state.Memory.
func (s *silent) Append(to []byte) []byte {
	to = binary.AppendUvarint(to, uint64(len(s.spoke)))
	for i := range s.spoke {
		x := &s.spoke[i]
		told := byte(0)
		if x.told {
			told = 1
		}
		to = append(binary.AppendVarint(to, x.cell), told)
		to = state.AppendEntries(to, []state.Entry{x.first})
	}
	return to
}

// Load implements state.Memory.
func (s *silent) Load(row []byte) error {
	f := state.Read(row)
	for n := f.Many(); n > 0; n-- {
		x := spoken{cell: f.Int(), told: f.Byte() == 1}
		if first := f.Entries(); len(first) == 1 {
			x.first = first[0]
		}
		s.spoke = append(s.spoke, x)
	}
	return f.Err()
}
