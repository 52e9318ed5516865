package o365

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"noroshi/ingest/feed"
)

// blob is one that is to be read.
type blob struct {
	id id
	failing
	late   bool
	failed int       // times, since it was opened
	due    time.Time // when it is tried again
	fetch  *fetching
	given  int // bytes, since it was opened
}

const (
	// atOnce is how many blobs of a content type are fetched at a time.
	atOnce = 2
	// mostCarried is about how many bytes are given at a time. On their way to the topic they are held several times over, for each content type.
	mostCarried = 1 << 20
)

// cursor reads one content type. The goroutine of Next owns it.
type cursor struct {
	stream    *Stream
	part      *part
	partition int32
	log       *slog.Logger

	place  place
	seen   map[id]int32 // blobs that were read, with the hour of that
	fails  map[id]*blob // that are tried again
	given  int64        // the number of the message given last
	marked time.Time    // when a message was given that moves the position alone

	window *window // whose blobs are carried; nil: one is to be chosen
	brings bool    // it has brought a blob
	queue  []*blob // of the window; the first are fetched
	held   *blob   // failed, and none has succeeded since
	poll   time.Time
	first  bool      // sweeping comes before all else
	clean  time.Time // when rows were looked through last
	fresh  bool      // nothing is stored yet

	large bool          // this content type goes on with a large blob
	parts time.Duration // into how many parts windows are divided, because listings are long
}

func (s *Stream) cursor(partition int32, after *feed.Position, rows map[string][]byte) (*cursor, error) {
	c := &cursor{stream: s, part: s.parts[partition], partition: partition, given: -1, parts: 1, log: s.config.Log.With(slog.String("content", s.parts[partition].content))}
	now := c.now()
	var err error
	if after == nil {
		c.fresh, c.place = true, s.config.first(now)
	} else {
		c.given = after.Sequence
		s.client.limits.begin(partition) // somebody has read before
		if c.place, err = parsePlace(after.Offset); err != nil {
			return nil, fmt.Errorf("%w: %w", feed.ErrDenied, err)
		}
	}
	if c.seen, c.fails, err = remembered(rows); err != nil {
		return nil, fmt.Errorf("%w: %w", feed.ErrDenied, err)
	}
	c.resume()
	if after != nil && c.part.sweep.IsZero() && now.Sub(c.part.swept) > c.part.sweepIn { // this instance may have been away
		c.first, c.part.sweep = now.Sub(c.place.Reached) > step, c.place.Reached.Add(-swept)
	}
	c.part.mu.Lock()
	defer c.part.mu.Unlock()
	c.part.open, c.part.given, c.part.listed = true, c.given, now
	c.part.counts.Failing, c.part.counts.Waiting = int64(len(c.fails)), int64(len(c.queue))
	c.tellBackfill(now)
	return c, nil
}

// resume takes up the blob of which some is stored.
func (c *cursor) resume() {
	half := c.place.Blob
	if half == nil {
		return
	}
	b := c.fails[idOf(half.ID)]
	if b == nil {
		b = &blob{id: idOf(half.ID)}
	}
	b.failing = *half
	c.queue = []*blob{b}
}

// tellBackfill notes what is left of the past. The lock of the counts is held.
func (c *cursor) tellBackfill(now time.Time) {
	n := &c.part.counts
	n.Listed, n.Backfill = c.place.through(), nil
	switch {
	case c.place.behind():
		n.Backfill = &Backfill{c.place.Floor, c.place.Back}
	case now.Sub(c.place.Reached) > step:
		n.Backfill = &Backfill{c.place.Reached, second(now)}
	}
}

// Next gives pieces of blobs, and listens for new ones.
func (c *cursor) Next(ctx context.Context) ([]feed.Message, error) {
	if c.fresh {
		c.fresh = false
		c.log.Info("first start", slog.Time("from", c.place.Floor), slog.Time("to", second(c.now())), slog.Bool("newest_first", c.place.behind()))
		return []feed.Message{c.mark()}, nil
	}
	for {
		var all []feed.Message
		var err error
		if len(c.queue) > 0 {
			all, err = c.carry(ctx)
		} else {
			all, err = c.advance(ctx)
		}
		if len(all) > 0 || err != nil {
			return all, err
		}
	}
}

// now is the time of the API, by whose clock blobs become available.
func (c *cursor) now() time.Time { return c.stream.client.now() }

// message makes a message behind the last one.
func (c *cursor) message() feed.Message {
	c.given++
	c.part.mu.Lock()
	c.part.given = c.given
	c.part.mu.Unlock()
	return feed.Message{Position: feed.Position{Sequence: c.given, Offset: c.place.text(), Enqueued: c.place.through()}}
}

// mark is a message that only moves the position.
func (c *cursor) mark(rows ...feed.Row) feed.Message {
	m := c.message()
	m.Mark, m.Rows = true, rows
	c.marked = c.now()
	return m
}

// carry gives what the blobs in the queue have ready, at least one piece.
func (c *cursor) carry(ctx context.Context) (all []feed.Message, err error) {
	size := 0
	for len(c.queue) > 0 && len(all) < feed.MaxMessages-2 && size < mostCarried {
		c.begin(ctx)
		b := c.queue[0]
		free, err := c.turn(ctx, b, len(all) > 0)
		if err != nil {
			return nil, err
		}
		if !free {
			break
		}
		p, ready, err := next(ctx, b.fetch, len(all) > 0)
		if err != nil {
			return nil, err
		}
		b.given += len(p.body)
		if !ready {
			break
		}
		more, err := c.take(b, p)
		if err != nil {
			if len(all) > 0 { // what is in hand is stored first; then it fails again
				b.halt()
				return all, nil
			}
			return nil, err
		}
		all, size = append(all, more...), size+len(p.body)
	}
	c.tally()
	return all, nil
}

// tally notes how many blobs wait.
func (c *cursor) tally() {
	c.part.change(func(n *Snapshot) { n.Waiting, n.Failing = int64(len(c.queue)), int64(len(c.fails)) })
}

// halt ends the fetching of a blob.
func (b *blob) halt() {
	if b.fetch != nil {
		b.fetch.stop()
		b.fetch = nil
	}
}

// begin fetches the first blobs of the queue.
func (c *cursor) begin(ctx context.Context) {
	for _, b := range c.queue[:min(atOnce, len(c.queue))] {
		if b.fetch == nil {
			n := tries
			if c.fails[b.id] == b {
				n = 1 // it has been tried often
			}
			b.fetch = c.stream.client.fetch(context.WithoutCancel(ctx), c.partition, b.URI, b.Items, n)
		}
	}
}

// next waits for a piece; with something in hand it takes one only where it is ready.
func next(ctx context.Context, f *fetching, inHand bool) (p piece, ready bool, err error) {
	if inHand {
		select {
		case p = <-f.out:
			return p, true, nil
		default:
			return p, false, nil
		}
	}
	select {
	case p = <-f.out:
		return p, true, nil
	case <-ctx.Done():
		return p, false, ctx.Err()
	}
}

// take makes messages of a piece.
func (c *cursor) take(b *blob, p piece) (all []feed.Message, err error) {
	if p.last && p.err != nil {
		b.Items = p.items
		return c.fault(b, p.err)
	}
	if held := c.held; held != nil { // this one can be read, so it is not the API that fails
		c.held = nil
		all = append(all, c.mark(c.remember(held)))
	}
	c.part.alone = 0
	if p.last {
		return append(all, c.finish(b)), nil
	}
	b.Items = p.items
	half := b.failing
	c.place.Blob = &half
	m := c.message()
	m.Body, m.Refused, m.Came, m.Part = p.body, p.refused, b.Created, "blob "+b.ID
	return append(all, m), nil
}

// finish ends a blob that was read.
func (c *cursor) finish(b *blob) feed.Message {
	now := c.now()
	took := max(0, now.Sub(b.Created).Milliseconds())
	c.part.change(func(n *Snapshot) {
		n.Blobs++
		if b.late {
			n.Late++
		}
		n.Availability = Availability{Last: took, Longest: max(n.Availability.Longest, took), Sum: n.Availability.Sum + took}
	})
	return c.mark(c.settle(b))
}

// settle forgets a blob but for its row.
func (c *cursor) settle(b *blob) feed.Row {
	c.drop(b)
	delete(c.fails, b.id)
	known := later(b.Created, c.now()) // a blob is listed for 7 days, whatever it says of its age
	c.seen[b.id] = hour(known)
	c.leave(b)
	c.brings = true
	return feed.Row{Key: b.id.key(), Value: readRow(known)}
}

// fault decides what becomes of a blob that failed.
func (c *cursor) fault(b *blob, cause error) (all []feed.Message, err error) {
	var r *refused
	var long tooLong
	elsewhere := errors.Is(cause, errElsewhere) // it is this blob alone that cannot be fetched
	if !elsewhere {
		cause = denied(cause)
	}
	switch {
	case errors.Is(cause, feed.ErrDenied):
		return nil, cause
	case errors.As(cause, &r) && r.gone():
		return []feed.Message{c.lose(b, cause)}, nil
	case errors.As(cause, &long):
		c.log.Error("a blob is not read to its end", slog.String("blob", b.ID), slog.Any("err", cause))
		row := c.settle(b)
		return []feed.Message{c.letter(b, cause.Error(), row)}, nil
	case elsewhere, errors.Is(cause, errUnreadable), errors.Is(cause, errShort):
		if b.Told {
			return []feed.Message{c.mark(c.remember(b))}, nil
		}
		c.log.Error("a blob cannot be read; it is tried again while it lives", slog.String("blob", b.ID), slog.Time("until", b.Expires), slog.Any("err", cause))
		b.Told = true
		row := c.remember(b)
		return []feed.Message{c.letter(b, cause.Error()+"; it is tried again until "+b.Expires.UTC().Format(time.RFC3339), row)}, nil
	case c.fails[b.id] == b:
		return []feed.Message{c.mark(c.remember(b))}, nil
	case c.held != nil:
		return nil, cause
	}
	c.log.Warn("a blob cannot be read; others are tried first", slog.String("blob", b.ID), slog.Any("err", cause))
	c.held = b
	c.drop(b)
	return nil, c.alone(cause)
}

// alone is the fault of a blob where no other is left to be tried: it may be the API that fails. After so many times it is the blob.
func (c *cursor) alone(cause error) error {
	if len(c.queue) > 0 {
		return nil
	}
	if c.part.alone++; c.part.alone < tries {
		return cause
	}
	c.part.alone = 0
	return nil
}

// drop takes a blob out of the queue.
func (c *cursor) drop(b *blob) {
	c.release()
	b.halt()
	b.given = 0
	c.queue = slices.DeleteFunc(c.queue, func(o *blob) bool { return o == b })
}

// remember puts a blob among those that are tried again now and then.
func (c *cursor) remember(b *blob) feed.Row {
	c.drop(b)
	pause := c.stream.config.Pauses.Again << min(b.failed, 6)
	b.failed++
	b.due = c.now().Add(pause)
	c.fails[b.id] = b
	c.brings = true
	c.leave(b)
	c.part.change(func(n *Snapshot) { n.First = b.ID })
	return feed.Row{Key: b.id.key(), Value: b.row()}
}

// leave takes a blob out of the place: its row says how much of it is stored.
func (c *cursor) leave(b *blob) {
	if half := c.place.Blob; half != nil && half.ID == b.ID {
		c.place.Blob = nil
	}
}

// lose tells of a blob that will never be read, or not to its end.
func (c *cursor) lose(b *blob, cause error) feed.Message {
	what := fmt.Sprintf("the blob %s, which became available at %s, has expired: %d records of it are stored", b.ID, b.Created.UTC().Format(time.RFC3339), b.Items)
	c.log.Error("a blob has expired before it was read", slog.String("blob", b.ID), slog.Int("records", b.Items), slog.Any("err", cause))
	c.part.change(func(n *Snapshot) { n.Lost++ })
	row := c.settle(b)
	m := c.letter(b, what, row)
	m.Lost = what
	return m
}

// letter is a message in the place of a blob, which becomes a row.
func (c *cursor) letter(b *blob, why string, becomes feed.Row) feed.Message {
	m := c.message()
	m.Refused, m.Came, m.Part = &feed.Refusal{Reason: reasonBlob, Detail: why}, b.Created, "blob "+b.ID
	m.Rows = []feed.Row{becomes}
	return m
}

// Close ends what is fetched.
func (c *cursor) Close(context.Context) {
	c.release()
	for _, b := range c.queue {
		b.halt()
	}
	c.part.mu.Lock()
	defer c.part.mu.Unlock()
	c.part.open = false
}
