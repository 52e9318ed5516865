package projector

import "strings"

// New makes a projector for the paths, which are distinct; Values[i] belongs to paths[i]. A path is
//
//	A.B.C          the value of a member, be it an object or an array (its span alone)
//	A[Name]        the Value of the entry of a Name/Value list whose Name (or key, or displayName) is Name
//	A[Name].Other  another member of that entry
//	A[*].B         member B of the first element of an array that has it
//
// or, where it begins with a colon, the name of one member of the record, whatever characters it holds. With fold, the
// names of the record's own members are found without regard to case.
func New(paths []string, fold bool) *Projector {
	x := &Projector{Values: make([]Value, len(paths)), root: newNode()}
	x.root.fold = fold
	for i, p := range paths {
		x.want(p, int32(i))
	}
	return x
}

// want adds one path to the trie.
func (x *Projector) want(path string, slot int32) {
	n, first := x.root, false
	if name, ok := strings.CutPrefix(path, ":"); ok {
		n.member(name).slot = slot
		return
	}
	for {
		at := strings.IndexAny(path, ".[")
		if at < 0 {
			k := n.member(path)
			k.slot, k.first = slot, first
			return
		}
		k := n.member(path[:at])
		k.deep = true
		switch rest := path[at+1:]; {
		case path[at] == '.':
			if k.child == nil {
				k.child = newNode()
			}
			n, path = k.child, rest
		case strings.HasPrefix(rest, "*]."):
			if k.each == nil {
				k.each = newNode()
			}
			n, path, first = k.each, rest[3:], true
		default:
			entry, member, _ := cutLast(rest, "]")
			if member = strings.TrimPrefix(member, "."); member == "" {
				member = "Value"
			}
			if k.list == nil {
				k.list = &list{names: map[string]*name{}, folded: map[string]*name{}}
			}
			k.list.want(entry, member, slot)
			x.entry = make([]Value, max(len(x.entry), len(k.list.members)))
			return
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// forget empties what a member that comes again had given: of doubled keys the last wins.
func (x *Projector) forget(k *key) {
	if k.slot >= 0 {
		x.Values[k.slot] = Value{}
	}
	for _, n := range [2]*node{k.child, k.each} {
		if n != nil {
			for _, k := range n.keys {
				x.forget(k)
			}
		}
	}
	if k.list != nil {
		for _, n := range k.list.names {
			for _, s := range n.slots {
				if s >= 0 {
					x.Values[s] = Value{}
				}
			}
		}
	}
}
