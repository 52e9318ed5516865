package o365

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"noroshi/ingest/feed"
)

// silence is the time in which nobody answers. It belongs to all who ask.
type silence struct {
	mu    sync.Mutex
	since time.Time // the first request without an answer was sent; zero: all have been answered
	why   error     // the last one failed, nil where it waits
	told  time.Time
}

// unansweredFor is how long no request may be answered before that is trouble.
const unansweredFor = 5 * time.Second

// ask notes that a request is sent.
func (s *silence) ask(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		s.since = now
	}
}

// end notes an answer.
func (s *silence) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since, s.why = time.Time{}, nil
}

// fail notes why a request is not answered, and says whether that is to be told: once a minute.
func (s *silence) fail(why error, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why = why
	if now.Sub(s.told).Abs() < time.Minute {
		return false
	}
	s.told = now
	return true
}

// trouble is why nobody answers, nil where somebody does, or did just now.
func (s *silence) trouble(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.since.IsZero() || now.Sub(s.since) < unansweredFor:
		return nil
	case s.why == nil:
		return errWaits
	}
	return s.why
}

var errWaits = errors.New("no answer yet")

// unanswered tells of an API, or of a sign-in host, that does not answer. Tries go on for a while before the source is interrupted.
func (c *client) unanswered(ctx context.Context, err error) error {
	if errors.Is(err, feed.ErrDenied) { // the sign-in host says no
		c.silent.end()
		return err
	}
	if ctx.Err() == nil && c.silent.fail(err, c.config.Now()) {
		c.config.Log.Warn("no answer, asked again: check the network, proxy and firewall", slog.Any("err", err))
	}
	return err
}

// Trouble is why nobody answers now, nil where somebody does. It is known before the source is interrupted, which takes some tries.
func (s *Stream) Trouble() error { return s.client.silent.trouble(s.config.Now()) }
