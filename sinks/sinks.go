// Package sinks delivers alerts.
package sinks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"noroshi/internal/alert"
)

// Message is one alert on its way out.
type Message struct {
	ID       string // the alert's
	Revision int
	Status   string // firing, updated, withdrawn
	Time     time.Time
	Rule     string // the id of its rule
	Class    string // of its rule
	Account  string
	Severity string
	Tenant   string
	Body     []byte    // the alert's JSON as it lies on the topic, unchanged
	Written  time.Time // when it was put on the topic; zero: that is not known
	Shard    []byte    // what its place on the topic is found by
	// Traceparent is where its trace has come to, as the header of the same name has it; "": it has none.
	Traceparent string
}

// Drill reports whether a message is of a drill or a heartbeat: nothing has happened.
func (m *Message) Drill() bool { return alert.IsDrill(m.Tenant) }

// Key is the name of a message at destinations that know names: its alert and revision. The same message has it however often it is sent.
func (m *Message) Key() string { return m.ID + "_" + strconv.Itoa(m.Revision) }

// Sink formats and sends. Retry, pauses and dead letters are the runner's.
type Sink interface {
	// Send delivers the messages and returns nil once the destination has taken all of them. One call ends
	// before the next; each gets at most what Batch allows. A Refused error means that trying again cannot help, a Disabled one that the destination
	// wants nothing more; any other error is tried again, after the wait that a Fault asks for. Verdicts are an error for each message.
	Send(ctx context.Context, messages []Message) error
	// Batch is what one Send may get. It is called once.
	Batch() Batch
}

// Prober is a sink that finds out, without sending anything, whether its destination can be reached.
type Prober interface {
	// Probe connects as Send does. It gives when the certificate of the destination ends, zero where it shows none. It is called from one
	// goroutine, where nothing is sent.
	Probe(ctx context.Context) (ends time.Time, err error)
}

// Batch is what one Send may get.
type Batch struct {
	Messages int // at most so many; 0: one
	Bytes    int // their bodies together at most so long, a single one may be longer; 0: any
	// Apart is that no account comes twice: a destination that judges each message by itself may take a later one and not an earlier one.
	Apart bool
}

// Verdicts are the answer of a destination that judges each message by itself: nil for one that it has taken, a Refused error for one
// that it never will; any other is sent again.
type Verdicts []error

func (v Verdicts) Error() string {
	refused, again := 0, 0
	var first error
	for _, err := range v {
		var no *Refused
		switch {
		case errors.As(err, &no):
			refused++
		case err != nil:
			again++
		}
		if first == nil {
			first = err
		}
	}
	return fmt.Sprintf("of %d messages %d are refused, %d not taken yet: %v", len(v), refused, again, first)
}

// Env is what sinks get from the process.
type Env struct {
	Now     func() time.Time
	Log     *slog.Logger
	Version string
	// Preview, where it is there, gets requests instead of their destinations; Send then returns ErrPreview.
	Preview io.Writer
	// Answer, where it is there, is told what the destination says. It belongs to one sink.
	Answer *Answer
}

// Answer is what a destination said last, in one line and without secrets. It is set by the goroutine that sends, and read when
// that has ended.
type Answer struct {
	text, ref string
	status    int               // of HTTP
	refs      map[string]string // of alerts that were told since the start
	// Told gives the reference of the last delivery of an alert, "" where none is known; nil: nobody keeps them.
	Told func(ctx context.Context, alert string) (ref string, err error)
}

// Set notes an answer. A nil Answer forgets it.
func (a *Answer) Set(text string) {
	if a != nil {
		a.text = text
	}
}

// SetStatus notes an answer of HTTP by its status.
func (a *Answer) SetStatus(code int) {
	if a != nil {
		a.text, a.status = "status "+strconv.Itoa(code), code
	}
}

// Status is that of the last answer of HTTP since Take, 0 where there was none.
func (a *Answer) Status() int {
	if a == nil {
		return 0
	}
	return a.status
}

// maxRefs bounds the references that are kept here; the others are found as those of before the start.
const maxRefs = 10_000

// Refer notes by what the destination knows an alert that it has taken, so that a later revision can find it.
func (a *Answer) Refer(alert, ref string) {
	if a == nil {
		return
	}
	if a.refs == nil || len(a.refs) >= maxRefs {
		a.refs = map[string]string{}
	}
	a.ref, a.refs[alert] = ref, ref
}

// Find gives what Refer noted of an alert, also before a restart or elsewhere.
func (a *Answer) Find(ctx context.Context, alert string) (string, error) {
	switch {
	case a == nil:
		return "", nil
	case a.refs[alert] != "" || a.Told == nil:
		return a.refs[alert], nil
	}
	return a.Told(ctx, alert)
}

// Take gives the last answer and reference, once.
func (a *Answer) Take() (text, ref string) {
	if a != nil {
		text, ref, a.text, a.ref, a.status = a.text, a.ref, "", "", 0
	}
	return text, ref
}

// ErrPreview says that a request was shown and not sent.
var ErrPreview = errors.New("the request is shown and not sent")

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
func waitOf(err error) (longest time.Duration) {
	var f *Fault
	var v Verdicts
	switch {
	case errors.As(err, &v):
		for _, one := range v {
			longest = max(longest, waitOf(one))
		}
	case errors.As(err, &f):
		longest = f.RetryAfter
	}
	return longest
}
