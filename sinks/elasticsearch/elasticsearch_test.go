package elasticsearch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const password = "El4sticPassw0rd"

func sink(t *testing.T, o sinktest.Options, change func(*Config)) *Sink {
	t.Helper()
	c := Config{Config: o.Remote(),
		Index: defaultIndex, Format: format.Noroshi, User: "bob", Password: remote.Fixed(password)}
	if change != nil {
		change(&c)
	}
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// documents reads a request as a server does.
func documents(t *testing.T, r *http.Request, body []byte) (ids, all []string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || !bytes.HasSuffix(plain, []byte("\n")) {
		t.Errorf("the body does not end in a newline: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(plain), "\n"), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		var action struct {
			Create struct {
				Index string `json:"_index"`
				ID    string `json:"_id"`
			}
		}
		if err := json.Unmarshal([]byte(lines[i]), &action); err != nil || action.Create.Index != defaultIndex {
			t.Errorf("%s: %v", lines[i], err)
		}
		ids, all = append(ids, action.Create.ID), append(all, lines[i+1])
	}
	return ids, all
}

// taken is the answer of a server that takes everything.
func taken(_ *http.Request, body []byte) string {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return ""
	}
	plain, _ := io.ReadAll(z) // the test is about the answer
	n := bytes.Count(plain, []byte("\n")) / 2
	return `{"errors":false,"items":[` + strings.TrimSuffix(strings.Repeat(`{"create":{"status":201}},`, n), ",") + `]}`
}

func TestContract(t *testing.T) {
	sinktest.HTTP{
		Make:    func(t *testing.T, o sinktest.Options) sinks.Sink { return sink(t, o, nil) },
		Secrets: []string{password, "Ym9iOkVsNHN0aWNQYXNzdzByZA=="},
		Reads:   true,
		Answer:  taken,
		Alerts: func(t *testing.T, r *http.Request, body []byte) []string {
			if user, p, _ := r.BasicAuth(); user != "bob" || p != password || r.URL.Path != "/_bulk" || r.Header.Get("Content-Type") != "application/x-ndjson" {
				t.Errorf("%s %v", r.URL, r.Header)
			}
			_, all := documents(t, r, body)
			return all
		},
		Want: func(m sinks.Message) string {
			return `{"@timestamp":"2026-01-02T03:04:05.678Z",` + string(m.Body[1:])
		},
	}.Contract(t)
}

// TestItems: each item has a verdict of its own.
func TestItems(t *testing.T) {
	rows := []struct {
		item string
		want string
	}{
		{`{"status":201}`, "taken"}, {`{"status":200}`, "taken"}, {`{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"exists"}}`, "taken"},
		{`{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse","caused_by":{"reason":"not an IP"}}}`, "refused"},
		{`{"status":400,"error":{"type":"index_closed_exception","reason":"closed"}}`, "again"}, {`{"status":400,"error":{"type":"validation_exception","reason":"too many shards"}}`, "again"},
		{`{"status":401,"error":{"type":"security_exception","reason":"no"}}`, "again"}, {`{"status":403,"error":{"type":"cluster_block_exception","reason":"blocked"}}`, "again"},
		{`{"status":404,"error":{"type":"index_not_found_exception","reason":"no such index"}}`, "again"}, {`{"status":413}`, "refused"},
		{`{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue"}}`, "again"}, {`{"status":503,"error":{"type":"unavailable_shards_exception","reason":"gone"}}`, "again"}, {`{}`, "again"},
	}
	var items []string
	var messages []sinks.Message
	for i, r := range rows {
		items, messages = append(items, `{"create":`+r.item+`}`), append(messages, sinktest.Message(i))
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
	}))
	defer srv.Close()
	err := sink(t, sinktest.Options{URL: srv.URL}, nil).Send(t.Context(), messages)
	var all sinks.Verdicts
	if !errors.As(err, &all) || len(all) != len(rows) {
		t.Fatal(err)
	}
	for i, r := range rows {
		var refused *sinks.Refused
		var fault *sinks.Fault
		got := "taken"
		switch {
		case errors.As(all[i], &refused):
			got = "refused"
		case errors.As(all[i], &fault) && fault.RetryAfter == 3*time.Second:
			got = "again"
		}
		if got != r.want {
			t.Errorf("%s: %s (%v), want %s", r.item, got, all[i], r.want)
		}
	}
	if text := all[3].Error(); text != "message refused: status 400: mapper_parsing_exception: failed to parse: not an IP" {
		t.Error(text)
	}
}

// TestAnAnswerOfAnother: fewer verdicts than alerts are none.
func TestAnAnswerOfAnother(t *testing.T) {
	for _, body := range []string{`{}`, `{"errors":false,"items":[{"create":{"status":201}}]}`, `{"took":1}`, `[]`} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		err := sink(t, sinktest.Options{URL: srv.URL}, nil).Send(t.Context(), []sinks.Message{sinktest.Message(1), sinktest.Message(2)})
		srv.Close()
		var fault *sinks.Fault
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), "is the url right") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestWhatIsRefused of a configuration.
func TestWhatIsRefused(t *testing.T) {
	for name, ok := range map[string]bool{"alerts": true, defaultIndex: true, "Alerts": false, "_alerts": false, "a*": false, "": false, "a b": false, ".a": false, "a#b": false, strings.Repeat("a", 256): false} {
		if (indexName(name) == nil) != ok {
			t.Errorf("the index %q: %v", name, indexName(name))
		}
	}
	secret := remote.Fixed("x")
	for _, c := range []Config{{User: "bob"}, {Password: secret}, {User: "bob", Password: secret, APIKey: secret}, {APIKey: secret, Config: remote.Config{Headers: map[string]remote.Secret{"Authorization": secret}}}} {
		c.URL = "https://a.example.com/"
		if _, err := New(c, sinks.Env{}); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}
