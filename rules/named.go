package rules

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules/library"
)

// wish is a rule's wish for other rules: those that it names with of.
type wish struct {
	at     place
	folder string // as problems name it, with the slash at its end
	ids    []string
}

// namedBy are the rules that a rule names, in of and in the of of its steps.
func namedBy(d *strictyaml.Doc) (ids []string) {
	take := func(n *yaml.Node) {
		if n != nil && n.Kind == yaml.SequenceNode {
			for _, c := range n.Content {
				ids = append(ids, c.Value)
			}
		}
	}
	take(member(d.Root, "of"))
	if steps := member(d.Root, "steps"); steps != nil && steps.Kind == yaml.SequenceNode {
		for _, s := range steps.Content {
			take(member(s, "of"))
		}
	}
	return ids
}

// member is the value of a key of a mapping, or nil if there is none.
func member(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// named reads the rules that others name, from the folder of each and from the library. What check and test ask of rules is not
// asked of them, and what is wrong in their files is told only of those that are named, where they are named.
func (l *loader) named() {
	wishes, uses, problems, strict := l.wishes, len(l.uses), len(l.problems), l.options.Strict
	l.wishes, l.wanted, l.options.Strict = nil, map[string]bool{}, false
	l.ids = map[string]string{} // those that are reserved may be read now
	for _, r := range l.set.Rules {
		l.ids[r.ID] = fmt.Sprintf("%s:%d", r.File, r.Line)
	}
	for _, w := range wishes {
		for _, id := range w.ids {
			l.wanted[id] = l.ids[id] == ""
		}
	}
	if slices.Contains(slices.Collect(maps.Values(l.wanted)), true) {
		for _, w := range wishes {
			l.folder(w.at.in, w.at.folder, w.folder, l.home.holds(w.folder))
		}
		if (!l.options.Alone || l.home.in != library.Files) && !l.options.Library {
			l.folder(l.home.in, ".", l.home.name, true)
		}
	}
	l.wanted, l.uses, l.problems, l.options.Strict = nil, l.uses[:uses], l.problems[:problems], strict
}

// breaks notes the first error of a rule that is there to be named.
func (l *loader) breaks(d *strictyaml.Doc, r *Rule) {
	if !l.wanted[r.ID] || l.broken[r.ID] != "" {
		return
	}
	for _, p := range d.Problems {
		if p.Level == diag.Error {
			l.broken[r.ID] = fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
			return
		}
	}
}

// wishing notes what a rule wishes for.
func (l *loader) wishing(d *strictyaml.Doc, r *Rule) {
	if len(r.Names) > 0 && l.options.Named {
		folder, _ := filepath.Split(d.Name)
		l.wishes = append(l.wishes, wish{l.at, folder, r.Names})
	}
}

// Own are the rules that are not merely there to be named.
func (s *Set) Own() (all []*Rule) {
	for _, r := range s.Rules {
		if !r.Named {
			all = append(all, r)
		}
	}
	return all
}

// reserve notes the ids of the shipped rules as taken.
func (l *loader) reserve() {
	_ = fs.WalkDir(library.Files, ".", func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || noRule(file) {
			return nil
		}
		data, err := library.Files.ReadFile(file)
		if m := shippedID.FindSubmatch(data); err == nil && m != nil {
			l.ids[string(m[1])] = shippedPlace
		}
		return nil
	})
}

// shippedID is the id in a file of the library.
var shippedID = regexp.MustCompile(`(?m)^id: ([a-z0-9-]+)`)

// shippedPlace stands for the place of a shipped rule.
const shippedPlace = "the shipped rules"
