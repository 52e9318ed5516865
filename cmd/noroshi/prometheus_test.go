//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/internal/eventhubstest"
)

// TestPrometheusAnswersTheDashboards: a Prometheus scrapes a run, and answers each query of the dashboards. Those that do not look for what is
// wrong, or days back, have an answer with a value.
func TestPrometheusAnswersTheDashboards(t *testing.T) {
	program, err := exec.LookPath("prometheus")
	if err != nil && os.Getenv("NOROSHI_RELEASE") == "" {
		t.Skipf("without Prometheus, which make release-check installs: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	demo, err := os.ReadFile("../../cli/demo/takeover.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	dir, admin, listen := t.TempDir(), freeAddress(t), freeAddress(t)
	writeFiles(t, dir, map[string]string{"cs": hub.ConnectionString("audit"),
		"noroshi.yaml": fmt.Sprintf("sources: [{eventhub: {name: hub, connection_string: '${file:cs}'}}]\nsinks: [{name: out, file: {path: out.ndjson}}]\nadmin: {listen: %q}\n", admin),
		"prometheus.yml": fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs: [{job_name: noroshi, static_configs: [{targets: [%q]}]}]\n",
			absolute(t, "../../deploy/prometheus/noroshi.rules.yaml"), admin)})
	p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")}, said: filepath.Join(dir, "stderr")}
	p.start(t)
	defer func() { _ = p.cmd.Process.Kill() }() // it may have ended
	until(t, "it runs", func() bool { return strings.Contains(p.text(), "msg=running") })
	server := exec.CommandContext(t.Context(), program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+listen)
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Wait() }() // it was interrupted
	until(t, "Prometheus scrapes it", func() bool {
		n, err := values(listen, "noroshi_record_stored_total")
		return err == nil && n > 0
	})
	for i, record := range strings.Split(strings.TrimSpace(string(demo)), "\n") { // what grows is seen to grow
		if _, err := hub.Append("audit", fmt.Sprint(i%2), eventhubstest.Event{Body: []byte(record)}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "alerts are told", func() bool {
		n, err := values(listen, "sum(increase(noroshi_alert_found_total[1m])) > 0")
		return err == nil && n > 0
	})
	for _, name := range []string{"operator", "soc"} {
		for title, query := range panels(t, "../../deploy/grafana/"+name+".json") {
			mayBeEmpty := strings.Contains(query, "> 0") || strings.Contains(query, "restarts") || strings.Contains(query, "noroshi_file_") || strings.Contains(query, "oldest_waiting")
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) { // what grows has two scrapes
				n, err := values(listen, query)
				if err != nil {
					t.Errorf("%s, %s: %v", name, title, err)
				}
				if n > 0 || mayBeEmpty || err != nil {
					break
				}
				if time.Now().After(deadline) {
					t.Errorf("%s, %s: %s has no answer", name, title, query)
					break
				}
			}
		}
	}
	server.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
	p.end(t)
}

// panels are the queries of a dashboard.
func panels(t *testing.T, path string) map[string]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &dashboard)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range dashboard.Panels {
		for i, q := range p.Targets {
			all[fmt.Sprint(p.Title, " ", i)] = q.Expr
		}
	}
	return all
}

// values asks Prometheus, and counts the series of the answer.
func values(address, query string) (int, error) {
	answer, err := http.Get("http://" + address + "/api/v1/query?query=" + url.QueryEscape(query)) //nolint:noctx // it is on this machine
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %w %s", query, err, body)
	}
	var got struct {
		Data struct{ Result []json.RawMessage }
	}
	err = json.Unmarshal(body, &got)
	return len(got.Data.Result), err
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}
