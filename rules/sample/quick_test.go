package sample

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzQuick: what is read quickly is what is read slowly, and texts are quoted as the standard library does.
func FuzzQuick(f *testing.F) {
	for _, s := range []string{
		`{"a": "b", "a": [1, -2.50e+3, true, null, "", "\u00e9\n\"<&>", "é` + "\xff" + `"], "c\t": {}, "d": [ ] ,"e" : [ {"f":{"g":[[]]}} ] }`, ` "x" `, `12`, `[`, `{"a":1} 2`, ``, "[1\r\n,2\t]",
		"\"\u2028 \\ud800 \\\\\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse(data)
		want, slow := parseSlowly(data)
		if (err == nil) != (slow == nil) || err != nil && err.Error() != slow.Error() {
			t.Fatalf("%q: got %v, want %v", data, err, slow)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Node{})); d != "" {
			t.Errorf("%q:\n%s", data, d)
		}
		quoted, _ := json.Marshal(string(data))
		if got := quote(nil, string(data)); string(got) != string(quoted) {
			t.Errorf("%q is quoted as %s", data, got)
		}
	})
}
