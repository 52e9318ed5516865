package incident

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// The bounds of what is held of an account. Beyond them the first half and the last half in time are held, and the others are counted: so
// what is held does not depend on the order in which it came.
const (
	maxSigns      = 10_000
	maxActivities = 2_000
	maxBefore     = 100 // activities of an account without a sign
)

// Account names an account of a tenant.
type Account struct{ Tenant, Name string }

// story is what is held of an account.
type story struct {
	of         Account
	signs      map[string]*sign
	activities map[activityKey]*Activity
	profile    *Profile
	base       base
	left       int // signs and activities that are not held any more

	changed bool           // since it was last folded
	all     []Incident     // as it was folded last, in brief
	marks   map[int]mark   // of what was folded last, by number
	told    map[int]telled // by number
	raised  map[int]int    // what an incident's revision has beyond its count, by number
	due     time.Time      // when time alone changes something; zero: never
	rows    rowsOf
}

// base is what remains of incidents that are over for good.
type base struct {
	Number int       `json:"n,omitempty"` // of the last one
	Closed time.Time `json:"c,omitzero"`
}

// activityKey is what an activity is known by.
type activityKey struct{ event, line, kind, text string }

func keyOf(a *Activity) activityKey {
	k := activityKey{a.Entry.EventID, a.Line, a.Entry.Kind, ""}
	if a.Line == "" || a.Entry.EventID == "" {
		k.text = a.Entry.Text + "\x00" + a.Entry.Time.UTC().Format(time.RFC3339Nano)
	}
	return k
}

func newStory(of Account) *story {
	return &story{of: of, signs: map[string]*sign{}, activities: map[activityKey]*Activity{}, marks: map[int]mark{},
		told: map[int]telled{}, raised: map[int]int{}}
}

// sign takes an alert. One that is held adds nothing but its newer content.
func (s *story) sign(x *sign) {
	if have := s.signs[x.ID]; have != nil && !x.newer(have) {
		return
	}
	if !s.base.Closed.IsZero() && s.signs[x.ID] == nil && !x.Time.After(s.base.Closed) {
		s.leave() // of an incident that is over for good
		return
	}
	s.signs[x.ID] = x
	s.changed = true
	s.rows.sign(x)
	if len(s.signs) > maxSigns+maxSigns/10 { // seldom, for it looks at all
		s.prune()
	}
}

// prune lets the signs in the middle go.
func (s *story) prune() {
	all := slices.SortedFunc(maps.Values(s.signs), inOrder)
	for _, x := range all[maxSigns/2 : len(all)-maxSigns/2] {
		delete(s.signs, x.ID)
		s.rows.gone(signKey(x.ID))
		s.leave()
	}
}

func (s *story) leave() {
	s.left++
	s.rows.head = true
}

// activity takes an event that no rule speaks of. One that is held takes the newer one's place where that stands for more events.
func (s *story) activity(a *Activity) {
	k := keyOf(a)
	a.Entry.Time = a.Entry.Time.UTC()
	if have := s.activities[k]; have != nil && a.Entry.Count <= have.Entry.Count {
		return
	}
	s.activities[k] = a
	s.changed = true
	s.rows.activity(k, a)
	most := maxActivities
	if len(s.signs) == 0 {
		most = maxBefore
	}
	if len(s.activities) > most+most/10 {
		s.pruneActivities(most)
	}
}

// pruneActivities lets activities in the middle go, context before closings and changes.
func (s *story) pruneActivities(most int) {
	all := s.sortedActivities()
	spare := len(all) - most
	for _, what := range []bool{true, false} {
		var some []*Activity
		for _, a := range all {
			if (a.Closes == "" && a.Thing == nil) == what {
				some = append(some, a)
			}
		}
		n := min(spare, len(some))
		from := (len(some) - n) / 2
		for _, a := range some[from : from+n] {
			delete(s.activities, keyOf(a))
			s.rows.gone(activityRow(keyOf(a)))
			s.leave()
		}
		spare -= n
	}
}

func (s *story) sortedActivities() []*Activity {
	return slices.SortedFunc(maps.Values(s.activities), func(a, b *Activity) int {
		return cmp.Or(a.Entry.Time.Compare(b.Entry.Time), strings.Compare(a.Entry.EventID, b.Entry.EventID), strings.Compare(a.Line, b.Line),
			strings.Compare(a.Entry.Text, b.Entry.Text))
	})
}

// know takes a profile; the last one counts.
func (s *story) know(p *Profile) {
	s.profile = p
	s.changed = true
	s.rows.profile = true
}

// sorted are the keys of a map, in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
