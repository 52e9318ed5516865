package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/ingest/file"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/webhook"
)

// arrivals is a webhook that answers nothing while it is a black hole, and what has arrived by account.
type arrivals struct {
	healed chan struct{}
	mu     sync.Mutex
	ids    map[string]int
	order  map[string][]string // the evidence's ids, by account
}

func (a *arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a request that is cut off is not looked at
	select {
	case <-a.healed:
	case <-r.Context().Done():
		return
	}
	var m struct {
		Data struct {
			Account  string
			Evidence []struct{ ID string }
		}
	}
	if json.Unmarshal(body, &m) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id := r.Header.Get("webhook-id")
	if a.ids[id]++; a.ids[id] == 1 {
		a.order[m.Data.Account] = append(a.order[m.Data.Account], m.Data.Evidence[0].ID)
	}
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ids)
}

// sink is a sink that posts there, and gives up soon.
func (a *arrivals) sink(t *testing.T, name string) NamedSink {
	t.Helper()
	a.ids, a.order = map[string]int{}, map[string][]string{}
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	s, err := webhook.New(webhook.Config{Config: remote.Config{URL: srv.URL, AllowHTTP: true, Timeout: 500 * time.Millisecond, Reach: remote.Reach{AllowPrivate: true}}, Secrets: []remote.Secret{remote.Fixed("whsec_cnVuLXRlc3Qtc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY=")}}, sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return NamedSink{Name: name, Sink: s}
}

// TestABlackHoleDelaysNobody: while one destination answers nothing, the others get every alert and the detector reads every record; the
// sink stays a member of its group, and gets all in order once the destination answers again.
func TestABlackHoleDelaysNobody(t *testing.T) {
	const accounts, each = 7, 60
	dir := t.TempDir()
	var lines strings.Builder
	for n := range each {
		for a := range accounts {
			fmt.Fprintln(&lines, strings.NewReplacer(`"e-0"`, fmt.Sprintf(`"e-%d-%03d"`, a, n), "taro@", fmt.Sprintf("taro%d@", a), "drop@", fmt.Sprintf("drop%d@", n)).Replace(forwarding))
		}
	}
	path := filepath.Join(dir, "audit.ndjson")
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	open := make(chan struct{})
	close(open)
	hole, one, two := &arrivals{healed: make(chan struct{})}, &arrivals{healed: open}, &arrivals{healed: open}
	log := slog.New(slog.DiscardHandler)
	source, err := file.New(file.Config{Paths: []string{path}, Follow: true, Poll: 10 * time.Millisecond, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	conf := config.Default()
	conf.Kafka.Data = filepath.Join(dir, "data")
	run := &Run{Config: conf, Compile: func(sample [][]byte) *detector.Set { return detector.New(set, detector.Options{Sample: sample}) }, Sources: []ingest.Source{source},
		Sinks: []NamedSink{hole.sink(t, "hole"), one.sink(t, "one"), two.sink(t, "two")}, Log: log}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "the others get everything", func() bool { return one.count() == accounts*each && two.count() == accounts*each })
	eventually(t, "the detector has read everything", func() bool { return run.detected.events.Load() == accounts*each })
	eventually(t, "the black hole is tried again and again", func() bool { return run.runners[0].Counts().Faults >= 3 })
	if n := hole.count(); n != 0 {
		t.Errorf("%d alerts have arrived in a black hole", n)
	}
	c, err := bus.FromData(conf.Kafka.Data, log)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Connect(c)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	waiting, _, err := b.BacklogOf(bus.Alerts, sinkGroup+"hole", run.Sinks[0].waitsFor).Look(t.Context())
	if err != nil || waiting != accounts*each {
		t.Errorf("%d alerts wait: %v", waiting, err)
	}
	if c := run.runners[0].Counts(); c.Read != c.Held || c.Returned != 0 {
		t.Errorf("the sink has left its group meanwhile: %+v", c)
	}
	close(hole.healed)
	eventually(t, "all arrives", func() bool { return hole.count() == accounts*each })
	for _, a := range []*arrivals{hole, one, two} {
		a.mu.Lock()
		for account, ids := range a.order {
			for n, id := range ids {
				if want := fmt.Sprintf("e-%s-%03d", account[4:5], n); id != want {
					t.Fatalf("of %s %s has arrived in the place of %s", account, id, want)
				}
			}
		}
		a.mu.Unlock()
	}
	results(t, b, accounts*each)
}

// results checks that every sink has told of every alert.
func results(t *testing.T, b *bus.Bus, alerts int) {
	t.Helper()
	var told map[string]int
	eventually(t, "who was told what is stored", func() bool {
		told = map[string]int{}
		err := b.All(t.Context(), bus.DeliveryResults, func(r bus.Record) error {
			var one sinks.Result
			if err := json.Unmarshal(r.Value, &one); err != nil {
				return err
			}
			if one.Schema != sinks.ResultSchema || one.Outcome != sinks.WasSent || one.Rule == "" || one.Account == "" || one.At.IsZero() {
				t.Errorf("%s", r.Value)
			}
			told[one.Sink]++
			return nil
		})
		return err == nil && len(told) == 3 && told["hole"] == alerts && told["one"] == alerts && told["two"] == alerts
	})
}
