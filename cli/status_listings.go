package cli

import (
	"fmt"
	"time"

	"noroshi/ingest/o365"
	"noroshi/internal/diag"
)

// listings prints how audit logs are read that are listed.
func (t *statusTable) listings() {
	var rows [][]any
	for _, l := range t.of.Listings {
		listed, behind := "-", "-"
		if !l.Listed.IsZero() {
			listed, behind = at(l.Listed), ago(t.of.At.Sub(l.Listed))
		}
		delay := "-"
		if l.Blobs > 0 {
			delay = fmt.Sprintf("%s, at most %s", span(l.Availability.Last), span(l.Availability.Longest))
		}
		rows = append(rows, []any{fmt.Sprintf("%s/%d", l.Source, l.Partition), l.Content, listed, behind, l.Windows, l.Blobs, l.Late, l.Waiting, l.Failing, l.Lost,
			fmt.Sprintf("%d of %d", l.Left, l.Share), delay})
	}
	t.table("LISTING\tCONTENT\tLISTED TO\tBEHIND\tWINDOWS\tBLOBS\tLATE\tWAITING\tFAILING\tLOST\tREQUESTS LEFT\tREAD AFTER", rows)
	for _, l := range t.of.Listings {
		t.listing(l)
	}
}

// listing prints what is out of the ordinary.
func (t *statusTable) listing(l o365.Snapshot) {
	name := diag.EscapeLine(fmt.Sprintf("%s/%d %s", l.Source, l.Partition, l.Content))
	if b := l.Backfill; b != nil {
		t.line("  listing %s: the past is being read: %s left, from %s to %s", name, ago(b.To.Sub(b.From)), at(b.From), at(b.To))
	}
	if l.Throttled.After(t.of.At) {
		t.line("  listing %s: throttled for %s more; the API has said %s that the quota is used up", name, ago(l.Throttled.Sub(t.of.At).Round(time.Second)), times(l.Refused))
	}
	if d := time.Duration(l.Ahead) * time.Millisecond; d != 0 {
		way := "ahead of"
		if d < 0 {
			d, way = -d, "behind"
		}
		t.line("  listing %s: the clock of this machine is %s %s the API's: set it", name, ago(d), way)
	}
	if l.Failing > 0 {
		t.line("  listing %s: %s tried again while it lives, last %s", name, are(l.Failing, "blob"), diag.EscapeLine(l.First))
	}
	if l.Lost > 0 {
		t.line("  listing %s: lost %s; each is an alert of the rule noroshi-source-gap", name, times(l.Lost))
	}
}
