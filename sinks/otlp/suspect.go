package otlp

import (
	"context"
	"fmt"

	"noroshi/sinks"
)

// internalFault is an answer by which a receiver says that it broke: on what the request holds, or anyhow.
type internalFault struct{ error }

func (e *internalFault) Unwrap() error { return e.error }

// mostBreaks is how often in a row a receiver may break on a request before it is asked whether it breaks on everything.
const mostBreaks = 5

// suspect finds whose fault it is that a receiver breaks. What it broke on several times is refused, if it takes an empty request in
// the same moment: of several alerts, halves are sent until the one is found. Else the receiver is the one that is broken.
// Source: OTLP 1.9, "Full Success": to a request without data a server should answer success.
func (s *Sink) suspect(ctx context.Context, messages []sinks.Message, broke *internalFault) error {
	fault := &sinks.Fault{Cause: broke.error}
	if key := fmt.Sprint(len(messages), messages[0].Key()); key != s.broken {
		s.broken, s.times = key, 0
	}
	if s.times++; s.times < mostBreaks {
		return fault
	}
	if err := s.post(ctx, nil, nil, 0); err != nil {
		return fault
	}
	s.broken = ""
	return &sinks.Refused{Cause: fmt.Errorf("the receiver broke %d times on what was sent, and takes a request without alerts: %w", mostBreaks, broke.error)}
}
