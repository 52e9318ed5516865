package o365

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"noroshi/ingest/feed"
)

// The rhythm of what is not blobs.
const (
	markEvery  = 10 * time.Minute // the position is stored at least
	cleanEvery = time.Hour        // old rows are looked for
	mostRows   = 2000             // of a message
	// sweepShare is which part of the quota goes into listing the last day again, at most.
	sweepShare = 20
)

func (b *blob) row() []byte {
	text, _ := json.Marshal(b.failing) // of texts, times that row.blob made writable, and a number there is always one
	return text
}

// advance ends the window that is carried and fills the queue from the next one. It gives what is to be stored meanwhile, and waits where
// nothing is due.
func (c *cursor) advance(ctx context.Context) ([]feed.Message, error) {
	if held := c.held; held != nil {
		c.held = nil
		return []feed.Message{c.mark(c.remember(held))}, nil
	}
	if m, ok := c.over(); ok {
		return []feed.Message{m}, nil
	}
	c.backFromAhead()
	if all := c.expire(); len(all) > 0 {
		return all, nil
	}
	if m, ok := c.forget(); ok {
		return []feed.Message{m}, nil
	}
	now := c.now()
	if due := c.due(now); len(due) > 0 {
		c.queue = due
		return nil, nil
	}
	w, at, ok := c.choose(now)
	if !ok {
		return nil, c.rest(ctx, at)
	}
	return nil, c.fill(ctx, w)
}

// over moves the place over the window that was carried; true where that is to be stored.
func (c *cursor) over() (feed.Message, bool) {
	w := c.window
	if w == nil {
		return feed.Message{}, false
	}
	c.window = nil
	behind, left := c.place.behind(), c.now().Sub(c.place.Reached) > step
	c.place.done(*w)
	if w.kind == again {
		if c.part.sweep = w.to; !c.part.sweep.Before(c.place.Reached) {
			c.part.sweep, c.first = time.Time{}, false
			c.part.swept = c.now()
		}
	}
	c.part.mu.Lock()
	c.part.counts.Windows++
	c.tellBackfill(c.now())
	c.part.mu.Unlock()
	caught := behind && !c.place.behind() || left && c.now().Sub(c.place.Reached) <= step
	if caught {
		c.log.Info("all of the past is read")
	}
	if caught || c.brings || c.now().Sub(c.marked) >= markEvery {
		return c.mark(), true
	}
	return feed.Message{}, false
}

// backFromAhead begins again where the clock was ahead, and is not any more.
func (c *cursor) backFromAhead() {
	now, reached := c.now(), c.place.Reached
	if !c.place.ahead(now) {
		return
	}
	c.log.Warn("the clock was ahead: what became available meanwhile is listed again", slog.Time("listed", reached), slog.Time("from", c.place.Reached))
	c.poll, c.marked, c.clean, c.first = time.Time{}, time.Time{}, time.Time{}, false
	c.part.sweep, c.part.swept = time.Time{}, now
	for _, b := range c.fails {
		b.due = now
	}
}

// expire tells of what can never be read: blobs that have expired, and times that cannot be listed any more.
func (c *cursor) expire() (all []feed.Message) {
	now := c.now()
	defer c.tally()
	for _, b := range c.failing() {
		if !now.Before(b.Expires) && len(all) < feed.MaxMessages/2 {
			all = append(all, c.lose(b, errors.New("it was tried until it expired")))
		}
	}
	for {
		from, to := c.place.expired(now)
		if from.IsZero() {
			return all
		}
		what := fmt.Sprintf("the blobs that became available from %s to %s: they are older than 7 days and cannot be listed any more",
			from.Format(time.RFC3339), to.Format(time.RFC3339))
		c.log.Error("content has expired before it was listed", slog.Time("from", from), slog.Time("to", to))
		c.part.change(func(n *Snapshot) { n.Lost++ })
		m := c.message()
		m.Lost, m.Refused, m.Came = what, &feed.Refusal{Reason: reasonBlob, Detail: what}, to
		all = append(all, m)
	}
}

// failing are the blobs that are tried again, by the time they became available.
func (c *cursor) failing() []*blob {
	return slices.SortedFunc(maps.Values(c.fails), func(a, b *blob) int { return a.Created.Compare(b.Created) })
}

// due are the failed blobs that are to be tried now.
func (c *cursor) due(now time.Time) (all []*blob) {
	for _, b := range c.failing() {
		if !now.Before(b.due) {
			all = append(all, b)
		}
	}
	return all
}

// forget takes away rows that are older than any listing.
func (c *cursor) forget() (m feed.Message, ok bool) {
	now := c.now()
	if now.Sub(c.clean) < cleanEvery {
		return m, false
	}
	var rows []feed.Row
	for i, h := range c.seen {
		if h < hour(now.Add(-remembers)) {
			rows = append(rows, feed.Row{Key: i.key()})
			delete(c.seen, i)
		}
		if len(rows) == mostRows {
			break
		}
	}
	if len(rows) < mostRows {
		c.clean = now
	}
	if len(rows) == 0 {
		return m, false
	}
	return c.mark(rows...), true
}

// choose says which window is next.
func (c *cursor) choose(now time.Time) (window, time.Time, bool) {
	if c.first {
		if w, ok := c.place.again(second(now), c.part.sweep, c.parts); ok {
			return w, now, true
		}
		c.first, c.part.sweep = false, time.Time{}
	}
	if c.part.sweep.IsZero() && now.Sub(c.part.swept) > max(c.stream.config.Poll, c.part.sweepIn) {
		c.part.sweep, c.part.sweepIn = c.place.Reached.Add(-swept), 0
	}
	w, at, ok := c.place.plan(now, c.part.sweep, c.poll, c.parts)
	if !c.part.sweep.IsZero() && (!ok || w.kind == backward) { // there is nothing to be listed again
		c.part.sweep, c.part.swept = time.Time{}, now
	}
	return w, at, ok
}

// rest waits until something is due.
func (c *cursor) rest(ctx context.Context, until time.Time) error {
	now := c.now()
	for _, b := range c.fails {
		until = earlier(until, later(b.due, now))
		until = earlier(until, later(b.Expires, now))
	}
	d := max(time.Millisecond, until.Sub(now))
	return feed.Pause(ctx, min(d, c.stream.config.Poll+time.Second))
}

// fill lists a window.
func (c *cursor) fill(ctx context.Context, w window) error {
	found := map[id]bool{}
	var all []*blob
	started := c.now()
	pages, err := c.list(ctx, w, func(r row) error {
		b := r.blob()
		b.late = w.kind == again || w.kind == forward && r.Created.Before(c.place.Reached)
		if failing := c.fails[b.id]; failing != nil {
			failing.URI = b.URI
			return nil
		}
		if _, read := c.seen[b.id]; read || found[b.id] {
			return nil
		}
		if len(all) == mostListed {
			return errMany
		}
		found[b.id] = true
		all = append(all, b)
		return nil
	})
	switch {
	case errors.Is(err, errMany) && c.parts < mostParts:
		c.parts *= 2
		c.log.Info("the listing is long; less of the time is listed at once", slog.Time("from", w.from), slog.Time("to", w.to))
		return nil
	case err != nil:
		return err
	}
	slices.SortFunc(all, func(a, b *blob) int {
		if w.kind == backward {
			a, b = b, a
		}
		return a.Created.Compare(b.Created)
	})
	if w.kind == forward && !w.to.Before(second(started)) { // it has come to now
		c.poll = earlier(started, c.now()).Add(c.stream.config.Poll) // the answer may have said that our clock is ahead
	}
	if w.kind == again {
		c.part.sweepIn += time.Duration(pages) * sweepShare * time.Minute / time.Duration(c.stream.client.limits.share)
	}
	if c.parts > 1 && len(all) < mostListed/4 {
		c.parts /= 2
	}
	if now := second(c.now()); w.kind == forward && w.to.After(now) { // the clock was ahead, as the answer says
		w.to = now
	}
	c.window, c.queue, c.brings = &w, all, false
	c.part.mu.Lock()
	defer c.part.mu.Unlock()
	c.part.listed = c.now()
	c.part.counts.Pages += int64(pages)
	c.part.counts.Waiting = int64(len(all))
	return nil
}

// list lists a window. A subscription that is missing is started.
func (c *cursor) list(ctx context.Context, w window, each func(row) error) (pages int, err error) {
	client, content := c.stream.client, c.part.content
	for started := false; ; started = true {
		pages, err = client.list(ctx, c.partition, content, w.from, w.to, each)
		var r *refused
		if started || !errors.As(err, &r) || r.code != codeNoSubscription {
			return pages, denied(err)
		}
		if err := client.subscribe(ctx, c.partition, content); err != nil {
			return pages, denied(err)
		}
		c.log.Info("subscription started; the first content may take 12 hours")
	}
}
