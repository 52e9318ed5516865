package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// The warning comes at once, then after growing times, and only if more records have come.
func TestTheWarningAboutRecordsOfNoKnownKind(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var b blind
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
		b.warn(log, began.Add(one.after), totals{records: 20, unknown: one.unknown}, []string{"message", "timestamp"})
		if warned := strings.Contains(out.String(), `no known kind; no rule can match"`); warned != one.warns {
			t.Errorf("after %s with %d: %q", one.after, one.unknown, out.String())
		}
	}
}
