// Package sinktest is what every sink must hold.
package sinktest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"noroshi/sinks"
)

// Message is an alert for tests; numbers make different ones.
func Message(n int) sinks.Message {
	id := fmt.Sprintf("alrt_%026d", n)
	return sinks.Message{ID: id, Revision: 1, Status: "firing", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Body: []byte(fmt.Sprintf(`{"schema":"noroshi.alert/1","id":"%s","summary":"日本 \"q\" %d"}`, id, n))}
}

// Run checks a sink: it delivers batches in order, each alert's JSON unchanged, and takes none at all. Received gives the
// bodies that have arrived.
func Run(t *testing.T, s sinks.Sink, received func() []string) {
	t.Helper()
	if n := s.Batch(); n < 1 {
		t.Fatalf("a batch of %d", n)
	}
	if err := s.Send(context.Background(), nil); err != nil {
		t.Errorf("nothing to send: %v", err)
	}
	var want []string
	for n := range 7 {
		m := Message(n)
		want = append(want, string(m.Body))
		if err := s.Send(context.Background(), []sinks.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	if got := received(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
