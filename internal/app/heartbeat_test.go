package app

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/config"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/heartbeat"
	"noroshi/sinks/remote"
)

// TestHeartbeatsGoTheWayOfRecords: the address is asked for as long as records become alerts, other sinks hear nothing, and where no rule
// fires any more it is asked for no more.
func TestHeartbeatsGoTheWayOfRecords(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer srv.Close()
	c := heartbeat.Config{Config: remote.Config{AllowHTTP: true, Address: remote.Fixed(srv.URL + "/ping"), Reach: remote.Reach{AllowPrivate: true}}, Method: http.MethodGet, Every: 100 * time.Millisecond}
	alive, err := heartbeat.New(c, sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, live := range []bool{true, false} {
		asked.Store(0)
		path := filepath.Join(t.TempDir(), "by-record.yaml")
		if err := os.WriteFile(path, []byte(byRecord), 0o600); err != nil {
			t.Fatal(err)
		}
		set, ps := rules.Load(rules.Options{Library: live, Paths: []string{path}})
		if len(ps) > 0 {
			t.Fatal(ps[0].Format())
		}
		pager, other := newHook(t, http.StatusOK)
		other.Name, other.Wants = "pager", func(m *sinks.Message) bool { return m.Tenant != alert.HeartbeatTenant }
		conf := config.Default()
		conf.Kafka.Data = filepath.Join(t.TempDir(), "data")
		run := &Run{Config: conf, Compile: func(sample [][]byte) *detector.Set { return detector.New(set, detector.Options{Sample: sample}) }, Log: slog.New(slog.DiscardHandler),
			Sinks: []NamedSink{{Name: "alive", Sink: alive, Terms: sinks.Terms{Wants: func(m *sinks.Message) bool { return m.Tenant == alert.HeartbeatTenant }}}, other}}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- run.Run(ctx) }()
		if live {
			eventually(t, "heartbeats arrive", func() bool { return asked.Load() >= 3 && run.runners[1].Counts().Filtered >= 3 })
		} else {
			eventually(t, "heartbeats are evaluated", func() bool { return run.detected.events.Load() >= 3 })
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := asked.Load(); pager.got.Load() != 0 || !live && n != 0 {
			t.Errorf("live %t: the address was asked for %d times, the pager %d times", live, n, pager.got.Load())
		}
	}
}
