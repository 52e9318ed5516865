// Package sinks delivers alerts.
package sinks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Message is one alert on its way out.
type Message struct {
	ID       string // the alert's
	Revision int
	Status   string // firing, updated, withdrawn
	Time     time.Time
	Rule     string // the id of its rule
	Account  string
	Severity string
	Body     []byte // the alert's JSON as it lies on the topic, unchanged
}

// Sink formats and sends. Retry, pauses and dead letters are the runner's.
type Sink interface {
	// Send delivers the messages and returns nil once the destination has taken all of them. It is called from one goroutine,
	// with at most Batch messages. A Refused error means that trying again cannot help, a Disabled one that the destination
	// wants nothing more; any other error is tried again, after the wait that a Fault asks for.
	Send(ctx context.Context, messages []Message) error
	// Batch is how many messages one Send may get. It is called once.
	Batch() int
}

// Env is what sinks get from the process.
type Env struct {
	Now     func() time.Time
	Log     *slog.Logger
	Version string
}

// Refused is a fault of the message: the destination will never take it.
type Refused struct{ Cause error }

func (e *Refused) Error() string { return "message refused: " + e.Cause.Error() }

func (e *Refused) Unwrap() error { return e.Cause }

// Disabled is a destination that wants nothing more: a webhook that answers 410.
type Disabled struct{ Cause error }

func (e *Disabled) Error() string { return "destination disabled: " + e.Cause.Error() }

func (e *Disabled) Unwrap() error { return e.Cause }

// Fault is a fault of the destination that tells when to try again.
type Fault struct {
	Cause      error
	RetryAfter time.Duration // 0: it does not say
}

func (e *Fault) Error() string { return e.Cause.Error() }

func (e *Fault) Unwrap() error { return e.Cause }

// Status is an HTTP answer that is no success.
type Status struct {
	Code int
	Text string // what the destination says, its beginning
}

func (e Status) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("status %d", e.Code)
	}
	return fmt.Sprintf("status %d: %s", e.Code, e.Text)
}

// ByStatus sorts an HTTP answer that is no success: 400, 413 and 422 are the message's fault, 410 disables, all else is the
// destination's.
func ByStatus(s Status, retryAfter time.Duration) error {
	switch s.Code {
	case 400, 413, 422:
		return &Refused{s}
	case 410:
		return &Disabled{s}
	}
	return &Fault{s, retryAfter}
}

// waitOf is the wait that an error asks for.
func waitOf(err error) time.Duration {
	var f *Fault
	if errors.As(err, &f) {
		return f.RetryAfter
	}
	return 0
}
