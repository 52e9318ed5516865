package bus

import (
	"context"
	"fmt"
	"log/slog"
)

// Positions are the positions in the topic Checkpoints, by their keys.
func (b *Bus) Positions(ctx context.Context) (map[string][]byte, error) {
	k := newKept()
	if err := b.All(ctx, Checkpoints, func(r Record) error { return k.add(&r) }); err != nil {
		return nil, err
	}
	return k.values(), nil
}

// bounds is how large the log of topics of rows may get before it is renewed.
type bounds struct {
	least, most int64 // bytes; most 0: there is no limit
	next        int64 // bytes at which it is next renewed
}

// The topic of positions is renewed at so many bytes.
const (
	positionBytes   = 4 << 20
	positionSegment = 1 << 20
)

// bound renews a topic of rows where its log has grown to four times what its rows then need.
func (e *Embedded) bound(ctx context.Context, b *Bus, t Topic, at *bounds) error {
	size, err := b.size(ctx, t)
	if err != nil || size <= max(at.least, at.next) {
		return err
	}
	partitions, _ := b.settings(t)
	for p := range partitions {
		if err := b.renew(ctx, t, int32(p)); err != nil {
			return fmt.Errorf("renew %s: %w", b.name(t), err)
		}
	}
	if size, err = b.size(ctx, t); err != nil {
		return err
	}
	if at.next = 4 * size; at.most > 0 {
		at.next = max(min(at.next, at.most), 2*size)
	}
	if at.most > 0 && size > at.most {
		e.options.Log.Warn("what rules remember takes more than its share of the log", slog.String("topic", b.name(t)), slog.Int64("bytes", size),
			slog.Int64("share", at.most),
			slog.String("way_out", "raise kafka.cap, or shorten what rules remember"))
	}
	return nil
}

// size is how many bytes of log a topic has.
func (b *Bus) size(ctx context.Context, t Topic) (int64, error) {
	dirs, err := b.admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("measure log: %w", err)
	}
	return sizeOf(dirs, b.name(t)), nil
}
