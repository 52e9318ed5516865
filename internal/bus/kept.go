package bus

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The headers and keys of rows.
const (
	// headerOf is in a row that was written again: the offset at which it was written first. A newer one may have come in between, and
	// counts.
	headerOf = "of"
	// headerOwner is the offset behind the fence of whoever wrote the row.
	headerOwner = "owner"
	fenceRow    = "fence" // the key of fences
)

// keptRow is the newest row of a key.
type keptRow struct {
	value []byte // nil: it was taken away
	of    int64
	owner int64 // the offset of its owner's fence; 0: the topic has none
	stale bool  // it is of an owner that had lost the partition, and there is no other
}

// kept is what a partition of a topic of rows holds, as it is read from its start.
type kept struct {
	rows  map[string]keptRow
	owner int64 // the newest fence
	stale int   // rows of owners that had lost the partition
}

// add takes the next record.
func (k *kept) add(r *Record) error {
	row := keptRow{value: r.Value, of: -1}
	for header, to := range map[string]*int64{headerOf: &row.of, headerOwner: &row.owner} {
		text := r.Header(header)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("read row of %s: %w", r.Key, err)
		}
		*to = n
	}
	again := row.of >= 0
	if !again {
		row.of = r.Offset
	}
	if string(r.Key) == fenceRow {
		k.owner = max(k.owner, row.of+1)
		return nil
	}
	if row.owner > 0 {
		row.stale = row.owner < k.owner && !again // what is written again was looked at then
		k.owner = max(k.owner, row.owner)         // its fence may have been compacted away
	}
	old, have := k.rows[string(r.Key)]
	switch {
	case row.stale:
		k.stale++
		if have && !old.stale || row.value == nil {
			return nil
		}
	case have && !old.stale && row.of < old.of:
		return nil
	}
	k.rows[string(r.Key)] = row
	return nil
}

// values are the rows that are there.
func (k *kept) values() map[string][]byte {
	all := make(map[string][]byte, len(k.rows))
	for key, r := range k.rows {
		if r.value != nil {
			all[key] = r.value
		}
	}
	return all
}

// Stored is the memory of a partition as it was stored last.
type Stored struct {
	Rows  map[string][]byte
	New   bool // nobody has ever owned it
	Known bool // the group has read of the partition before
	Stale int  // rows that were left out, because their writer had lost the partition

	fence int64
}

// restore gives the rows of partitions of a topic. They are read behind a fence: a record of this process's own. Where readers see it
// no transaction that began before is still open, and whoever has owned the partition before writes behind it, if at all.
func (b *Bus) restore(ctx context.Context, topic Topic, partitions map[int32]kgo.Offset) (map[int32]*Stored, error) {
	if len(partitions) == 0 {
		return nil, nil
	}
	var fences []Record
	for p := range partitions {
		fences = append(fences, Record{Topic: topic, Partition: p, Key: []byte(fenceRow)})
	}
	at, err := b.place(ctx, fences)
	if err != nil {
		return nil, err
	}
	s := span{bus: b, topic: topic, from: map[int32]kgo.Offset{}, end: map[int32]int64{}}
	all := map[int32]*kept{}
	for i, f := range fences {
		first, err := b.visible(ctx, topic, f.Partition, at[i])
		if err != nil {
			return nil, err
		}
		s.from[f.Partition], s.end[f.Partition] = kgo.NewOffset().At(first), at[i]
		all[f.Partition] = &kept{rows: map[string]keptRow{}}
		if first >= at[i] {
			delete(s.from, f.Partition)
			delete(s.end, f.Partition)
		}
	}
	if err := s.read(ctx, func(r Record) error { return all[r.Partition].add(&r) }); err != nil {
		return nil, err
	}
	stored := map[int32]*Stored{}
	for i, f := range fences {
		k := all[f.Partition]
		stored[f.Partition] = &Stored{Rows: k.values(), New: k.owner == 0, Stale: k.stale, fence: at[i] + 1}
	}
	return stored, nil
}

// Rows gives the newest rows of each partition of a topic of rows, as they are now. Whoever owns a partition may be about to write more.
func (b *Bus) Rows(ctx context.Context, topic Topic) (map[int32]map[string][]byte, error) {
	all := map[int32]*kept{}
	if err := b.All(ctx, topic, func(r Record) error {
		k := all[r.Partition]
		if k == nil {
			k = &kept{rows: map[string]keptRow{}}
			all[r.Partition] = k
		}
		return k.add(&r)
	}); err != nil {
		return nil, err
	}
	rows := make(map[int32]map[string][]byte, len(all))
	for p, k := range all {
		rows[p] = k.values()
	}
	return rows, nil
}

// place writes records to the partitions that they name, and gives their offsets.
func (b *Bus) place(ctx context.Context, records []Record) (at []int64, err error) {
	o, err := b.options()
	if err != nil {
		return nil, err
	}
	c, err := kgo.NewClient(append(append(o, b.producing()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	out := b.outgoing(records...)
	if err := b.produce(ctx, c, out); err != nil {
		return nil, err
	}
	for _, r := range out {
		at = append(at, r.Offset)
	}
	return at, nil
}

// renewAtOnce is how many rows are written again at a time.
const renewAtOnce = 10_000

// renew writes the newest row of each key of a partition again and deletes all before: the embedded broker does not compact. Rows may be
// written meanwhile.
func (b *Bus) renew(ctx context.Context, topic Topic, partition int32) error {
	first, last, err := b.Bounds(ctx, topic, partition)
	if err != nil || last < first {
		return err
	}
	k := &kept{rows: map[string]keptRow{}}
	s := span{b, topic, map[int32]kgo.Offset{partition: kgo.NewOffset().At(first)}, map[int32]int64{partition: last + 1}}
	if err := s.read(ctx, func(r Record) error { return k.add(&r) }); err != nil {
		return err
	}
	var again []Record
	flush := func() error {
		_, err := b.place(ctx, again)
		again = again[:0]
		return err
	}
	if k.owner > 0 {
		k.rows[fenceRow] = keptRow{value: []byte{}, of: k.owner - 1}
	}
	for key, r := range k.rows {
		if r.value == nil {
			continue
		}
		again = append(again, Record{Topic: topic, Partition: partition, Key: []byte(key), Value: r.value, Headers: r.headers()})
		if len(again) == renewAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	low := kadm.Offsets{}
	low.AddOffset(b.name(topic), partition, last+1, -1)
	return b.deleteBefore(ctx, low)
}

// headers are those of the row when it is written again.
func (r *keptRow) headers() []Header {
	all := []Header{{Key: headerOf, Value: strconv.AppendInt(nil, r.of, 10)}}
	if r.owner > 0 {
		all = append(all, Header{Key: headerOwner, Value: strconv.AppendInt(nil, r.owner, 10)})
	}
	return all
}
