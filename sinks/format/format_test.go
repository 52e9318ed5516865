package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// example is an alert with everything in it that formats tell.
func example() *alert.Alert {
	a := sinktest.Alert(1)
	a.Evidence = append(a.Evidence, alert.Evidence{ID: "e-2", Time: a.Time, Action: "Set-Mailbox", Dataset: "ual.exchange_admin", SourceIP: "2001:db8::7", Facts: json.RawMessage(`{"forward.to":"drop@mail.example.net"}`)})
	a.Rule.Attack = []string{"T1564.008", "T1114"}
	return a
}

// TestGoldens shows an alert in each format.
func TestGoldens(t *testing.T) {
	m := sinktest.Of(example())
	for f, file := range map[Format]string{ECS: "ecs.json", OCSF: "ocsf.json", CEF: "cef.txt"} {
		got, err := f.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		if f != CEF {
			var b bytes.Buffer
			if err := json.Indent(&b, got, "", "  "); err != nil {
				t.Fatal(err)
			}
			got = b.Bytes()
		}
		path := filepath.Join("testdata", file)
		if os.Getenv("NOROSHI_UPDATE") != "" {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(got)+"\n" != string(want) {
			t.Errorf("%s is not what %s holds; make golden: %v", f, path, err)
		}
	}
}

var cefPair = regexp.MustCompile(`(?:^| )([a-zA-Z0-9]+)=`)

// cefOf reads a line as receivers do: the header to seven bars without a backslash before them, then keys and values.
func cefOf(t *testing.T, line string) (header []string, pairs map[string]string) {
	t.Helper()
	rest := line
	for range 7 {
		i := 0
		var b strings.Builder
		for ; i < len(rest) && rest[i] != '|'; i++ {
			if rest[i] == '\\' {
				i++
			}
			if i < len(rest) {
				b.WriteByte(rest[i])
			}
		}
		if i >= len(rest) {
			t.Fatalf("the header ends early: %q", line)
		}
		header, rest = append(header, b.String()), rest[i+1:]
	}
	pairs = map[string]string{}
	at := cefPair.FindAllStringSubmatchIndex(rest, -1)
	for i, m := range at {
		end := len(rest)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		pairs[rest[m[2]:m[3]]] = strings.NewReplacer(`\\`, `\`, `\=`, `=`, `\n`, "\n").Replace(rest[m[1]:end])
	}
	return header, pairs
}

// TestStrangersTextsStayInTheirField: whatever a name holds, no other field changes, and what expects an address gets one.
func TestStrangersTextsStayInTheirField(t *testing.T) {
	keys := regexp.MustCompile(`^(externalId|rt|start|end|cnt|cat|outcome|reason|suser|suid|duser|c[ns][0-9](Label)?|msg)$`)
	for i, m := range sinktest.Hostile() {
		var a alert.Alert
		if err := json.Unmarshal(m.Body, &a); err != nil {
			t.Fatal(err)
		}
		line, err := CEF.Append(nil, &m)
		if err != nil || bytes.ContainsAny(line, "\n\r\x00\x1b") || strings.ContainsAny(string(line), "\u202e\ufeff\u2028") || len(line) > 20_000 {
			t.Errorf("%d: %d bytes, %v", i, len(line), err)
		}
		header, pairs := cefOf(t, string(line))
		plain := func(s string) string { // what no receiver shows
			return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
		}
		if header[0] != "CEF:0" || header[4] != a.Rule.ID || header[6] != "8" || pairs["externalId"] != m.Key() || pairs["cat"] != "hiding" || pairs["cn1"] != "1" || pairs["src"] != "" {
			t.Errorf("%d: %q %q", i, header, pairs)
		}
		for k := range pairs {
			if !keys.MatchString(k) {
				t.Errorf("%d: a field %q has come in: %q", i, k, line)
			}
		}
		if s := plain(a.Summary); !strings.ContainsRune(s, 0xfffd) && len(s) < 500 && alert.OneLine(strings.ReplaceAll(s, "\n", " "), 1000) == strings.ReplaceAll(s, "\n", " ") && strings.TrimSpace(s) != "" && pairs["msg"] != s {
			t.Errorf("%d: msg is %q, want %q", i, pairs["msg"], s)
		}
		checkECS(t, i, &m, &a)
	}
}

func checkECS(t *testing.T, i int, m *sinks.Message, a *alert.Alert) {
	t.Helper()
	b, err := ECS.Append(nil, m)
	var e ecs
	if err == nil {
		err = json.Unmarshal(b, &e)
	}
	if err != nil || e.Event.ID != m.Key() || e.Message != a.Summary || e.User.Name != a.Account || e.Source != nil {
		t.Errorf("%d: %+v, %v", i, e.User, err)
	}
	for _, ip := range e.Related.IP {
		if _, err := netip.ParseAddr(ip); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if b, err = OCSF.Append(nil, m); err != nil || !json.Valid(b) {
		t.Errorf("%d: %v", i, err)
	}
}

// TestEverySeverityClassAndStatusHasANumber, so that none is 0 where a receiver expects more.
func TestEverySeverityClassAndStatusHasANumber(t *testing.T) {
	for _, s := range alert.Severities {
		if severities[s] == 0 || ocsfSeverities[s] == 0 {
			t.Errorf("the severity %s has no number", s)
		}
	}
	for _, c := range alert.Classes {
		if categories[c] == nil {
			t.Errorf("the class %s has no category", c)
		}
	}
	for _, s := range []alert.Status{alert.Firing, alert.Updated, alert.Withdrawn} {
		if ocsfActivities[s] == 0 {
			t.Errorf("the status %s has no activity", s)
		}
	}
}

// TestWhatIsNoAlertIsRefused by formats that read it.
func TestWhatIsNoAlertIsRefused(t *testing.T) {
	for _, f := range []Format{ECS, OCSF, CEF} {
		_, err := f.Append(nil, &sinks.Message{Body: []byte("{")})
		if got := fmt.Sprintf("%T", err); got != "*sinks.Refused" {
			t.Errorf("%s: %s %v", f, got, err)
		}
	}
	d := strictyaml.Parse("f", []byte("leef"))
	if Read(d, d.Root, ECS, CEF); len(d.Problems) != 1 || d.Problems[0].Message != `"leef" is none of ecs, cef` {
		t.Errorf("%v", d.Problems)
	}
}

// BenchmarkFormats tells what an alert costs.
func BenchmarkFormats(b *testing.B) {
	m := sinktest.Message(1)
	for _, f := range []Format{Noroshi, ECS, OCSF, CEF} {
		b.Run(string(f), func(b *testing.B) {
			var to []byte
			for b.Loop() {
				to, _ = f.Append(to[:0], &m)
			}
		})
	}
}
