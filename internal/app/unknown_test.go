package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A warning comes at once, then after growing times, and only if more records have come.
func TestWarningsAboutRecordsThatAreReadInVain(t *testing.T) {
	var out bytes.Buffer
	r := &Run{Log: slog.New(slog.NewTextHandler(&out, nil))}
	var w warnings
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, one := range []struct {
		after   time.Duration
		unknown int64
		warns   bool
	}{
		{0, 0, false}, {5 * time.Second, 3, true}, {10 * time.Second, 9, false}, {66 * time.Second, 9, true}, {3 * time.Minute, 12, false},
		{4 * time.Minute, 12, true}, {24 * time.Hour, 12, false}, {25 * time.Hour, 13, true},
	} {
		out.Reset()
		r.ingested.unknown.Store(one.unknown)
		r.ingested.notUTF8.Store(one.unknown)
		r.ingested.partial.Store(one.unknown)
		w.warn(r, began.Add(one.after))
		for _, text := range []string{`no known kind; no rule can match"`, "reason=encoding", "reason=inside"} {
			if warned := strings.Contains(out.String(), text); warned != one.warns {
				t.Errorf("after %s with %d: no %q in %q", one.after, one.unknown, text, out.String())
			}
		}
	}
}
