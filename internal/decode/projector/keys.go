package projector

import (
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// learned bounds the unknown keys that one object remembers.
const learned = 256

// key is one member of an object: what to do with its value, and the key that followed last time.
type key struct {
	text  string    // with quotes and colon
	word  [3]uint64 // its first 24 bytes
	mask  [3]uint64
	slot  int32 // who wants the value itself, or -1
	first bool  // the first value counts: the member lies in the elements of an array
	deep  bool  // something wants what lies inside
	child *node
	each  *node
	list  *list
	next  *key
	stamp uint32 // the record that had it last
	as    *key   // of which this is another spelling, which counts only where that one is not there
}

type node struct {
	keys  map[string]*key
	first *key
	extra int
	fold  bool
	// spellings are the keys that somebody wants as they are otherwise spelt, by their names in lower case.
	spellings map[string]*key
}

// list is a Name/Value array: which of its entries are wanted, by name and member.
type list struct {
	members []string // Value, or NewValue and OldValue
	names   map[string]*name
	folded  map[string]*name // lower case names, for those spelt otherwise
	extra   int
	first   *name
	last    *name // the entry before, in the list at hand
}

// name is what is wanted of the entries of one name, and the name that followed last time.
type name struct {
	text  string
	whole string // how an entry of this name usually begins, up to its value
	slots []int32
	next  *name
}

func newName(text string) *name {
	return &name{text: text, whole: `"Name":` + strconv.Quote(text) + `,"Value":`}
}

func newNode() *node { return &node{keys: map[string]*key{}} }

// member is the key of a name.
func (n *node) member(name string) *key {
	if k := n.keys[name]; k != nil {
		return k
	}
	return n.add(name)
}

func (n *node) add(name string) *key {
	k := &key{text: strconv.Quote(name) + ":", slot: -1}
	k.index()
	n.keys[name] = k
	return k
}

// index prepares the comparison of the key's first 24 bytes.
func (k *key) index() {
	var h [24]byte
	copy(h[:], k.text)
	for i := range k.word {
		k.word[i] = binary.LittleEndian.Uint64(h[8*i:])
		if n := len(k.text) - 8*i; n >= 8 {
			k.mask[i] = ^uint64(0)
		} else if n > 0 {
			k.mask[i] = 1<<(8*n) - 1
		}
	}
}

func (l *list) want(entry, member string, slot int32) {
	m := 0
	for m < len(l.members) && l.members[m] != member {
		m++
	}
	if m == len(l.members) {
		l.members = append(l.members, member)
	}
	n := l.names[entry]
	if n == nil {
		n = newName(entry)
		l.names[entry], l.folded[strings.ToLower(entry)] = n, n
	}
	for len(n.slots) <= m {
		n.slots = append(n.slots, -1)
	}
	n.slots[m] = slot
}

// at reports whether this key, its quotes and its colon stand at b[p].
func (k *key) at(b []byte, p int) bool {
	w := b[p : p+24]
	if (binary.LittleEndian.Uint64(w)^k.word[0])&k.mask[0]|(binary.LittleEndian.Uint64(w[8:])^k.word[1])&k.mask[1]|(binary.LittleEndian.Uint64(w[16:])^k.word[2])&k.mask[2] != 0 {
		return false
	}
	return len(k.text) <= 24 || len(b)-p >= len(k.text) && string(b[p+24:p+len(k.text)]) == k.text[24:]
}

// learn remembers a key that nobody wants, or another spelling of one that somebody does.
func (n *node) learn(name string) *key {
	n.extra++
	if n.fold {
		if as := n.spelt(name); as != nil {
			k := *as
			k.text = strconv.Quote(name) + ":"
			k.index()
			n.keys[name] = &k
			return &k
		}
	}
	return n.add(name)
}

// unmatched stands where no key can: the spelling itself is not known.
const unmatched = "\x00"

// spelt is the other spelling of a wanted key that the name is; of several keys the first by name.
func (n *node) spelt(name string) *key {
	if n.spellings == nil {
		n.spellings = map[string]*key{}
		for _, have := range slices.Sorted(maps.Keys(n.keys)) {
			low := strings.ToLower(have)
			if k := n.keys[have]; (k.slot >= 0 || k.deep) && n.spellings[low] == nil {
				other := *k
				other.as, other.text = k, unmatched
				other.index()
				n.spellings[low] = &other
			}
		}
	}
	return n.spellings[strings.ToLower(name)]
}
