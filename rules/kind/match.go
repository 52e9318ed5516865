package kind

import "noroshi/internal/state"

// Match fires for every event for which the condition holds.
type Match struct{}

// Name implements Kind.
func (Match) Name() string { return "match" }

// Doc implements Kind.
func (Match) Doc() string { return "Fires for every event that satisfies the condition." }

// Keys implements Kind.
func (Match) Keys() []Key {
	each := keyRepeat
	each.Default = "each"
	return []Key{keyWhen, keyBy, each, keyAbout}
}

// New implements Kind. Without `repeat` it keeps nothing.
func (m Match) New(v *Values) *Rule {
	r := &Rule{Kind: m}
	if length := v.Repeat("repeat"); length > 0 {
		s := &state.Spec{Kind: alone{}, Repeat: int64(length)}
		r.Memory, r.Settles = window(s, nil), settles(s)
	}
	return r
}

// Single reports whether the rule fires for every event that satisfies it, whatever else has come.
func (r *Rule) Single() bool {
	_, match := r.Kind.(Match)
	return match
}

// alone finds every entry by itself.
type alone struct{}

// Fires implements state.Kind.
func (alone) Fires(*state.Window, int) bool { return true }

// Span implements state.Kind.
func (alone) Span(_ *state.Window, i int) (from, to int) { return i, i + 1 }
