package splunk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const token = "3f2a8c1e-T0ken-4b6d-9a77-5e0c1d2b3a4f"

func sink(t *testing.T, o sinktest.Options, change func(*Config)) *Sink {
	t.Helper()
	c := Config{Config: o.Remote(),
		Token: remote.Fixed(token), Source: "noroshi", SourceType: "noroshi:alert", Index: "alerts"}
	if change != nil {
		change(&c)
	}
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// event is one of the objects of a request.
type event struct {
	Time       float64
	Source     string
	SourceType string
	Index      string
	Event      json.RawMessage
	Fields     map[string]string
}

// events reads a request as a collector does.
func events(t *testing.T, r *http.Request, body []byte) (all []event) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	if r.URL.Path != "/services/collector/event" || r.Header.Get("Authorization") != "Splunk "+token {
		t.Errorf("%s %v", r.URL, r.Header)
	}
	d := json.NewDecoder(z)
	for {
		var e event
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Error(err)
			return all
		}
		all = append(all, e)
	}
}

func TestContract(t *testing.T) {
	sinktest.HTTP{
		Make:    func(t *testing.T, o sinktest.Options) sinks.Sink { return sink(t, o, nil) },
		Secrets: []string{token},
		Reads:   true,
		Answer:  func(*http.Request, []byte) string { return `{"text":"Success","code":0}` },
		Alerts: func(t *testing.T, r *http.Request, body []byte) (all []string) {
			for _, e := range events(t, r, body) {
				if e.Source != "noroshi" || e.SourceType != "noroshi:alert" || e.Index != "alerts" || e.Time != 1767323045.678 || e.Fields["alert_id"] == "" || e.Fields["severity"] != "high" {
					t.Errorf("the event is %+v", e)
				}
				all = append(all, string(e.Event))
			}
			return all
		},
	}.Contract(t)
}

// TestCodes: what the collector says of an event is the alert's fault; what it says of token, index and itself pauses the sink.
func TestCodes(t *testing.T) {
	for _, row := range []struct {
		status, code int
		want         string
	}{
		{403, 1, "again"}, {401, 2, "again"}, {401, 3, "again"}, {403, 4, "again"}, {400, 5, "refused"}, {400, 6, "refused"}, {400, 7, "again"}, {500, 8, "again"}, {503, 9, "again"}, {400, 10, "again"}, {400, 11, "again"},
		{400, 12, "refused"}, {400, 13, "refused"}, {400, 14, "again"}, {400, 15, "refused"}, {400, 16, "again"}, {503, 18, "again"}, {429, 26, "again"}, {200, 9, "again"}, {400, 99, "again"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(row.status)
			fmt.Fprintf(w, `{"text":"Because","code":%d}`, row.code)
		}))
		err := sink(t, sinktest.Options{URL: srv.URL}, nil).Send(t.Context(), []sinks.Message{sinktest.Message(1), sinktest.Message(2)})
		srv.Close()
		var refused *sinks.Refused
		var fault *sinks.Fault
		got := ""
		switch {
		case errors.As(err, &refused):
			got = "refused"
		case errors.As(err, &fault) && fault.RetryAfter == 7*time.Second:
			got = "again"
		}
		if got != row.want || !strings.Contains(err.Error(), fmt.Sprintf("code %d, Because", row.code)) {
			t.Errorf("status %d, code %d: %s (%v), want %s", row.status, row.code, got, err, row.want)
		}
	}
}

// TestTheEventThatIsRefusedIsFound: the collector names it, and the others are sent again without it.
func TestTheEventThatIsRefusedIsFound(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"text":"Event field cannot be blank","code":13,"invalid-event-number":1}`)
	}))
	defer srv.Close()
	err := sink(t, sinktest.Options{URL: srv.URL}, nil).Send(t.Context(), []sinks.Message{sinktest.Message(1), sinktest.Message(2), sinktest.Message(3)})
	var all sinks.Verdicts
	var refused *sinks.Refused
	if !errors.As(err, &all) || len(all) != 3 || !errors.As(all[1], &refused) || errors.As(all[0], &refused) || all[0] == nil || all[2] == nil {
		t.Errorf("%T %v", err, err)
	}
}

// indexer is a collector that acknowledges after so many questions; below zero: never.
type indexer struct {
	mu      sync.Mutex
	after   int
	asked   int
	channel []string
}

func (x *indexer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.channel = append(x.channel, r.Header.Get("X-Splunk-Request-Channel"))
	if r.URL.Path != "/services/collector/ack" {
		_, _ = io.WriteString(w, `{"text":"Success","code":0,"ackId":17}`)
		return
	}
	b, _ := io.ReadAll(r.Body)
	x.asked++
	fmt.Fprintf(w, `{"acks":{"17":%v}}`, x.after >= 0 && x.asked > x.after && string(b) == `{"acks":[17]}` && r.URL.Query().Get("channel") == x.channel[0])
}

// TestAcknowledgements: the alerts are taken once the collector has indexed them.
func TestAcknowledgements(t *testing.T) {
	x := &indexer{after: 2}
	srv := httptest.NewServer(x)
	s := sink(t, sinktest.Options{URL: srv.URL + "/services/collector/event"}, func(c *Config) { c.Ack = true })
	err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)})
	srv.Close()
	if err != nil || x.asked != 3 || len(slices.Compact(x.channel)) != 1 || len(x.channel[0]) != 36 {
		t.Errorf("asked %d times on %v: %v", x.asked, x.channel, err)
	}
}

// TestNoAcknowledgement: a token that gives none is a fault, and so is a collector that never indexes until the attempt ends.
func TestNoAcknowledgement(t *testing.T) {
	x := &indexer{after: -1}
	srv := httptest.NewServer(x)
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s := sink(t, sinktest.Options{URL: srv.URL}, func(c *Config) { c.Ack = true })
	var fault *sinks.Fault
	if err := s.Send(ctx, []sinks.Message{sinktest.Message(1)}); !errors.As(err, &fault) {
		t.Errorf("%v", err)
	}
	if err := s.await(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "ack: false") {
		t.Errorf("%v", err)
	}
}

// TestFormats: the event is in the format that is asked for.
func TestFormats(t *testing.T) {
	for f, want := range map[format.Format]string{format.ECS: `"kind":"alert"`, format.OCSF: `"class_uid":2004`, format.Noroshi: `"schema":"noroshi.alert/1"`} {
		got := make(chan string, 1)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got <- string(events(t, r, b)[0].Event)
			_, _ = io.WriteString(w, `{"text":"Success","code":0}`)
		}))
		if err := sink(t, sinktest.Options{URL: srv.URL}, func(c *Config) { c.Format = f }).Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err != nil {
			t.Error(err)
		}
		srv.Close()
		if text := <-got; !strings.Contains(text, want) {
			t.Errorf("%s: %s", f, text)
		}
	}
}
