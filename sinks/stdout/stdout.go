// Package stdout writes alerts to a stream, one JSON object a line.
package stdout

import (
	"context"
	"fmt"
	"io"

	"noroshi/internal/alert"
	"noroshi/sinks"
)

// Sink writes to one stream.
type Sink struct{ to io.Writer }

// New makes a sink over a stream.
func New(to io.Writer) *Sink { return &Sink{to} }

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: 500} }

// Send implements sinks.Sink. A terminal may show what it writes, so characters that nobody sees are escaped.
func (s *Sink) Send(_ context.Context, messages []sinks.Message) error {
	var b []byte
	for _, m := range messages {
		b = append(alert.AppendEscaped(b, m.Body), '\n')
	}
	if _, err := s.to.Write(b); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
}
