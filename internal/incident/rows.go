package incident

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"noroshi/internal/state"
)

// The first byte of a row's key tells what it is. Then come tenant and account, and what the row is known by within the story.
const (
	rowClock = 'c'
	rowStory = 's'
)

// The keys of a story's rows. Those of signs and activities begin so, too.
const (
	headKey    = "h"
	profileKey = "p"
)

func signKey(id string) string { return "s" + id }

func activityRow(k activityKey) string {
	return "a" + string(state.AppendBytes(state.AppendBytes(state.AppendBytes(state.AppendBytes(nil, k.event), k.line), k.kind), k.text))
}

// rowsOf are a story's rows that have changed.
type rowsOf struct {
	noted      bool // the story is among those to be folded
	head       bool
	profile    bool
	over       bool // nothing of the story remains
	signs      map[string]*sign
	activities map[string]*Activity
	dropped    []string
}

func (r *rowsOf) sign(x *sign) {
	if r.signs == nil {
		r.signs = map[string]*sign{}
	}
	r.signs[x.ID] = x
}

func (r *rowsOf) activity(k activityKey, a *Activity) {
	if r.activities == nil {
		r.activities = map[string]*Activity{}
	}
	r.activities[activityRow(k)] = a
}

func (r *rowsOf) gone(key string) { r.dropped = append(r.dropped, key) }

// head is the row of what is not in a story's other rows.
type head struct {
	Base   base        `json:"b"`
	Left   int         `json:"l,omitempty"`
	Gone   map[int]int `json:"g,omitempty"` // by the number of an incident that is no more: the revision in which that was told
	Raised map[int]int `json:"r,omitempty"`
}

func (of Account) row(within string) []byte {
	return append(state.AppendBytes(state.AppendBytes([]byte{rowStory}, of.Tenant), of.Name), within...)
}

// Changes gives the rows that have changed since it was called last; memory is nil of one that is gone. What one alert changes is one row
// of its account, however long the story is.
func (b *Book) Changes(each func(key, memory []byte)) {
	for _, of := range b.rows {
		s := b.stories[of]
		if s == nil {
			continue
		}
		for _, key := range s.rows.dropped {
			each(of.row(key), nil)
		}
		for _, id := range sorted(s.rows.signs) {
			if s.signs[id] != nil {
				each(of.row(signKey(id)), packed(s.signs[id]))
			}
		}
		for _, key := range sorted(s.rows.activities) {
			if a := s.rows.activities[key]; s.activities[keyOf(a)] == a {
				each(of.row(key), packed(a))
			}
		}
		if s.rows.profile && s.profile != nil {
			each(of.row(profileKey), packed(s.profile))
		}
		if s.rows.head {
			each(of.row(headKey), packed(s.head()))
		}
		over := s.rows.over && len(s.signs)+len(s.activities) == 0 && s.base.Number == 0
		s.rows = rowsOf{noted: s.rows.noted}
		if over {
			delete(b.stories, of)
		}
	}
	b.rows = b.rows[:0]
	if b.moved {
		each([]byte{rowClock}, binary.AppendVarint(nil, state.Nanoseconds(b.now)))
		b.moved = false
	}
}

func (s *story) head() head {
	h := head{Base: s.base, Left: s.left, Gone: map[int]int{}, Raised: s.raised}
	for number, t := range s.told {
		if t.gone {
			h.Gone[number] = t.revision
		}
	}
	return h
}

// packed is a row's memory. What is held of accounts can always be written.
func packed(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

// All gives all rows, about as many bytes as there is room, from where it ended last; it reports whether it has come to the end.
func (b *Book) All(room int, each func(key, memory []byte)) (ended bool) {
	if b.sweep == nil {
		for of := range b.stories {
			b.sweep = append(b.sweep, of)
		}
		slices.SortFunc(b.sweep, func(x, y Account) int {
			return cmp.Or(strings.Compare(x.Tenant, y.Tenant), strings.Compare(x.Name, y.Name))
		})
	}
	give := func(key, memory []byte) {
		room -= len(key) + len(memory)
		each(key, memory)
	}
	for len(b.sweep) > 0 && room > 0 {
		of := b.sweep[0]
		b.sweep = b.sweep[1:]
		if s := b.stories[of]; s != nil {
			s.write(give)
		}
	}
	if len(b.sweep) > 0 {
		return false
	}
	b.sweep = nil
	give([]byte{rowClock}, binary.AppendVarint(nil, state.Nanoseconds(b.now)))
	return true
}

// write gives all rows of a story.
func (s *story) write(each func(key, memory []byte)) {
	for _, id := range sorted(s.signs) {
		each(s.of.row(signKey(id)), packed(s.signs[id]))
	}
	for _, a := range s.sortedActivities() {
		each(s.of.row(activityRow(keyOf(a))), packed(a))
	}
	if s.profile != nil {
		each(s.of.row(profileKey), packed(s.profile))
	}
	if h := s.head(); h.Base.Number > 0 || h.Left > 0 || len(h.Gone)+len(h.Raised) > 0 {
		each(s.of.row(headKey), packed(h))
	}
}

var errRow = errors.New("no row of an incident")

// Load reads a row. When all are read, Loaded is called.
func (b *Book) Load(key, memory []byte) error {
	if len(key) == 0 {
		return errRow
	}
	if key[0] == rowClock {
		f := state.Read(memory)
		at := f.Int()
		if err := f.Err(); err != nil {
			return fmt.Errorf("read clock: %w", err)
		}
		b.now = time.Unix(0, at).UTC()
		return nil
	}
	f := state.Read(key[1:])
	of := Account{Tenant: f.Text(), Name: f.Text()}
	if f.Failed() || key[0] != rowStory || f.Len() == 0 {
		return errRow
	}
	within := string(key[len(key)-f.Len():])
	s := b.story(of.Tenant, of.Name)
	if err := s.load(within, memory); err != nil {
		return fmt.Errorf("read row: %w", err)
	}
	return nil
}

func (s *story) load(within string, memory []byte) error {
	switch within[0] {
	case headKey[0]:
		var h head
		if err := json.Unmarshal(memory, &h); err != nil {
			return err
		}
		s.base, s.left = h.Base, h.Left
		for number, revision := range h.Gone {
			s.told[number] = telled{revision: revision, gone: true}
		}
		maps.Copy(s.raised, h.Raised)
	case profileKey[0]:
		s.profile = &Profile{}
		return json.Unmarshal(memory, s.profile)
	case 's':
		var x sign
		if err := json.Unmarshal(memory, &x); err != nil {
			return err
		}
		s.signs[x.ID] = &x
	case 'a':
		var a Activity
		if err := json.Unmarshal(memory, &a); err != nil {
			return err
		}
		s.activities[keyOf(&a)] = &a
	default:
		return errRow
	}
	return nil
}

// Loaded ends reading: what the rows say has been told.
func (b *Book) Loaded() {
	for _, s := range b.stories {
		for _, i := range b.refold(s) {
			if i.Level != Noticed {
				s.told[i.Number] = s.telled(i)
			}
		}
	}
}

// Open counts incidents that are not closed, by level.
func (b *Book) Open() map[Level]int {
	m := map[Level]int{}
	for _, s := range b.stories {
		for _, i := range s.all {
			if i.Status != Closed && i.Level != Noticed {
				m[i.Level]++
			}
		}
	}
	return m
}
