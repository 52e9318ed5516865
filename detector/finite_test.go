package detector

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

// numberRecords are records whose numbers are given, each as JSON, those of the unified audit log and of Entra.
func numberRecords(i int, value string) []string {
	var ual, entra strings.Builder
	for _, f := range event.Fields() {
		if f.Type != event.Number {
			continue
		}
		for _, p := range f.Paths[event.UAL] {
			if f.Name != "source.port" {
				fmt.Fprintf(&ual, `,%q:%s`, p, value)
			}
		}
		for _, p := range f.Paths[event.Entra] {
			if name, inside := strings.CutPrefix(p, "properties."); inside && f.Name != "source.port" {
				fmt.Fprintf(&entra, `,%q:%s`, name, value)
			}
		}
	}
	at := fmt.Sprintf("2026-01-02T03:%02d:%02d", i/60, i%60)
	return []string{
		fmt.Sprintf(`{"CreationTime":%q,"Id":"a-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"%s}`, at, i, ual.String()),
		fmt.Sprintf(`{"time":"%sZ","category":"MicrosoftGraphActivityLogs","tenantId":"t-1","operationName":"x","properties":{"createdDateTime":"%sZ","id":"g-%d","userPrincipalName":"taro@contoso.example"%s}}`, at, at, i, entra.String()),
	}
}

// TestNumbersInAlertsAreFinite: whatever records hold where numbers are expected, the alerts of each kind are JSON, and texts that are
// no finite decimal numbers count for nothing.
func TestNumbersInAlertsAreFinite(t *testing.T) {
	values := []string{`"inf"`, `"-Inf"`, `"NaN"`, `"Infinity"`, `"0x1p10"`, `"0x20"`, `1e400`, `"1e400"`, `1.7e308`, `"1.7e308"`, `-1.7e308`, `5`, `"1_0"`, `""`, `true`, `[]`, `{}`}
	for _, f := range event.Fields() {
		if f.Type != event.Number {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			common := fmt.Sprintf("title: A\nseverity: low\nfacts: [%s]\nwhen: has(event.id)\nsummary: 'it is {{ %s }}'\n", f.Name, f.Name)
			s := ruleSet(t, "id: one\n"+common,
				"id: many\n"+strings.Replace(common, "summary: 'it is", "summary: '{{ window.sum }}", 1)+fmt.Sprintf("kind: threshold\nwithin: 1h\nrepeat: each\nsum: {of: %s, least: 1}\n", f.Name),
				"id: more\n"+common+fmt.Sprintf("kind: baseline\nbucket: 1h\nratio: 2\nfloor: 1\nhistory: 1d\nlearn: 0s\nsum: {of: %s}\n", f.Name),
				"id: linked\ntitle: A\nseverity: low\nkind: correlation\nof: [one, many]\nwithin: 1h\nrepeat: each\ncount: 2\n")
			told := map[string]int{}
			take := func(a *alert.Alert) {
				told[a.Rule.ID]++
				b, err := json.Marshal(a)
				if err != nil || !json.Valid(a.AppendJSON(nil)) {
					t.Errorf("%v: %s", err, b)
				}
				for _, e := range a.Evidence {
					if n := factNumber(t, e.Facts, f.Name); n == 1024 || n == 32 {
						t.Errorf("%s: hexadecimal digits are a number", e.Facts)
					}
				}
			}
			feeder := feed(t, s, MemoryOptions{Late: event.Late{Wait: time.Hour, Keep: time.Hour}}, take)
			for i, v := range values {
				for _, rec := range numberRecords(i, v) {
					feeder.record(rec)
				}
			}
			feeder.memory.End(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), take)
			if told["one"] != 2*len(values) || told["linked"] == 0 {
				t.Errorf("%v", told)
			}
		})
	}
}

func factNumber(t *testing.T, facts []byte, name string) float64 {
	var all map[string]any
	if err := json.Unmarshal(facts, &all); err != nil {
		t.Fatalf("%s: %v", facts, err)
	}
	n, _ := all[name].(float64)
	return n
}

// TestSumsStayFinite: a sum that is too large for a number is the greatest there is, fires, and is counted.
func TestSumsStayFinite(t *testing.T) {
	var told []alert.Alert
	f := feed(t, ruleSet(t, "id: many\ntitle: A\nseverity: low\nkind: threshold\nwhen: has(event.id)\nwithin: 1h\nsum: {of: file.size, least: 1}\n"), MemoryOptions{},
		func(a *alert.Alert) { told = append(told, *a) })
	for i := range 30 {
		f.record(numberRecords(i, "1.7e308")[0])
	}
	f.memory.End(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), f.take)
	if len(told) != 1 || told[0].Window.Sum != math.MaxFloat64 || f.memory.Counts[0].Overflow == 0 {
		t.Fatalf("%+v, %+v", told, f.memory.Counts)
	}
}

// TestSumsDoNotDependOnTheOrder: a large number that has left the window leaves no other sum behind.
func TestSumsDoNotDependOnTheOrder(t *testing.T) {
	const rule = "id: many\ntitle: A\nseverity: low\nkind: threshold\nwhen: has(event.id)\nwithin: 20s\nrepeat: each\nsum: {of: file.size, least: 20}\n"
	var recs []string
	for i := range 60 {
		value := "1"
		if i == 10 {
			value = "9007199254740992"
		}
		recs = append(recs, numberRecords(i, value)[0])
	}
	var counts [2]int
	for way := range counts {
		f := feed(t, ruleSet(t, rule), MemoryOptions{}, func(*alert.Alert) { counts[way]++ })
		for i := range recs {
			f.record(recs[(i*7*way+i*(1-way))%len(recs)])
		}
		f.memory.End(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), f.take)
	}
	if want := 50; counts != [2]int{want, want} { // of the second at which the large number comes on
		t.Errorf("%v alerts, want %d", counts, want)
	}
}
