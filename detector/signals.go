package detector

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// A signal is the hits of one record whose keys lie in one partition, as bytes:
//
//	1 byte     the format, 1
//	1 byte     where the record lies: e among the events, s among the signals
//	uvarint    the partition there
//	uvarint    its offset and 1; 0 where the hits are of alerts that a clock has made due
//	uvarint    which of the record's signals for this partition it is: there are more where one would be too long
//	varint     when the record was written, in nanoseconds since 1970
//	8 bytes    the digest of the rules that were looked at
//	rules      their number, then of each its id and its version, behind their lengths
//	hits       their number, then of each the packed hit behind its length; its rule counts among these rules
const signalFormat = 1

// SignalMost is how long a signal is at most, but for one of a single hit, in bytes: the smallest Kafka takes it.
const SignalMost = 768 << 10

const (
	maxSignalRules = 1000     // of one signal
	keepMost       = 64 << 10 // bytes of room that are kept for the next signal
)

// Upstream is a partition whose records become signals.
type Upstream struct {
	Topic     byte // UpEvents or UpSignals
	Partition int32
}

// The topics of Upstream.
const (
	UpEvents  = 'e'
	UpSignals = 's'
)

// Place is where a signal was made.
type Place struct {
	Offset  int64 // of the record; -1: no record made it
	Part    int
	Written int64 // when the record was written, in nanoseconds since 1970
}

// Signal is a signal that was read.
type Signal struct {
	From   Upstream
	At     Place
	Digest [8]byte // of the rules that the writer looked at
	Hits   [][]byte
	// Unknown are hits of rules that the set does not have, by rule and version.
	Unknown map[string]int
}

// KeyPartition is the partition of so many in which a key of a rule lies. It is the same for all versions of the rule, and for ever.
func KeyPartition(tenant, rule string, key []string, partitions int) int32 {
	h := uint64(14695981039346656037) // FNV-1a
	add := func(t string) {
		for i := range len(t) {
			h = (h ^ uint64(t[i])) * 1099511628211
		}
		h = (h ^ 255) * 1099511628211 // no text has this byte
	}
	add(tenant)
	add(rule)
	for _, t := range key {
		add(t)
	}
	h ^= h >> 32
	return int32(h % uint64(partitions))
}

// Signals gathers the hits of one record after the other that travel. It belongs to one goroutine.
type Signals struct {
	set        *Set
	from       Upstream
	partitions int
	to         []gathered // by partition
	filled     []int32    // that have hits
	hit        kind.Hit
	spoke      map[uint64]string // by key and cell: the head of the first event
	seed       maphash.Seed
	text       []byte
}

// gathered are the hits for one partition.
type gathered struct {
	rules []int32 // of the set, in the order of their numbers in the signal
	hits  []byte  // each behind its length
	n     int
	done  [][]byte // signals that were full
}

// Signals makes what gathers the hits of an upstream partition.
func (s *Set) Signals(from Upstream, partitions int) *Signals {
	return &Signals{set: s, from: from, partitions: partitions, to: make([]gathered, partitions),
		spoke: map[uint64]string{}, seed: maphash.MakeSeed()}
}

// Take takes a packed hit that travels, and reports whether it does. A hit that travels from a partition to itself does not.
func (g *Signals) Take(packed []byte) bool {
	if len(g.set.known) == 0 {
		return false
	}
	at, err := kind.RuleAt(packed)
	if err != nil {
		return false
	}
	n := int32(binary.BigEndian.Uint32(packed[at:]))
	if n < 0 || int(n) >= len(g.set.rules) || !g.set.rules[n].travels || g.hit.Unpack(packed) != nil {
		return false
	}
	r := g.set.rules[n]
	to := KeyPartition(g.hit.Tenant, r.ID, g.hit.Key, g.partitions)
	if g.from == (Upstream{UpSignals, to}) {
		return false
	}
	if r.Kind.Cell > 0 && g.silent(r, packed[:at]) {
		return true
	}
	g.add(to, n, at, packed)
	return true
}

// add puts a hit behind those for a partition.
func (g *Signals) add(to, rule int32, at int, packed []byte) {
	k := &g.to[to]
	if k.n == 0 && len(k.done) == 0 {
		g.filled = append(g.filled, to)
	}
	number := slices.Index(k.rules, rule)
	if k.n > 0 && (len(k.hits)+len(packed) > SignalMost || number < 0 && len(k.rules) == maxSignalRules) {
		k.done = append(k.done, g.body(k))
		k.clear()
		number = -1
	}
	if number < 0 {
		number = len(k.rules)
		k.rules = append(k.rules, rule)
	}
	k.hits = binary.AppendUvarint(k.hits, uint64(len(packed)))
	begin := len(k.hits)
	k.hits = append(k.hits, packed...)
	binary.BigEndian.PutUint32(k.hits[begin+at:], uint32(number))
	k.n++
}

func (k *gathered) clear() {
	if k.rules, k.hits, k.n = k.rules[:0], k.hits[:0], 0; cap(k.hits) > keepMost {
		k.hits = nil
	}
}

// body is what follows the place of a signal.
func (g *Signals) body(k *gathered) []byte {
	b := append(make([]byte, 0, len(k.hits)+64), g.set.digest[:]...)
	b = binary.AppendUvarint(b, uint64(len(k.rules)))
	for _, n := range k.rules {
		r := g.set.rules[n]
		b = state.AppendBytes(state.AppendBytes(b, r.ID), r.version)
	}
	return append(binary.AppendUvarint(b, uint64(k.n)), k.hits...)
}

// Flush gives the signals of the hits that were taken since it was called last. Their bytes are each's to keep.
func (g *Signals) Flush(at Place, each func(partition int32, signal []byte)) {
	for _, to := range g.filled {
		k := &g.to[to]
		for i, body := range append(k.done, g.body(k)) {
			at.Part = i
			each(to, append(g.head(at), body...))
		}
		k.clear()
		k.done = nil
	}
	g.filled = g.filled[:0]
}

func (g *Signals) head(at Place) []byte {
	b := append(make([]byte, 0, 32), signalFormat, g.from.Topic)
	b = binary.AppendUvarint(b, uint64(g.from.Partition))
	b = binary.AppendUvarint(b, uint64(at.Offset+1))
	b = binary.AppendUvarint(b, uint64(at.Part))
	return binary.AppendVarint(b, at.Written)
}

// maxSpoke is how many keys and cells are remembered.
const maxSpoke = 4096

// silent reports whether a hit says nothing that an earlier one has not said: of a cell the first event alone counts, and an event in
// front of it. What is forgotten travels again, which changes nothing.
func (g *Signals) silent(r *rule, head []byte) bool {
	h := &g.hit
	cell := state.Floor(h.Time.UnixNano(), int64(r.Kind.Cell))
	g.text = joined(joined(binary.AppendVarint(g.text[:0], cell), []string{r.ID, h.Tenant}), h.Key)
	key := maphash.Bytes(g.seed, g.text)
	was, have := g.spoke[key]
	if have && was <= string(head) {
		return true
	}
	if !have && len(g.spoke) >= maxSpoke {
		clear(g.spoke)
	}
	g.spoke[key] = string(head)
	return false
}

// The errors of signals.
var (
	ErrSignal       = errors.New("not a signal")
	ErrSignalFormat = errors.New("the signal is of a newer format")
)

// Signal reads a signal. Its hits count their rules as the set does.
func (s *Set) Signal(b []byte) (*Signal, error) {
	if len(b) == 0 {
		return nil, ErrSignal
	}
	if b[0] != signalFormat {
		return nil, fmt.Errorf("%w: %d", ErrSignalFormat, b[0])
	}
	f := state.Read(bytes.Clone(b[1:])) // numbers of rules are changed in it
	to := &Signal{From: Upstream{Topic: f.Byte(), Partition: int32(f.Uint())}}
	to.At = Place{Offset: int64(f.Uint()) - 1, Part: int(f.Uint()), Written: f.Int()}
	binary.BigEndian.PutUint64(to.Digest[:], f.Word())
	names := make([]known, min(f.Many(), maxSignalRules))
	for i := range names {
		names[i] = known{string(f.Bytes()), string(f.Bytes())}
	}
	var h kind.Hit
	for n := f.Many(); n > 0; n-- {
		if err := s.signalHit(to, names, f.Bytes(), &h); err != nil {
			return nil, err
		}
	}
	if f.Err() != nil || to.From.Partition < 0 || to.From.Topic != UpEvents && to.From.Topic != UpSignals {
		return nil, ErrSignal
	}
	return to, nil
}

// signalHit reads a hit of a signal.
func (s *Set) signalHit(to *Signal, names []known, packed []byte, h *kind.Hit) error {
	at, err := kind.RuleAt(packed)
	if err != nil || h.Unpack(packed) != nil {
		return ErrSignal
	}
	number := packed[at : at+4]
	n := binary.BigEndian.Uint32(number)
	if int(n) >= len(names) {
		return ErrSignal
	}
	rule, ok := s.known[names[n]]
	if !ok {
		if to.Unknown == nil {
			to.Unknown = map[string]int{}
		}
		to.Unknown[names[n].String()]++
		return nil
	}
	if k := s.rules[rule].Kind; len(h.Key) != len(k.By) || h.Clauses >= 1<<len(k.Clauses) {
		return ErrSignal
	}
	binary.BigEndian.PutUint32(number, uint32(rule))
	to.Hits = append(to.Hits, packed)
	return nil
}

// String is the rule and its version for a person.
func (k known) String() string { return strings.ToValidUTF8(k.id+" "+k.version, "?") }

// Applied is how far the signals of an upstream partition have been applied.
type Applied struct {
	at     Place
	latest int64 // when the last of the records was written
	digest [8]byte
}

// Pass notes a signal, and reports whether it has been applied: its record comes again after a crash. A record of another time at the
// same offset is another one, and what other rules have found in it is something else.
func (a *Applied) Pass(s *Signal) bool {
	if s.At.Offset < 0 {
		return false
	}
	before := s.At.Offset < a.at.Offset || s.At.Offset == a.at.Offset && s.At.Part <= a.at.Part
	if a.latest != 0 && before && s.At.Written <= a.latest && s.Digest == a.digest {
		return true
	}
	a.at, a.digest, a.latest = s.At, s.Digest, max(a.latest, s.At.Written)
	return false
}

// Append packs it for a row.
func (a *Applied) Append(to []byte) []byte {
	to = binary.AppendVarint(to, a.at.Offset)
	to = binary.AppendUvarint(to, uint64(a.at.Part))
	to = binary.AppendVarint(to, a.latest)
	return append(to, a.digest[:]...)
}

// Load reads what Append wrote.
func (a *Applied) Load(row []byte) error {
	f := state.Read(row)
	a.at = Place{Offset: f.Int(), Part: int(f.Uint())}
	a.latest = f.Int()
	binary.BigEndian.PutUint64(a.digest[:], f.Word())
	return f.Err()
}
