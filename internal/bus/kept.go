package bus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
	// headerPlace is in a fence: the place from which the partition is read on, -1 where none is stored.
	headerPlace = "place"
	// headerBound is in a fence of an earlier version: the place to which the memory belonged, or -1 where that was not told.
	headerBound = "bound"
	// headerMarks is in a fence: its own mark. Where the rows before were written again it holds those of earlier fences, too.
	headerMarks = "marks"
	// headerCut is in a fence that was written again: all that counts of the rows before this offset was written again, too.
	headerCut = "cut"
	// headerAnew is in a fence behind which the memory begins anew, and says why.
	headerAnew = "anew"
	// headerFor is beside headerAnew: the place that the memory did not belong to, and what was stored with it.
	headerFor = "for"
	fenceRow  = "fence" // the key of fences
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

	place  int64    // from which it was read last, untold: nobody has told
	unseen bool     // an owner that does not tell has come behind one that has told
	marks  []string // of fences
	cut    int64    // what lies before may be gone

	old   map[string]keptRow // rows that do not count since the memory began anew,
	since int64              // behind this offset; -1: it never did
	older map[int64]bool     // why
	dealt string             // the last place that it did not belong to
}

// untold is a place that nobody has told.
const untold = -2

func newKept() *kept {
	return &kept{rows: map[string]keptRow{}, place: untold, old: map[string]keptRow{}, since: -1, older: map[int64]bool{}}
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
		return k.fence(r, &row, again)
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
	By    map[string]int64 // of each row its owner, as Owner numbers them; 0: it is not known
	New   bool             // nobody has ever owned it
	Known bool             // the group has read of the partition before
	Stale int              // rows that were left out, because their writer had lost the partition
	// Lost says why the memory begins anew now. Old are the rows that do not count since it began anew, now or by an earlier owner that has
	// not taken them away.
	Lost Loss
	Old  map[string][]byte

	owned owned
}

// Owner is the number of whoever reads: greater than that of all who have owned the partition before.
func (s *Stored) Owner() int64 { return s.owned.fence }

// owned is what the owner of a partition's memory knows of it.
type owned struct {
	fence int64 // behind which it is owned
	rows  int64 // that were written
	bond
}

// at is the fence of an owner as it is written once more beside a row, with the place that the memory has come to.
func (o *owned) at(place int64, beside *Record) Record {
	return Record{Topic: beside.Topic, Partition: beside.Partition, Key: []byte(fenceRow), Headers: []Header{
		{Key: headerOf, Value: strconv.AppendInt(nil, o.fence-1, 10)},
		{Key: headerPlace, Value: strconv.AppendInt(nil, place, 10)},
		{Key: headerMarks, Value: []byte(o.mark)}}}
}

// restore gives the rows of partitions of a topic, each of which is read from a place. They are read behind a fence: a record of this
// process's own. Where readers see it no transaction that began before is still open, and whoever has owned the partition before writes
// behind it, if at all.
func (b *Bus) restore(ctx context.Context, topic Topic, places map[int32]groupPlace) (map[int32]*Stored, error) {
	for len(places) > 0 {
		r := restoring{bus: b, topic: topic, places: places}
		if stored, whole, err := r.run(ctx); err != nil || whole {
			return stored, err
		}
	}
	return nil, nil
}

// restoring is one reading of the memory of partitions.
type restoring struct {
	bus    *Bus
	topic  Topic
	places map[int32]groupPlace
	fences map[int32]*fence
	at     map[int32]int64 // where the fences lie
}

// run reports false where rows were written again and deleted meanwhile, before they were read.
func (r *restoring) run(ctx context.Context) (stored map[int32]*Stored, whole bool, err error) {
	if r.fences, err = r.bus.fences(ctx, r.topic, r.places); err != nil {
		return nil, false, err
	}
	partitions := slices.Sorted(maps.Keys(r.fences))
	var records []Record
	for _, p := range partitions {
		records = append(records, r.fences[p].record(r.topic, p))
	}
	at, err := r.bus.place(ctx, records)
	if err != nil {
		return nil, false, err
	}
	r.at = map[int32]int64{}
	for i, p := range partitions {
		r.at[p] = at[i]
	}
	all, err := r.read(ctx, partitions)
	if err != nil {
		return nil, false, err
	}
	if whole, err = r.whole(ctx); err != nil || !whole {
		return nil, false, err
	}
	stored = map[int32]*Stored{}
	for _, p := range partitions {
		if stored[p], err = r.stored(ctx, p, all[p]); err != nil {
			return nil, false, err
		}
	}
	return stored, true, nil
}

// read reads the rows up to the fences.
func (r *restoring) read(ctx context.Context, partitions []int32) (map[int32]*kept, error) {
	s := span{bus: r.bus, topic: r.topic, from: map[int32]kgo.Offset{}, end: map[int32]int64{}}
	all := map[int32]*kept{}
	for _, p := range partitions {
		first, err := r.bus.visible(ctx, r.topic, p, r.at[p])
		if err != nil {
			return nil, err
		}
		all[p], r.fences[p].start = newKept(), first
		if first < r.at[p] {
			s.from[p], s.end[p] = kgo.NewOffset().At(first), r.at[p]
		}
	}
	return all, s.read(ctx, func(r Record) error { return all[r.Partition].add(&r) })
}

// whole reports whether the logs begin where they began before they were read.
func (r *restoring) whole(ctx context.Context) (bool, error) {
	measured, err := r.bus.measure(ctx, r.topic)
	if err != nil {
		return false, err
	}
	for p, f := range r.fences {
		m, err := measured(p)
		if err != nil {
			return false, err
		}
		if m.start > f.start {
			return false, nil
		}
	}
	return true, nil
}

// stored is what was read of a partition's memory up to its fence.
func (r *restoring) stored(ctx context.Context, partition int32, k *kept) (*Stored, error) {
	f, at := r.fences[partition], r.at[partition]
	s := &Stored{New: k.owner == 0, Stale: k.stale, owned: owned{fence: at + 1, bond: bond{end: at + 1, start: f.start, log: f.log, mark: f.mark}}}
	loss, again := k.fits(f, at)
	if again != nil { // that was not known when the fence was written
		behind, err := r.bus.place(ctx, []Record{f.again(r.topic, partition, again, at)})
		if err != nil {
			return nil, err
		}
		s.owned.end = behind[0] + 1
	}
	s.Rows, s.Lost, s.Old, s.By = k.values(), loss, rowValues(k.old), map[string]int64{}
	for key := range s.Rows {
		s.By[key] = k.rows[key].owner
	}
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
		if key == fenceRow {
			one.Headers = append(one.Headers, k.fenceHeaders(last+1)...)
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

// fenceHeaders are what a fence that is written again tells, behind which all rows before an offset were written again.
func (k *kept) fenceHeaders(cut int64) []Header {
	all := []Header{{Key: headerMarks, Value: []byte(strings.Join(k.marks, " "))}, {Key: headerCut, Value: strconv.AppendInt(nil, cut, 10)}}
	if k.place != untold {
		all = append(all, Header{Key: headerPlace, Value: strconv.AppendInt(nil, k.place, 10)})
	}
	if k.dealt != "" {
		all = append(all, Header{Key: headerFor, Value: []byte(k.dealt)})
	}
	return all
}
