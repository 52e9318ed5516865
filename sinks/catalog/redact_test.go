package catalog

import (
	"encoding/json"
	"reflect"
	"testing"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// TestWhateverIsRedactedCanBeRead: whichever member is left out or hashed, the alert is still one, with what delivery needs. A number
// that is left out may look like a part of a time.
func TestWhateverIsRedactedCanBeRead(t *testing.T) {
	tried := 0
	for _, name := range append(members(reflect.TypeFor[alert.Alert](), ""), "mail.count") {
		d := strictyaml.Parse("f", []byte("["+name+"]"))
		redaction(d, map[string]*yaml.Node{"redact": d.Root}, Env{})
		if d.Errors() > 0 && name != "mail.count" {
			continue // it is refused
		}
		tried++
		for _, r := range []*sinks.Redaction{{Leave: []string{name}}, {Hash: []string{name}, Key: func() (string, error) { return "a key of some length", nil }}} {
			a := sinktest.Alert(1)
			a.Evidence[0].Facts = json.RawMessage(`{"mail.count":2026,"other":"2026"}`)
			m := sinktest.Of(a)
			if err := r.Apply(&m); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var got alert.Alert
			if err := json.Unmarshal(m.Body, &got); err != nil || got.Rule.ID != a.Rule.ID || got.ID != a.ID || !got.Time.Equal(a.Time) || got.Severity != a.Severity {
				t.Errorf("%s: %v\n%s", name, err, m.Body)
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d names are tried", tried)
	}
}
