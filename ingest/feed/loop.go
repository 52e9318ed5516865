package feed

import (
	"context"
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
	told      telling
	log       *slog.Logger
	records   []bus.Record // of the transaction at hand; only their memory lasts longer
	doubted   int64        // how far numbers have been looked at a second time
	lately    lately       // what was shown, for the next position
}

// session goes once through the steps, and carries until something breaks. A transaction under way when ctx ends has until drain ends.
func (l *loop) session(ctx, drain context.Context) error {
	tx, err := l.feed.begin(ctx, l.partition)
	if err != nil {
		return kafkaFault{err}
	}
	defer end(drain, tx.Close)
	after, err := l.position(ctx, tx)
	if err != nil {
		return err
	}
	cursor, err := l.open(ctx, tx, after)
	if err != nil {
		return err
	}
	defer end(drain, cursor.Close)
	if after != nil {
		l.counts.at(*after)
	}
	l.counts.open()
	defer func() { l.feed.pace.rest(l.partition, time.Time{}) }()
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
			messages[i].Enqueued, messages[i].Came = writable(messages[i].Enqueued), writable(messages[i].Came)
		}
		if after != nil && messages[0].Sequence <= after.Sequence {
			return fmt.Errorf("%w: it gives message %d, and %d is stored already: it was made anew; end all instances, delete the topic %s and start again to read it from its start", ErrDenied, messages[0].Sequence, after.Sequence, l.topic())
		}
		messages, gaps, doubt, err := l.gaps(ctx, after, messages)
		if err != nil {
			return err
		}
		for len(messages) > 0 {
			l.feed.pace.next(l.partition, messages[0].Enqueued, l.feed.now())
			if err := l.feed.pace.keep(ctx, l.partition, l.feed.now); err != nil {
				return err
			}
			n, err := l.store(drain, tx, prepare, messages, gaps)
			if err != nil {
				return kafkaFault{err}
			}
			at := messages[n-1].Position // a pointer into messages would hold them all
			after, messages = &at, messages[n:]
			l.wait.Reset()
			l.told = telling{}
		}
		l.feed.pace.rest(l.partition, l.feed.now())
		if doubt != nil {
			l.doubted = doubt.To + 1
			return fmt.Errorf("the stream leaves out the messages %d to %d", doubt.From, doubt.To)
		}
	}
}

// open opens the stream behind a position.
func (l *loop) open(ctx context.Context, tx transactor, after *Position) (Cursor, error) {
	k, keeps := l.feed.Stream.(Keeper)
	if !keeps {
		return l.feed.Stream.Open(ctx, l.partition, after)
	}
	rows, err := tx.Rows(ctx)
	if err != nil {
		return nil, kafkaFault{err}
	}
	return k.OpenWith(ctx, l.partition, after, rows)
}

func (l *loop) topic() bus.Topic { return bus.CheckpointsOf(l.feed.Stream.Name()) }

// endWithin is how long something may take to end.
const endWithin = 3 * time.Second

// end ends something. Where drain has ended, it has no time.
func end(drain context.Context, closing func(context.Context)) {
	ctx, cancel := context.WithTimeout(drain, endWithin)
	defer cancel()
	closing(ctx)
}

// position is the one stored last, nil where a first start begins where the stream's Open has it.
func (l *loop) position(ctx context.Context, tx transactor) (*Position, error) {
	value, err := tx.Checkpoint(ctx)
	if err != nil {
		return nil, kafkaFault{err}
	}
	stored, err := parsePosition(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	switch {
	case stored == nil && l.feed.Latest: // it has come since the first start: see fromTheEnd
		return &Position{Sequence: -1}, nil
	case stored == nil:
		return nil, nil
	}
	l.recall(stored.spans())
	return &stored.Position, nil
}

// recall takes what was shown before the position: whoever stored it may not have told that.
func (l *loop) recall(spans map[Dataset]*Span) {
	l.lately = lately{}
	l.lately.add(l.feed.now(), func(show func(Dataset, Span)) {
		for of, span := range spans {
			show(of, *span)
		}
	})
	l.counts.recall(spans)
}

// look asks for the partition's state at once and then now and then, for the lag and for how far an idle partition has come; sooner where
// the answer fails, because then neither is known, and while messages wait.
func (l *loop) look(ctx context.Context) {
	wait := time.Duration(0)
	for Pause(ctx, wait) == nil {
		wait = l.feed.pauses.look
		at := l.counts.snapshot().Sequence // before the answer is made: what is stored meanwhile is newer
		asked := l.feed.now()
		s, err := l.feed.Stream.State(ctx, l.partition)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			l.log.Debug("lag is not known", slog.Any("err", err))
			l.counts.unseen()
			wait /= 3
			continue
		}
		l.counts.saw(s, asked)
		if s.Last > at {
			wait /= 3
		}
		if s.Last < at {
			l.log.Error("the position lies behind the last message: the stream was made anew; end all instances, delete the topic of its positions and start again to read it from its start", slog.Int64("position", at),
				slog.Int64("last", s.Last), slog.String("topic", string(l.topic())))
		}
	}
}
