package decode

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/decode/roadstest"
	"noroshi/internal/event"
)

// aspectsOfRoads are the columns of the table of roads; the last is of all other fields.
var aspectsOfRoads = []struct {
	name   string
	fields []string
}{
	{"identity", []string{"event.id", "event.time", "organization.id", "event.dataset"}}, {"account", []string{"account", "user.name", "user.kind"}},
	{"action", []string{"event.action"}}, {"outcome", []string{"event.outcome", "auth.error", "auth.result"}}, {"address", []string{"source.ip", "source.port", "source.kind"}},
	{"other fields", nil},
}

// differences of roads are the fields that a road cannot give, or gives beside those of the record, and why.
var differencesOfRoads = []struct{ road, field, why string }{
	{"CloudAppEvents", "event.created", "the row's envelope says when it was written"},
	{"CloudAppEvents", "source.geo.country_iso_code", "the row tells the place of the address"},
	{"CloudAppEvents", "source.geo.city_name", "the row tells the place of the address"},
	{"CloudAppEvents", "source.as.organization.name", "the row tells who runs the network"},
	{"OfficeActivity", "user.type", "the table has its own words: Regular for 0"},
	{"(Entra)", "event.created", "only the envelope says when the record was written"},
	{"Microsoft Graph (Entra)", "organization.id", "Microsoft Graph answers for one tenant and does not name it"},
	{"Microsoft Graph by PowerShell (Entra)", "organization.id", "Microsoft Graph answers for one tenant and does not name it"},
}

// fieldsOf are the fields of a record that have a value.
func fieldsOf(r *Reader) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(said(r)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		all[name] = value
	}
	return all
}

// TestEveryRoadGivesTheSameEvent compares each record by each road with what it is by its service's own, and keeps the table in
// docs/sources.md.
func TestEveryRoadGivesTheSameEvent(t *testing.T) {
	r, used := reader(), map[string]bool{}
	var table strings.Builder
	table.WriteString("| road |")
	for _, a := range aspectsOfRoads {
		table.WriteString(" " + a.name + " |")
	}
	table.WriteString("\n|---|" + strings.Repeat("---|", len(aspectsOfRoads)) + "\n")
	var names []string
	apart := map[string]map[string]bool{} // by road, the fields in which a record differs
	for _, road := range roadstest.Roads() {
		name := strings.TrimSuffix(strings.TrimSuffix(road.Name, ", as an object"), ", as text")
		if apart[name] == nil {
			apart[name] = map[string]bool{}
			names = append(names, name)
		}
		for _, rec := range roadstest.Records() {
			if road.Family&rec.Family == 0 {
				continue
			}
			want := fieldsOf(read(t, rec.JSON))
			text := road.Wrap(rec.JSON)
			if err := r.ReadAlone([]byte(text), time.Time{}); err != nil {
				t.Errorf("%s by %s: %v: %s", rec.Name, road.Name, err, text)
				continue
			}
			got := fieldsOf(r)
			for _, f := range event.Fields() {
				if got[f.Name] == want[f.Name] {
					continue
				}
				apart[name][f.Name] = true
				if why(road.Name, f.Name, used) == "" {
					t.Errorf("%s by %s: %s is %q, want %q: %s", rec.Name, road.Name, f.Name, got[f.Name], want[f.Name], text)
				}
			}
		}
	}
	for _, name := range names {
		fmt.Fprintf(&table, "| %s |", name)
		for _, a := range aspectsOfRoads {
			fmt.Fprintf(&table, " %s |", cellOf(apart[name], a.fields))
		}
		table.WriteString("\n")
	}
	table.WriteString("\n")
	for _, d := range differencesOfRoads {
		if !used[d.road+d.field] {
			t.Errorf("no road %s differs in %s", d.road, d.field)
		}
		fmt.Fprintf(&table, "* %s: `%s`; %s.\n", d.road, d.field, d.why)
	}
	keep(t, "../../docs/sources.md", "roads", table.String())
}

// why a road differs in a field, "" where nothing says.
func why(road, field string, used map[string]bool) string {
	for _, d := range differencesOfRoads {
		if strings.Contains(road, d.road) && d.field == field {
			used[d.road+d.field] = true
			return d.why
		}
	}
	return ""
}

// cellOf tells which of the fields differ; nil stands for those that no other column has.
func cellOf(apart map[string]bool, fields []string) string {
	var all []string
	for _, f := range event.Fields() {
		if !apart[f.Name] || fields != nil && !slices.Contains(fields, f.Name) {
			continue
		}
		if fields == nil && slices.ContainsFunc(aspectsOfRoads, func(a struct {
			name   string
			fields []string
		}) bool {
			return slices.Contains(a.fields, f.Name)
		}) {
			continue
		}
		all = append(all, "`"+f.Name+"`")
	}
	if len(all) == 0 {
		return "equal"
	}
	return "equal but " + strings.Join(all, ", ")
}

// keep compares what lies between two marks of a page with what it has to be; NOROSHI_UPDATE writes it.
func keep(t *testing.T, page, mark, want string) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	from, to := "<!-- "+mark+": made by a test -->\n", "<!-- end of "+mark+" -->"
	before, rest, ok1 := strings.Cut(string(b), from)
	got, after, ok2 := strings.Cut(rest, to)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for %s", page, mark)
	}
	if want = "\n" + want + "\n"; os.Getenv("NOROSHI_UPDATE") != "" {
		if err := os.WriteFile(page, []byte(before+from+want+to+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s is not what the roads give; make golden: %s", page, d)
	}
}

// alike are the fields that every road has to give alike.
var alike = []string{"event.id", "event.time", "event.dataset", "account", "user.name", "user.kind", "event.action", "event.outcome", "auth.error", "source.ip", "source.port"}

// TestRandomRecordsAreTheSameOnRandomRoads sends records by a road of their own and then through up to two other collectors, with
// names in any case.
func TestRandomRecordsAreTheSameOnRandomRoads(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	roads, wrappers, records := roadstest.Roads(), roadstest.Wrappers(), roadstest.Records()
	alone, r := reader(), reader()
	for range 6000 {
		base := records[rnd.IntN(len(records))]
		rec := roadstest.Varied(base, rnd)
		if err := alone.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatalf("%v: %s", err, rec)
		}
		road := roads[rnd.IntN(len(roads))]
		if road.Family&base.Family == 0 {
			continue
		}
		text, chain := road.Wrap(rec), road.Name
		for deep, more := depthOf(chain), rnd.IntN(3); more > 0; more-- {
			w := wrappers[rnd.IntN(len(wrappers))]
			if deep += depthOf(w.Name); deep > maxInside {
				break
			}
			text, chain = w.Wrap(text), chain+" / "+w.Name
		}
		if rnd.IntN(2) == 0 {
			text, chain = roadstest.Renamed(text, func(name string) string { return anyCase(name, rnd) }), chain+" / any case"
		}
		if err := r.ReadAlone([]byte(text), time.Time{}); err != nil {
			t.Fatalf("%s: %v: %s", chain, err, text)
		}
		for _, f := range alike {
			if got, want := r.field(f), alone.field(f); got != want {
				t.Fatalf("%s: %s is %q, want %q\n%s\n%s", chain, f, got, want, rec, text)
			}
		}
		if got, want := r.Identity().Tenant, alone.Identity().Tenant; got != want && (base.Family == roadstest.Audit || !strings.Contains(road.Name, "Microsoft Graph")) {
			t.Fatalf("%s: the tenant is %q, want %q\n%s", chain, got, want, text)
		}
	}
}

// depthOf is how deep a record lies that has come by a road, at most.
func depthOf(road string) int {
	return 1 + strings.Count(road, "in it") + strings.Count(road, "an envelope of")
}

// anyCase is a name with some of its letters in another case.
func anyCase(name string, rnd *rand.Rand) string {
	switch rnd.IntN(4) {
	case 0:
		return name
	case 1:
		return strings.ToUpper(name)
	case 2:
		return strings.ToLower(name)
	}
	b := []byte(name)
	for i := range b {
		if letter(b[i]) && rnd.IntN(2) == 0 {
			b[i] ^= 0x20
		}
	}
	return string(b)
}
