package format

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"noroshi/internal/alert"
	"noroshi/sinks/sinktest"
)

// foreign gives alerts in a format to a foreign program, and what it says.
func foreign(t *testing.T, f Format) []string {
	t.Helper()
	check := sinktest.Program(t, "formats")
	m := sinktest.Of(example())
	var in []byte
	for _, m := range append(sinktest.Hostile(), m) {
		b, err := f.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		in = append(append(in, b...), '\n')
	}
	c := exec.Command(check, string(f))
	c.Stdin = strings.NewReader(string(in))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// TestAForeignModelOfOCSF takes every alert, and knows every attribute.
func TestAForeignModelOfOCSF(t *testing.T) {
	for _, line := range foreign(t, OCSF) {
		t.Error(line)
	}
}

// TestAForeignParserOfCEF finds each alert's own id and class, whatever strangers wrote.
func TestAForeignParserOfCEF(t *testing.T) {
	lines, all := foreign(t, CEF), sinktest.Hostile()
	if len(lines) != len(all)+1 {
		t.Fatalf("%d lines of %d", len(lines), len(all)+1)
	}
	for i, m := range all {
		var got struct{ ExternalID, Cat, Severity, DeviceEventClassID, Act string }
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		if got.ExternalID != m.Key() || got.Cat != "hiding" || got.Severity != "8" || got.DeviceEventClassID != "inbox-rule-hides-mail" || got.Act != "" {
			t.Errorf("%d: %s", i, alert.OneLine(lines[i], 600))
		}
	}
}
