package projector

import (
	"strconv"
	"strings"
)

// New makes a projector for the paths; Values[i] belongs to paths[i]. No two paths may be the same without regard to case (see
// Same). A path is
//
//	A.B.C          the value of a member, be it an object or an array (its span alone)
//	A["B.C"]       a member whose name holds other characters than letters, digits and the like, as a Go string
//	A[Name]        the Value of the entry of a Name/Value list whose Name (or key, or displayName) is Name
//	A[Name].Other  another member of that entry
//	A[*].B         member B of the first element of an array that has it
//
// Names of members and of entries are found without regard to case.
func New(paths []string) *Projector {
	x := &Projector{Values: make([]Value, len(paths)), root: newNode()}
	for i, p := range paths {
		x.want(p, int32(i))
	}
	return x
}

// Same is what paths have in common that lead to the same value.
func Same(path string) string {
	var to []byte
	for _, s := range steps(path) {
		to = append(to, byte(s.kind))
		to = strconv.AppendQuote(to, fold(s.name))
		to = strconv.AppendQuote(to, fold(s.member))
	}
	return string(to)
}

// step is one step of a path.
type step struct {
	kind         stepKind
	name, member string // member is that of an entry
}

type stepKind byte

const (
	toMember stepKind = 'm'
	toEntry  stepKind = 'e'
	toEach   stepKind = '*'
)

// steps takes a path apart.
func steps(path string) (all []step) {
	for path != "" {
		switch {
		case strings.HasPrefix(path, "[*]"):
			all, path = append(all, step{kind: toEach}), path[len("[*]"):]
		case strings.HasPrefix(path, `["`):
			quoted, err := strconv.QuotedPrefix(path[1:])
			if err != nil {
				return append(all, step{kind: toMember, name: path})
			}
			name, _ := strconv.Unquote(quoted)
			all, path = append(all, step{kind: toMember, name: name}), strings.TrimPrefix(path[1+len(quoted):], "]")
		case path[0] == '[':
			end := strings.LastIndexByte(path, ']')
			s := step{kind: toEntry, name: path[1:end], member: "Value"}
			if rest, ok := strings.CutPrefix(path[end+1:], "."); ok {
				s.member = rest
			}
			return append(all, s)
		default:
			path = strings.TrimPrefix(path, ".")
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			if end > 0 {
				all = append(all, step{kind: toMember, name: path[:end]})
			}
			path = path[end:]
		}
	}
	return all
}

// want adds one path to the trie.
func (x *Projector) want(path string, slot int32) {
	n, w, inArray := x.root, (*want)(nil), false
	for _, s := range steps(path) {
		if w != nil {
			w.deep = true
		}
		switch s.kind {
		case toEach:
			if w.each == nil {
				w.each = newNode()
			}
			n, inArray = w.each, true
		case toEntry:
			if w.list == nil {
				w.list = newList()
			}
			w.list.want(s.name, s.member, slot)
			return
		case toMember:
			if n == nil {
				if w.child == nil {
					w.child = newNode()
				}
				n = w.child
			}
			w, n = n.member(s.name), nil
			w.first = inArray
		}
	}
	w.slot = slot
}

// forget empties what a member that comes again had given: of doubled names the last counts.
func (x *Projector) forget(w *want) {
	if w.slot >= 0 {
		x.Values[w.slot] = Value{}
	}
	for _, n := range [2]*node{w.child, w.each} {
		if n != nil {
			for _, inner := range n.wants {
				x.forget(inner)
			}
		}
	}
	if w.list != nil {
		for _, slots := range w.list.wants {
			for _, s := range slots {
				if s >= 0 {
					x.Values[s] = Value{}
				}
			}
		}
	}
}
