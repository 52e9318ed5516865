package alert

import (
	"encoding/json"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func example() Alert {
	at := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)
	return Alert{Schema: Schema, ID: "alrt_X", Status: Firing, Revision: 1, Late: true, Rule: Rule{ID: "r", Title: "T \"q\"", Guide: []string{"S3"}, Class: "hiding", Points: 30, Attack: []string{"T1564.008"}, Revision: "abc"},
		Severity: "high", Tenant: "t", Account: "taro@contoso.example", Actor: Actor{"n", "user", "i"}, Target: "g", Summary: "日本\n", Time: at, Window: Window{at, at, 1, 2, 3.5}, Group: map[string]string{"b": "2", "a": "1"},
		DedupKey: "d", Evidence: []Evidence{{ID: "e", Time: at, Action: "A", Dataset: "ual.x", SourceIP: "203.0.113.7", Facts: json.RawMessage(`{"x":[1,"y"]}`), Cut: true, Step: "s"}}, Source: Source{"203.0.113.7", "NL", 64500},
		Sessions: []string{"s"}, Indicators: Indicators{[]string{"d"}, 51, []string{"a"}, []string{"n"}, []string{"t"}}, Modifiers: []string{"m"}, Linked: []string{"l"}, Enrichment: map[string]string{"k": "v"},
		Respond: []Remedy{{"id", "text", "command"}}, Times: Times{at, at, at}, Traceparent: "tp", Cut: []string{"destinations"}}
}

// TestJSONReadsBack: the hand-written form is what encoding/json reads into the same alert, member by member.
func TestJSONReadsBack(t *testing.T) {
	want := example()
	var got Alert
	if err := json.Unmarshal(want.AppendJSON(nil), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestJSONHasEveryMember: a member added to the type and not to the writer is found here.
func TestJSONHasEveryMember(t *testing.T) {
	type plain Alert // without MarshalJSON
	a := example()
	b, err := json.Marshal(plain(a))
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(a.AppendJSON(nil), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestIDKeepsItsPartsApart(t *testing.T) {
	a := ID("t", "r", []string{"ab"}, "c")
	for _, b := range []string{ID("t", "r", []string{"a", "b"}, "c"), ID("t", "r", []string{"a"}, "bc"), ID("tr", "", []string{"ab"}, "c"), ID("t", "r", []string{"ab", "c"})} {
		if a == b {
			t.Errorf("%s is the id of two findings", a)
		}
	}
	if len(a) != len("alrt_")+26 {
		t.Errorf("%s has %d characters", a, len(a))
	}
}

// TestKeysKeepTheirPartsApart: no group of one rule is taken for another one, nor for a group of another rule or tenant.
func TestKeysKeepTheirPartsApart(t *testing.T) {
	groups := [][]string{nil, {""}, {"", ""}, {"a/b", "c"}, {"a", "b/c"}, {"a", "b", "c"}, {"a/b/c"}, {"abc"}, make([]string, 256), make([]string, 257)}
	seen := map[string]bool{}
	for _, tenant := range []string{"", "t", "tr", "t/r"} {
		for _, rule := range []string{"", "r", "rr"} {
			for _, g := range groups {
				seen[DedupKey(tenant, rule, g)] = true
				seen[ID(tenant, rule, g)] = true
				seen[ID(tenant, rule, g, "")] = true
			}
		}
	}
	if want := 4 * 3 * len(groups) * 3; len(seen) != want {
		t.Errorf("%d keys and ids of %d", len(seen), want)
	}
	if k := DedupKey("t", "r", nil); len(k) != len("ddk_")+26 || k[:4] != "ddk_" {
		t.Errorf("the key is %s", k)
	}
}

// FuzzAppendQuoted: whatever the text, the result is a JSON string of it, broken UTF-8 replaced.
func FuzzAppendQuoted(f *testing.F) {
	f.Add("plain")
	f.Add("q\"\\\x00\x7f\xff日\u2028")
	f.Add("\u009b31m\u202e\u200b\u2029\ufeff\U000e0041\u3164")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(AppendQuoted(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(s)); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		plain, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{AppendQuoted(nil, s), AppendEscaped(nil, plain)} {
			if err := json.Unmarshal(b, &got); err != nil || got != string([]rune(s)) {
				t.Fatalf("%s is not %q: %v", b, s, err)
			}
			for _, r := range string(b) {
				if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
					t.Fatalf("%q keeps %U", b, r)
				}
			}
		}
	})
}
