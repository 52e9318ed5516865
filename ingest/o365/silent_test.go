package o365

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// refusing is a network that lets nothing through.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

// TestAnAPIThatDoesNotAnswerIsTold: at the first try that gets no answer, and once a minute however often it is asked.
func TestAnAPIThatDoesNotAnswerIsTold(t *testing.T) {
	k := asks(t, &answering{})
	var log bytes.Buffer
	k.config.Log = slog.New(slog.NewTextHandler(&log, nil))
	k.http.Transport = refusing{}
	s := &Stream{config: k.config, client: k}
	if err := s.Trouble(); err != nil {
		t.Errorf("there is trouble before anybody was asked: %v", err)
	}
	if err := k.subscribe(t.Context(), 1, "Audit.Exchange"); err == nil {
		t.Fatal("no error")
	}
	if said := log.String(); strings.Count(said, "no answer, asked again") != 1 || !strings.Contains(said, "connection refused") {
		t.Errorf("the log says %q, want once that nothing answers, and why", said)
	}
	s.config.Now = func() time.Time { return time.Now().Add(unansweredFor) }
	if err := s.Trouble(); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("the trouble is %v", err)
	}
	k.silent.end()
	if err := s.Trouble(); err != nil {
		t.Errorf("there is trouble though somebody answers: %v", err)
	}
}
