package bus

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
	// headerBound is in a fence: the place to which the memory belonged, or -1 where that was not told.
	headerBound = "bound"
	// headerAnew is in a fence behind which the memory begins anew, and says why.
	headerAnew = "anew"
	fenceRow   = "fence" // the key of fences
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

	bound int64              // the place to which it belonged last; -1: nobody has told
	old   map[string]keptRow // rows that do not count since the memory began anew,
	since int64              // behind this offset; -1: it never did
	older map[int64]bool     // why
}

func newKept() *kept {
	return &kept{rows: map[string]keptRow{}, bound: -1, old: map[string]keptRow{}, since: -1, older: map[int64]bool{}}
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
		return k.fence(r, &row)
	}
	if row.owner > 0 {
		row.stale = row.owner < k.owner && !again // what is written again was looked at then
		k.owner = max(k.owner, row.owner)         // its fence may have been compacted away
	}
	old, have := k.rows[string(r.Key)]
	switch {
	case row.stale:
		k.stale++
		if have && !old.stale || row.value == nil || row.owner <= k.since {
			return nil
		}
	case have && !old.stale && row.of < old.of:
		return nil
	}
	k.rows[string(r.Key)] = row
	delete(k.old, string(r.Key))
	return nil
}

// values are the rows that are there.
func (k *kept) values() map[string][]byte { return rowValues(k.rows) }

func rowValues(rows map[string]keptRow) map[string][]byte {
	all := make(map[string][]byte, len(rows))
	for key, r := range rows {
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
	// Lost says why the memory begins anew now. Old are the rows that do not count since it began anew, now or by an earlier owner that has
	// not taken them away.
	Lost Loss
	Old  map[string][]byte

	fence, end int64
}

// restore gives the rows of partitions of a topic, each of which is read from a place. They are read behind a fence: a record of this
// process's own. Where readers see it no transaction that began before is still open, and whoever has owned the partition before writes
// behind it, if at all.
func (b *Bus) restore(ctx context.Context, topic Topic, places map[int32]groupPlace) (map[int32]*Stored, error) {
	if len(places) == 0 {
		return nil, nil
	}
	fences, err := b.fences(ctx, topic, places)
	if err != nil {
		return nil, err
	}
	partitions := slices.Sorted(maps.Keys(fences))
	var records []Record
	for _, p := range partitions {
		records = append(records, fences[p].record(topic, p))
	}
	at, err := b.place(ctx, records)
	if err != nil {
		return nil, err
	}
	s := span{bus: b, topic: topic, from: map[int32]kgo.Offset{}, end: map[int32]int64{}}
	all := map[int32]*kept{}
	for i, p := range partitions {
		first, err := b.visible(ctx, topic, p, at[i])
		if err != nil {
			return nil, err
		}
		all[p] = newKept()
		if first < at[i] {
			s.from[p], s.end[p] = kgo.NewOffset().At(first), at[i]
		}
	}
	if err := s.read(ctx, func(r Record) error { return all[r.Partition].add(&r) }); err != nil {
		return nil, err
	}
	stored := map[int32]*Stored{}
	for i, p := range partitions {
		if stored[p], err = b.stored(ctx, topic, p, all[p], fences[p], at[i]); err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// stored is what was read of a partition's memory up to a fence.
func (b *Bus) stored(ctx context.Context, topic Topic, partition int32, k *kept, f *fence, at int64) (*Stored, error) {
	s := &Stored{New: k.owner == 0, Stale: k.stale, fence: at + 1, end: at + 1}
	loss, again := k.fits(f, at)
	if again != nil { // that was not known when the fence was written
		second := Record{Topic: topic, Partition: partition, Key: []byte(fenceRow),
			Headers: []Header{{Key: headerOf, Value: strconv.AppendInt(nil, at, 10)}, again.header()}}
		behind, err := b.place(ctx, []Record{second})
		if err != nil {
			return nil, err
		}
		s.end = behind[0] + 1
	}
	s.Rows, s.Lost, s.Old = k.values(), loss, rowValues(k.old)
	return s, nil
}

// Rows gives the newest rows of each partition of a topic of rows, as they are now. Whoever owns a partition may be about to write more.
func (b *Bus) Rows(ctx context.Context, topic Topic) (map[int32]map[string][]byte, error) {
	all := map[int32]*kept{}
	if err := b.All(ctx, topic, func(r Record) error {
		k := all[r.Partition]
		if k == nil {
			k = newKept()
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
	k := newKept()
	s := span{b, topic, map[int32]kgo.Offset{partition: kgo.NewOffset().At(first)}, map[int32]int64{partition: last + 1}}
	if err := s.read(ctx, func(r Record) error { return k.add(&r) }); err != nil {
		return err
	}
	if last, found := b.config.disk.lastMissing(b.name(topic), partition, first, last+1); found && last > k.since {
		return nil // whoever takes the partition is to see what is missing
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
		one := Record{Topic: topic, Partition: partition, Key: []byte(key), Value: r.value, Headers: r.headers()}
		if key == fenceRow && k.bound >= 0 {
			one.Headers = append(one.Headers, Header{Key: headerBound, Value: strconv.AppendInt(nil, k.bound, 10)})
		}
		again = append(again, one)
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
