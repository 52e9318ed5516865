package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/rules"
	"noroshi/rules/kind"
)

const namedRules = `
id: named
title: A rule with a name
severity: low
when: inbox_rule.name != ""
`

// said is what a command prints, at a time; the test fails where the command does.
func said(t *testing.T, now time.Time, args ...string) string {
	t.Helper()
	var out, complaint bytes.Buffer
	if code := Main(t.Context(), args, Streams{In: strings.NewReader(""), Out: &out, Err: &complaint, Now: func() time.Time { return now }}); code != exitDone {
		t.Fatalf("%v: %s", args, &complaint)
	}
	return out.String()
}

// TestExceptionsAreForTheValueOfTheAlert: whatever a name holds, the exception hides its alert and no other.
func TestExceptionsAreForTheValueOfTheAlert(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for i, name := range []string{"plain", `a"b'c`, `back\slash\`, "two\nlines\r\t", "\u202egnp.exe", "監査 # : {{ x }}", "`${x}` /* */ // --- |", "\U000e0041\u3164\u2028z", "\x7f\x01", "😀"} {
		dir := t.TempDir()
		write := func(file, text string) string {
			path := filepath.Join(dir, file)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		record := func(id, name string) string {
			value, err := json.Marshal(name)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf(`{"CreationTime":"2026-01-02T03:00:00","Id":%q,"Operation":"New-InboxRule","OrganizationId":"t","RecordType":1,"UserId":"taro@contoso.example","Parameters":[{"Name":"Name","Value":%s}]}`+"\n", id, value)
		}
		rule, records := write("named.yaml", namedRules), write("records.json", record("r-1", name)+record("r-2", name+"x"))
		replayed := func(more ...string) []string {
			out := said(t, now, append([]string{"replay", "--json", "--no-library", "--rules", rule, records}, more...)...)
			return strings.Split(strings.TrimSpace(out), "\n")
		}
		var all []alert.Alert
		lines := replayed()
		for _, l := range lines {
			var a alert.Alert
			if err := json.Unmarshal([]byte(l), &a); err != nil {
				t.Fatal(err)
			}
			all = append(all, a)
		}
		if len(all) != 2 || all[0].Evidence[0].ID != "r-1" {
			t.Fatalf("%q: %d alerts", name, len(all))
		}
		text := said(t, now, "exception", "--alert", all[0].ID, "--by", "inbox_rule.name", "--owner", name, "--because", name, "--no-library", "--rules", rule,
			write("alerts.ndjson", strings.Join(lines, "\n")))
		if !strings.Contains(text, "until: 2026-12-30\n") {
			t.Errorf("%q: no end after thirty days:\n%s", name, text)
		}
		left := replayed("--config", write(fmt.Sprintf("noroshi-%d.yaml", i), text))
		if len(left) != 1 || !strings.Contains(left[0], `"r-2"`) {
			t.Errorf("%q: %d alerts are left; the exception:\n%s", name, len(left), text)
		}
	}
}

// TestWhatAnExceptionIsFor: what is not the same in all evidence narrows nothing, unless it is asked for.
func TestWhatAnExceptionIsFor(t *testing.T) {
	event := func(ip, facts string) alert.Evidence {
		return alert.Evidence{ID: "e", SourceIP: ip, Facts: json.RawMessage(facts)}
	}
	for name, c := range map[string]struct {
		by       []string
		evidence []alert.Evidence
		want     string
	}{
		"the address":       {nil, []alert.Evidence{event("192.0.2.1", `{"app.id":"a"}`), event("192.0.2.1", `{}`)}, `account == "u" && source.ip == "192.0.2.1"`},
		"the application":   {nil, []alert.Evidence{event("192.0.2.1", `{"app.id":"a"}`), event("192.0.2.2", `{"app.id":"a"}`)}, `account == "u" && app.id == "a"`},
		"one has none":      {nil, []alert.Evidence{event("192.0.2.1", `{}`), event("", `{}`)}, `account == "u"`},
		"nothing is shared": {nil, []alert.Evidence{event("192.0.2.1", `{}`), event("192.0.2.2", `{}`)}, `account == "u"`},
		"both":              {[]string{"source.ip"}, []alert.Evidence{event("192.0.2.1", `{}`), event("192.0.2.2", `{}`)}, `account == "u" && source.ip in ["192.0.2.1", "192.0.2.2"]`},
		"a number, a list": {[]string{"session.id , account", "x.n,x.l"}, []alert.Evidence{event("", `{"session.id":"s","x.n":12345678901234567890,"x.l":["a","b"]}`)},
			`account == "u" && session.id == "s" && x.n == 12345678901234567890 && "a" in x.l && "b" in x.l`},
		"absent from one":  {[]string{"app.id"}, []alert.Evidence{event("", `{"app.id":"a"}`), event("", `{}`)}, "the field app.id is absent from 1 of 2 events; --by can choose account"},
		"in no evidence":   {[]string{"app.id"}, []alert.Evidence{event("", `{}`)}, "no field app.id in the evidence; --by can choose account"},
		"it is true twice": {[]string{"x.b"}, []alert.Evidence{event("", `{"x.b":true}`), event("", `{"x.b":false}`)}, "the field x.b differs among the evidence; --by can choose account, x.b"},
	} {
		x := &excepting{exceptionFlags: &exceptionFlags{by: c.by}, alert: &alert.Alert{Group: map[string]string{"account": "u"}, Evidence: c.evidence, Window: alert.Window{Count: len(c.evidence)}}}
		if err := x.read(); err != nil {
			t.Fatal(err)
		}
		var told bytes.Buffer
		terms, err := x.terms(&rules.Rule{Kind: &kind.Rule{Kind: kind.Match{}}}, &told)
		got := strings.Join(terms, " && ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// TestAnExceptionThatDoesNotLoadIsNotPrinted: a field of an older version, for one, is told instead.
func TestAnExceptionThatDoesNotLoadIsNotPrinted(t *testing.T) {
	const text = exceptionsKey + "  - rules: [role-granted]\n    when: %s == \"a\"\n    because: b\n    owner: c\n    until: 2100-12-31\n"
	for field, want := range map[string]string{"account": "", "accounts": "no field \"accounts\""} {
		_, err := loads(fmt.Sprintf(text, field), rules.Options{Library: true, Untested: true, Now: time.Now()})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", field, err, want)
		}
	}
}
