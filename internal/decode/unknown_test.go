package decode

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/event"
)

func TestTheNamesOfMembers(t *testing.T) {
	many := make([]string, 50)
	for i := range many {
		many[i] = fmt.Sprintf(`"k%d":%d`, i, i)
	}
	for name, one := range map[string]struct {
		records []string
		want    string
	}{
		"none":            {nil, ""},
		"nothing in it":   {[]string{"{}"}, ""},
		"nested":          {[]string{`{"message":{"inner":[{"x":1}]},"timestamp":"t"}`}, "message timestamp"},
		"of several":      {[]string{`{"a":1,"b":2}`, `{"b":1,"c":2}`}, "a b c"},
		"doubled":         {[]string{`{"a":1,"a":2}`}, "a"},
		"only the first":  {[]string{`{"a":1}`, `{"a":1}`, `{"a":1}`, `{"a":1}`, `{"a":1}`, `{"late":1}`}, "a"},
		"too many":        {[]string{"{" + strings.Join(many, ",") + "}"}, "k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 k10 k11"},
		"too long":        {[]string{`{"` + strings.Repeat("監", 41) + `":1}`}, strings.Repeat("監", 40) + "…"},
		"broken":          {[]string{`{"a":1,"b":`}, "a b"},
		"no object":       {[]string{`["a"]`}, ""},
		"escaped":         {[]string{`{"\u0061\u001b":1}`}, "a\x1b"},
		"with white room": {[]string{"{ \"a\" :\n1 , \"b\" : [ ] }"}, "a b"},
	} {
		var m Members
		for _, r := range one.records {
			m.Add([]byte(r))
		}
		if got := strings.Join(m.Names(), " "); got != one.want {
			t.Errorf("%s: got %q, want %q", name, got, one.want)
		}
	}
}

// A record that has no time is told by what is missing: of a known kind its time, else the kind too.
func TestARecordWithoutATimeSaysWhatIsMissing(t *testing.T) {
	r := NewPlan(event.NewLayout(), Options{}).Reader()
	for rec, want := range map[string]string{
		`{"message":"x","host":"y"}`:       "time: no kind that is known (keys: message, host) and no time; expected ",
		`{}`:                               "time: no kind that is known (no keys) and no time; expected ",
		`{"Operation":"x","RecordType":1}`: "time: no readable time",
		`{"Operation":"x","RecordType":1,"UserId":"u"}`: "time: no readable time",
	} {
		err := r.ReadAlone([]byte(rec), time.Time{})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", rec, err)
		}
	}
	if err := r.ReadAlone([]byte(`{"message":"x","timestamp":"2026-01-02T03:04:05Z"}`), time.Time{}); err != nil || r.Dataset() != DatasetUnknown {
		t.Errorf("%v, dataset %s", err, r.Dataset())
	}
	if names := memberNamesOf(r.Bytes()); !slices.Equal(names, []string{"message", "timestamp"}) {
		t.Errorf("names %q", names)
	}
}
