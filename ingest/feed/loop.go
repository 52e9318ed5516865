package feed

import (
	"context"
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

// session goes once through the steps, and carries until something breaks.
func (l *loop) session(ctx context.Context) error {
	tx, err := l.feed.begin(ctx, l.partition)
	if err != nil {
		return kafkaFault{err}
	}
	defer end(ctx, tx.Close)
	after, err := l.position(ctx, tx)
	if err != nil {
		return err
	}
	cursor, err := l.feed.Stream.Open(ctx, l.partition, after)
	if err != nil {
		return err
	}
	defer end(ctx, cursor.Close)
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
		for i := range messages {
			messages[i].Enqueued = writable(messages[i].Enqueued)
		}
		if after != nil && messages[0].Sequence <= after.Sequence {
			return fmt.Errorf("%w: it gives message %d, and %d is stored already: it was made anew; delete the topic %s to read it from its start", ErrDenied, messages[0].Sequence, after.Sequence, l.topic())
		}
		oldest, err := l.oldest(ctx, after, messages)
		if err != nil {
			return err
		}
		for len(messages) > 0 {
			n, err := l.store(ctx, tx, prepare, after, messages, oldest)
			if err != nil {
				return kafkaFault{err}
			}
			after, messages = &messages[n-1].Position, messages[n:]
			l.wait.Reset()
		}
	}
}

func (l *loop) topic() bus.Topic { return bus.CheckpointsOf(l.feed.Stream.Name()) }

const endWithin = 5 * time.Second

// end ends something, also where ctx has ended.
func end(ctx context.Context, closing func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	closing(ctx)
}

// position is the one stored last, nil where a first start begins where the stream's Open has it.
func (l *loop) position(ctx context.Context, tx transactor) (*Position, error) {
	value, err := tx.Checkpoint(ctx)
	if err != nil {
		return nil, kafkaFault{err}
	}
	after, err := parsePosition(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	if after == nil && l.feed.Latest { // it has come since the first start: see fromTheEnd
		return &Position{Sequence: -1}, nil
	}
	return after, nil
}

// oldest is the oldest message that the stream has. It is asked for only where numbers are left out, which some streams do by
// themselves.
func (l *loop) oldest(ctx context.Context, after *Position, messages []Message) (int64, error) {
	before := messages[0].Sequence - 1
	if after != nil {
		before = after.Sequence
	}
	for _, m := range messages {
		if m.Sequence > before+1 {
			s, err := l.feed.Stream.State(ctx, l.partition)
			return s.First, err
		}
		before = m.Sequence
	}
	return messages[0].Sequence, nil
}

// deleted is how many messages between two the stream has deleted.
func deleted(before int64, m Message, oldest int64) int64 {
	return max(0, min(m.Sequence, oldest)-before-1)
}

// store puts messages and the position after them into one transaction, as many as its bounds let in and up to a gap. It gives
// how many.
func (l *loop) store(ctx context.Context, tx transactor, prepare Prepare, after *Position, messages []Message, oldest int64) (n int, err error) {
	if cap(l.records) > 2*maxRecords {
		l.records = nil
	}
	tally := newTally()
	l.records = l.records[:0]
	if after != nil {
		if tally.missed = deleted(after.Sequence, messages[0], oldest); tally.missed > 0 {
			l.records = append(l.records, l.feed.Missed(l.partition, after.Sequence+1, after.Sequence+tally.missed)...)
		}
	}
	for i, m := range messages {
		if i == MaxMessages || i > 0 && (tally.bytes+int64(len(m.Body)) > MaxBytes || len(l.records) >= maxRecords || deleted(messages[i-1].Sequence, m, oldest) > 0) {
			break
		}
		tally.message(m)
		l.records = prepare(l.records, m, tally)
		n++
	}
	if err := l.commit(ctx, tx, l.records, &messages[n-1].Position, tally); err != nil {
		return 0, err
	}
	if tally.missed > 0 {
		l.log.Error("messages were deleted by the stream before they were read", slog.Int64("from", after.Sequence+1), slog.Int64("to", after.Sequence+tally.missed), slog.Int64("messages", tally.missed))
	}
	return n, nil
}

// commit goes on when ctx ends.
func (l *loop) commit(ctx context.Context, tx transactor, records []bus.Record, after *Position, tally *Tally) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	position := positionRecord(*after)
	for {
		err := tx.Stage(ctx, records, position)
		var large *bus.TooLarge
		if errors.As(err, &large) && large.Index < len(records) {
			if err := tx.Abort(ctx); err != nil {
				l.counts.aborted()
				return err
			}
			if records[large.Index].Topic != bus.DeadLetters {
				tally.tooLarge()
			}
			records[large.Index] = l.feed.TooLarge(records[large.Index], large.Cause)
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
		at := l.counts.snapshot().Sequence // before the answer is made: what is stored meanwhile is newer
		s, err := l.feed.Stream.State(ctx, l.partition)
		if err != nil {
			l.log.Debug("lag is not known", slog.Any("err", err))
			continue
		}
		l.counts.saw(s)
		if s.Last < at {
			l.log.Error("the position lies behind the last message: the stream was made anew; delete the topic of its positions to read it from its start", slog.Int64("position", at),
				slog.Int64("last", s.Last), slog.String("topic", string(l.topic())))
		}
	}
}
