package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/detector"
	"noroshi/rules"
	"noroshi/rules/sample"
)

// proved runs the tests of a rule for sign-ins and what else is asked for; samples lie beside it.
func proved(t *testing.T, tests string, samples map[string]string) []Verdict {
	t.Helper()
	return provedRule(t, "when: event.action != \"\"\n", tests, samples)
}

func provedRule(t *testing.T, clauses, tests string, samples map[string]string) (all []Verdict) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range samples {
		put(t, filepath.Join(dir, "samples", name+".json"), text)
	}
	put(t, filepath.Join(dir, "rule.yaml"), "id: one\ntitle: One\nseverity: low\n"+clauses+"tests:\n"+tests)
	set, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	for _, r := range set.Rules {
		p := NewProver(set, r, detector.Options{})
		for i := range r.Tests {
			all = append(all, p.Prove(t.Context(), &r.Tests[i]))
		}
	}
	return all
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEverySampleTakesATimeAndAnId: by whatever members its shape has, and twice it is two events.
func TestEverySampleTakesATimeAndAnId(t *testing.T) {
	set, _ := rules.Load(rules.Options{})
	b := &builder{reader: detector.New(set, detector.Options{}).Plan().Reader()}
	for _, name := range sample.Shipped() {
		base, err := sample.Ours(name)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2027, 5, 6, 7, 8, 9, 0, time.UTC)
		later := 26*time.Hour + time.Minute
		x := rules.Test{Start: start, Events: []rules.Event{{Base: base, Times: 2, Every: time.Minute}, {Base: base, Times: 1, At: &later}}}
		all, err := b.records(&x)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen := map[uint64]bool{}
		for i, rec := range all {
			if err := b.reader.ReadAlone(rec, time.Time{}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			id := b.reader.Identity()
			if want := start.Add([]time.Duration{0, time.Minute, later}[i]); id.Time.Truncate(time.Second) != want {
				t.Errorf("%s, %d: time %s, want %s", name, i+1, id.Time, want)
			}
			if want := fmt.Sprintf("event-%05d", i+1); !strings.HasPrefix(id.ID, want) && !slices.Contains(withoutID, id.Dataset) {
				t.Errorf("%s, %d: id %s, want %s", name, i+1, id.ID, want)
			}
			seen[b.reader.Duplicate()] = true
		}
		if len(seen) != len(all) {
			t.Errorf("%s: %d records are %d events", name, len(all), len(seen))
		}
	}
}

// TestTheLanguageOfTests: each passes, or fails as it says.
func TestTheLanguageOfTests(t *testing.T) {
	for _, r := range []struct{ name, tests, why string }{
		{"an event is at the start", `{events: [{like: signin}], want: [{time: 2026-01-02T03:00:00Z, evidence: [{id: event-00001}]}]}`, ""},
		{"the start", `{start: 2026-02-03T04:05:06Z, events: [{like: signin, at: +1d2h}], want: [{time: 2026-02-04T06:05:06.000Z}]}`, ""},
		{"a day", `{start: 2026-02-03, events: [{like: signin, at: -5s}], want: [{time: 2026-02-02T23:59:55Z}]}`, ""},
		{"an event is when the one before it was", `{events: [{like: signin, at: +5m}, {like: send}], want: [{time: 2026-01-02T03:05:00Z}, {time: 2026-01-02T03:05:00Z, evidence: [{action: Send}]}]}`, ""},
		{"repeats", `{events: [{like: signin, times: 3, every: 20s}, {like: send}], want: [{time: 2026-01-02T03:00:00Z}, {time: 2026-01-02T03:00:20Z}, {time: 2026-01-02T03:00:40Z}, {time: 2026-01-02T03:00:40Z}]}`, ""},
		{"repeats are a second apart", `{events: [{like: signin, times: 2}], want: [{}, {time: 2026-01-02T03:00:01Z}]}`, ""},
		{"each repeat is another", `{events: [{like: signin, times: 3, set: {properties.userType: Guest}, each: {properties.userPrincipalName: 'user{n}@contoso.example', properties.location: {city: 'City {n}'}}}], want: [{account: user1@contoso.example}, {account: user2@contoso.example}, {account: user3@contoso.example}]}`, ""},
		{"an id", `{events: [{like: signin, id: a}, {like: send, times: 2, id: b}], want: [{evidence: [{id: a}]}, {evidence: [{id: b-1}]}, {evidence: [{id: b-2}]}]}`, ""},
		{"one id is one event", `{events: [{like: signin, id: a}, {like: signin, id: a}], want: [{}]}`, ""},
		{"what is set counts, the time and the id, too", `{events: [{like: send, set: {CreationTime: '2026-01-02T05:00:00', Id: x, UserId: Ren@contoso.example}}], want: [{account: ren@contoso.example, time: 2026-01-02T05:00:00Z, evidence: [{id: x}]}]}`, ""},
		{"an audit record inside a row", `{events: [{like: cloud-app-event, at: +1h, set: {properties.RawEventData.UserId: ren@contoso.example}}], want: [{account: ren@contoso.example, time: 2026-01-02T04:00:00Z, evidence: [{id: event-00001}]}]}`, ""},
		{"what is taken away", `{events: [{like: signin, unset: [properties.ipAddress, callerIpAddress]}], want: [{source: {ip: ''}}]}`, ""},
		{"a sample beside the rule", `{events: [{like: own}], want: [{account: own@contoso.example, time: 2026-01-02T03:00:00Z}]}`, ""},
		{"it goes before ours", `{events: [{like: signin-legacy}], want: [{account: own@contoso.example}]}`, ""},
		{"a whole record keeps its time and id", `{events: [{CreationTime: "2026-03-04T05:06:07", Id: w, Operation: x, RecordType: 1, UserType: 0, UserId: taro@contoso.example}, {like: send}], want: [{time: 2026-03-04T05:06:07Z, evidence: [{id: w}]}, {time: 2026-03-04T05:06:07Z}]}`, ""},
		{"unless it gets others", `{events: [{record: '{"CreationTime":"2026-03-04T05:06:07","Id":"w","Operation":"x","RecordType":1,"UserType":0,"UserId":"t@contoso.example"}', at: +1m, times: 2, set: {UserId: u@contoso.example}}], want: [{time: 2026-01-02T03:01:00Z, account: u@contoso.example, evidence: [{id: event-00001}]}, {time: 2026-01-02T03:01:01Z}]}`, ""},
		{"alerts in whatever order", `{events: [{like: signin}, {like: send}], want: [{evidence: [{action: Send}]}, {evidence: [{action: UserLoggedIn}]}]}`, ""},
		{"in every order and twice", `{arrive: [shuffled, doubled], events: [{like: signin, times: 5, every: 1m}, {like: send}], want: [{}, {}, {}, {}, {}, {}]}`, ""},
		{"twice", `{arrive: [doubled], events: [{like: signin}], want: [{}]}`, ""},

		{"a difference", `{events: [{like: signin}], want: [{account: x, severity: high, window: {count: 2}}]}`, `alert 1: account: expected "x", got "taro@contoso.example"`},
		{"the number", `{events: [{like: signin}], want: []}`, `expected 0 alerts, got 1`},
		{"too few", `{events: [{like: signin}], want: [{}, {}]}`, `expected 2 alerts, got 1`},
		{"a clock that goes back", `{until: +1m, events: [{like: signin, times: 2, every: 2m}], want: []}`, `until is 2026-01-02T03:01:00.000Z, before the last event at 2026-01-02T03:02:00.000Z`},
		{"no record", `{events: [{record: {Operation: x}}], want: []}`, `event 1 cannot be read: no kind that is known (keys: Operation) and no time`},
		{"no id", `{events: [{like: alert-evidence, id: x}], want: []}`, `event 1 (line 6, samples/alert-evidence.json) cannot be given the id x: it has none of its own`},
		{"an odd time", `{events: [{like: odd}], want: []}`, `event 1 (line 6, samples/odd.json) cannot be given the time 2026-01-02T03:00:00.000Z: expected its own as 2026-01-02T03:00:00Z, with or without decimals and zone`},
	} {
		test := "  - " + strings.Replace(r.tests, "{", "{name: t, ", 1) + "\n"
		all := proved(t, test, map[string]string{
			"own":           `{"CreationTime":"2020-01-01T00:00:00","Id":"o","Operation":"x","RecordType":1,"UserType":0,"UserId":"own@contoso.example"}`,
			"signin-legacy": `{"CreationTime":"2020-01-01T00:00:00","Id":"o","Operation":"x","RecordType":1,"UserType":0,"UserId":"own@contoso.example"}`,
			"odd":           `{"CreationTime":"8/22/2022 6:07:16 PM","Id":"o","Operation":"x","RecordType":1,"UserType":0,"UserId":"own@contoso.example"}`,
		})
		if len(all) != 1 || !strings.HasPrefix(all[0].Why, r.why) || all[0].Pass != (r.why == "") {
			t.Errorf("%s: %+v", r.name, all)
		}
	}
}

// TestATestLikeAnother: what a test does not say is that of the other, also of one that stands behind it.
func TestATestLikeAnother(t *testing.T) {
	all := proved(t, `  - {name: c, like: b, want: [{}, {}]}
  - {name: a, events: [{like: signin}], want: [{}]}
  - {name: b, like: a, arrive: [shuffled, doubled]}
  - {name: d, like: a, events: [{like: send}, {like: send}], start: 2026-03-04, want: [{time: 2026-03-04T00:00:00Z}, {}]}
`, nil)
	var got []string
	for _, v := range all {
		got = append(got, fmt.Sprintf("%s %v %s", v.Test, v.Pass, v.Why))
	}
	if d := cmp.Diff([]string{"c false expected 2 alerts, got 1", "a true ", "b true ", "d true "}, got); d != "" {
		t.Error(d)
	}
}

// TestDifferences: by path, of what fits best; what is not there and what is too much are told apart.
func TestDifferences(t *testing.T) {
	type m = map[string]any
	type l = []any
	have := l{m{"a": "x", "b": l{m{"c": 1.0, "d": 2.0}, "z"}, "t": "2026-01-02T03:00:00.000Z"}, m{"a": "y", "b": l{}}}
	for name, r := range map[string]struct {
		want l
		says []Difference
	}{
		"parts":              {l{m{"a": "x"}, m{}}, nil},
		"another order":      {l{m{"a": "y"}, m{"a": "x"}}, nil},
		"who fits gives way": {l{m{}, m{"a": "x"}}, nil},
		"an instant":         {l{m{"t": "2026-01-02T12:00:00+09:00"}, m{}}, nil},
		"a list's element":   {l{m{"b": l{m{"c": 1.0}}}, m{}}, nil},
		"a value":            {l{m{"a": "x", "b": l{m{"c": 3.0}}}, m{}}, []Difference{{1, "b[0].c", "3", "1"}}},
		"two":                {l{m{"a": "q", "z": true}, m{"a": "x"}}, []Difference{{1, "a", `"q"`, `"y"`}, {1, "z", "true", "nothing"}}},
		"a short list":       {l{m{"a": "x", "b": l{m{}, "z", "w"}}, m{}}, []Difference{{1, "b[2]", `"w"`, "nothing"}}},
		"another kind":       {l{m{"a": m{"b": 1.0}, "t": "2026-01-02T03:00:00Z"}, m{"a": "y"}}, []Difference{{1, "a", `{"b":1}`, `"x"`}}},
		"one too few":        {l{m{"a": "x"}}, []Difference{{Alert: 2, Got: `{"account":null,"summary":null,"time":null}`}}},
		"one too many":       {l{m{"a": "x"}, m{"a": "y"}, m{"a": "w"}}, []Difference{{Alert: 3, Expected: `{"a":"w"}`}}},
	} {
		if d := cmp.Diff(r.says, differences(r.want, have)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
