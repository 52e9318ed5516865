package syslog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/sinks"
)

// waits are how long the sink waits for the end of a connection. Syslog has no acknowledgement: a receiver that refuses or dies is known
// by that end alone, which comes a moment after a write that the system has taken.
type waits struct {
	settles   time.Duration // after connecting: with TLS 1.3 a client's certificate is refused after the handshake
	confirms  time.Duration // after writing
	looks     time.Duration // before writing: the end may have come meanwhile
	uncertain time.Duration // what was written so long before a connection broke is sent again
}

var usual = waits{300 * time.Millisecond, 50 * time.Millisecond, time.Millisecond, 5 * time.Second}

// mostKept is how many bytes are kept to be sent again.
const mostKept = 4 << 20

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	var frames []byte
	for i := range messages {
		var err error
		if frames, err = s.frame(frames, &messages[i]); err != nil {
			return err
		}
	}
	if s.env.Preview != nil {
		if _, err := fmt.Fprintf(s.env.Preview, "%s\n", frames); err != nil {
			return fmt.Errorf("show message: %w", err)
		}
		return sinks.ErrPreview
	}
	err := s.connected(ctx)
	if err == nil {
		err = s.write(frames)
	}
	if err == nil {
		err = s.healthy(s.confirms)
	}
	if err != nil {
		s.lost(err)
		return &sinks.Fault{Cause: fmt.Errorf("send syslog: %s", alert.OneLine(err.Error(), 200))}
	}
	s.keep(frames)
	return nil
}

// connected has a connection that was whole a moment ago. A new one begins with what the one before may have lost.
func (s *Sink) connected(ctx context.Context) error {
	if s.conn != nil {
		err := s.healthy(s.looks)
		if err == nil {
			return nil
		}
		s.lost(err)
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	s.conn = conn
	if err := s.healthy(s.settles); err != nil {
		return err
	}
	for _, r := range s.recent {
		if !s.torn && s.broke.Sub(r.at) > s.uncertain {
			continue
		}
		if err := s.write(r.frames); err != nil {
			return err
		}
	}
	return nil
}

// dial connects.
func (s *Sink) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	if s.Plain {
		return s.Dial(ctx, s.Address)
	}
	return s.DialTLS(ctx, s.Address)
}

func (s *Sink) write(frames []byte) error {
	if err := s.conn.SetWriteDeadline(s.env.Now().Add(s.Timeout)); err != nil {
		return err
	}
	_, err := s.conn.Write(frames)
	return err
}

// healthy waits for the end of the connection, and reports it. What a receiver says is not looked at: it has nothing to say.
func (s *Sink) healthy(wait time.Duration) error {
	if err := s.conn.SetReadDeadline(s.env.Now().Add(wait)); err != nil {
		return err
	}
	var b [512]byte
	for {
		_, err := s.conn.Read(b[:])
		switch {
		case err == nil:
			continue
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case strings.Contains(err.Error(), "EOF"):
			return errClosed
		}
		return err
	}
}

// errClosed is an end in order: what the receiver has read by then it has.
var errClosed = errors.New("the receiver has closed the connection")

// lost gives up the connection.
func (s *Sink) lost(why error) {
	if s.conn != nil {
		_ = s.conn.Close() // it is broken
		s.conn, s.broke, s.torn = nil, s.env.Now(), !errors.Is(why, errClosed)
	}
}

// keep remembers what was written, as long as a receiver may still lose it.
func (s *Sink) keep(frames []byte) {
	now := s.env.Now()
	s.recent = append(s.recent, sent{now, frames})
	size := 0
	for i := len(s.recent) - 1; i >= 0; i-- {
		if size += len(s.recent[i].frames); now.Sub(s.recent[i].at) > s.uncertain || size > mostKept {
			s.recent = append([]sent(nil), s.recent[i+1:]...)
			return
		}
	}
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	return s.Knock(ctx, s.Address, s.Plain)
}
