package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/internal/bus"
	"noroshi/internal/decode"
)

// Status is what an instance says of itself, as JSON on the topic status.
type Status struct {
	Instance   string             `json:"instance"`
	At         time.Time          `json:"at"` // UTC
	Started    time.Time          `json:"started"`
	Ended      bool               `json:"ended,omitempty"` // this is its last word
	Records    int64              `json:"records"`
	Unknown    int64              `json:"unknown"`                // of them those of no known kind, and
	Keys       []string           `json:"unknown_keys,omitempty"` // names of the members of the first of these
	NotUTF8    int64              `json:"not_utf8"`               // records that are not UTF-8 and are read all the same
	Encoding   string             `json:"not_utf8_first,omitempty"`
	Partial    int64              `json:"partial"` // records in which an audit record cannot be read
	Inside     string             `json:"partial_first,omitempty"`
	Letters    int64              `json:"dead_letters"`
	Events     int64              `json:"events"`
	Duplicates int64              `json:"duplicates"`
	Alerts     int64              `json:"alerts"`
	Missed     int64              `json:"missed,omitempty"`           // records of the log that were gone before they were read
	TooLarge   int64              `json:"too_large,omitempty"`        // records that their topic did not take
	Problems   int64              `json:"topic_problems,omitempty"`   // settings of topics that are not as they should be
	Cut        int64              `json:"alerts_cut"`                 // of them those that were too long and are told in part
	Shadow     map[string]int64   `json:"shadow_by_rule,omitempty"`   // alerts of rules in shadow, which nobody is told
	Building   map[string]int64   `json:"building_by_rule,omitempty"` // alerts that are for other rules
	Excused    map[string]int64   `json:"excused_by_rule,omitempty"`  // events that an exception excused
	Partitions []feed.Snapshot    `json:"partitions"`
	Files      []file.Snapshot    `json:"files,omitempty"` // of each source of files
	Sinks      map[string]SinkSum `json:"sinks"`
}

// SinkSum is what a sink has done.
type SinkSum struct {
	Sent    int64 `json:"sent"`
	Refused int64 `json:"refused"`
	Faults  int64 `json:"faults"`
}

const (
	reportEvery = 5 * time.Second
	logEvery    = time.Minute
	trimEvery   = 100 // reports
	trimTo      = 200 // records
	staleAfter  = 6 * reportEvery
)

// Stale says whether an instance has ended without a word.
func (s *Status) Stale(now time.Time) bool { return !s.Ended && now.Sub(s.At) > staleAfter }

// report writes the status to its topic, and a line of it into the log each minute, until ctx ends.
func (r *Run) report(ctx, drain context.Context, b *bus.Bus, w *bus.Writer) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	instance, started, logged := fmt.Sprintf("%s/%d", host, os.Getpid()), time.Now().UTC(), time.Now()
	var warnings warnings
	for n := 1; ; n++ {
		s := r.status(instance, started)
		s.Ended = ctx.Err() != nil
		s.Missed, s.TooLarge, s.Problems = b.Missed(), r.tooLarge.Load(), b.Problems()
		if err := s.write(drain, w); err != nil {
			r.Log.Warn("status not written", slog.Any("err", err))
		}
		warnings.warn(r, s.At)
		if s.Ended {
			return nil
		}
		_ = feed.Pause(ctx, reportEvery)                          // when ctx has ended, the last word is told
		if n%trimEvery == 0 && len(r.Config.Kafka.Brokers) == 0 { // of the one instance that there is; brokers keep it for an hour
			if err := b.Trim(ctx, bus.Status, trimTo); err != nil {
				r.Log.Debug("status not trimmed", slog.Any("err", err))
			}
		}
		if time.Since(logged) >= logEvery {
			logged = time.Now()
			r.logSources()
		}
	}
}

func (r *Run) status(instance string, started time.Time) *Status {
	sum := r.stored()
	s := &Status{Instance: instance, At: time.Now().UTC(), Started: started, Records: sum.records, Unknown: sum.unknown, Keys: r.members.names(),
		NotUTF8: sum.notUTF8, Encoding: r.notUTF8.String(), Partial: sum.partial, Inside: r.partial.String(), Letters: sum.letters, Events: r.detected.events.Load(),
		Duplicates: r.detected.duplicates.Load(), Alerts: r.detected.alerts.Load(), Cut: r.detected.cut.Load(),
		Shadow: r.detected.shadow.snapshot(), Building: r.detected.building.snapshot(), Excused: r.detected.excused.snapshot(), Partitions: r.counts.Snapshot(), Sinks: map[string]SinkSum{}}
	for _, one := range r.Sources {
		if f, ok := one.(*file.Source); ok {
			s.Files = append(s.Files, f.Counts().Snapshot())
		}
	}
	for _, k := range r.runners {
		c := k.Counts()
		s.Sinks[k.Name] = SinkSum{c.Sent, c.Refused, c.Faults}
	}
	return s
}

func (s *Status) write(ctx context.Context, w *bus.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, reportEvery)
	defer cancel()
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return w.Write(ctx, []bus.Record{{Topic: bus.Status, Key: []byte(s.Instance), Value: body}})
}

// totals are what has been stored since the start: records, those of them whose account is no user principal name, those of no
// known kind, those that are not UTF-8, those in which an audit record cannot be read, and dead letters.
type totals struct{ records, unresolved, unknown, notUTF8, partial, letters int64 }

func (r *Run) stored() totals {
	in := &r.ingested
	s := totals{records: in.records.Load(), unresolved: in.unresolved.Load(), unknown: in.unknown.Load(), notUTF8: in.notUTF8.Load(),
		partial: in.partial.Load(), letters: in.refused.Load() + r.detected.refused.Load()}
	for _, p := range r.counts.Snapshot() {
		s.records, s.unresolved, s.unknown = s.records+p.Records, s.unresolved+p.Unresolved, s.unknown+p.Delays[decode.DatasetUnknown].Records
		s.notUTF8, s.partial = s.notUTF8+p.NotUTF8, s.partial+p.Partial
		for _, n := range p.Letters {
			s.letters += n
		}
	}
	return s
}

// logSources logs what each source has brought since the start.
func (r *Run) logSources() {
	all := r.stored()
	r.Log.Info("status", slog.Int64("records", all.records), slog.Int64("events", r.detected.events.Load()), slog.Int64("alerts", r.detected.alerts.Load()), slog.Int64("dead_letters", all.letters))
	sums, order := map[string]*feed.Snapshot{}, []string{}
	for _, p := range r.counts.Snapshot() {
		sum := sums[p.Source]
		if sum == nil {
			sum = &feed.Snapshot{Restarts: map[string]int64{}, Letters: map[string]int64{}}
			sums[p.Source], order = sum, append(order, p.Source)
		}
		sum.Messages, sum.Records, sum.Bytes, sum.Missed = sum.Messages+p.Messages, sum.Records+p.Records, sum.Bytes+p.Bytes, sum.Missed+p.Missed
		sum.Committed, sum.Aborted = sum.Committed+p.Committed, sum.Aborted+p.Aborted
		if p.Owned {
			sum.Partition++ // here: how many are owned
			sum.Last += max(0, p.Lag())
		}
		for k, n := range p.Restarts {
			sum.Restarts[k] += n
		}
		for k, n := range p.Letters {
			sum.Letters[k] += n
		}
	}
	for _, name := range order {
		s := sums[name]
		r.Log.Info("status of source", slog.String("source", name), slog.Int("partitions", int(s.Partition)), slog.Int64("messages", s.Messages), slog.Int64("records", s.Records), slog.Int64("bytes", s.Bytes),
			slog.Int64("lag", s.Last), slog.Int64("committed", s.Committed), slog.Int64("aborted", s.Aborted), slog.Int64("missed", s.Missed), slog.Any("restarts", s.Restarts), slog.Any("dead_letters", s.Letters))
	}
}

// ReadStatus gives the last status of each instance that has written one within the hour.
func ReadStatus(ctx context.Context, b *bus.Bus) (all []Status, err error) {
	last := map[string]Status{}
	var order []string
	err = b.All(ctx, bus.Status, func(r bus.Record) error {
		var s Status
		if err := json.Unmarshal(r.Value, &s); err != nil {
			return fmt.Errorf("read status of %s: %w", r.Key, err)
		}
		if _, ok := last[s.Instance]; !ok {
			order = append(order, s.Instance)
		}
		last[s.Instance] = s
		return nil
	})
	for _, i := range order {
		all = append(all, last[i])
	}
	return all, err
}
