package feed

import (
	"context"
	"errors"
	"log/slog"

	"noroshi/internal/bus"
)

// Gap is a run of messages that will never be read.
type Gap struct {
	From, To int64 // sequence numbers, both in it
	Deleted  bool  // by the stream's retention; else the stream leaves them out, twice
	Sparse   bool  // not every number is a message's
}

// Len is how many messages are in the gap, at most so many where it is sparse.
func (g Gap) Len() int64 { return g.To - g.From + 1 }

// gaps are those in front of messages, by the sequence number behind them; mostly there are no gaps, and it is nil. A dense stream that
// leaves out what it has is doubted: the messages are given up to there, and the stream is read again from there. Where it leaves
// it out again, it is told.
func (l *loop) gaps(ctx context.Context, after *Position, messages []Message) (sound []Message, all map[int64]Gap, doubt *Gap, err error) {
	next := messages[0].Sequence
	if after != nil {
		next = after.Sequence + 1
	}
	var state *State
	for i, m := range messages {
		if m.Sequence > next {
			if state == nil {
				s, err := l.feed.Stream.State(ctx, l.partition)
				if err != nil {
					return nil, nil, nil, err
				}
				state, all = &s, map[int64]Gap{}
			}
			g := l.gap(next, m.Sequence-1, state.First)
			if !g.Deleted && g.From >= l.doubted {
				return messages[:i], all, &g, nil
			}
			if g.Len() > 0 {
				all[m.Sequence] = g
			}
		}
		next = m.Sequence + 1
	}
	return messages, all, nil, nil
}

// gap is what numbers that are left out stand for; the stream's oldest message is the first.
func (l *loop) gap(from, to, first int64) Gap {
	if !l.feed.Stream.Dense() {
		return Gap{From: from, To: min(to, first-1), Deleted: true, Sparse: true}
	}
	return Gap{From: from, To: to, Deleted: to < first}
}

// store puts messages and the position after them into one transaction, as many as its bounds let in and up to a gap. It gives
// how many.
func (l *loop) store(ctx context.Context, tx transactor, prepare Prepare, messages []Message, gaps map[int64]Gap) (n int, err error) {
	if cap(l.records) > 2*maxRecords {
		l.records = nil
	}
	l.records = l.records[:0]
	defer func() { clear(l.records) }() // they hold the messages
	tally, rows := NewTally(), []bus.Record(nil)
	missed, gap := gaps[messages[0].Sequence]
	if gap {
		tally.missed = missed.Len()
		l.records = append(l.records, l.feed.Missed(l.partition, missed)...)
	}
	for i, m := range messages {
		if _, behind := gaps[m.Sequence]; i > 0 && (behind || i == MaxMessages || tally.bytes+int64(len(m.Body)) > MaxBytes || len(l.records) >= maxRecords) {
			break
		}
		if !m.Mark {
			tally.message(m)
			l.records = prepare(l.records, m, tally)
		}
		for _, r := range m.Rows {
			rows = append(rows, bus.Record{Key: []byte(r.Key), Value: r.Value})
		}
		n++
	}
	if err := l.commit(ctx, tx, rows, &messages[n-1].Position, tally); err != nil {
		return 0, err
	}
	if gap {
		l.log.Error("messages are missed", slog.Int64("from", missed.From), slog.Int64("to", missed.To), slog.Int64("messages", missed.Len()), slog.Bool("deleted_by_retention", missed.Deleted))
	}
	return n, nil
}

// commit stores what is prepared.
func (l *loop) commit(ctx context.Context, tx transactor, rows []bus.Record, after *Position, tally *Tally) error {
	ctx, cancel := context.WithTimeout(ctx, storeWithin)
	defer cancel()
	records := l.records
	if l.lately == nil {
		l.lately = lately{}
	}
	l.lately.add(l.feed.now(), func(show func(Dataset, Span)) {
		for of, one := range tally.shown {
			show(of, one.span)
		}
	})
	position := l.lately.record(*after)
	for {
		err := tx.Stage(ctx, records, position, rows...)
		var large *bus.TooLarge
		if errors.As(err, &large) {
			if records, err = l.smaller(ctx, tx, records, large, tally); err == nil {
				continue
			}
		}
		if err == nil {
			err = tx.Commit(ctx)
		}
		if err != nil {
			l.counts.aborted()
			return err
		}
		l.counts.committed(tally, after, l.feed.now())
		return nil
	}
}

// smaller puts records that Kafka takes in the place of those that it will never take, and gives what is to be staged next:
// without transactions the others are stored by then.
func (l *loop) smaller(ctx context.Context, tx transactor, records []bus.Record, large *bus.TooLarge, tally *Tally) (next []bus.Record, err error) {
	next, err = large.Replace(records, func(r bus.Record, cause error) (bus.Record, bool) {
		small, ok := l.feed.TooLarge(r, cause)
		if ok && r.Topic != bus.DeadLetters {
			tally.tooLarge()
		}
		return small, ok
	})
	if err != nil || l.feed.AtLeastOnce {
		return next, err
	}
	return records, tx.Abort(ctx)
}
