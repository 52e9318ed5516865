package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// gate lets sources through while the log has room.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // nil: open
	by     string
}

func (g *gate) wait(ctx context.Context) error {
	g.mu.Lock()
	c := g.closed
	g.mu.Unlock()
	if c == nil {
		return ctx.Err()
	}
	select {
	case <-c:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) holder() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.by
}

// set closes the gate for a holder, or opens it for none.
func (g *gate) set(by string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.by = by
	switch {
	case by != "" && g.closed == nil:
		g.closed = make(chan struct{})
	case by == "" && g.closed != nil:
		close(g.closed)
		g.closed = nil
	}
}

// Dead letters hold personal data: they are kept for keepLetters, and looked at every expireEvery.
const (
	keepLetters = 14 * 24 * time.Hour
	expireEvery = time.Minute
	renewEvery  = 10 * time.Second // and so often the log of state is looked at
)

// Keep shortens the log of the embedded broker every tick, until ctx ends. Readers are our groups by topic. A record that one
// of them has not committed stays; where the log is at its cap for such a record, sources wait, and the log names the reader.
func (e *Embedded) Keep(ctx context.Context, b *Bus, readers map[Topic][]string, tick time.Duration) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	var looked, renewed time.Time
	positions := bounds{least: positionBytes}
	rows := map[Topic]*bounds{}
	for _, t := range states {
		rows[t] = &bounds{least: 4 * e.stateSegment(t) * int64(e.options.Partitions), most: e.share(t)}
	}
	full, health, keeping := &Trouble{Log: e.options.Log}, &Trouble{Log: e.options.Log}, &Trouble{Log: e.options.Log}
	for {
		by, err := e.shorten(ctx, b, readers)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			e.gate.set(by)
			e.tellFull(full, by, tick)
		}
		keeping.Tick(tick, "log not shortened", err, "log shortened again")
		last, end := e.disk.faults()
		if end != nil {
			return end
		}
		health.Tick(tick, "the data folder cannot be written", last, "the data folder can be written again")
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			if now.Sub(renewed) >= renewEvery {
				renewed = now
				for t, at := range rows {
					if err := e.bound(ctx, b, t, at); err != nil && ctx.Err() == nil {
						e.options.Log.Warn("old rows of what rules remember not deleted", slog.String("topic", b.name(t)), slog.Any("err", err))
					}
				}
			}
			if now.Sub(looked) < expireEvery {
				continue
			}
			looked = now
			if err := e.bound(ctx, b, Checkpoints, &positions); err != nil && ctx.Err() == nil {
				e.options.Log.Warn("old positions not deleted", slog.Any("err", err))
			}
			for _, t := range []Topic{DeadLetters, DeliveryResults} {
				if err := b.expire(ctx, t, now.Add(-keepLetters)); err != nil && ctx.Err() == nil {
					e.options.Log.Warn("old records not deleted", slog.String("topic", b.name(t)), slog.Any("err", err))
				}
			}
		}
	}
}

// tellFull tells once and then each minute who holds the log at its cap, and when there is room again.
func (e *Embedded) tellFull(full *Trouble, by string, tick time.Duration) {
	var err error
	if by != "" {
		err = errors.New("the log cannot be shortened: the reader has not read its oldest records")
	}
	full.Tick(tick, "log is full; sources wait for a reader", err, "log has room again", slog.String("reader", by), slog.Int64("cap_bytes", e.options.Cap))
}

// expire deletes the records that were written before a time.
func (b *Bus) expire(ctx context.Context, t Topic, before time.Time) error {
	from, err := b.admin.ListOffsetsAfterMilli(ctx, before.UnixMilli(), b.name(t))
	if err != nil {
		return fmt.Errorf("look for old records: %w", err)
	}
	low := kadm.Offsets{}
	from.Each(func(o kadm.ListedOffset) {
		if o.Err == nil && o.Offset > 0 {
			low.AddOffset(b.name(t), o.Partition, o.Offset, -1)
		}
	})
	return b.deleteBefore(ctx, low)
}

// shorten deletes what nobody needs where a topic is over its share, and tells which reader holds the log at its cap.
func (e *Embedded) shorten(ctx context.Context, b *Bus, readers map[Topic][]string) (by string, err error) {
	dirs, err := b.admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("measure log: %w", err)
	}
	defer func() { e.used.Store(sizeOfAll(dirs)) }()
	for _, t := range Topics {
		share := e.share(t)
		if share == 0 || slices.Contains(states, t) { // which bound shortens
			continue
		}
		if sizeOf(dirs, b.name(t))+batchCost*e.disk.batches(b.name(t)) <= share {
			continue
		}
		low, who, err := b.lowest(ctx, t, readers[t])
		if err != nil {
			return "", err
		}
		if err := b.deleteBefore(ctx, low); err != nil {
			return "", err
		}
		if dirs, err = b.admin.DescribeAllLogDirs(ctx, nil); err != nil {
			return "", fmt.Errorf("measure log: %w", err)
		}
		if sizeOf(dirs, b.name(t)) > share && who != "" {
			by = who + " on " + b.name(t)
		}
	}
	return by, nil
}

// batchCost are the bytes of log that a batch counts for beside its own: the broker holds an index of all batches in memory, and where
// little comes at a time the log would hold millions of small ones.
const batchCost = 512

// batches is how many batches the broker's index of a topic holds.
func (d *disk) batches(topic string) (n int64) {
	files, _ := filepath.Glob(filepath.Join(d.dir, "partitions", topic+"-[0-9]*", "*"+indexExt)) // the pattern is sound
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			n += info.Size() / indexEntry
		}
	}
	return n
}

func sizeOfAll(dirs kadm.DescribedAllLogDirs) (n int64) {
	dirs.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) { n += p.Size })
	})
	return n
}

func sizeOf(dirs kadm.DescribedAllLogDirs, topic string) (n int64) {
	dirs.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			if p.Topic == topic {
				n += p.Size
			}
		})
	})
	return n
}

// lowest are the offsets below which no reader needs a topic, and the reader that is furthest behind. Without readers the
// older half may go.
func (b *Bus) lowest(ctx context.Context, t Topic, groups []string) (low kadm.Offsets, who string, err error) {
	starts, err := b.admin.ListStartOffsets(ctx, b.name(t))
	if err != nil {
		return nil, "", fmt.Errorf("measure log: %w", err)
	}
	ends, err := b.admin.ListEndOffsets(ctx, b.name(t))
	if err != nil {
		return nil, "", fmt.Errorf("measure log: %w", err)
	}
	at := map[int32]int64{}
	for p, e := range ends[b.name(t)] {
		s, _ := starts.Lookup(b.name(t), p)
		if at[p] = e.Offset; len(groups) == 0 {
			at[p] = s.Offset + (e.Offset-s.Offset+1)/2
		}
	}
	most := int64(0)
	for _, g := range groups {
		have, err := b.admin.FetchOffsets(ctx, b.config.Prefix+g)
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // a group that has not committed yet needs all
			return nil, "", fmt.Errorf("ask group %s: %w", g, err)
		}
		behind := int64(0)
		for p, e := range ends[b.name(t)] {
			s, _ := starts.Lookup(b.name(t), p)
			committed := s.Offset
			if o, ok := have.Lookup(b.name(t), p); ok && o.At > committed {
				committed = o.At
			}
			at[p] = min(at[p], committed)
			behind += e.Offset - committed
		}
		if behind > most {
			most, who = behind, g
		}
	}
	low = kadm.Offsets{}
	for p, o := range at {
		if s, _ := starts.Lookup(b.name(t), p); o > s.Offset {
			low.AddOffset(b.name(t), p, o, -1)
		}
	}
	return low, who, nil
}

func (b *Bus) deleteBefore(ctx context.Context, low kadm.Offsets) error {
	if len(low) == 0 {
		return nil
	}
	if err := b.sync(ctx); err != nil { // the positions that allow it too
		return fmt.Errorf("shorten log: %w", err)
	}
	res, err := b.admin.DeleteRecords(ctx, low)
	if err == nil {
		err = res.Error()
	}
	if err != nil {
		return fmt.Errorf("shorten log: %w", err)
	}
	return nil
}

// Trim deletes all but so many records of the end of each partition.
func (b *Bus) Trim(ctx context.Context, t Topic, keep int64) error {
	ends, err := b.admin.ListEndOffsets(ctx, b.name(t))
	if err != nil {
		return fmt.Errorf("trim %s: %w", b.name(t), err)
	}
	low := kadm.Offsets{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err == nil && o.Offset > keep {
			low.AddOffset(b.name(t), o.Partition, o.Offset-keep, -1)
		}
	})
	return b.deleteBefore(ctx, low)
}
