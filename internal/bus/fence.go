package bus

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Loss says why memory that is stored does not belong to the place from which its partition is read on; "": it does.
type Loss string

// The ways in which memory is lost.
const (
	LossOlder   Loss = "it is older than the place"
	LossMoved   Loss = "the place was moved by a tool, or by a version that keeps no memory"
	LossDamaged Loss = "rows of it are damaged on the disk"
	LossOther   Loss = "it is not the memory that the place was stored with"
	LossCut     Loss = "rows of it were deleted by a tool"
	LossUnseen  Loss = "a version that does not compare them has gone on with it"
)

// anew says that nothing of a partition's memory counts that was written before.
type anew struct {
	loss Loss
	of   int64 // of LossOlder, LossOther: where the memory was to end; of LossDamaged: the last damaged row; of LossCut: where the log begins; else the place
}

// The words of anew in a header.
var lossWords = map[Loss]string{LossOlder: "older", LossMoved: "moved", LossDamaged: "damaged", LossOther: "other", LossCut: "cut", LossUnseen: "unseen"}

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
	log   string // the id of the topic; "": brokers have none
	mark  string // no other fence has it
	start int64  // where the log begins
	keeps bool   // the log keeps all fences, or tells their marks
}

// fences compares the memory that is stored of partitions with their places, before anything is written behind it.
func (b *Bus) fences(ctx context.Context, topic Topic, places map[int32]groupPlace) (map[int32]*fence, error) {
	name := b.name(topic)
	measured, err := b.measure(ctx, topic)
	if err != nil {
		return nil, err
	}
	id, err := b.topicID(ctx, topic)
	if err != nil {
		return nil, err
	}
	all := map[int32]*fence{}
	for p, place := range places {
		m, err := measured(p)
		if err != nil {
			return nil, err
		}
		f := &fence{place: place, log: id, mark: rand.Text(), keeps: b.config.disk != nil}
		if place.end > m.end {
			f.anew = &anew{LossOlder, place.end}
		} else if last, found := b.config.disk.lastMissing(name, p, m.start, m.end); found {
			f.anew = &anew{LossDamaged, last}
		}
		all[p] = f
	}
	return all, nil
}

// topicID is what tells a topic from others of its name; "": brokers have no such ids.
func (b *Bus) topicID(ctx context.Context, topic Topic) (string, error) {
	found, err := b.look(ctx, b.name(topic))
	if err == nil {
		err = found.Error()
	}
	if err != nil {
		return "", fmt.Errorf("look at topic %s: %w", b.name(topic), err)
	}
	if id := found[b.name(topic)].ID; id != (kadm.TopicID{}) {
		return id.String(), nil
	}
	return "", nil
}

// record is the fence as it is written. HeaderPlace tells the place from which the partition is read.
func (f *fence) record(topic Topic, partition int32) Record {
	return Record{Topic: topic, Partition: partition, Key: []byte(fenceRow), Headers: f.headers(f.anew)}
}

// again is the fence as it is written once more, at an offset, when the rows before it have told that the memory begins anew.
func (f *fence) again(topic Topic, partition int32, a *anew, at int64) Record {
	headers := append([]Header{{Key: headerOf, Value: strconv.AppendInt(nil, at, 10)}}, f.headers(a)...)
	return Record{Topic: topic, Partition: partition, Key: []byte(fenceRow), Headers: headers}
}

func (f *fence) headers(a *anew) []Header {
	all := []Header{{Key: headerPlace, Value: strconv.AppendInt(nil, f.place.at, 10)}, {Key: headerMarks, Value: []byte(f.mark)}}
	if a != nil {
		all = append(all, a.header(), Header{Key: headerFor, Value: []byte(f.place.String())})
	}
	return all
}

// fence takes a fence that was written at an offset, or again. One of an earlier version says nothing of places.
func (k *kept) fence(r *Record, row *keptRow, again bool) error {
	newest := row.of+1 >= k.owner
	k.owner = max(k.owner, row.of+1)
	k.mark(strings.Fields(r.Header(headerMarks))...)
	a, err := readAnew(r.Header(headerAnew))
	if err != nil {
		return err
	}
	if a != nil && newest && !k.knows(a) {
		k.begin(a, r.Offset)
	}
	if told := r.Header(headerFor); told != "" {
		k.dealt = told
	}
	if text := r.Header(headerCut); text != "" {
		if k.cut, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("read fence: %w", err)
		}
	}
	if !newest {
		return nil
	}
	text := r.Header(headerPlace)
	if text == "" {
		return k.bound(r.Header(headerBound), again)
	}
	if k.place, err = strconv.ParseInt(text, 10, 64); err != nil {
		return fmt.Errorf("read fence: %w", err)
	}
	k.unseen = false
	return nil
}

// bound takes what a fence of an earlier version says of its place; "": nothing.
func (k *kept) bound(text string, again bool) error {
	if text == "" {
		k.unseen = k.unseen || k.place != untold && !again
		k.place = untold
		return nil
	}
	place, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("read fence: %w", err)
	}
	if place >= 0 {
		k.place = place
	}
	return nil
}

// mostMarks are as many as there may be owners in a row that have stored nothing.
const mostMarks = 16

// mark takes marks of fences.
func (k *kept) mark(marks ...string) {
	for _, m := range marks {
		if !slices.Contains(k.marks, m) {
			k.marks = append(k.marks, m)
		}
	}
	k.marks = k.marks[max(0, len(k.marks)-mostMarks):]
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
	k.since, k.place, k.unseen = at, untold, false
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
	if again = k.misfit(f); again == nil {
		return "", nil
	}
	k.begin(again, at)
	return again.loss, again
}

// misfit is why the memory does not belong to a fence's place, as its rows tell; nil: it does, or it has begun anew for that place before.
func (k *kept) misfit(f *fence) *anew {
	p := &f.place
	switch told := k.dealt == p.String(); {
	case told:
	case p.log != "" && f.log != "" && p.log != f.log, f.keeps && p.mark != "" && !slices.Contains(k.marks, p.mark):
		return &anew{LossOther, p.end}
	case p.end < 0 && k.unseen:
		return &anew{LossUnseen, p.at}
	case p.end < 0 && k.place != untold && p.at > k.place:
		return &anew{LossMoved, p.at}
	}
	if p.start >= 0 && f.start > max(p.start, k.cut, k.since) {
		return &anew{LossCut, f.start}
	}
	return nil
}
