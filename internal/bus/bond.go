package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A flow's commit says beside how far it has read of a partition where the partition's memory ended then. Memory that ends before is
// older than the place: an old copy of the topic or of a file was put back, a file was cut, or the topic was made anew.

// bondSchema begins the metadata of such a commit. That of others holds the name of a member, or nothing.
const bondSchema = "noroshi.memory/1 "

func bond(end int64) string { return bondSchema + strconv.FormatInt(end, 10) }

// readBond gives the end that the metadata of a commit tells.
func readBond(metadata string) (end int64, told bool) {
	text, ours := strings.CutPrefix(metadata, bondSchema)
	end, err := strconv.ParseInt(text, 10, 64)
	return end, ours && err == nil && end >= 0
}

// bonded puts into a commit where the memory of its partitions ends.
func (f *Flow) bonded(ctx context.Context) context.Context {
	f.mu.Lock()
	told := make(map[int32]*string, len(f.ends))
	for p, end := range f.ends {
		text := bond(end)
		told[p] = &text
	}
	f.mu.Unlock()
	name := f.bus.name(f.step.Topic)
	tell := func(topic string, partition int32, metadata **string) {
		if text := told[partition]; topic == name && text != nil {
			*metadata = text
		}
	}
	ctx = kgo.PreCommitFnContext(ctx, func(r *kmsg.OffsetCommitRequest) error {
		for _, t := range r.Topics {
			for i := range t.Partitions {
				tell(t.Topic, t.Partitions[i].Partition, &t.Partitions[i].Metadata)
			}
		}
		return nil
	})
	return kgo.PreTxnCommitFnContext(ctx, func(r *kmsg.TxnOffsetCommitRequest) error {
		for _, t := range r.Topics {
			for i := range t.Partitions {
				tell(t.Topic, t.Partitions[i].Partition, &t.Partitions[i].Metadata)
			}
		}
		return nil
	})
}

// groupPlace is how far a group has read of a partition.
type groupPlace struct {
	at  int64 // -1: nothing is stored
	end int64 // of the memory that belongs to it; -1: whoever stored it keeps no memory, or is of an earlier version
}

// committed asks where a group is in the partitions of a topic. What another member has under way is waited for.
func (b *Bus) committed(ctx context.Context, group string, topic Topic) (map[int32]groupPlace, error) {
	all, err := b.admin.FetchOffsets(kadm.RequireStable(ctx), b.config.Prefix+group)
	if err != nil {
		return nil, fmt.Errorf("read offsets of %s: %w", group, err)
	}
	places := map[int32]groupPlace{}
	for p, o := range all[b.name(topic)] {
		if o.Err != nil {
			return nil, fmt.Errorf("read offsets of %s: %w", group, o.Err)
		}
		c := groupPlace{at: o.At, end: -1}
		if end, told := readBond(o.Metadata); told {
			c.end = end
		}
		places[p] = c
	}
	return places, nil
}

// Loss says why memory that is stored does not belong to the place from which its partition is read on; "": it does.
type Loss string

// The ways in which memory is lost.
const (
	LossOlder   Loss = "it is older than the place"
	LossMoved   Loss = "the place was moved by a tool, or by a version that keeps no memory"
	LossDamaged Loss = "rows of it are damaged on the disk"
)

// anew says that nothing of a partition's memory counts that was written before.
type anew struct {
	loss Loss
	of   int64 // of LossOlder: where the memory was to end; of LossDamaged: the last damaged row
}

// The words of anew in a header.
var lossWords = map[Loss]string{LossOlder: "older", LossMoved: "moved", LossDamaged: "damaged"}

func (a *anew) header() Header {
	return Header{Key: headerAnew, Value: fmt.Appendf(nil, "%s %d", lossWords[a.loss], a.of)}
}

// readAnew reads what header made; nil: nothing begins anew.
func readAnew(text string) (*anew, error) {
	if text == "" {
		return nil, nil
	}
	word, number, _ := strings.Cut(text, " ")
	of, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read fence: %w", err)
	}
	for loss, w := range lossWords {
		if w == word {
			return &anew{loss, of}, nil
		}
	}
	return &anew{Loss(word), of}, nil // of a later version
}

// fence is the record behind which the memory of a partition is read.
type fence struct {
	place groupPlace
	anew  *anew
}

// fences compares the memory that is stored of partitions with their places, before anything is written behind it.
func (b *Bus) fences(ctx context.Context, topic Topic, places map[int32]groupPlace) (map[int32]*fence, error) {
	name := b.name(topic)
	starts, err := b.admin.ListStartOffsets(ctx, name)
	var ends kadm.ListedOffsets
	if err == nil {
		ends, err = b.admin.ListEndOffsets(ctx, name)
	}
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", name, err)
	}
	all := map[int32]*fence{}
	for p, place := range places {
		start, _ := starts.Lookup(name, p)
		end, _ := ends.Lookup(name, p)
		if err := errors.Join(start.Err, end.Err); err != nil {
			return nil, fmt.Errorf("measure %s: %w", name, err)
		}
		f := &fence{place: place}
		if place.end > end.Offset {
			f.anew = &anew{LossOlder, place.end}
		} else if last, found := b.config.disk.lastMissing(name, p, start.Offset, end.Offset); found {
			f.anew = &anew{LossDamaged, last}
		}
		all[p] = f
	}
	return all, nil
}

// record is the fence as it is written. HeaderBound tells the place to which the memory belonged.
func (f *fence) record(topic Topic, partition int32) Record {
	bound := int64(-1)
	if f.place.end >= 0 {
		bound = f.place.at
	}
	r := Record{Topic: topic, Partition: partition, Key: []byte(fenceRow),
		Headers: []Header{{Key: headerBound, Value: strconv.AppendInt(nil, bound, 10)}}}
	if f.anew != nil {
		r.Headers = append(r.Headers, f.anew.header())
	}
	return r
}

// fence takes a fence that was written at an offset. One of an earlier version says nothing of places.
func (k *kept) fence(r *Record, row *keptRow) error {
	newest := row.of+1 >= k.owner
	k.owner = max(k.owner, row.of+1)
	a, err := readAnew(r.Header(headerAnew))
	if err != nil {
		return err
	}
	if a != nil && newest && !k.knows(a) {
		k.begin(a, r.Offset)
	}
	text := r.Header(headerBound)
	if text == "" {
		k.bound = -1
		return nil
	}
	bound, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("read fence: %w", err)
	}
	if bound >= 0 {
		k.bound = bound
	}
	return nil
}

// knows reports whether the memory has begun anew for a reason before.
func (k *kept) knows(a *anew) bool {
	switch a.loss {
	case LossOlder:
		return k.older[a.of]
	case LossDamaged:
		return a.of < k.since
	}
	return false
}

// begin sets aside all rows.
func (k *kept) begin(a *anew, at int64) {
	for key, r := range k.rows {
		if r.value != nil {
			k.old[key] = r
		}
	}
	clear(k.rows)
	k.since, k.bound = at, -1
	if a.loss == LossOlder {
		k.older[a.of] = true
	}
}

// fits begins anew where the memory does not belong to the place from which it is read behind a fence of this process's own, and tells why.
func (k *kept) fits(f *fence, at int64) (loss Loss, again *anew) {
	k.owner = max(k.owner, at+1)
	if a := f.anew; a != nil && !k.knows(a) {
		k.begin(a, at)
		return a.loss, nil
	}
	if f.place.end < 0 && k.bound >= 0 && f.place.at > k.bound {
		a := &anew{LossMoved, f.place.at}
		k.begin(a, at)
		return a.loss, a
	}
	return "", nil
}
