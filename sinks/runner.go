package sinks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
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
	// Wants says which messages the sink is for; nil: all.
	Wants func(*Message) bool
	// Sleep waits, or ends with ctx.
	Sleep func(ctx context.Context, d time.Duration) error

	health health
	all    []Message // of the last Next
	done   []bool    // which of them are delivered or lie in dead-letters
	told   int       // so many of them the queue has been told of
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
		if err = r.deliverAll(ctx, drain, all); errors.Is(err, errMoved) {
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

// tell tells the queue what is done, also when ctx has ended.
func (r *Runner) tell(drain context.Context) error {
	n := r.news()
	r.told += n
	if err := r.Queue.Done(drain, n); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// deliverAll delivers messages in batches of the sink's size.
func (r *Runner) deliverAll(ctx, drain context.Context, all []Message) error {
	r.all, r.done, r.told = all, make([]bool, len(all)), 0
	var left []int
	for i := range all {
		if r.done[i] = r.Wants != nil && !r.Wants(&all[i]); r.done[i] {
			r.filtered()
			continue
		}
		left = append(left, i)
	}
	for len(left) > 0 {
		batch, rest := cut(r.Sink.Batch(), all, left)
		if err := r.deliver(ctx, drain, batch); err != nil {
			return err
		}
		left = rest
	}
	return nil
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

// deliver sends until the destination has taken the messages or refused them.
func (r *Runner) deliver(ctx, drain context.Context, batch []int) error {
	waits := &backoff.ExponentialBackOff{InitialInterval: firstWait / 2, RandomizationFactor: 1, Multiplier: 2, MaxInterval: longestWait / 2} // full jitter
	waits.Reset()
	for {
		err := r.attempt(ctx, drain, batch)
		var refused *Refused
		var disabled *Disabled
		var verdicts Verdicts
		switch {
		case err == nil:
			r.took(batch)
			return nil
		case errors.As(err, &verdicts) && len(verdicts) == len(batch):
			before := len(batch)
			if batch, err = r.judge(ctx, batch, verdicts); err != nil || len(batch) == 0 {
				return err
			}
			if len(batch) < before {
				waits.Reset()
			}
			err = verdicts
		case errors.As(err, &refused) && len(batch) > 1:
			return r.halves(ctx, drain, batch)
		case errors.As(err, &refused):
			return r.setAside(ctx, batch[0], err)
		case errors.As(err, &disabled):
			r.disable(err)
			for {
				if err := r.hold(ctx, drain, longestWait); err != nil && !errors.Is(err, errMoved) {
					return err
				}
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := max(waitOf(err), waits.NextBackOff())
		r.pause(err, wait)
		if err := r.hold(ctx, drain, wait); err != nil {
			return err
		}
	}
}

// took notes that the destination has taken messages.
func (r *Runner) took(batch []int) {
	for _, i := range batch {
		r.done[i] = true
	}
	r.sent(len(batch))
}

// judge does what the destination says of each message. It gives those that are sent again.
func (r *Runner) judge(ctx context.Context, batch []int, verdicts Verdicts) (again []int, err error) {
	var taken []int
	for at, i := range batch {
		var refused *Refused
		switch {
		case verdicts[at] == nil:
			taken = append(taken, i)
		case errors.As(verdicts[at], &refused):
			if err := r.setAside(ctx, i, verdicts[at]); err != nil {
				return nil, err
			}
		default:
			again = append(again, i)
		}
	}
	if len(taken) > 0 {
		r.took(taken)
	}
	return again, nil
}

// hold waits. What is done is told before: meanwhile the rest may move.
func (r *Runner) hold(ctx, drain context.Context, d time.Duration) error {
	if r.news() > 0 {
		if err := r.tell(drain); err != nil {
			return err
		}
	}
	moved, err := r.Queue.Hold(ctx, d)
	if err == nil && moved {
		return errMoved
	}
	return err
}

// setAside puts a message that the destination refuses into dead-letters.
func (r *Runner) setAside(ctx context.Context, i int, cause error) error {
	m := r.all[i]
	r.refused()
	r.Env.Log.Error("alert refused", slog.String("sink", r.Name), slog.String("alert", m.ID), slog.String("rule", m.Rule),
		slog.String("account", m.Account), slog.String("severity", m.Severity), slog.Any("err", cause))
	if err := r.DeadLetter(ctx, m, cause); err != nil {
		return err
	}
	r.done[i] = true
	return nil
}

// halves finds the messages of a batch that are refused.
func (r *Runner) halves(ctx, drain context.Context, batch []int) error {
	middle := len(batch) / 2
	if err := r.deliver(ctx, drain, batch[:middle]); err != nil {
		return err
	}
	return r.deliver(ctx, drain, batch[middle:])
}

// attempt sends once. When ctx ends it has a little time left, so that what the destination has taken is not sent again.
func (r *Runner) attempt(ctx, drain context.Context, batch []int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	messages := make([]Message, len(batch))
	for at, i := range batch {
		messages[at] = r.all[i]
	}
	inner, cancel := context.WithTimeout(drain, attemptTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if r.Sleep(inner, drainTimeout) == nil {
			cancel()
		}
	})()
	return r.Sink.Send(inner, messages)
}
