package replay

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules/sample"
)

// nobodys are samples that name no account.
var nobodys = []string{"alert-info"}

// withoutID are datasets whose records have no id of their own.
var withoutID = []string{"defender.alert_evidence", "azure.administrative"}

// TestSamplesAreRead: every base record is an event of a dataset with a name, with all that its service tells: time, id, action,
// account and tenant. Nothing of it is left out.
func TestSamplesAreRead(t *testing.T) {
	r := decode.NewPlan(event.NewLayout(), decode.Options{}).Reader()
	seen := map[string]string{}
	for _, name := range sample.Shipped() {
		rec, err := sample.Ours(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ReadAlone(rec, time.Time{}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		id := r.Identity()
		seen[id.Dataset] = name
		if !strings.HasPrefix(id.Dataset, "entra.") && !strings.HasPrefix(id.Dataset, "ual.") && !strings.HasPrefix(id.Dataset, "defender.") &&
			!strings.HasPrefix(id.Dataset, "graph.") && !strings.HasPrefix(id.Dataset, "azure.administrative") && id.Dataset != "exchange.message_trace" || strings.Contains(id.Dataset, "record_type") {
			t.Errorf("%s is of the dataset %s", name, id.Dataset)
		}
		if r.Partial() != "" || r.Encoding() != "" || r.Cut > 0 {
			t.Errorf("%s is not read as a whole: %s%s", name, r.Partial(), r.Encoding())
		}
		told := "record"
		if id.Dataset == "azure.administrative" {
			told = "envelope" // there is no other time in it
		}
		if want := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC); id.TimeFrom != told || id.Time.Truncate(time.Second) != want {
			t.Errorf("%s has the time %s of its %s", name, id.Time, id.TimeFrom)
		}
		if id.Action == "" || strings.HasPrefix(id.ID, "sha256:") && !slices.Contains(withoutID, id.Dataset) {
			t.Errorf("%s has the action %q and the id %q", name, id.Action, id.ID)
		}
		if (id.Account == "") != slices.Contains(nobodys, name) {
			t.Errorf("%s has the account %q", name, id.Account)
		}
		if id.Tenant != "aaaabbbb-0000-cccc-1111-dddd2222eeee" && id.Dataset != "exchange.message_trace" {
			t.Errorf("%s has the tenant %q", name, id.Tenant)
		}
	}
	for _, d := range slices.Sorted(maps.Values(decode.Datasets())) {
		if seen[d] == "" {
			t.Errorf("no sample is of the dataset %s", d)
		}
	}
}
