package pagerduty

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const key = "R0utingKey0123456789abcdefABCDEF"

func sink(t *testing.T, o sinktest.Options) *Sink {
	t.Helper()
	c := Config{Config: o.Remote(), RoutingKey: remote.Fixed(key)}
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	sinktest.HTTP{
		Make:    func(t *testing.T, o sinktest.Options) sinks.Sink { return sink(t, o) },
		Secrets: []string{key},
		Reads:   true,
		Answer: func(*http.Request, []byte) string {
			return `{"status":"success","message":"Event processed","dedup_key":"x"}`
		},
		Want: func(m sinks.Message) string { return m.ID },
		Alerts: func(t *testing.T, _ *http.Request, body []byte) []string {
			var e event
			if err := json.Unmarshal(body, &e); err != nil || e.RoutingKey != key || e.Action != "trigger" || e.Payload.Severity != "error" || e.Payload.Source == "" || e.Payload.Timestamp != "2026-01-02T03:04:05.678Z" {
				t.Errorf("%s: %v", body, err)
			}
			if n := len([]rune(e.Payload.Summary)); n > 200 || strings.ContainsAny(e.Payload.Summary, "\r\n\u202e") || len(body) > 64<<10 {
				t.Errorf("a summary of %d characters in %d bytes: %q", n, len(body), e.Payload.Summary)
			}
			return []string{e.DedupKey}
		},
	}.Contract(t)
}

// TestTheLifeOfAnAlert: all revisions have one key, and one that is withdrawn is resolved.
func TestTheLifeOfAnAlert(t *testing.T) {
	var got []event
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e event
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &e); err != nil {
			t.Error(err)
		}
		got = append(got, e)
		_, _ = io.WriteString(w, `{"status":"success"}`)
	}))
	a := sinktest.Alert(1)
	var all []sinks.Message
	for i, s := range []alert.Status{alert.Firing, alert.Updated, alert.Withdrawn} {
		a.Status, a.Revision = s, i+1
		all = append(all, sinktest.Of(a))
	}
	err := sink(t, sinktest.Options{URL: srv.URL}).Send(t.Context(), all)
	srv.Close() // its goroutine has ended
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	for i, want := range []string{"trigger", "trigger", "resolve"} {
		if got[i].Action != want || got[i].DedupKey != a.ID || (got[i].Payload == nil) != (want == "resolve") {
			t.Errorf("revision %d is %+v", i+1, got[i])
		}
	}
	if text := got[0].Payload.Summary; text != "[HIGH] An inbox rule hides mail: taro1@contoso.example (2 events, 03:03–03:04 UTC)" {
		t.Error(text)
	}
	details := fmt.Sprint(got[0].Payload.Details)
	for _, want := range []string{"1. Revoke the account's sessions. Revoke-MgUserSignInSession -UserId 'taro1@contoso.example'", "and 1 more", "inbox_rule.name:請求書", "203.0.113.7, NL, AS64500", "2026-01-02 03:03:05 UTC", "guide:S3"} {
		if !strings.Contains(details, want) {
			t.Errorf("%q is not in %s", want, details)
		}
	}
}

// TestAKeyThatIsRefusedPausesTheSink: nothing is wrong with the alert.
func TestAKeyThatIsRefusedPausesTheSink(t *testing.T) {
	for errs, want := range map[string]bool{`["Length of 'routing_key' is incorrect (should be 32 characters)"]`: false, `["Invalid routing key"]`: false, `["'payload.source' is missing or blank"]`: true} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"status":"invalid event","message":"Event object is invalid","errors":%s}`, errs)
		}))
		err := sink(t, sinktest.Options{URL: srv.URL}).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		srv.Close()
		var refused *sinks.Refused
		if err == nil || errors.As(err, &refused) != want || !strings.Contains(err.Error(), "Event object is invalid") {
			t.Errorf("%s: %T %v", errs, err, err)
		}
	}
}

// TestTheSchemaTakesEveryEvent: a JSON Schema of the Events API, read by a foreign validator, which keeps the state of alerts as
// PagerDuty does.
func TestTheSchemaTakesEveryEvent(t *testing.T) {
	port, _ := sinktest.Counterpart(t, "pagerduty")
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	s := sink(t, sinktest.Options{URL: base + "/v2/enqueue", Timeout: time.Minute})
	a := sinktest.Alert(1)
	a.Status, a.Revision = alert.Withdrawn, 2
	for _, m := range append(sinktest.Hostile(), sinktest.Message(1), sinktest.Of(a), sinktest.Message(2)) {
		if err := s.Send(t.Context(), []sinks.Message{m}); err != nil {
			t.Errorf("%s: %v", m.ID, err)
		}
	}
	res, err := http.Get(base + "/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var state map[string]struct{ Status string }
	if err := json.NewDecoder(res.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	if state[key+"/"+a.ID].Status != "resolved" || state[key+"/"+sinktest.Message(2).ID].Status != "triggered" {
		t.Errorf("%v", state)
	}
}
