package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
)

// What alerts about what was never read give in the place of a rule.
const (
	sourceGapRule = "noroshi-source-gap"
	logGapRule    = "noroshi-log-gap"
)

// missed is the alert that messages of a source will never be read: what happened in them is not known. It is the same however often
// it is told.
func missed(source string, partition int32, g feed.Gap, now time.Time) bus.Record {
	where := fmt.Sprintf("%s/%d", source, partition)
	number, cause := fmt.Sprint(g.Len()), "were deleted by retention before they were read"
	if g.Sparse {
		number = "up to " + number
	}
	if !g.Deleted {
		cause = "were left out by the stream"
	}
	summary := fmt.Sprintf("Messages of %s %s: %s, with the sequence numbers %d to %d. What they tell was not evaluated: search it in the tenant's own audit log.",
		where, cause, number, g.From, g.To)
	return gapAlert(sourceGapRule, "Messages of a source were not read", source, where, g.From, summary, now)
}

// lost is the alert that a part of a stream will never be read.
func lost(source string, partition int32, sequence int64, what string, now time.Time) bus.Record {
	where := fmt.Sprintf("%s/%d", source, partition)
	summary := fmt.Sprintf("A part of %s will never be read: %s. What it tells was not evaluated: search it in the tenant's own audit log.", where, what)
	return gapAlert(sourceGapRule, "A part of a source was not read", source, where, sequence, summary, now)
}

// missedRecords tells that one of our own readers will never read records of our log: in the log, and by an alert.
func (r *Run) missedRecords(w *bus.Writer) func(ctx context.Context, g bus.Gap) error {
	return func(ctx context.Context, g bus.Gap) error {
		return w.Write(ctx, []bus.Record{missedRecords(g, time.Now().UTC())})
	}
}

func missedRecords(g bus.Gap, now time.Time) bus.Record {
	where := fmt.Sprintf("%s/%d", g.Topic, g.Partition)
	cause := "were deleted by the topic's retention before %s read them"
	if g.Damaged {
		cause = "are damaged on the disk, so that %s could not read them"
	}
	reader, lost := "the detector", "What they tell was not evaluated: search it in the tenant's own audit log."
	if sink, ok := strings.CutPrefix(g.Group, sinkGroup); ok {
		reader, lost = "the sink "+sink, "The sink never gets these alerts: look for them in the other sinks."
	}
	summary := fmt.Sprintf("Records of %s %s: up to %d, with the offsets %d to %d. %s", where, fmt.Sprintf(cause, reader), g.Len(), g.From, g.To, lost)
	return gapAlert(logGapRule, "Records of the log were not read", g.Group, where, g.From, summary, now)
}

func gapAlert(rule, title, reader, where string, from int64, summary string, now time.Time) bus.Record {
	group := map[string]string{"source": where}
	values := []string{where}
	if rule == logGapRule {
		group["reader"] = reader
		values = append(values, reader)
	}
	a := alert.Alert{Schema: alert.Schema, ID: alert.ID("", rule, values, fmt.Sprint(from)), Status: alert.Firing, Revision: 1, Severity: "high", Account: where, Target: where,
		Rule:    alert.Rule{ID: rule, Title: title, Guide: []string{}, Class: "operation", Attack: []string{}},
		Actor:   alert.Actor{Kind: "service", Name: reader},
		Summary: summary,
		Time:    now, Window: alert.Window{First: now, Last: now}, Group: group, DedupKey: rule + ":" + strings.Join(values, ":"),
		Times: alert.Times{Happened: now, Evaluated: now}}
	return alertRecord([]byte(where), &a)
}
