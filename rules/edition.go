package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
	"noroshi/rules/library"
)

// Edition is a library as its files say, of whatever version of noroshi: its rules need not load here.
type Edition struct {
	rules map[string]*entry
}

// entry is a rule of an edition.
type entry struct {
	doc  *strictyaml.Doc
	keys map[string]*yaml.Node
}

// Shipped is the library in the program.
func Shipped() (*Edition, error) { return ReadEdition(library.Files) }

// ReadEdition reads a library. A file that is not a rule at all is an error: what is left out would count as gone.
func ReadEdition(in fs.FS) (*Edition, error) {
	if _, err := fs.Stat(in, "."); err != nil {
		return nil, errors.New("no such folder")
	}
	if _, err := fs.Stat(in, remediationFile); err != nil {
		return nil, fmt.Errorf("it is no library: it has no file %s", remediationFile)
	}
	e := &Edition{rules: map[string]*entry{}}
	return e, fs.WalkDir(in, ".", func(file string, d fs.DirEntry, err error) error {
		ext := path.Ext(file)
		if err != nil || d.IsDir() || noRule(file) || ext != ".yaml" && ext != ".yml" {
			return err
		}
		data, err := fs.ReadFile(in, file)
		if err != nil {
			return err
		}
		return e.add(file, data)
	})
}

func (e *Edition) add(file string, data []byte) error {
	doc := strictyaml.Parse(file, data)
	if doc.Root == nil || doc.Root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s is no rule", file)
	}
	one := &entry{doc, map[string]*yaml.Node{}}
	for i := 0; i+1 < len(doc.Root.Content); i += 2 {
		one.keys[doc.Root.Content[i].Value] = doc.Root.Content[i+1]
	}
	id := one.text("id")
	if id == "" {
		return fmt.Errorf("%s is no rule: it has no id", file)
	}
	if other := e.rules[id]; other != nil {
		return fmt.Errorf("%s has the id %s of %s", file, id, other.doc.Name)
	}
	e.rules[id] = one
	return nil
}

// text is what stands behind a key: a text as it is, entries of a list one a line, all else as JSON; "" without the key.
func (e *entry) text(key string) string {
	n := e.keys[key]
	switch {
	case n == nil:
		return ""
	case n.Kind == yaml.ScalarNode:
		return strings.TrimSpace(n.Value)
	case n.Kind == yaml.SequenceNode:
		var lines []string
		for _, one := range n.Content {
			text := one.Value
			if one.Kind != yaml.ScalarNode {
				text = string(nodeOf(e.doc, one).Append(nil))
			}
			lines = append(lines, text)
		}
		return strings.Join(lines, "\n")
	}
	return string(nodeOf(e.doc, n).Append(nil))
}

// The ways in which a rule of two editions differs.
const (
	Added   = "new"
	Gone    = "gone"
	Changed = "changed"
)

// Difference is a rule that differs between two editions.
type Difference struct {
	Rule     string          `json:"rule"`
	What     string          `json:"what"`
	Title    string          `json:"title"`
	Severity string          `json:"severity"`
	Class    string          `json:"class,omitempty"`
	Keys     []KeyDifference `json:"keys,omitempty"`
}

// KeyDifference is a key whose value has changed; Old is "" where the key is new, New where it is gone.
type KeyDifference struct {
	Key string `json:"key"`
	Old string `json:"old"`
	New string `json:"new"`
	// Finds says that other alerts may come of it, or graver ones, not other texts alone.
	Finds bool `json:"finds"`
}

// told are the keys that change what alerts say, or what people read, and neither which alerts come nor how grave they are.
var told = []string{"title", "description", "guide", "attack", "references", "false_positives", "runbook", "summary", "facts", "respond", "points", "class"}

// Since tells how the rules of an edition differ from those of an older one: new ones, those that are gone, and those that have changed, each
// by id. What tests say is left out.
func (e *Edition) Since(old *Edition) (all []Difference) {
	ids := slices.Sorted(maps.Keys(e.rules))
	for _, id := range ids {
		if old.rules[id] == nil {
			all = append(all, e.rules[id].difference(id, Added))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(old.rules)) {
		if e.rules[id] == nil {
			all = append(all, old.rules[id].difference(id, Gone))
		}
	}
	for _, id := range ids {
		if was := old.rules[id]; was != nil {
			d := e.rules[id].difference(id, Changed)
			if d.Keys = e.rules[id].since(was); len(d.Keys) > 0 {
				all = append(all, d)
			}
		}
	}
	return all
}

func (e *entry) difference(id, what string) Difference {
	return Difference{Rule: id, What: what, Title: e.text("title"), Severity: e.text("severity"), Class: e.text("class")}
}

// since are the keys that differ; those come first that decide which alerts come.
func (e *entry) since(old *entry) (all []KeyDifference) {
	keys := slices.Collect(maps.Keys(e.keys))
	for key := range old.keys {
		if e.keys[key] == nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		was, is := old.text(key), e.text(key)
		if key != "tests" && was != is {
			all = append(all, KeyDifference{Key: key, Old: was, New: is, Finds: !slices.Contains(told, key)})
		}
	}
	slices.SortStableFunc(all, func(a, b KeyDifference) int {
		switch {
		case a.Finds == b.Finds:
			return 0
		case a.Finds:
			return -1
		}
		return 1
	})
	return all
}
