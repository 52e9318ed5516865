// Package clock tells how far time has come in the sources, by what the instances that read them say in ticks.
package clock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"noroshi/internal/state"
)

// A record of the topic events with this header is a tick, and no record of a source.
const (
	Header = "schema"
	Schema = "noroshi.tick/1"
)

// Unknown is the progress of a source partition of which nothing is known, and a clock that has no time yet.
const Unknown = int64(math.MinInt64)

// Tick is what an instance says of the source partitions that it reads, and of those that are gone for good. It speaks of what has been
// stored before it, and stays true for ever. Times are nanoseconds since 1970.
type Tick struct {
	Made    int64 // by the clock of the instance
	Sources []Source
	Retired []Retired
	Alike   []Alike
}

// Source is how far a source partition has come.
type Source struct {
	Name     string // audit/3
	Progress int64  // what happened before it has been stored, but for what the source is late with; or Unknown
	Shown    []Shown
}

// Shown are the first and the last time of the events of a dataset that a source partition has shown in a tenant.
type Shown struct {
	Tenant, Dataset string
	First, Last     int64
}

// Retired is a source, or a source partition, that is gone for good: what it said before that does not count any more.
type Retired struct {
	Name string
	At   int64
}

// The bounds of a tick.
const (
	MaxTick = 1 << 20
	MaxText = 512
)

// version begins the body of a tick. Behind it come: when it was made, in milliseconds since 1970 (a zigzag varint); the number of source
// partitions (uvarints are all numbers of things and lengths) and for each its name, its progress, the number of what it has shown
// and for each of these tenant, dataset, first and last; the number of what is retired, and for each name and moment; up to the end, which
// earlier versions do not look at, sources whose partitions are alike, and for each how many they are. A text is its length and its bytes, or 0 and the place of an earlier text of this tick, counted from 0. A time is how many milliseconds it lies
// before the tick was made, as a zigzag varint, rounded so that it is not later than it was; a progress is preceded by 1, or is 0 where
// it is unknown.
const version = 1

// ErrTick says that bytes are no tick of a version that is known here.
var ErrTick = errors.New("not a tick of a known version")

// texts are the texts of a tick so far.
type texts struct {
	at  map[string]int
	all []string
}

func (x *texts) append(to []byte, text string) []byte {
	if i, have := x.at[text]; have {
		return binary.AppendUvarint(append(to, 0), uint64(i))
	}
	x.at[text] = len(x.all)
	x.all = append(x.all, text)
	return state.AppendBytes(to, text)
}

func (x *texts) read(f *state.Fields) string {
	n := f.Uint()
	if n > MaxText {
		f.Fail()
		return ""
	}
	if n > 0 {
		text := string([]byte(f.Some(n)))
		x.all = append(x.all, text)
		return text
	}
	if i := f.Uint(); i < uint64(len(x.all)) {
		return x.all[i]
	}
	f.Fail()
	return ""
}

const millisecond = int64(1e6)

// Append packs the tick. Texts longer than MaxText are left out with what they name.
func (t *Tick) Append(to []byte) []byte {
	made := state.Floor(t.Made, millisecond)
	x := &texts{at: map[string]int{"": 0}, all: []string{""}}
	time := func(n int64) { to = binary.AppendVarint(to, made-state.Floor(n, millisecond)) }
	to = binary.AppendVarint(append(to, version), made)
	sources := fitting(t.Sources, func(s Source) bool { return len(s.Name) <= MaxText })
	to = binary.AppendUvarint(to, uint64(len(sources)))
	for _, s := range sources {
		to = x.append(to, s.Name)
		if s.Progress == Unknown {
			to = append(to, 0)
		} else {
			to = append(to, 1)
			time(s.Progress)
		}
		shown := fitting(s.Shown, func(w Shown) bool { return len(w.Tenant) <= MaxText && len(w.Dataset) <= MaxText })
		to = binary.AppendUvarint(to, uint64(len(shown)))
		for _, w := range shown {
			to = x.append(x.append(to, w.Tenant), w.Dataset)
			time(w.First)
			time(w.Last)
		}
	}
	retired := fitting(t.Retired, func(r Retired) bool { return len(r.Name) <= MaxText })
	to = binary.AppendUvarint(to, uint64(len(retired)))
	for _, r := range retired {
		to = x.append(to, r.Name)
		time(r.At)
	}
	for _, a := range fitting(t.Alike, func(a Alike) bool { return len(a.Source) <= MaxText && a.Partitions > 0 }) {
		to = binary.AppendUvarint(x.append(to, a.Source), uint64(a.Partitions))
	}
	return to
}

func fitting[T any](all []T, fits func(T) bool) (some []T) {
	for _, one := range all {
		if fits(one) {
			some = append(some, one)
		}
	}
	return some
}

// Parse reads what Append wrote. Its texts do not share memory with the bytes.
func Parse(body []byte) (*Tick, error) {
	if len(body) == 0 || len(body) > MaxTick || body[0] != version {
		return nil, ErrTick
	}
	f := state.Read(body[1:])
	x := &texts{all: []string{""}}
	made := f.Int()
	time := func() int64 { return nanoseconds(made - f.Int()) }
	t := &Tick{Made: nanoseconds(made)}
	for n := f.Many(); n > 0; n-- {
		s := Source{Name: x.read(f), Progress: Unknown}
		if f.Byte() != 0 {
			s.Progress = time()
		}
		for n := f.Many(); n > 0; n-- {
			s.Shown = append(s.Shown, Shown{Tenant: x.read(f), Dataset: x.read(f), First: time(), Last: time()})
		}
		t.Sources = append(t.Sources, s)
	}
	for n := f.Many(); n > 0; n-- {
		t.Retired = append(t.Retired, Retired{Name: x.read(f), At: time()})
	}
	for f.Len() > 0 {
		if a := (Alike{Source: x.read(f), Partitions: int(min(f.Uint(), maxSources))}); a.Partitions > 0 {
			t.Alike = append(t.Alike, a)
		}
	}
	if err := f.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTick, err)
	}
	return t, nil
}

// nanoseconds are those of milliseconds, as far as there are some.
func nanoseconds(ms int64) int64 {
	const most = math.MaxInt64/millisecond - 1
	return max(-most, min(most, ms)) * millisecond
}

// Under is the tick with all names behind another one, such as that of the partition it lay in. What it shows is shared.
func (t *Tick) Under(name string) *Tick {
	u := &Tick{Made: t.Made, Sources: make([]Source, len(t.Sources)), Retired: make([]Retired, len(t.Retired))}
	for i, s := range t.Sources {
		s.Name = name + s.Name
		u.Sources[i] = s
	}
	for i, r := range t.Retired {
		r.Name = name + r.Name
		u.Retired[i] = r
	}
	for _, a := range t.Alike {
		a.Source = name + a.Source
		u.Alike = append(u.Alike, a)
	}
	return u
}

// perEntry is what Append makes at most of the numbers of one entry, and of the lengths of its texts.
const perEntry = 32

// Split gives ticks that together say the same, each of about so many bytes at most.
func (t *Tick) Split(most int) (all []*Tick) {
	one := &Tick{Made: t.Made}
	room := most
	next := func(n int) {
		if room < n && (len(one.Sources) > 0 || len(one.Retired) > 0 || len(one.Alike) > 0) {
			all = append(all, one)
			one, room = &Tick{Made: t.Made}, most
		}
		room -= n
	}
	for _, a := range t.Alike { // first: nobody is to pass them meanwhile
		next(perEntry + len(a.Source))
		one.Alike = append(one.Alike, a)
	}
	for _, s := range t.Sources {
		next(perEntry + len(s.Name))
		one.Sources = append(one.Sources, Source{Name: s.Name, Progress: s.Progress})
		for _, w := range s.Shown {
			if n := perEntry + len(w.Tenant) + len(w.Dataset); room < n {
				next(n)
				one.Sources = append(one.Sources, Source{Name: s.Name, Progress: s.Progress})
			} else {
				room -= n
			}
			last := &one.Sources[len(one.Sources)-1]
			last.Shown = append(last.Shown, w)
		}
	}
	for _, r := range t.Retired {
		next(perEntry + len(r.Name))
		one.Retired = append(one.Retired, r)
	}
	return append(all, one)
}
