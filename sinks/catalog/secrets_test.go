package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// told is a runner's messages, its dead letters, results, log and errors.
type told struct {
	all  []sinks.Message
	said bytes.Buffer
	end  context.CancelFunc
}

func (q *told) Next(ctx context.Context) (all []sinks.Message, err error) {
	if all, q.all = q.all, nil; len(all) > 0 {
		return all, nil
	}
	q.end()
	return nil, ctx.Err()
}

func (q *told) Done(context.Context, int) error { return nil }

// Hold ends the run: a destination that fails has been asked once.
func (q *told) Hold(ctx context.Context, _ time.Duration) (bool, error) {
	q.end()
	return false, ctx.Err()
}

// TestNoSinkTellsASecret: what a destination repeats of a request or knows of its secrets is in no log, result, dead letter or error.
func TestNoSinkTellsASecret(t *testing.T) {
	secret := "whsec_" + strings.Repeat("UGxhbnRlZFNlY3JldA", 2) + "UGxhbnQ="
	for _, kind := range Kinds() {
		if kind == "file" || kind == "stdout" || kind == "kafka" {
			continue // they have none, or brokers repeat none
		}
		t.Run(kind, func(t *testing.T) {
			page, err := os.ReadFile("../../docs/sinks/" + kind + ".md")
			if err != nil {
				t.Fatal(err)
			}
			secret := secret
			if kind == "pagerduty" {
				secret = "Pl4ntedR0utingKeyOfThirtyTwoSigns"[:32]
			}
			for _, status := range []int{200, 302, 400, 401, 403, 404, 410, 413, 422, 429, 500, 503} {
				srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Location", "https://"+secret[7:20]+".example.com/"+secret)
					w.WriteHeader(status)
					fmt.Fprintf(w, "%s %s %v\n%s", secret, r.RequestURI, r.Header, secret)
				}))
				q := &told{all: []sinks.Message{sinktest.Message(1), sinktest.Message(2)}}
				log := slog.New(slog.NewTextHandler(&q.said, nil))
				env := Env{Env: sinks.Env{Now: time.Now, Log: log, Answer: &sinks.Answer{}}, Out: &q.said, Folder: t.TempDir(), Tokens: tokens(secret)}
				s := made(t, kind, string(example.FindSubmatch(page)[1]), env, srv, "127.0.0.1:1", secret)[0]
				ctx, end := context.WithTimeout(t.Context(), time.Minute)
				q.end = end
				r := &sinks.Runner{Name: kind, Sink: s, Queue: q, Env: env.Env, Sleep: func(context.Context, time.Duration) error { return nil },
					DeadLetter: func(_ context.Context, _ sinks.Message, cause error) error { fmt.Fprintln(&q.said, cause); return nil },
					Results:    func(_ context.Context, all []sinks.Result) error { return json.NewEncoder(&q.said).Encode(all) }}
				fmt.Fprintln(&q.said, r.Run(ctx, t.Context()), r.Counts().Fault)
				end()
				srv.Close()
				for _, line := range slices.Compact(strings.Split(strings.ToLower(q.said.String()), "\n")) {
					if part := strings.ToLower(secret[7:20]); strings.Contains(line, part) || strings.Contains(line, strings.ToLower(secret[len(secret)-12:])) {
						t.Errorf("status %d: %s", status, line)
					}
				}
			}
		})
	}
}
