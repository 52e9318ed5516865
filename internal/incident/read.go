package incident

import (
	"fmt"
	"maps"
	"slices"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
)

// reader reads a scoring from its file.
type reader struct {
	d     *strictyaml.Doc
	s     *Scoring
	rules []string // all that there are; nil: not known
}

// ReadScoring reads a scoring. What is wrong, it notes in the document. Rules are the ids of those that there are; nil: they are not checked.
func ReadScoring(d *strictyaml.Doc, rules []string) *Scoring {
	r := &reader{d: d, s: &Scoring{Levels: map[Level]int{}, NeverAlone: map[string]bool{}, Also: map[string][]string{}}, rules: rules}
	if d.Root == nil {
		return r.s
	}
	seen := map[string]bool{}
	by := map[string]func(*yaml.Node){
		"levels":      r.levels,
		"decay":       r.duration(&r.s.Decay),
		"cap":         func(n *yaml.Node) { r.s.Cap = d.Int(n, 1, 1000) },
		"repeats":     r.repeats,
		"modifiers":   r.modifiers,
		"marks_from":  func(n *yaml.Node) { r.s.Least = d.Int(n, 0, 1000) },
		"unproved":    r.unproved,
		"never_alone": r.neverAlone,
		"also":        r.also,
		"confirmed":   r.confirmed,
		"ages":        r.ages,
		"containment": r.containment,
		"tests":       r.tests,
	}
	for key, read := range by {
		by[key] = func(n *yaml.Node) {
			seen[key] = true
			read(n)
		}
	}
	d.Fields(d.Root, by)
	for _, key := range slices.Sorted(maps.Keys(by)) {
		if !seen[key] && key != "tests" && key != "also" && key != "never_alone" && key != "confirmed" {
			d.At(d.Root, "missing", fmt.Sprintf("the key %s is missing", key))
		}
	}
	r.order()
	return r.s
}

// order checks that levels rise.
func (r *reader) order() {
	if d := r.d; d.Errors() == 0 && (r.s.Levels[Suspicious] >= r.s.Levels[Likely] || r.s.Levels[Likely] >= r.s.Levels[Confirmed]) {
		d.At(d.Root, "value", "levels: expected suspicious below likely, and likely below confirmed")
	}
}

// duration reads one that is not zero.
func (r *reader) duration(to *time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		before := len(r.d.Problems)
		if *to = r.d.Duration(n); *to <= 0 && len(r.d.Problems) == before {
			r.d.At(n, "value", "expected a duration above zero")
		}
	}
}

// all reads a mapping whose keys must all be there.
func (r *reader) all(n *yaml.Node, by map[string]func(*yaml.Node)) {
	r.d.Fields(n, by)
	if n.Kind != yaml.MappingNode {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(by)) {
		if !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Value == key }) {
			r.d.At(n, "missing", fmt.Sprintf("the key %s is missing", key))
		}
	}
}

func (r *reader) levels(n *yaml.Node) {
	by := map[string]func(*yaml.Node){}
	for _, l := range Levels[1:] {
		by[string(l)] = func(n *yaml.Node) { r.s.Levels[l] = r.d.Int(n, 1, 1000) }
	}
	r.all(n, by)
}

func (r *reader) repeats(n *yaml.Node) {
	r.all(n, map[string]func(*yaml.Node){
		"share": func(n *yaml.Node) { r.s.Repeats.Share = r.d.Int(n, 0, 100) },
		"most":  func(n *yaml.Node) { r.s.Repeats.Most = r.d.Int(n, 0, 10) },
	})
}

func (r *reader) modifiers(n *yaml.Node) {
	percent := func(to *int) func(*yaml.Node) { return func(n *yaml.Node) { *to = r.d.Int(n, 0, 1000) } }
	r.all(n, map[string]func(*yaml.Node){
		"marked_session":   percent(&r.s.MarkedSession),
		"compliant_device": percent(&r.s.Compliant),
		"allowed_admin":    percent(&r.s.AllowedAdmin),
		"important":        func(n *yaml.Node) { r.s.Important = r.d.Int(n, 0, 100) },
	})
}

func (r *reader) unproved(n *yaml.Node) {
	r.all(n, map[string]func(*yaml.Node){
		"most": func(n *yaml.Node) {
			r.s.Unproved = Level(r.d.OneOf(n, "value", string(Suspicious), string(Likely), string(Confirmed)))
		},
		"unless": func(n *yaml.Node) { r.s.Proof = r.part(n) },
	})
}

func (r *reader) neverAlone(n *yaml.Node) {
	for _, id := range r.ids(n) {
		r.s.NeverAlone[id] = true
	}
}

// ids are ids of rules.
func (r *reader) ids(n *yaml.Node) (all []string) {
	for _, one := range r.d.Items(n) {
		all = append(all, r.id(one))
	}
	return all
}

func (r *reader) id(n *yaml.Node) string {
	id := r.d.Text(n)
	if id != "" && r.rules != nil && !slices.Contains(r.rules, id) {
		r.d.At(n, "rule", fmt.Sprintf("there is no rule %q", id)).Suggestion = diag.Suggest(id, r.rules)
	}
	return id
}

func (r *reader) classes(n *yaml.Node) (all []string) {
	for _, one := range r.d.Items(n) {
		all = append(all, r.d.OneOf(one, "value", alert.Classes...))
	}
	return all
}

func (r *reader) also(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		r.d.At(n, "type", "expected rules with their classes, got "+strictyaml.Kind(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		r.s.Also[r.id(n.Content[i])] = r.classes(n.Content[i+1])
	}
}

func (r *reader) part(n *yaml.Node) (p Part) {
	r.d.Fields(n, map[string]func(*yaml.Node){
		"classes": func(n *yaml.Node) { p.Classes = r.classes(n) },
		"rules":   func(n *yaml.Node) { p.Rules = r.ids(n) },
		"not":     func(n *yaml.Node) { p.Not = r.ids(n) },
		"least":   func(n *yaml.Node) { p.Least = r.d.Int(n, 0, 1000) },
	})
	if len(p.Classes)+len(p.Rules) == 0 && n.Kind == yaml.MappingNode {
		r.d.At(n, "missing", "one of the keys classes, rules is missing: nothing is such a sign")
	}
	return p
}

func (r *reader) confirmed(n *yaml.Node) {
	ids := map[string]bool{}
	for _, one := range r.d.Items(n) {
		c := r.combination(one)
		if ids[c.ID] && c.ID != "" {
			r.d.At(one, "value", fmt.Sprintf("the id %s stands already above", c.ID))
		}
		ids[c.ID] = true
		r.s.Combinations = append(r.s.Combinations, c)
	}
}

func (r *reader) combination(n *yaml.Node) (c Combination) {
	then := false
	r.d.Fields(n, map[string]func(*yaml.Node){
		"id":           func(n *yaml.Node) { c.ID = r.d.Text(n) },
		"text":         func(n *yaml.Node) { c.Text = r.d.Text(n) },
		"first":        func(n *yaml.Node) { p := r.part(n); c.First = &p },
		"then":         func(n *yaml.Node) { c.Then, then = r.part(n), true },
		"within":       r.duration(&c.Within),
		"same_session": func(n *yaml.Node) { c.Session = r.d.Bool(n) },
		"two_within":   r.duration(&c.Two),
		"one_of":       func(n *yaml.Node) { c.OneOf = r.classes(n) },
	})
	switch {
	case n.Kind != yaml.MappingNode:
	case c.ID == "" || c.Text == "" || !then:
		r.d.At(n, "missing", "a combination needs id, text and then")
	case c.First != nil && c.Within == 0:
		r.d.At(n, "missing", "the key within is missing: how long after the first sign the other may come")
	case c.First == nil && (c.Within > 0 || c.Session):
		r.d.At(n, "missing", "the key first is missing: within and same_session say how the other follows it")
	case len(c.OneOf) > 0 && c.Two == 0:
		r.d.At(n, "missing", "the key two_within is missing: one_of speaks of two signs")
	}
	return c
}

func (r *reader) ages(n *yaml.Node) {
	r.all(n, map[string]func(*yaml.Node){"quiet": r.duration(&r.s.Ages.Quiet), "most": r.duration(&r.s.Ages.Most), "reopen": r.duration(&r.s.Ages.Reopen)})
}

func (r *reader) containment(n *yaml.Node) {
	known := slices.Sorted(maps.Keys(demands))
	r.all(n, map[string]func(*yaml.Node){
		"demands": func(n *yaml.Node) {
			for _, one := range r.d.Items(n) {
				r.s.Containment.Demands = append(r.s.Containment.Demands, r.d.OneOf(one, "value", known...))
			}
		},
		"undone_by": func(n *yaml.Node) { r.s.Containment.Undone = r.d.Int(n, 0, 1000) },
		"before":    r.duration(&r.s.Containment.Before),
	})
}
