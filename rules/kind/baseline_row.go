package kind

import (
	"encoding/binary"
	"maps"
	"slices"

	"noroshi/internal/state"
)

// Append implements state.Memory.
func (b *baseline) Append(to []byte) []byte {
	to = binary.AppendVarint(binary.AppendVarint(to, b.begin), b.now)
	to = binary.AppendUvarint(binary.AppendUvarint(to, uint64(b.count)), uint64(b.told))
	to = state.AppendFloat(to, b.value)
	to = binary.AppendUvarint(to, uint64(len(b.past)))
	for _, p := range b.past {
		to = appendHashes(state.AppendFloat(binary.AppendVarint(to, p.bucket), p.value), p.seen)
	}
	to = binary.AppendUvarint(to, uint64(len(b.values)))
	for _, t := range slices.Sorted(maps.Keys(b.values)) {
		to = state.AppendBytes(to, t)
	}
	to = appendHashes(to, b.seen)
	to = state.AppendEntries(state.AppendEntries(to, b.head), b.tail)
	var first []state.Entry
	if b.fired != nil {
		first = append(first, *b.fired)
	}
	to = state.AppendEntries(to, first)
	to = binary.AppendUvarint(binary.AppendUvarint(to, uint64(b.said.count)), uint64(b.said.distinct))
	raised := b.raised
	if !b.unsaid {
		raised |= flagSaid
	}
	to = append(state.AppendFloat(to, b.said.sum), raised)
	var said []state.Entry
	for _, x := range b.said.entries {
		said = append(said, *x.Entry)
	}
	return state.AppendEntries(to, said)
}

// flagSaid is set in a row, beside the severity, where all that counted has been told.
const flagSaid = 1 << 7

func appendHashes(to []byte, all map[uint64]struct{}) []byte {
	to = binary.AppendUvarint(to, uint64(len(all)))
	for _, h := range slices.Sorted(maps.Keys(all)) {
		to = binary.BigEndian.AppendUint64(to, h)
	}
	return to
}

func hashes(f *state.Fields) map[uint64]struct{} {
	all := map[uint64]struct{}{}
	for n := f.Many(); n > 0; n-- {
		all[f.Word()] = struct{}{}
	}
	return all
}

// Load implements state.Memory.
func (b *baseline) Load(row []byte) error {
	f := state.Read(row)
	b.known, b.begin, b.now = true, f.Int(), f.Int()
	b.count, b.told, b.value = int(f.Uint()), int(f.Uint()), f.Float()
	for n := f.Many(); n > 0; n-- {
		b.past = append(b.past, past{f.Int(), f.Float(), hashes(f)})
	}
	b.values = map[string]struct{}{}
	for n := f.Many(); n > 0; n-- {
		b.values[string(f.Bytes())] = struct{}{}
	}
	b.seen = hashes(f)
	b.head, b.tail = f.Entries(), f.Entries()
	if first := f.Entries(); len(first) > 0 {
		b.fired = &first[0]
	}
	b.unsaid = true
	b.said.count, b.said.distinct, b.said.sum = int(f.Uint()), int(f.Uint()), f.Float()
	raised := f.Byte()
	b.raised, b.unsaid = raised&^flagSaid, b.fired != nil && raised&flagSaid == 0
	said := f.Entries()
	for i := range said {
		b.said.entries = append(b.said.entries, state.Counted{Entry: &said[i]})
	}
	return f.Err()
}
