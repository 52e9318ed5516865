package telemetry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Names keep to OpenTelemetry's conventions: words of lower case between dots, no name that begins another, no unit in a name; units of
// UCUM; a sentence for each.
// Source: opentelemetry.io/docs/specs/semconv/general/naming and /metrics.
func TestTheNamesKeepToTheConventions(t *testing.T) {
	name := regexp.MustCompile(`^noroshi(\.[a-z][a-z0-9]*(_[a-z0-9]+)*){2,}$`)
	unit := regexp.MustCompile(`^(By|s|ms|ns|1|\{[a-z]+\})$`)
	closed := []string{"account", "user", "ip", "address", "path", "text", "id"}
	for _, i := range All {
		if !name.MatchString(i.Name) || !unit.MatchString(i.Unit) {
			t.Errorf("%s (%s) is no name or unit of the conventions", i.Name, i.Unit)
		}
		if !strings.HasSuffix(i.Text, ".") || strings.Count(i.Text, ".") != 1 {
			t.Errorf("%s: %q is not one sentence", i.Name, i.Text)
		}
		for _, other := range All {
			if other != i && (other.Name == i.Name || strings.HasPrefix(other.Name, i.Name+".")) {
				t.Errorf("%s begins %s", i.Name, other.Name)
			}
		}
		for _, k := range i.Keys {
			if words := strings.Split(string(k), "."); k != ruleID && k != partitionID && slices.Contains(closed, words[len(words)-1]) {
				t.Errorf("%s: the key %s may have any number of values", i.Name, k)
			}
		}
	}
	if len(All) < 40 {
		t.Fatalf("only %d instruments", len(All))
	}
}

func TestALookHasWhatWasObserved(t *testing.T) {
	sent, rules := int64(3), []string{"b", "a"}
	other := sdk.NewManualReader()
	tel, err := New(t.Context(), Options{Version: "1.2.3", Readers: []sdk.Reader{other}, Observe: func(o *Observer) {
		o.Observe(SinkSent, sent, "soc")
		o.Observe(LogUsed, 7)
		for n, r := range rules {
			o.Observe(RuleFired, int64(n), r)
		}
		o.Observe(SourceLetters, 5, "audit", "0", "json")
	}})
	if err != nil {
		t.Fatal(err)
	}
	look := func() *Look {
		l, err := tel.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := look()
	if got := fmt.Sprint(l.Series(SinkSent), l.Series(RuleFired), l.Series(SourceLetters), l.Overflow); got != "[{[soc] 3}] [{[a] 1} {[b] 0}] [{[audit 0 json] 5}] []" {
		t.Error(got)
	}
	if n, known := l.Value(LogUsed); n != 7 || !known {
		t.Error(n, known)
	}
	if _, known := l.Value(LogLimit); known {
		t.Error("what was not observed is known")
	}
	sent, rules = 4, []string{"c"} // as after new rules were loaded
	l = look()
	if got := fmt.Sprint(l.Series(SinkSent), l.Series(RuleFired)); got != "[{[soc] 4}] [{[c] 0}]" {
		t.Error(got)
	}
	var got metricdata.ResourceMetrics
	if err := other.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	ours := slices.IndexFunc(got.ScopeMetrics, func(m metricdata.ScopeMetrics) bool { return m.Scope.Name == scope })
	if m := got.ScopeMetrics[max(ours, 0)]; got.Resource.SchemaURL() != Schema || m.Scope.SchemaURL != Schema || m.Scope.Version != "1.2.3" {
		t.Errorf("another reader gets %v of %v", m.Scope, got.Resource)
	}
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTooManySeriesAreTold(t *testing.T) {
	tel, err := New(t.Context(), Options{Observe: func(o *Observer) {
		for n := range mostSeries + 2 {
			o.Observe(RuleFired, 1, fmt.Sprint(n))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := tel.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Series(RuleFired)) > mostSeries || !slices.Equal(l.Overflow, []string{RuleFired.Name}) {
		t.Errorf("%d series, overflow %v", len(l.Series(RuleFired)), l.Overflow)
	}
}

func TestTheKeysAreFew(t *testing.T) {
	known := []attribute.Key{sourceName, partitionID, sinkName, ruleID, reason, datasetName, alertSeverity, outcome, signal, stageName}
	for _, i := range All {
		for _, k := range i.Keys {
			if !slices.Contains(known, k) {
				t.Errorf("%s has the key %s", i.Name, k)
			}
		}
	}
}
