package kind

import (
	"time"

	"noroshi/internal/state"
)

// Absence fires for an event without another one that should go with it.
type Absence struct{}

// Name implements Kind.
func (Absence) Name() string { return "absence" }

// Doc implements Kind.
func (Absence) Doc() string {
	return "Fires for an event when another one that should go with it does not come. Decided late."
}

const maxAround = 7 * 24 * time.Hour

// Keys implements Kind.
func (Absence) Keys() []Key {
	when, by, repeat := keyWhen, keyBy, keyRepeat
	repeat.Default = "the longer of before and after, at least 1h and at most 1d"
	when.Doc = "The condition that the other event must satisfy."
	by.Doc, by.Default = "The fields whose values make the key of the other event, as many as the rule has.", "as the rule"
	around := Key{Type: Duration, Most: maxAround.Seconds(), Default: "0s"}
	after, before := around, around
	after.Name, after.Doc = "after", "How long after the event the other one may come."
	before.Name, before.Doc = "before", "How long before the event the other one may have come."
	return []Key{keyWhen, keyBy, {Name: "without", Doc: "What should go with the event.", Type: Group, Required: true, Keys: []Key{when, after, before, by}},
		{Name: "needs", Doc: "The datasets in which the other event would show.", Type: Texts, Required: true, Least: 1, Most: 10, Of: Datasets}, repeat, keyAbout}
}

// New implements Kind.
func (k Absence) New(v *Values) *Rule {
	r := &Rule{Kind: k, Needs: v.Texts("needs")}
	w := v.Group("without")
	after, before := w.Duration("after"), w.Duration("before")
	if after <= 0 && before <= 0 {
		w.Wrong("", "missing", "expected after, before or both: how far from the event the other one may lie")
	}
	other := &(*v.Clauses)[w.Clause("when")]
	other.Open = true
	if w.Has("by") {
		other.By = sameNumber(v, w)
	}
	s := &state.Spec{Kind: absent{}, Repeat: repeat(v, max(after, before)), After: int64(after), Before: int64(before),
		Asks: func(e *state.Entry) bool { return e.Clauses&1 != 0 }}
	r.Memory, r.Settles = window(s, nil), settles(s)
	return r
}

// absent finds entries that nothing goes with.
type absent struct{}

// Fires implements state.Kind.
func (absent) Fires(w *state.Window, i int) bool {
	t := w.Entries[i].Time
	for k := state.After(w.Entries, t-w.Before-1); k < len(w.Entries) && w.Entries[k].Time <= t+w.After; k++ {
		if k != i && w.Entries[k].Clauses&2 != 0 {
			return false
		}
	}
	return true
}

// Span implements state.Kind.
func (absent) Span(_ *state.Window, i int) (from, to int) { return i, i + 1 }
