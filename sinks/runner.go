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
	attemptTimeout = 15 * time.Second
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
	// Sleep waits, or ends with ctx.
	Sleep func(ctx context.Context, d time.Duration) error

	health health
	done   int // messages that the queue has not been told of
}

// Run delivers until ctx ends. The attempt under way then gets a few seconds more, and telling the queue what is done has until drain
// ends, as has all of it. What was not delivered comes again when the runner next starts.
func (r *Runner) Run(ctx, drain context.Context) error {
	r.done = 0
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
		if err == nil || r.done > 0 {
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

// tell tells the queue what is done, also when ctx has ended.
func (r *Runner) tell(drain context.Context) error {
	n := r.done
	r.done = 0
	if err := r.Queue.Done(drain, n); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// deliverAll delivers messages in batches of the sink's size.
func (r *Runner) deliverAll(ctx, drain context.Context, all []Message) error {
	size := max(1, r.Sink.Batch())
	for len(all) > 0 {
		n := min(size, len(all))
		if err := r.deliver(ctx, drain, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// deliver sends until the destination has taken the messages or refused them.
func (r *Runner) deliver(ctx, drain context.Context, messages []Message) error {
	waits := &backoff.ExponentialBackOff{InitialInterval: firstWait / 2, RandomizationFactor: 1, Multiplier: 2, MaxInterval: longestWait / 2} // full jitter
	waits.Reset()
	for {
		err := r.attempt(ctx, drain, messages)
		var refused *Refused
		var disabled *Disabled
		switch {
		case err == nil:
			r.sent(len(messages))
			r.done += len(messages)
			return nil
		case errors.As(err, &refused) && len(messages) > 1:
			return r.oneByOne(ctx, drain, messages)
		case errors.As(err, &refused):
			return r.setAside(ctx, messages[0], err)
		case errors.As(err, &disabled):
			r.disable(err)
			for {
				if err := r.hold(ctx, drain, longestWait); err != nil && !errors.Is(err, errMoved) {
					return err
				}
			}
		case ctx.Err() != nil:
			return ctx.Err()
		}
		wait := max(waitOf(err), waits.NextBackOff())
		r.pause(err, wait)
		if err := r.hold(ctx, drain, wait); err != nil {
			return err
		}
	}
}

// hold waits. What is done is told before: meanwhile the rest may move.
func (r *Runner) hold(ctx, drain context.Context, d time.Duration) error {
	if r.done > 0 {
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
func (r *Runner) setAside(ctx context.Context, m Message, cause error) error {
	r.refused()
	r.Env.Log.Error("alert refused", slog.String("sink", r.Name), slog.String("alert", m.ID), slog.String("rule", m.Rule),
		slog.String("account", m.Account), slog.String("severity", m.Severity), slog.Any("err", cause))
	if err := r.DeadLetter(ctx, m, cause); err != nil {
		return err
	}
	r.done++
	return nil
}

// oneByOne finds the message of a batch that was refused.
func (r *Runner) oneByOne(ctx, drain context.Context, messages []Message) error {
	for i := range messages {
		if err := r.deliver(ctx, drain, messages[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// attempt sends once. When ctx ends it has a little time left, so that what the destination has taken is not sent again.
func (r *Runner) attempt(ctx, drain context.Context, messages []Message) error {
	if err := ctx.Err(); err != nil {
		return err
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
