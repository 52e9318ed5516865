package sinks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// The bounds of delivery.
const (
	attemptTimeout = 2 * time.Minute // several requests, each of which has its own bound
	drainTimeout   = 5 * time.Second // for the attempt under way when the process is asked to end
	firstWait      = time.Second     // the longest wait after the first fault; it doubles
	longestWait    = time.Minute
)

// Queue is where a runner's messages come from: the sink's own place in the topic.
type Queue interface {
	// Next waits for messages. An error ends the runner.
	Next(ctx context.Context) ([]Message, error)
	// Done is called when the next n messages of the last Next are delivered or lie in dead-letters: before each wait, when the
	// runner ends, and with the last of them. Without messages it is called with 0.
	Done(ctx context.Context, n int) error
	// Hold waits between attempts; what is not delivered may meanwhile be given to another instance. Then it says that it has moved,
	// and Next gives what is still this queue's.
	Hold(ctx context.Context, d time.Duration) (moved bool, err error)
}

// Runner brings the messages of one queue to one sink, in order.
type Runner struct {
	Name  string
	Sink  Sink
	Queue Queue
	Env   Env
	// DeadLetter stores a message that the destination will never take. An error ends the runner.
	DeadLetter func(ctx context.Context, m Message, cause error) error
	// Results stores what became of messages, before the queue is told that they are done; nil: nobody wants to know. What it fails
	// with is told and counted, no more.
	Results func(ctx context.Context, all []Result) error
	Terms
	Watch Watch
	// Sleep waits, or ends with ctx.
	Sleep func(ctx context.Context, d time.Duration) error

	health   health
	all      []Message // of the last Next
	done     []bool    // which of them are delivered or lie in dead-letters
	old      []bool    // which of them were too old when they were last sorted
	told     int       // so many of them the queue has been told of,
	toldAt   time.Time // last then
	results  []Result  // of what is done
	attempts int       // of the parcel under way
	carried  string    // by the last of them
	next     time.Time // not before then is anything sent, by Every
	breaker  breaker
	summary  summary
}

// Run delivers until ctx ends. The attempt under way then gets a few seconds more, and telling the queue what is done has until drain
// ends, as has all of it. What was not delivered comes again when the runner next starts.
func (r *Runner) Run(ctx, drain context.Context) error {
	r.over("")
	for {
		all, err := r.Queue.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sink %s: read alerts: %w", r.Name, err)
		}
		r.over(Interrupted)
		err = r.deliverAll(ctx, drain, all)
		r.giveBack()
		if errors.Is(err, errMoved) {
			r.tellResults(drain)
			continue
		}
		if err == nil || r.news() > 0 {
			told := r.tell(drain)
			if told != nil && ctx.Err() != nil {
				r.Env.Log.Warn("what the sink took last is not stored; it comes again", slog.String("sink", r.Name), slog.Any("err", told))
			}
			err = errors.Join(err, told)
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("sink %s: %w", r.Name, err)
		}
	}
}

// errMoved says that the messages at hand are another instance's by now.
var errMoved = errors.New("the messages have moved to another instance")

// news is how many messages in a row are done that the queue has not been told of.
func (r *Runner) news() (n int) {
	for r.told+n < len(r.done) && r.done[r.told+n] {
		n++
	}
	return n
}

// tellWithin is how long what is done may wait until the queue is told, so that a crash sends little again.
const tellWithin = time.Second

// tellNow tells the queue what is done, where that was long ago.
func (r *Runner) tellNow(drain context.Context) error {
	if r.news() == 0 || r.Env.Now().Sub(r.toldAt) < tellWithin {
		return nil
	}
	return r.tell(drain)
}

// tell tells the queue what is done, also when ctx has ended.
func (r *Runner) tell(drain context.Context) error {
	r.tellResults(drain)
	n := r.news()
	r.told, r.toldAt = r.told+n, r.Env.Now()
	if err := r.Queue.Done(drain, n); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// deliverAll delivers messages: those that have waited for too long as a summary, the others in batches of the sink's size.
func (r *Runner) deliverAll(ctx, drain context.Context, all []Message) error {
	r.all, r.done, r.old, r.told = all, make([]bool, len(all)), make([]bool, len(all)), 0
	r.read(len(all))
	for i := range all {
		if r.Wants != nil && !r.Wants(&all[i]) {
			r.end(i, WasFiltered, "", "", "")
		}
	}
	for {
		old, left := r.sort()
		err := r.summarise(ctx, drain, old)
		for err == nil && len(left) > 0 {
			var batch []int
			batch, left = cut(r.batch(), all, left)
			if err = r.deliver(ctx, drain, parcel{of: batch}); err == nil && len(left) > 0 {
				err = r.tellNow(drain)
			}
		}
		if !errors.Is(err, errAged) {
			return err
		}
	}
}

// batch is what one attempt sends: of a rate, not more than a second's share.
func (r *Runner) batch() Batch {
	b := r.Sink.Batch()
	if r.Every > 0 {
		b.Messages = min(max(1, b.Messages), max(1, int(time.Second/r.Every)))
	}
	return b
}

// errAged says that messages at hand have become too old while the sink was paused.
var errAged = errors.New("messages have become too old")

// stale reports whether a message has waited for too long.
func (r *Runner) stale(m *Message) bool {
	return r.MaxAge > 0 && !m.Written.IsZero() && r.Env.Now().Sub(m.Written) > r.MaxAge
}

// sort gives what is not done: the messages that are too old, and the others.
func (r *Runner) sort() (old, left []int) {
	for i := range r.all {
		if r.done[i] {
			continue
		}
		if r.old[i] = r.stale(&r.all[i]); r.old[i] {
			old = append(old, i)
		} else {
			left = append(left, i)
		}
	}
	return old, left
}

// aged reports whether a message at hand has become too old since they were last sorted.
func (r *Runner) aged() bool {
	for i := range r.all {
		if !r.done[i] && !r.old[i] && r.stale(&r.all[i]) {
			return true
		}
	}
	return false
}

// cut takes a batch off the messages that are left. The order within an account stays.
func cut(b Batch, all []Message, left []int) (batch, rest []int) {
	most, size := max(1, b.Messages), 0
	accounts := map[string]bool{}
	for at, i := range left {
		m := &all[i]
		if len(batch) > 0 && (len(batch) == most || b.Bytes > 0 && size+len(m.Body) > b.Bytes) {
			return batch, append(rest, left[at:]...)
		}
		if b.Apart && accounts[m.Account] {
			rest = append(rest, i)
			continue
		}
		accounts[m.Account] = b.Apart
		batch, size = append(batch, i), size+len(m.Body)
	}
	return batch, rest
}
