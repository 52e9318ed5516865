package sinks

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// parcel is what one attempt sends: messages, or a summary in the place of messages.
type parcel struct {
	of      []int // of the messages at hand
	summary *Message
}

// alone reports whether nothing smaller can be sent.
func (p *parcel) alone() bool { return p.summary != nil || len(p.of) == 1 }

// deliver sends until the destination has taken the messages or refused them.
func (r *Runner) deliver(ctx, drain context.Context, p parcel) error {
	waits := newWaits()
	r.attempts = 0
	for {
		if err := r.pace(ctx, drain, &p); err != nil {
			return err
		}
		moved, err := r.attempt(ctx, drain, &p)
		if moved && err != nil {
			return errMoved
		}
		var refused *Refused
		var disabled *Disabled
		var verdicts Verdicts
		switch {
		case err == nil:
			r.took(&p, p.of)
			if moved {
				return errMoved
			}
			return nil
		case errors.As(err, &verdicts) && p.summary == nil && len(verdicts) == len(p.of):
			before := len(p.of)
			if p.of, err = r.judge(ctx, &p, verdicts); err != nil || len(p.of) == 0 {
				return err
			}
			if len(p.of) < before {
				waits.Reset()
			}
			err = verdicts
		case errors.As(err, &refused) && p.alone():
			return r.setAside(ctx, &p, err)
		case errors.As(err, &refused):
			middle := len(p.of) / 2
			return r.parts(ctx, drain, p.of[:middle], p.of[middle:])
		case errors.As(err, &disabled):
			return r.rest(ctx, drain, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := r.breaker.wait(max(waitOf(err), waits.NextBackOff()))
		r.pause(err, wait)
		if err := r.hold(ctx, drain, wait); err != nil {
			return err
		}
		if r.breaker.open && !p.alone() {
			return r.parts(ctx, drain, p.of[:1], p.of[1:])
		}
	}
}

// newWaits are the waits after one fault and the next: they grow, and each lies anywhere below its bound.
func newWaits() *backoff.ExponentialBackOff {
	waits := &backoff.ExponentialBackOff{InitialInterval: firstWait / 2, RandomizationFactor: 1, Multiplier: 2, MaxInterval: longestWait / 2}
	waits.Reset()
	return waits
}

// parts delivers the parts of a parcel, one after the other.
func (r *Runner) parts(ctx, drain context.Context, all ...[]int) error {
	for _, part := range all {
		if err := r.deliver(ctx, drain, parcel{of: part}); err != nil {
			return err
		}
	}
	return nil
}

// rest sends nothing more, until ctx ends.
func (r *Runner) rest(ctx, drain context.Context, cause error) error {
	r.disable(cause)
	for {
		if err := r.hold(ctx, drain, longestWait); err != nil && !errors.Is(err, errMoved) && !errors.Is(err, errAged) {
			return err
		}
	}
}

// pace waits until the next message may be sent.
func (r *Runner) pace(ctx, drain context.Context, p *parcel) error {
	if r.Every == 0 {
		return nil
	}
	now := r.Env.Now()
	if wait := r.next.Sub(now); wait > 0 {
		if err := r.hold(ctx, drain, wait); err != nil {
			return err
		}
		now = r.Env.Now()
	}
	n := len(p.of)
	if p.summary != nil {
		n = 1
	}
	r.next = now.Add(time.Duration(n) * r.Every)
	return nil
}

// took notes that the destination has taken messages.
func (r *Runner) took(p *parcel, all []int) {
	answer, ref := r.Env.Answer.Take()
	outcome, summary := WasSent, ""
	if p.summary != nil {
		outcome, summary = WasSummarised, p.summary.ID
	}
	for _, i := range all {
		r.end(i, outcome, answer, ref, summary)
	}
	r.resume()
}

// judge does what the destination says of each message. It gives those that are sent again.
func (r *Runner) judge(ctx context.Context, p *parcel, verdicts Verdicts) (again []int, err error) {
	var taken []int
	for at, i := range p.of {
		var refused *Refused
		switch {
		case verdicts[at] == nil:
			taken = append(taken, i)
		case errors.As(verdicts[at], &refused):
			if err := r.setAside(ctx, &parcel{of: []int{i}}, verdicts[at]); err != nil {
				return nil, err
			}
		default:
			again = append(again, i)
		}
	}
	if len(taken) > 0 {
		r.took(p, taken)
	}
	return again, nil
}

// hold waits. What is done is told before: meanwhile the rest may move, and become too old.
func (r *Runner) hold(ctx, drain context.Context, d time.Duration) error {
	if r.news() > 0 {
		if err := r.tell(drain); err != nil {
			return err
		}
	}
	moved, err := r.Queue.Hold(ctx, d)
	switch {
	case err != nil:
		return err
	case moved:
		return errMoved
	case r.aged():
		return errAged
	}
	return nil
}

// setAside puts a message that the destination refuses into dead-letters. A summary that it refuses is dropped: its messages are sent
// each by itself.
func (r *Runner) setAside(ctx context.Context, p *parcel, cause error) error {
	if p.summary != nil {
		r.Env.Log.Warn("summary refused; its alerts are sent one by one", slog.String("sink", r.Name), slog.Int("alerts", len(p.of)), slog.Any("err", cause))
		return cause
	}
	i := p.of[0]
	m := r.all[i]
	r.Env.Log.Error("alert refused", slog.String("sink", r.Name), slog.String("alert", m.ID), slog.String("rule", m.Rule),
		slog.String("account", m.Account), slog.String("severity", m.Severity), m.Trace(), slog.Any("err", cause))
	if err := r.DeadLetter(ctx, m, cause); err != nil {
		return err
	}
	r.end(i, WasRefused, cause.Error(), "", "")
	r.resume()
	return nil
}

// attempt sends once. When ctx ends it has a little time left, so that what the destination has taken is not sent again. It reports that
// meanwhile the messages at hand have moved to another instance.
func (r *Runner) attempt(ctx, drain context.Context, p *parcel) (moved bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	messages, err := r.messages(p)
	if err != nil {
		return false, err
	}
	inner, cancel := context.WithTimeout(drain, attemptTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if r.Sleep(inner, drainTimeout) == nil {
			cancel()
		}
	})()
	r.attempts++
	r.Env.Answer.Take()
	carrying, over := r.attempted(inner, p)
	sent := make(chan error, 1)
	go func() { sent <- r.Sink.Send(carrying, messages) }()
	moved, err = r.await(ctx, drain, sent)
	if v := Verdicts(nil); errors.As(err, &v) && len(v) == 1 && len(messages) == 1 { // a summary gets one too
		err = v[0]
	}
	over(err, r.Env.Answer.Status())
	r.breaker.note(isFault(err))
	return moved, err
}

// longSend is how long an attempt may take before what is not delivered may be given to another instance: a group waits for half a minute
// for a member that is busy, and all its members stand still until then.
const longSend = 5 * time.Second

// await waits for an attempt. One that takes long is waited for as a pause is.
func (r *Runner) await(ctx, drain context.Context, sent chan error) (moved bool, err error) {
	long := time.NewTimer(longSend)
	defer long.Stop()
	select {
	case err := <-sent:
		return false, err
	case <-long.C:
	}
	if r.news() > 0 {
		if err := r.tell(drain); err != nil {
			return false, errors.Join(err, <-sent)
		}
	}
	over, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- <-sent
		end()
	}()
	moved, held := r.Queue.Hold(over, attemptTimeout)
	err = <-ended
	if held != nil && ctx.Err() == nil && !errors.Is(held, context.Canceled) {
		return moved, errors.Join(held, err)
	}
	return moved, err
}

// isFault reports whether an error is a fault of the destination: one that has taken or refused something works.
func isFault(err error) bool {
	var v Verdicts
	switch {
	case err == nil, errors.As(err, new(*Refused)), errors.As(err, new(*Disabled)):
		return false
	case errors.As(err, &v):
		for _, one := range v {
			if one == nil || errors.As(one, new(*Refused)) {
				return false
			}
		}
	}
	return true
}

// messages are what a parcel sends, without what the destination is not to know.
func (r *Runner) messages(p *parcel) ([]Message, error) {
	if p.summary != nil {
		return []Message{*p.summary}, nil // it was made of such
	}
	all := make([]Message, len(p.of))
	for at, i := range p.of {
		all[at] = r.all[i]
		if err := r.Redact.Apply(&all[at]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
