package sample

import (
	"regexp"
	"strconv"
	"strings"
)

// Place is where records have a member, or an entry of a list of names and values.
type Place struct {
	Path   string   // of the member, or of the list
	Entry  string   // the entry's name; "" of a member
	Inside []string // of an object the members that hold a value
	Kind   Kind
}

// plain are names that need no brackets in a path.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Is reports whether a name means the place, whatever its case: the entry, or the last names of the path to the member.
func (p *Place) Is(name string) bool {
	if p.Entry != "" {
		return strings.EqualFold(p.Entry, name)
	}
	at := len(p.Path) - len(name)
	return at >= 0 && strings.EqualFold(p.Path[at:], name) && (at == 0 || p.Path[at-1] == '.')
}

// At reports whether a path, as Path has it, leads to the place.
func (p *Place) At(path string) bool {
	if p.Entry != "" {
		return strings.EqualFold(path, p.Path+"["+p.Entry+"]")
	}
	return strings.EqualFold(path, p.Path)
}

// Places are the places in the record. What lies in a list has none, but for its entries.
func (n *Node) Places() (all []Place) {
	n.walk("", func(path string, v *Node) {
		all = append(all, Place{Path: path, Inside: v.scalars(), Kind: v.Kind})
		for _, e := range v.Items {
			if of := e.one(naming); of != nil && of.Value.Text != "" {
				all = append(all, Place{Path: path, Entry: of.Value.Text})
			}
		}
	})
	return all
}

// walk gives all members that do not lie in a list.
func (n *Node) walk(path string, each func(path string, v *Node)) {
	for _, m := range n.Members {
		to := path + "[" + strconv.Quote(m.Name) + "]"
		if plain.MatchString(m.Name) {
			to = strings.TrimPrefix(path+"."+m.Name, ".")
		}
		each(to, m.Value)
		if m.Value.Kind == Object {
			m.Value.walk(to, each)
		}
	}
}

// scalars are the members of an object that hold a value.
func (n *Node) scalars() (all []string) {
	for _, m := range n.Members {
		if m.Value.Kind <= Text && plain.MatchString(m.Name) {
			all = append(all, m.Name)
		}
	}
	return all
}
