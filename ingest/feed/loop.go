package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"noroshi/internal/bus"
)

// loop carries one partition.
type loop struct {
	feed      *Feed
	partition int32
	counts    *Partition
	wait      *backoff.ExponentialBackOff
	log       *slog.Logger
	records   []bus.Record // of the transaction at hand; only their memory lasts longer
}

// positionKey is the key of positions in their topic.
const positionKey = "position"

// session goes once through the steps, and carries until something breaks.
func (l *loop) session(ctx context.Context) error {
	tx, err := l.feed.begin(ctx, l.partition)
	if err != nil {
		return kafkaFault{err}
	}
	defer l.end(ctx, tx.Close)
	after, err := l.position(ctx, tx)
	if err != nil {
		return err
	}
	cursor, err := l.feed.Stream.Open(ctx, l.partition, after)
	if err != nil {
		return err
	}
	defer l.end(ctx, cursor.Close)
	if after != nil {
		l.counts.at(*after)
	}
	prepare := l.feed.Prepare(l.partition)
	for {
		messages, err := cursor.Next(ctx)
		if err != nil {
			return err
		}
		if err := l.feed.Room(ctx); err != nil {
			return kafkaFault{err}
		}
		if after != nil && messages[0].Sequence <= after.Sequence {
			return fmt.Errorf("%w: it gives message %d, and %d is stored already: it was made anew; delete the topic %s to read it from its start", ErrDenied, messages[0].Sequence, after.Sequence, l.topic())
		}
		notice, err := l.missed(ctx, after, messages[0])
		if err != nil {
			return err
		}
		for len(messages) > 0 {
			n := bound(messages)
			if err := l.store(ctx, tx, prepare, messages[:n], notice); err != nil {
				return kafkaFault{err}
			}
			after, messages, notice = &messages[n-1].Position, messages[n:], nil
			l.wait.Reset()
		}
	}
}

func (l *loop) topic() bus.Topic { return bus.CheckpointsOf(l.feed.Stream.Name()) }

const endWithin = 5 * time.Second

// end ends a part of the session, also where ctx has ended.
func (l *loop) end(ctx context.Context, closing func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	closing(ctx)
}

// position is the one stored last, nil where a first start begins at the oldest message. Where it begins at the end, that is
// stored before anything is read: what comes later is ours, also when the link breaks before the first message.
func (l *loop) position(ctx context.Context, tx transactor) (*Position, error) {
	value, err := tx.Checkpoint(ctx)
	if err != nil {
		return nil, kafkaFault{err}
	}
	after, err := parsePosition(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	if after != nil || !l.feed.Latest {
		return after, nil
	}
	s, err := l.feed.Stream.State(ctx, l.partition)
	if err != nil {
		return nil, err
	}
	after = &Position{Sequence: s.Last}
	if err := l.commit(ctx, tx, nil, after, newTally()); err != nil {
		return nil, kafkaFault{err}
	}
	return after, nil
}

// bound is how many of the messages one transaction takes.
func bound(messages []Message) int {
	size := 0
	for i, m := range messages {
		if size += len(m.Body); i == MaxMessages || size > MaxBytes && i > 0 {
			return i
		}
	}
	return len(messages)
}

// missed tells of messages that the stream deleted before they were read. Only where numbers are left out is the stream asked:
// those of some streams have holes.
func (l *loop) missed(ctx context.Context, after *Position, first Message) (notice []bus.Record, err error) {
	if after == nil || first.Sequence <= after.Sequence+1 {
		return nil, nil
	}
	s, err := l.feed.Stream.State(ctx, l.partition)
	if err != nil {
		return nil, err
	}
	from, to := after.Sequence+1, min(first.Sequence, s.First)-1
	if to < from {
		return nil, nil
	}
	l.counts.missed(to - from + 1)
	l.log.Error("messages were deleted by the stream before they were read", slog.Int64("from", from), slog.Int64("to", to), slog.Int64("messages", to-from+1))
	return l.feed.Missed(l.partition, from, to), nil
}

// store puts messages and the position after them into one transaction.
func (l *loop) store(ctx context.Context, tx transactor, prepare Prepare, messages []Message, notice []bus.Record) error {
	tally := newTally()
	l.records = append(l.records[:0], notice...)
	for _, m := range messages {
		tally.message(m)
		l.records = prepare(l.records, m, tally)
	}
	return l.commit(ctx, tx, l.records, &messages[len(messages)-1].Position, tally)
}

// commit goes on when ctx ends.
func (l *loop) commit(ctx context.Context, tx transactor, records []bus.Record, after *Position, tally *Tally) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	position, err := json.Marshal(after)
	if err != nil {
		return err
	}
	for {
		err := tx.Stage(ctx, records, bus.Record{Key: []byte(positionKey), Value: position})
		var large *bus.TooLarge
		if errors.As(err, &large) && large.Index < len(records) {
			if err := tx.Abort(ctx); err != nil {
				l.counts.aborted()
				return err
			}
			records[large.Index] = l.feed.TooLarge(records[large.Index], large.Cause)
			tally.tooLarge()
			continue
		}
		if err == nil {
			err = tx.Commit(ctx)
		}
		if err != nil {
			l.counts.aborted()
			return err
		}
		l.counts.committed(tally, after)
		return nil
	}
}

// look asks for the partition's state at once and then now and then, for the lag.
func (l *loop) look(ctx context.Context) {
	for ; ctx.Err() == nil; _ = pause(ctx, l.feed.pauses.look) {
		s, err := l.feed.Stream.State(ctx, l.partition)
		if err != nil {
			l.log.Debug("lag is not known", slog.Any("err", err))
			continue
		}
		if at := l.counts.saw(s); s.Last < at {
			l.log.Error("the position lies behind the last message: the stream was made anew; delete the topic of its positions to read it from its start", slog.Int64("position", at),
				slog.Int64("last", s.Last), slog.String("topic", string(l.topic())))
		}
	}
}
