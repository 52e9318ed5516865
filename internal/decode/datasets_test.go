package decode

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/event"
)

// TestDatasetsAreThoseOfTheSchema: conditions are checked against the datasets that the decoder gives.
func TestDatasetsAreThoseOfTheSchema(t *testing.T) {
	all := map[string]bool{"ual.unknown": true, "exchange.message_trace": true, "graph.security_alert": true, "graph.security_incident": true, DatasetUnknown: true}
	for _, name := range recordTypes {
		all["ual."+name] = true
	}
	for _, name := range Datasets() {
		all[name] = true
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(all)), event.Datasets); d != "" {
		t.Errorf("what the decoder gives and what event.Datasets has: %s", d)
	}
}
