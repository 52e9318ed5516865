package clock

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"

	"noroshi/internal/state"
)

// The keys of rows begin with a zero byte: no rule has an id without letters. One row holds the progress of all source partitions, what is
// retired and the clocks that are ahead of it; of each source partition another row holds what it has shown.
const (
	keySources = "\x00clocks"
	keyShown   = "\x00shown "
)

const rowVersion = 1

// Own reports whether a row's key is one of Clocks'.
func Own(key []byte) bool { return len(key) > 0 && key[0] == 0 }

// ErrRow says that a row is none of Clocks of this version.
var ErrRow = errors.New("not a row of clocks of a known version")

// Changes gives the rows that have changed since it was called last. The bytes hold until each returns.
func (c *Clocks) Changes(each func(key, row []byte)) {
	for _, s := range c.stale {
		s.stale = false
		each([]byte(keyShown+s.name), s.append(nil))
	}
	clear(c.stale)
	c.stale = c.stale[:0]
	if c.changed {
		c.changed = false
		each([]byte(keySources), c.append(nil))
	}
}

// Rows gives all rows, as if each had changed.
func (c *Clocks) Rows(each func(key, row []byte)) {
	for _, name := range slices.Sorted(maps.Keys(c.sources)) {
		if s := c.sources[name]; len(s.shown) > 0 {
			each([]byte(keyShown+s.name), s.append(nil))
		}
	}
	each([]byte(keySources), c.append(nil))
}

func (s *source) append(to []byte) []byte {
	s.unstored = false
	to = binary.AppendUvarint(append(to, rowVersion), uint64(len(s.shown)))
	for p, x := range s.shown {
		x.stored = x.last
		to = state.AppendBytes(state.AppendBytes(to, p.tenant), p.dataset)
		to = binary.AppendVarint(binary.AppendVarint(to, x.first), x.last)
	}
	return to
}

func (c *Clocks) append(to []byte) []byte {
	to = binary.AppendUvarint(append(to, rowVersion), uint64(len(c.sources)))
	for _, name := range slices.Sorted(maps.Keys(c.sources)) {
		s := c.sources[name]
		to = binary.AppendVarint(binary.AppendVarint(state.AppendBytes(to, name), s.progress), s.ticked)
	}
	to = binary.AppendUvarint(to, uint64(len(c.retired)))
	for _, name := range slices.Sorted(maps.Keys(c.retired)) {
		to = binary.AppendVarint(state.AppendBytes(to, name), c.retired[name])
	}
	var ahead []*asked
	for _, key := range slices.Sorted(maps.Keys(c.asked)) {
		if a := c.asked[key]; c.ask(a.tenant, a.datasets).derived < a.now {
			ahead = append(ahead, a)
		}
	}
	to = binary.AppendUvarint(to, uint64(len(ahead)))
	for _, a := range ahead {
		to = binary.AppendUvarint(state.AppendBytes(to, a.tenant), uint64(len(a.datasets)))
		for _, d := range a.datasets {
			to = state.AppendBytes(to, d)
		}
		to = binary.AppendVarint(to, a.now)
	}
	return c.appendAlike(to)
}

// appendAlike adds what earlier versions do not look for.
func (c *Clocks) appendAlike(to []byte) []byte {
	for _, a := range c.alike() {
		to = binary.AppendUvarint(state.AppendBytes(to, a.Source), uint64(a.Partitions))
	}
	return to
}

// alike are the sources whose partitions hold records of the same kinds.
func (c *Clocks) alike() (all []Alike) {
	for _, name := range slices.Sorted(maps.Keys(c.kin)) {
		if k := c.kin[name]; k.partitions > 0 {
			all = append(all, Alike{name, k.partitions})
		}
	}
	return all
}

// Load reads a row that Changes gave. What it says is added to what is known, as that of a tick is.
func (c *Clocks) Load(key, row []byte) error {
	f := state.Read(row)
	if f.Byte() != rowVersion {
		return ErrRow
	}
	switch name, ofShown := strings.CutPrefix(string(key), keyShown); {
	case ofShown:
		c.loadShown(f, name)
	case name == keySources:
		c.load(f)
	default:
		return ErrRow
	}
	c.version++
	return f.Err()
}

func (c *Clocks) load(f *state.Fields) {
	was := c.changed
	for n := f.Many(); n > 0; n-- {
		name, progress, ticked := f.Text(), f.Int(), f.Int()
		if s := c.source(name); s != nil {
			s.progress, s.ticked = max(s.progress, progress), max(s.ticked, ticked)
		}
	}
	for n := f.Many(); n > 0; n-- {
		c.retire(f.Text(), f.Int())
	}
	for n := f.Many(); n > 0; n-- {
		tenant, datasets := f.Text(), []string(nil)
		for n := f.Many(); n > 0; n-- {
			datasets = append(datasets, string([]byte(f.Text())))
		}
		a := c.stood(tenant, datasets) // what sources have shown may be read later
		a.now = max(a.now, f.Int())
	}
	for f.Len() > 0 {
		a := Alike{Source: f.Text()}
		if a.Partitions = int(min(f.Uint(), maxSources)); f.Err() == nil {
			c.takeAlike(&a)
		}
	}
	c.changed = was
}

func (c *Clocks) loadShown(f *state.Fields, name string) {
	was := c.changed
	s := c.source(name)
	c.changed = was
	for n := f.Many(); n > 0; n-- {
		w := Shown{Tenant: f.Text(), Dataset: f.Text(), First: f.Int(), Last: f.Int()}
		if s == nil {
			continue
		}
		stale, moved, unstored := s.stale, s.moved, s.unstored
		c.show(s, &w)
		if x := s.shown[pair{w.Tenant, w.Dataset}]; x != nil {
			x.stored = max(x.stored, w.Last)
		}
		if s.stale && !stale {
			s.stale = false
			c.stale = c.stale[:len(c.stale)-1]
		}
		s.moved, s.unstored = moved, unstored
	}
}
