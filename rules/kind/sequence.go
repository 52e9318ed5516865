package kind

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Sequence fires for an event that completes one thing after another.
type Sequence struct{}

// Name implements Kind.
func (Sequence) Name() string { return "sequence" }

// Doc implements Kind.
func (Sequence) Doc() string {
	return "Fires for an event of the last step when the other steps have been filled before it, in their order."
}

// The bounds of a sequence.
const (
	minSteps     = 2
	maxSteps     = 5
	maxStepCount = 100
	maxSequence  = 7 * 24 * time.Hour
)

// Keys implements Kind.
func (Sequence) Keys() []Key {
	within := keyWithin
	within.Most = maxSequence.Seconds()
	step := keyWhen
	step.Doc, step.Required = "The condition that an event of the step must satisfy.", false
	of := keyAlerts
	of.Doc, of.Required = "The rules whose alerts are the events of the step, instead of when: ids of rules, guide:S3, class:access.", false
	by := keyBy
	by.Doc, by.Default = "The fields whose values make the key in this step, as many as the rule has.", "as the rule"
	distinct := keyDistinct
	distinct.Against, distinct.Instead = "of", "a step of alerts has no distinct; write a rule of kind correlation with this distinct, and name its id in of"
	return []Key{keyBy, within, keyRepeat, keyAbout, {
		Name: "steps", Doc: "Two to five steps.", Type: Groups, Required: true, Least: minSteps, Most: maxSteps, Keys: []Key{
			{Name: "id", Doc: "The step's name, a word without blanks, dots, brackets and quotes.", Type: Text, Required: true, Pattern: `^[^. \[\]"']+$`}, step, of,
			{Name: "count", Doc: "How many events fill the step.", Type: Whole, Least: 1, Most: maxStepCount, Default: "1"},
			distinct, by,
			{Name: "show", Doc: "Fields that the summary may show beside those of the condition.", Type: FieldNames, Lists: true},
		},
	}}
}

// step is how a step is filled.
type step struct {
	count    int
	distinct int  // of the first step alone: it is full when its events have so many different values
	alerts   bool // its events are alerts
}

// New implements Kind.
func (k Sequence) New(v *Values) *Rule {
	r := &Rule{Kind: k}
	s := &sequence{}
	lists := false
	for i, g := range v.Groups("steps") {
		one := step{count: max(1, g.Whole("count")), alerts: g.Has("of")}
		if d := g.Group("distinct"); d != nil {
			one.distinct = d.Whole("least")
			switch {
			case i > 0:
				g.Wrong("distinct", "value", "only the first step can count different values")
			case g.Has("count"):
				g.Wrong("count", "value", "expected one of the keys count and distinct")
			}
			lists = d.Field("of").Type == event.List
			r.Looks, r.Distinct = append(r.Looks, d.Field("of")), false
		}
		k.step(v, g, r)
		r.Shape = append(r.Shape, shape(g.Text("id"), one.distinct > 0)...)
		s.steps = append(s.steps, one)
		if i > 0 && s.steps[0].distinct > 0 && same(v, v.Groups("steps")[0], g) {
			g.Wrong("when", "value", fmt.Sprintf("no event fills this step: what satisfies it satisfies the step %s, too, and counts there alone", r.Steps[0].ID))
		}
	}
	spec := &state.Spec{Kind: s, Within: int64(v.Duration("within")), Repeat: repeat(v, v.Duration("within")), Second: true}
	if s.mixed() {
		spec.Because = because
	}
	var value func(*Hit) uint64
	switch {
	case lists:
		spec.Values = listed
	case len(r.Looks) > 0:
		value = func(h *Hit) uint64 { return valueOf(h.at(0)) }
	}
	r.Memory, r.Settles = window(spec, value), settles(spec)
	return r
}

// same reports whether two steps have the same condition.
func same(v, a, b *Values) bool {
	i, k := a.Clause("when"), b.Clause("when")
	if i < 0 || k < 0 {
		return false
	}
	one, other := (*v.Clauses)[i].When, (*v.Clauses)[k].When
	return one != nil && other != nil && strings.TrimSpace(one.Source) == strings.TrimSpace(other.Source)
}

func (Sequence) step(v, g *Values, r *Rule) {
	id := g.Text("id")
	for _, s := range r.Steps {
		if s.ID == id && id != "" {
			g.Wrong("id", "duplicate-id", fmt.Sprintf("a step before this one is called %s, too", id))
		}
	}
	if strings.ContainsAny(id, ". []\"'") {
		g.Wrong("id", "id", fmt.Sprintf("expected a word without blanks, dots, brackets and quotes, got %q", id))
	}
	r.Steps = append(r.Steps, Step{ID: id, Show: g.Fields("show")})
	r.Shows = append(r.Shows, g.Fields("show")...)
	at := max(g.Clause("when"), g.Clause("of"))
	switch {
	case at < 0:
		g.Wrong("", "missing", "a step needs the key when: the condition that an event of the step must satisfy; or of: the rules whose alerts are its events")
		return
	case g.Has("when") && g.Has("of"):
		g.Wrong("of", "value", "expected one of the keys when and of: the events of a step satisfy a condition, or they are alerts")
		return
	case g.Has("by"):
		(*v.Clauses)[at].By = sameNumber(v, g)
	}
	if c := (*v.Clauses)[at]; c.Of != nil {
		r.Of = append(r.Of, c.Of...)
		if g.Has("by") {
			v.alertKey(g, "by", c.By)
		} else {
			v.alertKey(v, "by", v.By)
		}
	}
}

// sameNumber is the key of a group, which must have as many fields as the rule's.
func sameNumber(v, g *Values) []Field {
	by := g.Fields("by")
	if len(by) != len(v.By) {
		many := "1 field"
		if n := len(v.By); n != 1 {
			many = fmt.Sprintf("%d fields", n)
		}
		g.Wrong("by", "value", fmt.Sprintf("expected %s, as many as the rule has in its own key, got %d", many, len(by)))
	}
	return by
}

// sequence decides whether the steps can be filled.
type sequence struct{ steps []step }

// Fires implements state.Kind. Entry i is kept for the last place.
func (s *sequence) Fires(w *state.Window, i int) bool {
	if !s.completes(&w.Entries[i]) {
		return false
	}
	from, to := s.Span(w, i)
	all := w.Entries[from:to]
	return s.filled(w, all, i-from, nil) && (!s.mixed() || s.apart(w, all, i-from))
}

// completes reports whether an entry can be the one in the last place.
func (s *sequence) completes(e *state.Entry) bool {
	return e.Clauses&(1<<(len(s.steps)-1)) != 0 && (s.steps[0].distinct == 0 || e.Clauses&1 == 0)
}

// filled reports whether all places can be filled, the last one by the entry that is kept, and none by those that are left out. The
// window is walked by whole seconds, and at each as many of the next open places are filled as different events of that second
// allow: going further is never worse.
func (s *sequence) filled(w *state.Window, all []state.Entry, kept int, without []bool) bool {
	f := s.filling(w)
	f.out = without
	f.left[len(s.steps)-1]--
	return f.enough(all) && f.walk(all, kept)
}

// filling is a walk in which all places are open.
func (s *sequence) filling(w *state.Window) *filling {
	f := &filling{sequence: s, w: w, left: make([]int, len(s.steps))}
	for k := range s.steps {
		f.left[k] = s.steps[k].count
	}
	if s.steps[0].distinct > 0 {
		f.left[0] = 0
		f.seen = map[uint64]struct{}{}
	}
	return f
}

// Span implements state.Kind: a window ends with the whole second of its entry.
func (*sequence) Span(w *state.Window, i int) (from, to int) {
	t := w.Entries[i].Time
	return state.After(w.Entries, t-w.Within), state.After(w.Entries, (state.Floor(t, 1e9)+1)*1e9-1)
}

// filling is a walk through a window.
type filling struct {
	*sequence
	w    *state.Window
	left []int  // places of each step that are open
	at   int    // the step that is filled
	out  []bool // entries that fill no place; nil: all do
	seen map[uint64]struct{}
}

// enough asks quickly whether the window has events for every step at all.
func (f *filling) enough(all []state.Entry) bool {
	var n [maxSteps]int
	for i := range all {
		for c := all[i].Clauses; c != 0; c &= c - 1 {
			n[bits.TrailingZeros8(c)]++
		}
	}
	for k := range f.steps {
		if n[k] < f.left[k] || k == 0 && n[0] < f.steps[0].distinct && f.w.Values == nil {
			return false
		}
	}
	return true
}

// walk reports whether all places can be filled by entries other than the one that is kept.
func (f *filling) walk(all []state.Entry, kept int) bool {
	for i := 0; i < len(all) && !f.full(); {
		var group [1 << maxSteps]int // events by the steps that they can fill
		second, n := state.Floor(all[i].Time, 1e9), 0
		for ; i < len(all) && state.Floor(all[i].Time, 1e9) == second; i++ {
			switch c := all[i].Clauses; {
			case i == kept:
			case f.steps[0].distinct > 0 && c&1 != 0:
				f.w.EachValue(&all[i], func(v uint64) { f.seen[v] = struct{}{} })
			case f.out != nil && f.out[i]:
			default:
				group[c%(1<<maxSteps)]++
				n++
			}
		}
		f.fill(&group, n)
	}
	return f.full()
}

// begun reports whether the first step is full where it counts different values.
func (f *filling) begun() bool { return len(f.seen) >= f.steps[0].distinct }

func (f *filling) full() bool {
	return f.begun() && f.sum() == 0
}

func (f *filling) sum() (n int) {
	for _, k := range f.left {
		n += k
	}
	return n
}

// fill fills as many of the next open places as the events of one second can. By Hall's theorem places can be filled by different
// events if and only if for every set of steps at least as many events can fill one of them as there are places in it.
func (f *filling) fill(group *[1 << maxSteps]int, n int) {
	if !f.begun() || n == 0 {
		return
	}
	var filled [maxSteps]int
	for f.at < len(f.steps) {
		most := f.left[f.at]
		for set := 1; set < 1<<(f.at+1); set++ {
			if set&(1<<f.at) == 0 || f.without(set, filled) {
				continue
			}
			places, events := 0, 0
			for k := range f.at {
				if set&(1<<k) != 0 {
					places += filled[k]
				}
			}
			for c, many := range group {
				if c&set != 0 {
					events += many
				}
			}
			most = min(most, events-places)
		}
		filled[f.at] = most
		if f.left[f.at] -= most; f.left[f.at] > 0 || f.at == len(f.steps)-1 {
			return
		}
		f.at++
	}
}

// without reports whether a set holds steps in which nothing was filled: a smaller set says the same.
func (f *filling) without(set int, filled [maxSteps]int) bool {
	for k := range f.at {
		if set&(1<<k) != 0 && filled[k] == 0 {
			return true
		}
	}
	return false
}
