package bus

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A flow's commit says beside how far it has read of a partition which memory belongs to that place. Memory that ends before is older than
// the place: an old copy of the topic or of a file was put back, or a file was cut. Memory of another topic, or behind none of the fences
// that the commit knows, is not the one that the commit saw; where its log begins later than it did, rows of it are gone.

// bondSchema begins the metadata of such a commit. That of others holds the name of a member, or nothing.
const bondSchema = "noroshi.memory/1 "

// bond is what a commit tells of the memory that belongs to it. Earlier versions tell the end alone.
type bond struct {
	end   int64  // behind its last row; -1: whoever stored the place keeps no memory, or is of an earlier version
	start int64  // where its log began; -1: not told
	log   string // the id of the topic; "": not told, or brokers have none
	mark  string // of the fence behind which it was written; "": not told
}

var noBond = bond{end: -1, start: -1}

func (b *bond) String() string {
	text := bondSchema + strconv.FormatInt(b.end, 10)
	if b.start >= 0 {
		text += " start=" + strconv.FormatInt(b.start, 10)
	}
	if b.log != "" {
		text += " log=" + b.log
	}
	if b.mark != "" {
		text += " mark=" + b.mark
	}
	return text
}

// readBond reads what the metadata of a commit tells. Fields of a later version are passed over.
func readBond(metadata string) bond {
	text, ours := strings.CutPrefix(metadata, bondSchema)
	words := strings.Fields(text)
	if !ours || len(words) == 0 {
		return noBond
	}
	b := noBond
	var err error
	if b.end, err = strconv.ParseInt(words[0], 10, 64); err != nil || b.end < 0 {
		return noBond
	}
	for _, word := range words[1:] {
		field, value, _ := strings.Cut(word, "=")
		switch field {
		case "start":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
				b.start = n
			}
		case "log":
			b.log = value
		case "mark":
			b.mark = value
		}
	}
	return b
}

// bonded puts into a commit which memory belongs to it.
func (f *Flow) bonded(ctx context.Context) context.Context {
	f.mu.Lock()
	told := make(map[int32]*string, len(f.owned))
	for p, o := range f.owned {
		text := o.String()
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
	at int64 // -1: nothing is stored
	bond
}

// nowhere is where a group is that has stored nothing.
var nowhere = groupPlace{-1, noBond}

func (p *groupPlace) String() string { return strconv.FormatInt(p.at, 10) + " " + p.bond.String() }

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
		places[p] = groupPlace{o.At, readBond(o.Metadata)}
	}
	return places, nil
}
