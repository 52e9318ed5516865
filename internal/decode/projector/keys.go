package projector

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// learned bounds the spellings that one object remembers.
const learned = 256

// want is what is wanted of the members of one name, however it is spelt.
type want struct {
	slot  int32 // who wants the value itself, or -1
	first bool  // the first value counts: the member lies in the elements of an array
	deep  bool  // something inside is wanted
	child *node
	each  *node
	list  *list
	stamp uint32 // the record that had it last
	texts int    // of that record, how many stand in Texts
	odd   *key   // for spellings that are not remembered
}

// key is one spelling of a member's name: what is wanted of its value, and the key that followed last time.
type key struct {
	text string    // with quotes and colon
	word [3]uint64 // its first 24 bytes
	mask [3]uint64
	want *want // nil where nobody wants the value
	next *key
}

// node is what is wanted of an object.
type node struct {
	wants map[string]*want // by the name as fold has it
	keys  map[string]*key  // by the spelling
	first *key
	extra int // spellings that were learned
}

// fold is a name of a member without its case: names that fold alike are one name.
func fold(name string) string { return strings.ToLower(name) }

func newNode() *node { return &node{wants: map[string]*want{}, keys: map[string]*key{}} }

// member is what is wanted of the members of a name. The spelling is remembered as the usual one.
func (n *node) member(name string) *want {
	w := n.wants[fold(name)]
	if w == nil {
		w = &want{slot: -1}
		w.odd = newKey(unmatched, w)
		n.wants[fold(name)] = w
	}
	if n.keys[name] == nil {
		n.keys[name] = newKey(strconv.Quote(name)+":", w)
	}
	return w
}

// unmatched stands where no key can: the spelling itself is not remembered.
const unmatched = "\x00"

func newKey(text string, w *want) *key {
	k := &key{text: text, want: w}
	var h [24]byte
	copy(h[:], text)
	for i := range k.word {
		k.word[i] = binary.LittleEndian.Uint64(h[8*i:])
		if n := len(text) - 8*i; n >= 8 {
			k.mask[i] = ^uint64(0)
		} else if n > 0 {
			k.mask[i] = 1<<(8*n) - 1
		}
	}
	return k
}

// at reports whether this key, its quotes and its colon stand at b[p].
func (k *key) at(b []byte, p int) bool {
	w := b[p : p+24]
	if (binary.LittleEndian.Uint64(w)^k.word[0])&k.mask[0]|(binary.LittleEndian.Uint64(w[8:])^k.word[1])&k.mask[1]|(binary.LittleEndian.Uint64(w[16:])^k.word[2])&k.mask[2] != 0 {
		return false
	}
	return len(k.text) <= 24 || len(b)-p >= len(k.text) && string(b[p+24:p+len(k.text)]) == k.text[24:]
}

// key is the key of a name that was not foreseen; nil where nobody wants it and it is not remembered either.
func (n *node) key(name []byte, escaped bool) *key {
	if k := n.keys[string(name)]; k != nil {
		return k
	}
	w := n.wants[fold(string(name))]
	if n.extra < learned && !escaped && len(name) < 64 {
		n.extra++
		k := newKey(strconv.Quote(string(name))+":", w)
		n.keys[string(name)] = k
		return k
	}
	if w != nil {
		return w.odd
	}
	return nil
}
