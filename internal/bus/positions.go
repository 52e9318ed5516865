package bus

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
)

// headerOf is the header of a position that was written again: the offset at which it was written first. A newer one may have come
// in between, and counts.
const headerOf = "of"

// positionRow is the newest position of a key.
type positionRow struct {
	value []byte
	of    int64
}

// Positions are the positions in the topic Checkpoints, by their keys.
func (b *Bus) Positions(ctx context.Context) (map[string][]byte, error) {
	rows, err := b.positionRows(ctx)
	all := make(map[string][]byte, len(rows))
	for k, r := range rows {
		all[k] = r.value
	}
	return all, err
}

func (b *Bus) positionRows(ctx context.Context) (map[string]positionRow, error) {
	rows := map[string]positionRow{}
	err := b.All(ctx, Checkpoints, func(r Record) error {
		of := r.Offset
		if h := r.Header(headerOf); h != "" {
			n, err := strconv.ParseInt(h, 10, 64)
			if err != nil {
				return fmt.Errorf("read position of %s: %w", r.Key, err)
			}
			of = n
		}
		if old, ok := rows[string(r.Key)]; !ok || of >= old.of {
			rows[string(r.Key)] = positionRow{r.Value, of}
		}
		return nil
	})
	for k, r := range rows {
		if r.value == nil { // it was given up
			delete(rows, k)
		}
	}
	return rows, err
}

// renewPositions writes the newest position of each key again and deletes all before: the embedded broker does not compact. Positions
// may be written meanwhile.
func (b *Bus) renewPositions(ctx context.Context) error {
	_, last, err := b.Bounds(ctx, Checkpoints, 0)
	if err != nil {
		return err
	}
	rows, err := b.positionRows(ctx)
	if err != nil {
		return err
	}
	w, err := b.Writer()
	if err != nil {
		return err
	}
	defer w.Close()
	var again []Record
	for k, r := range rows {
		if r.of <= last {
			again = append(again, Record{Topic: Checkpoints, Key: []byte(k), Value: r.value, Headers: []Header{{Key: headerOf, Value: strconv.AppendInt(nil, r.of, 10)}}})
		}
	}
	if err := w.Write(ctx, again); err != nil {
		return err
	}
	low := kadm.Offsets{}
	low.AddOffset(b.name(Checkpoints), 0, last+1, -1)
	return b.deleteBefore(ctx, low)
}

// The topic of positions is renewed at so many bytes, or at four times what it then needs.
const (
	positionBytes   = 4 << 20
	positionSegment = 1 << 20
)

// boundPositions renews the topic of positions where it has grown.
func (e *Embedded) boundPositions(ctx context.Context, b *Bus) error {
	size, err := b.size(ctx, Checkpoints)
	if err != nil || size <= max(positionBytes, e.positions) {
		return err
	}
	if err := b.renewPositions(ctx); err != nil {
		return fmt.Errorf("renew positions: %w", err)
	}
	if size, err = b.size(ctx, Checkpoints); err == nil {
		e.positions = 4 * size
	}
	return err
}

// size is how many bytes of log a topic has.
func (b *Bus) size(ctx context.Context, t Topic) (int64, error) {
	dirs, err := b.admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("measure log: %w", err)
	}
	return sizeOf(dirs, b.name(t)), nil
}
