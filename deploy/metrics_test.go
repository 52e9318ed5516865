package deploy

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/telemetry"
)

// asked are the queries of a file of rules or of a dashboard, by what asks them.
func asked(t *testing.T, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if strings.HasSuffix(path, ".yaml") {
		var file struct {
			Groups []struct {
				Rules []struct{ Alert, Expr string }
			}
		}
		if err := yaml.Unmarshal([]byte(read(t, path)), &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				all[r.Alert] = r.Expr
			}
		}
		return all
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, path)), &dashboard); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, p := range dashboard.Panels {
		for i, target := range p.Targets {
			all[fmt.Sprint(p.Title, " ", i)] = target.Expr
		}
	}
	return all
}

// units are the ends of names in Prometheus.
var units = map[string]string{"By": "_bytes", "s": "_seconds", "ms": "_milliseconds"}

var (
	metric = regexp.MustCompile(`\bnoroshi_[a-z0-9_]+`)
	ends   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// TestEveryQueryIsOfWhatIsCounted: a metric or a label that is renamed leaves no panel empty and no rule silent.
func TestEveryQueryIsOfWhatIsCounted(t *testing.T) {
	known := map[string]bool{}
	for _, i := range telemetry.All {
		name := strings.ReplaceAll(i.Name, ".", "_")
		if unit := units[i.Unit]; !strings.HasSuffix(name, unit) {
			name += unit
		}
		if i.Kind == telemetry.Counter {
			name += "_total"
		}
		known[name] = true
		for _, k := range i.Keys {
			known[strings.ReplaceAll(string(k), ".", "_")] = true
		}
	}
	files, err := filepath.Glob("grafana/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Errorf("there are %d dashboards", len(files))
	}
	for _, path := range append(files, "prometheus/noroshi.rules.yaml") {
		all := asked(t, path)
		if len(all) < 10 {
			t.Errorf("%s: only %d queries are found", path, len(all))
		}
		for what, query := range all {
			names := metric.FindAllString(query, -1)
			if len(names) == 0 {
				t.Errorf("%s: %s asks for nothing of ours: %s", path, what, query)
			}
			for _, name := range names {
				if !known[name] && !known[ends.ReplaceAllString(name, "")] {
					t.Errorf("%s: %s asks for %s, which nothing counts", path, what, name)
				}
			}
		}
	}
}

// TestEveryRuleHasItsTest: promtool runs those.
func TestEveryRuleHasItsTest(t *testing.T) {
	tests := read(t, "prometheus/noroshi.test.yaml")
	for alert := range asked(t, "prometheus/noroshi.rules.yaml") {
		if !strings.Contains(tests, "  - name: "+alert+"\n") {
			t.Errorf("%s has no test", alert)
		}
	}
}
