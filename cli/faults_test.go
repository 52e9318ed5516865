package cli

import (
	"bytes"
	"testing"
)

// Of each reason the first places are told, whatever comes between them.
func TestFaultsAreToldByReason(t *testing.T) {
	var out bytes.Buffer
	f := newFaults(&out)
	for line := 1; line <= 14; line++ {
		f.add("a\x1b.log", line, []string{"json", "time"}[line%2], "why")
	}
	f.end()
	const want = `a\u{1b}.log:1: time: why
a\u{1b}.log:2: json: why
a\u{1b}.log:3: time: why
a\u{1b}.log:4: json: why
a\u{1b}.log:5: time: why
a\u{1b}.log:6: json: why
a\u{1b}.log:7: time: why
a\u{1b}.log:8: json: why
a\u{1b}.log:9: time: why
a\u{1b}.log:10: json: why
a\u{1b}.log: time: 2 more
a\u{1b}.log: json: 2 more
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}
