package bus

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// rowPrefix begins the keys of rows that lie beside the positions of a stream.
const rowPrefix = "row:"

// The bounds of writing rows again.
const (
	leastRenewed   = 4000 // positions and rows
	renewedAtATime = 5000
)

// beside are rows and a position on their way to the partition of positions.
func (t *Transactor) beside(rows []Record, position Record) []*kgo.Record {
	out := t.bus.outgoing(append(rows[:len(rows):len(rows)], position)...)
	for i, r := range out {
		r.Topic, r.Partition = t.bus.name(t.topic), t.partition
		if i < len(rows) {
			r.Key = append([]byte(rowPrefix), r.Key...)
		}
	}
	t.rows = t.rows || len(rows) > 0
	t.since += len(out)
	return out
}

// Rows are the rows beside the positions that are committed, by their keys. It is called behind Checkpoint, or Commit.
func (t *Transactor) Rows(ctx context.Context) (map[string][]byte, error) {
	t.rows = true
	first, err := t.bus.visible(ctx, t.topic, t.partition, t.position.Offset)
	if err != nil {
		return nil, err
	}
	all, end := map[string][]byte{}, t.position.Offset+1
	s := span{t.bus, t.topic, map[int32]kgo.Offset{t.partition: kgo.NewOffset().At(first)}, map[int32]int64{t.partition: end}}
	err = s.read(ctx, func(r Record) error {
		key, is := strings.CutPrefix(string(r.Key), rowPrefix)
		switch {
		case !is:
		case r.Value == nil:
			delete(all, key)
		default:
			all[key] = r.Value
		}
		return nil
	})
	t.since, t.most = int(end-first), max(leastRenewed, 4*len(all))
	return all, err
}

// renew writes the rows again and deletes what lies before them, where that is much: the embedded broker does not compact. Each of the
// transactions ends with the same position, so whoever comes after one that has died reads the same.
func (t *Transactor) renew(ctx context.Context) error {
	if t.since < max(t.most, leastRenewed) {
		return nil
	}
	all, err := t.Rows(ctx)
	if err != nil || t.since < t.most {
		return err
	}
	position := Record{Key: t.position.Key, Value: t.position.Value}
	first := int64(-1)
	t.since = 0
	for keys := range slices.Chunk(append(slices.Sorted(maps.Keys(all)), ""), renewedAtATime) {
		var rows []Record
		for _, key := range keys {
			if key != "" {
				rows = append(rows, Record{Key: []byte(key), Value: all[key]})
			}
		}
		if err := t.Stage(ctx, nil, position, rows...); err != nil {
			return err
		}
		if err := t.settle(ctx); err != nil {
			return err
		}
		if first < 0 {
			first = t.position.Offset - int64(len(rows))
		}
	}
	return t.bus.shorten(ctx, t.topic, t.partition, first)
}
