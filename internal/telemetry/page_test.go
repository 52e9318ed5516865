package telemetry

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/otlptranslator"
)

const page = "../../docs/metrics.md"

const pageHead = `# What Noroshi counts

These are all instruments of ` + "`noroshi run`" + `, by their names in OTLP, and below these in Prometheus. [telemetry.md](telemetry.md) tells how they come to a collector or to Prometheus. A *counter* only grows while a process runs. A *sum* grows and falls, and its series can be added up. A *gauge* is what was measured last. A *histogram* counts values by their size. All are of one process: add those of all instances up where that makes sense.

Beside these there are ` + "`go.*`" + `, the memory and goroutines of the process as OpenTelemetry names them, and in Prometheus alone ` + "`process_*`" + `: its processor time, memory and open files.
`

// kindNames are what kinds are called.
var kindNames = map[Kind]string{Counter: "counter", Sum: "sum", Gauge: "gauge", Histogram: "histogram"}

var kindTypes = map[Kind]otlptranslator.MetricType{Counter: otlptranslator.MetricTypeMonotonicCounter, Sum: otlptranslator.MetricTypeNonMonotonicCounter,
	Gauge: otlptranslator.MetricTypeGauge, Histogram: otlptranslator.MetricTypeHistogram}

func label(key string) string { return strings.NewReplacer(".", "_").Replace(key) }

// TestThePageOfMetricsIsCurrent: docs/metrics.md tells of all instruments, in their order. NOROSHI_UPDATE=1 writes it.
func TestThePageOfMetricsIsCurrent(t *testing.T) {
	var b strings.Builder
	b.WriteString(pageHead)
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	group := ""
	for _, i := range All {
		words := strings.Split(i.Name, ".")
		if g := words[1]; g != group {
			group = g
			fmt.Fprintf(&b, "\n## noroshi.%s\n\n| name | kind, unit | attributes | what it says | look when |\n|---|---|---|---|---|\n", group)
		}
		name, err := namer.Build(otlptranslator.Metric{Name: i.Name, Unit: i.Unit, Type: kindTypes[i.Kind]})
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, k := range i.Keys {
			keys = append(keys, fmt.Sprintf("`%s` (`%s`)", k, label(string(k))))
		}
		fmt.Fprintf(&b, "| `%s`<br>`%s` | %s, `%s` | %s | %s | %s |\n", i.Name, name, kindNames[i.Kind], i.Unit, strings.Join(keys, "<br>"), i.Text, i.Worry)
	}
	if os.Getenv("NOROSHI_UPDATE") != "" {
		if err := os.WriteFile(page, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/metrics.md is not what the instruments say: NOROSHI_UPDATE=1 go test ./internal/telemetry writes it")
	}
}

// The names of the page are those of a scrape.
func TestThePageHasTheNamesOfAScrape(t *testing.T) {
	tel, err := New(t.Context(), Options{Observe: func(o *Observer) {
		for _, i := range All {
			if i.Kind != Histogram {
				labels := make([]string, len(i.Keys))
				o.Observe(i, 1, labels...)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range All {
		if i.Kind == Histogram {
			tel.Delay(t.Context(), i, 1, make([]string, len(i.Keys))...)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(scrape(t, tel, "")) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok && strings.HasPrefix(name, "noroshi_") {
			name, _, _ = strings.Cut(name, " ")
			names[name] = true
			if !strings.Contains(string(text), "<br>`"+name+"` |") {
				t.Errorf("the page lacks %s", name)
			}
		}
	}
	if len(names) != len(All) {
		t.Errorf("%d names for %d instruments", len(names), len(All))
	}
	for _, also := range []string{"process_resident_memory_bytes", "process_open_fds", "go_goroutine_count"} {
		if !strings.Contains(scrape(t, tel, ""), "\n"+also) {
			t.Errorf("a scrape lacks %s", also)
		}
	}
}
