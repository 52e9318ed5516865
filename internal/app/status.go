package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/ingest/o365"
	"noroshi/internal/bus"
	"noroshi/internal/limits"
	"noroshi/sinks"
)

// Status is what an instance says of itself, as JSON on the topic status. Its numbers are those of the instruments of telemetry.
type Status struct {
	Instance    string             `json:"instance"`
	At          time.Time          `json:"at"` // UTC; all of it is as of then
	Started     time.Time          `json:"started"`
	Roles       []Role             `json:"roles,omitempty"`
	Ended       bool               `json:"ended,omitempty"`  // this is its last word
	Killed      bool               `json:"killed,omitempty"` // whoever reads this knows that its process is gone; no instance says so of itself
	Limits      limits.Limits      `json:"limits,omitzero"`
	Records     int64              `json:"records"`
	Unknown     int64              `json:"unknown"`                // of them those of no known kind, and
	Keys        []string           `json:"unknown_keys,omitempty"` // names of the members of the first of these
	Unresolved  int64              `json:"unresolved"`             // records whose account is no user principal name
	NotUTF8     int64              `json:"not_utf8"`               // records that are not UTF-8 and are read all the same
	Encoding    string             `json:"not_utf8_first,omitempty"`
	Partial     int64              `json:"partial"` // records in which an audit record cannot be read
	Inside      string             `json:"partial_first,omitempty"`
	Letters     int64              `json:"dead_letters"`
	Letter      time.Time          `json:"last_dead_letter,omitzero"` // to a few seconds
	Events      int64              `json:"events"`
	Duplicates  int64              `json:"duplicates"`
	Overflows   int64              `json:"overflows"` // recent records forgotten before their time: a repeat of one is evaluated again
	CutLists    int64              `json:"cut_lists"` // lists longer than conditions look into
	Alerts      int64              `json:"alerts"`
	Revised     int64              `json:"alerts_revised,omitempty"`   // later revisions of alerts
	Cut         int64              `json:"alerts_cut"`                 // alerts and revisions that were too long and are told in part
	CutEvidence int64              `json:"evidence_cut"`               // of these those whose evidence was cut
	Missed      int64              `json:"missed,omitempty"`           // records of the log that were gone before they were read
	TooLarge    int64              `json:"too_large,omitempty"`        // records that their topic did not take
	Problems    int64              `json:"topic_problems,omitempty"`   // settings of topics that are not as they should be
	Shadow      map[string]int64   `json:"shadow_by_rule,omitempty"`   // alerts of rules in shadow, which nobody is told
	Building    map[string]int64   `json:"building_by_rule,omitempty"` // alerts that are for other rules
	Excused     map[string]int64   `json:"excused_by_rule,omitempty"`  // events that an exception excused
	RuleSet     RuleSetSum         `json:"rule_set"`                   // which rules are evaluated
	Memory      MemorySum          `json:"memory"`                     // of rules that remember
	Signals     SignalSum          `json:"signals"`                    // of them for those whose key is not the account
	Clocks      []ClockSum         `json:"clocks,omitempty"`           // of source partitions, by name
	Waits       []WaitSum          `json:"waits,omitempty"`            // the clocks that are furthest behind
	Waiting     int                `json:"waits_total,omitempty"`      // how many are behind
	Needs       []NeedSum          `json:"needs,omitempty"`            // events that wait for datasets which their rules need
	NeedsTotal  int                `json:"needs_total,omitempty"`      // rules and tenants of which some wait so
	Asleep      []SleepSum         `json:"asleep,omitempty"`           // rules that cannot fire on what sources have shown
	Late        []LateSum          `json:"late,omitempty"`             // datasets that come later than is waited for them
	Ahead       int                `json:"ahead_s,omitempty"`          // how far the clock of an instance that tells progress is ahead of this one's, in seconds
	Refused     int                `json:"clocks_refused,omitempty"`   // sources, and datasets of tenants, that were too many to have clocks
	Unread      int                `json:"ticks_unread,omitempty"`     // of a version that is not known here
	Log         *LogSum            `json:"log,omitempty"`              // of the embedded log
	Unreached   []string           `json:"brokers_unreached,omitempty"`
	Disks       []DiskSum          `json:"disks,omitempty"` // on which this instance writes
	Sources     []SourceSum        `json:"sources"`
	Partitions  []feed.Snapshot    `json:"partitions"`
	Listings    []o365.Snapshot    `json:"listings,omitempty"` // of content types of audit logs that are listed
	Files       []file.Snapshot    `json:"files,omitempty"`    // of each source of files
	Rules       []RuleSum          `json:"rules"`
	Sinks       map[string]SinkSum `json:"sinks"`
	Crowded     []string           `json:"crowded_instruments,omitempty"` // that have more series than they may
}

// MemorySum is what has become of the memory of rules, since the start.
type MemorySum struct {
	TooLate    int64 `json:"too_late"`   // events that came when their neighbours were forgotten
	Overflow   int64 `json:"overflow"`   // events that were forgotten because a key had too many
	Evicted    int64 `json:"evicted"`    // keys that were forgotten because a tenant had too many
	Undecided  int64 `json:"undecided"`  // events of which it could not be decided whether a rule fires
	Restored   int64 `json:"restored"`   // keys that were read back
	Lost       int64 `json:"lost"`       // partitions that began anew, because their memory did not belong to the place in their records
	Unreadable int64 `json:"unreadable"` // keys that could not be read back
	Unknown    int64 `json:"unknown"`    // keys of rules that are gone or look at something else now
	Rows       int64 `json:"rows"`       // that were written, and
	Bytes      int64 `json:"bytes"`      // their size
}

// SignalSum is what has become of what travels to rules whose key is not the account, since the start.
type SignalSum struct {
	Written    int64 `json:"written"`
	Applied    int64 `json:"applied"`
	Skipped    int64 `json:"skipped"`    // they had been applied before
	Unknown    int64 `json:"unknown"`    // hits in them that count for nothing: of rules that this instance lacks, or has in another version
	Unreadable int64 `json:"unreadable"` // dead letters stand for them
	Restored   int64 `json:"restored"`   // keys of the memory of these rules that were read back
	Rows       int64 `json:"rows"`       // of it that were written, and
	Bytes      int64 `json:"bytes"`      // their size
	Waiting    int64 `json:"waiting"`    // partitions whose clocks stand, because a partition of events has not told yet how far the sources have come
}

// LogSum is the use of the embedded log.
type LogSum struct {
	Used  int64  `json:"used_bytes"`
	Limit int64  `json:"limit_bytes"`
	Full  string `json:"full_for,omitempty"` // the reader that sources wait for
}

// SourceSum is how a source is.
type SourceSum struct {
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`                 // file or stream
	Records int64     `json:"records"`              // since the start, dead letters included
	Last    time.Time `json:"last_record,omitzero"` // when the last was stored, to a few seconds; zero: none since the start
	Fault   string    `json:"fault,omitempty"`      // why it, or a part of it, gives nothing now,
	Since   time.Time `json:"since,omitzero"`       // and since when
	Ended   bool      `json:"ended,omitempty"`      // it has given all that it has
	Owned   int64     `json:"partitions_owned"`     // of a stream: how many partitions this instance reads
	Lag     *int64    `json:"lag,omitempty"`        // of a stream: messages that wait in these, where that is known
}

// RuleSum is what a rule has done.
type RuleSum struct {
	ID        string `json:"id"`
	State     string `json:"state"`
	Evaluated int64  `json:"evaluated"` // records that its condition was tried on
	Failed    int64  `json:"failed"`    // of them those on which it failed
	Excused   int64  `json:"excused"`   // those that an exception excused
	Fired     int64  `json:"fired"`     // alerts
	Shadow    int64  `json:"shadow"`    // alerts that nobody is told
	Building  int64  `json:"building"`  // findings that are for other rules
	Timed     int64  `json:"timed"`     // times that its condition was timed: on some records
	Time      int64  `json:"time_ns"`   // that it took then
}

// SinkSum is what a sink has done, and how it is.
type SinkSum struct {
	// Of the alerts that it has read since its start: Read = Sent + Summarised + Filtered + Refused + Held + Returned.
	Read       int64       `json:"read"`
	Sent       int64       `json:"sent"`
	Summarised int64       `json:"summarised"` // taken as part of a summary
	Refused    int64       `json:"refused"`
	Filtered   int64       `json:"filtered"` // alerts that the sink is not for
	Held       int64       `json:"held"`     // that have no end yet
	Returned   int64       `json:"returned"` // that were given back and are read again
	Untold     int64       `json:"results_lost,omitempty"`
	Faults     int64       `json:"faults"`
	Skipped    int64       `json:"skipped"` // messages of the topic that are no alerts
	State      sinks.State `json:"state,omitempty"`
	Since      time.Time   `json:"since,omitzero"`
	Took       time.Time   `json:"last_sent,omitzero"`
	Waiting    *int64      `json:"waiting,omitempty"`       // alerts, nil where that is not known
	Oldest     time.Time   `json:"oldest_waiting,omitzero"` // when the oldest of them was written
	Fault      string      `json:"last_error,omitempty"`
	Next       time.Time   `json:"next_try,omitzero"`
}

const (
	reportEvery = 5 * time.Second
	logEvery    = time.Minute
	trimEvery   = 100 // reports
	trimTo      = 200 // records
	staleAfter  = 6 * reportEvery
)

// Stale says whether an instance has ended without a word.
func (s *Status) Stale(now time.Time) bool {
	return !s.Ended && (s.Killed || now.Sub(s.At) > staleAfter)
}

// report writes the status to its topic, and a line of it into the log each minute, until ctx ends.
func (r *Run) report(ctx, drain context.Context, k *kafka, w *bus.Writer) error {
	started, logged, around := time.Now().UTC(), time.Now(), time.Time{}
	var warnings warnings
	trouble, looked := &bus.Trouble{Log: r.Log}, time.Now()
	beat := r.hearts.heart("reporting")
	defer beat.stops()
	for n := 1; ; n++ {
		beat.turns()
		ended, within := ctx.Err() != nil, watchWithin
		if ended {
			within = watchAtEnd
		}
		r.watch(drain, k, within)
		if !ended && time.Since(around) >= peersEvery {
			around = time.Now()
			r.lookAround(drain, k)
		}
		s, err := r.status(drain, r.telemetry)
		if err == nil {
			s.Instance, s.Roles, s.Started, s.Ended, s.Limits = instance(), r.roles(), started, ended, r.Limits
			r.last.Store(s)
			err = s.write(drain, w)
		}
		r.watchItself(drain, k, w, time.Now().UTC(), ended)
		trouble.Tick(time.Since(looked), "status not written", err, "status is written again")
		looked = time.Now()
		warnings.warn(r, time.Now())
		if ended {
			return nil
		}
		_ = feed.Pause(ctx, reportEvery)                          // when ctx has ended, the last word is told
		if n%trimEvery == 0 && len(r.Config.Kafka.Brokers) == 0 { // of the one instance that there is; brokers keep it for an hour
			if err := k.bus.Trim(ctx, bus.Status, trimTo); err != nil {
				r.Log.Debug("status not trimmed", slog.Any("err", err))
			}
		}
		if time.Since(logged) >= logEvery {
			logged = time.Now()
			r.logSources()
		}
	}
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

// logSources logs what each source has brought since the start.
func (r *Run) logSources() {
	all := r.stored()
	r.Log.Info("status", slog.Int64("records", all.records), slog.Int64("events", r.detected.events.Load()), slog.Int64("alerts", r.detected.snapshot().alerts), slog.Int64("dead_letters", all.letters))
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
