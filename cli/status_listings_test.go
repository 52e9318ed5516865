package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"noroshi/ingest/o365"
	"noroshi/internal/app"
)

// The status says up to when an audit log was listed, what waits, what is left of the quota, and what is out of the ordinary.
func TestTheStatusTellsOfListings(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out bytes.Buffer
	table := &statusTable{out: &out, of: &app.Status{At: now, Listings: []o365.Snapshot{
		{Source: "o365-contoso", Partition: 1, Content: "Audit.Exchange", Listed: now.Add(-95 * time.Second), Windows: 7, Blobs: 12, Late: 2, Waiting: 3, Failing: 1, First: "b-9", Lost: 1, Ahead: -7_200_000,
			Left: 480, Share: 500, Refused: 4, Throttled: now.Add(12 * time.Second), Availability: o365.Availability{Last: 61_000, Longest: 3_600_000}},
		{Source: "o365-contoso", Partition: 3, Content: "Audit.General", Share: 500, Left: 500, Backfill: &o365.Backfill{From: now.Add(-50 * time.Hour), To: now.Add(-time.Hour)}},
	}}}
	table.listings()
	for _, want := range []string{
		"o365-contoso/1  Audit.Exchange  2026-01-02T03:02:30Z  1m35s   7        12     2     3        1        1     480 of 500     1m1s, at most 1h0m0s",
		"o365-contoso/3  Audit.General   -                     -       0        0      0     0        0        0     500 of 500     -",
		"o365-contoso/3 Audit.General: the past is being read: 2d1h left, from 2025-12-31T01:04:05Z to 2026-01-02T02:04:05Z",
		"o365-contoso/1 Audit.Exchange: throttled for 12s more; the API has said 4 times that the quota is used up",
		"o365-contoso/1 Audit.Exchange: the clock of this machine is 2h0m0s behind the API's: set it",
		"o365-contoso/1 Audit.Exchange: 1 blob is tried again while it lives, last b-9",
		"o365-contoso/1 Audit.Exchange: lost once; each is an alert of the rule noroshi-source-gap",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}
