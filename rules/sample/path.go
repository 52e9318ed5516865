package sample

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Path leads to a place in a record: members by their names with dots between them, and in brackets an entry of a Name/Value
// list, an element's number, or a member's name in quotes: Parameters[MoveToFolder], targetResources[0].id, ["@odata.type"].
type Path []step

type step struct {
	name  string
	entry bool // in brackets
	exact bool // in quotes
	at    int  // in characters from the path's beginning
}

// Mistake is what is wrong with a path, in itself or for a record.
type Mistake struct {
	At      int // in characters from the path's beginning
	Message string
	Wrong   string   // the name that leads nowhere
	Near    []string // names that are there in its place
}

func (m *Mistake) Error() string { return m.Message }

// ParsePath reads a path.
func ParsePath(text string) (Path, *Mistake) {
	var p Path
	for rest := text; rest != ""; {
		at := utf8.RuneCountInString(text[:len(text)-len(rest)])
		if rest[0] == '[' {
			s, after, wrong := bracket(rest, at)
			if wrong != nil {
				return nil, wrong
			}
			p, rest = append(p, s), after
		} else {
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, &Mistake{At: at, Message: "a path names a member between dots, such as properties.ipAddress"}
			}
			p, rest = append(p, step{name: rest[:end], at: at}), rest[end:]
		}
		if rest == "." {
			return nil, &Mistake{At: at, Message: "a path ends with a name, not with a dot"}
		}
		rest = strings.TrimPrefix(rest, ".")
	}
	if len(p) == 0 {
		return nil, &Mistake{Message: "the path is empty"}
	}
	return p, nil
}

// bracket reads a step in brackets.
func bracket(text string, at int) (s step, rest string, wrong *Mistake) {
	s = step{entry: true, at: at + 1}
	if strings.HasPrefix(text, `["`) {
		q, err := strconv.QuotedPrefix(text[1:])
		if err != nil || !strings.HasPrefix(text[1+len(q):], "]") {
			return s, "", &Mistake{At: at, Message: `a name in quotes is not closed; expected ["name"]`}
		}
		s.name, err = strconv.Unquote(q)
		s.exact = err == nil
		return s, text[len(q)+2:], nil
	}
	end := strings.IndexByte(text, ']')
	if end < 0 {
		return s, "", &Mistake{At: at, Message: "the bracket is not closed"}
	}
	if s.name = text[1:end]; s.name == "" {
		return s, "", &Mistake{At: at, Message: "the brackets are empty; expected an entry's name or an element's number"}
	}
	return s, text[end+1:], nil
}

// Set puts a value at a path. It may add a member to an object or an entry to a Name/Value list that is there; all else that is not
// there is a mistake. A number or truth in the place of a text becomes a text, as services write them.
func (p Path) Set(n, value *Node) *Mistake {
	last := p[len(p)-1]
	in, wrong := p[:len(p)-1].reach(n)
	if wrong != nil {
		return wrong
	}
	switch {
	case in.Kind == List && last.entry:
		return in.setEntry(last, value)
	case in.Kind != Object:
		return last.astray(in)
	}
	if i := in.member(last); i >= 0 {
		in.Members[i].Value = fitting(value, in.Members[i].Value)
		return nil
	}
	in.Members = append(in.Members, Member{last.name, copyOf(value)})
	return nil
}

// Added is what a path would add to a record.
type Added struct {
	At     int // in characters from the path's beginning
	Name   string
	Beside []string // names that are there in its place
	Other  string   // a path to a member of this name that is elsewhere in the record
}

// Adds says what Set would add, nil where the path leads to what is there, or nowhere.
func (p Path) Adds(n *Node) *Added {
	last := p[len(p)-1]
	in, wrong := p[:len(p)-1].reach(n)
	if wrong != nil || in.Kind != Object && in.Kind != List || in.find(last) >= 0 {
		return nil
	}
	a := &Added{At: last.at, Name: last.name, Beside: in.names()}
	for _, place := range n.Places() {
		if name := place.Path[strings.LastIndexByte(place.Path, '.')+1:]; place.Entry == "" && in.Kind == Object && strings.EqualFold(name, last.name) {
			a.Other = place.Path
			break
		}
	}
	return a
}

// Unset takes away what a path leads to.
func (p Path) Unset(n *Node) *Mistake {
	last := p[len(p)-1]
	in, wrong := p[:len(p)-1].reach(n)
	if wrong != nil {
		return wrong
	}
	switch i := in.find(last); {
	case i < 0:
		return last.astray(in)
	case in.Kind == List:
		in.Items = append(in.Items[:i], in.Items[i+1:]...)
	default:
		in.Members = append(in.Members[:i], in.Members[i+1:]...)
	}
	return nil
}

// reach is what a path leads to. Objects and lists that stand in text on the way are opened.
func (p Path) reach(n *Node) (*Node, *Mistake) {
	n.unfold()
	for _, s := range p {
		i := n.find(s)
		switch {
		case i < 0:
			return nil, s.astray(n)
		case n.Kind == List:
			n = n.Items[i]
		default:
			n = n.Members[i].Value
		}
		n.unfold()
	}
	return n, nil
}

// find is the number of the member, entry or element that a step names, or -1 if there is none.
func (n *Node) find(s step) int {
	switch {
	case n.Kind == Object:
		return n.member(s)
	case n.Kind == List && s.entry:
		return n.entry(s)
	}
	return -1
}

// member is the last member of a name: as it is spelt, else whatever its case.
func (n *Node) member(s step) int {
	found := -1
	for i, m := range n.Members {
		if m.Name == s.name {
			found = i
		}
	}
	for i := 0; i < len(n.Members) && found < 0 && !s.exact; i++ {
		if strings.EqualFold(n.Members[i].Name, s.name) {
			found = i
		}
	}
	return found
}

// entry is the element that a name or a number means.
func (n *Node) entry(s step) int {
	for i, v := range n.Items {
		if name := v.named(); name != nil && strings.EqualFold(name.Text, s.name) {
			return i
		}
	}
	if i, err := strconv.Atoi(s.name); err == nil && !s.exact && i >= 0 && i < len(n.Items) {
		return i
	}
	return -1
}

// The members by which entries of lists are named, and those that hold the value of an entry, as services spell them.
var (
	naming  = []string{"Name", "displayName", "key"}
	valuing = []string{"Value"}
)

// one is the first of the members of some names, or nil if there is none.
func (n *Node) one(names []string) *Member {
	for _, name := range names {
		if i := n.member(step{name: name}); n.Kind == Object && i >= 0 {
			return &n.Members[i]
		}
	}
	return nil
}

// named is the name of an entry, nil of what is no entry.
func (n *Node) named() *Node {
	n.unfold()
	if m := n.one(naming); m != nil && m.Value.Kind == Text {
		return m.Value
	}
	return nil
}

// setEntry puts a value into an entry of a list, which may be new, or into the place of an element.
func (n *Node) setEntry(s step, value *Node) *Mistake {
	i := n.entry(s)
	_, numbered := strconv.Atoi(s.name)
	switch {
	case i >= 0 && n.Items[i].named() == nil || i >= 0 && numbered == nil:
		n.Items[i] = fitting(value, n.Items[i])
		return nil
	case i < 0 && numbered == nil && !s.exact:
		if s.name != strconv.Itoa(len(n.Items)) {
			return &Mistake{At: s.at, Message: fmt.Sprintf("there is no element %s; the list has %d, and the next one is number %d", s.name, len(n.Items), len(n.Items))}
		}
		n.Items = append(n.Items, copyOf(value))
		return nil
	case i < 0 && len(n.Items) > 0 && n.Items[0].named() == nil:
		return s.astray(n)
	case value.Kind == Object:
		return n.putEntry(i, s, value)
	case i >= 0:
		m := n.Items[i].one(valuing)
		if m == nil {
			return &Mistake{At: s.at, Message: fmt.Sprintf("the entry %s has no member Value; name the member behind the bracket: %s", s.name, strings.Join(n.Items[i].names(), ", "))}
		}
		m.Value = fitting(value, m.Value)
		return nil
	}
	return n.addEntry(s, value)
}

// putEntry replaces the members of an entry besides its name, or adds an entry.
func (n *Node) putEntry(i int, s step, value *Node) *Mistake {
	e := copyOf(value)
	if e.named() == nil {
		e.Members = append([]Member{{n.spelling(naming), &Node{Kind: Text, Text: s.name}}}, e.Members...)
	}
	if i >= 0 {
		n.Items[i] = e
	} else {
		n.Items = append(n.Items, e)
	}
	return nil
}

// addEntry adds an entry with a value.
func (n *Node) addEntry(s step, value *Node) *Mistake {
	if len(n.Items) > 0 && n.Items[0].one(valuing) == nil {
		return &Mistake{At: s.at, Message: fmt.Sprintf("there is no entry %s; a new one needs its members: {%s}", s.name, strings.Join(n.Items[0].names(), ", "))}
	}
	n.Items = append(n.Items, &Node{Kind: Object, Members: []Member{
		{n.spelling(naming), &Node{Kind: Text, Text: s.name}},
		{n.spelling(valuing), fitting(value, &Node{Kind: Text})}}})
	return nil
}

// spelling is how the entries of a list spell a member.
func (n *Node) spelling(names []string) string {
	if len(n.Items) > 0 {
		if m := n.Items[0].one(names); m != nil {
			return m.Name
		}
	}
	return names[0]
}

// fitting is a value in the place of another: what replaces a text is a text.
func fitting(value, old *Node) *Node {
	c := copyOf(value)
	if old.Kind == Text && c.Kind == Plain && c.Text != "null" {
		c.Kind = Text
	}
	return c
}

// names are the names that could be said of what is inside a value.
func (n *Node) names() (all []string) {
	for _, m := range n.Members {
		all = append(all, m.Name)
	}
	for _, v := range n.Items {
		if name := v.named(); name != nil {
			all = append(all, name.Text)
		}
	}
	return all
}

// astray says why a step leads nowhere.
func (s step) astray(in *Node) *Mistake {
	m := &Mistake{At: s.at, Wrong: s.name, Near: in.names()}
	switch {
	case in.Kind == Object:
		m.Message = fmt.Sprintf("there is no member %q here", s.name)
	case in.Kind == List && s.entry && len(m.Near) > 0:
		m.Message = fmt.Sprintf("there is no entry %q in this list", s.name)
	case in.Kind == List && s.entry:
		m.Message = fmt.Sprintf("there is no element %q; the list has %d, counted from 0", s.name, len(in.Items))
	case in.Kind == List:
		m.Message = fmt.Sprintf("%q is no place in a list; name an entry of it first, such as [0]", s.name)
		if len(m.Near) > 0 {
			m.Message += " or [" + m.Near[0] + "]"
		}
		m.Near = nil
	default:
		m.Message = fmt.Sprintf("there is no %q here: the value before it is a text or a number", s.name)
	}
	return m
}
