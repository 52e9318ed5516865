package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/internal/decode"
	"noroshi/internal/stage"
	"noroshi/internal/telemetry"
	"noroshi/sinks"
)

// number is an instrument and where its value stands in the status.
type number[T any] struct {
	of *telemetry.Instrument
	at func(*T) *int64
}

var numbers = []number[Status]{
	{telemetry.RecordsStored, func(s *Status) *int64 { return &s.Records }},
	{telemetry.RecordsUnknown, func(s *Status) *int64 { return &s.Unknown }},
	{telemetry.RecordsUnresolved, func(s *Status) *int64 { return &s.Unresolved }},
	{telemetry.RecordsNotUTF8, func(s *Status) *int64 { return &s.NotUTF8 }},
	{telemetry.RecordsPartial, func(s *Status) *int64 { return &s.Partial }},
	{telemetry.RecordsEvaluated, func(s *Status) *int64 { return &s.Events }},
	{telemetry.RecordsRepeated, func(s *Status) *int64 { return &s.Duplicates }},
	{telemetry.RecordsMissed, func(s *Status) *int64 { return &s.Missed }},
	{telemetry.RecordsTooLarge, func(s *Status) *int64 { return &s.TooLarge }},
	{telemetry.ListsCut, func(s *Status) *int64 { return &s.CutLists }},
	{telemetry.Overflows, func(s *Status) *int64 { return &s.Overflows }},
	{telemetry.Letters, func(s *Status) *int64 { return &s.Letters }},
	{telemetry.AlertsFound, func(s *Status) *int64 { return &s.Alerts }},
	{telemetry.AlertsRevised, func(s *Status) *int64 { return &s.Revised }},
	{telemetry.AlertsCut, func(s *Status) *int64 { return &s.Cut }},
	{telemetry.AlertsEvidenceCut, func(s *Status) *int64 { return &s.CutEvidence }},
	{telemetry.TopicProblems, func(s *Status) *int64 { return &s.Problems }},
}

var memoryNumbers = []number[MemorySum]{
	{telemetry.TooLate, func(m *MemorySum) *int64 { return &m.TooLate }},
	{telemetry.MemoryOverflow, func(m *MemorySum) *int64 { return &m.Overflow }},
	{telemetry.MemoryEvicted, func(m *MemorySum) *int64 { return &m.Evicted }},
	{telemetry.MemoryUndecided, func(m *MemorySum) *int64 { return &m.Undecided }},
	{telemetry.MemoryRestored, func(m *MemorySum) *int64 { return &m.Restored }},
	{telemetry.MemoryLost, func(m *MemorySum) *int64 { return &m.Lost }},
	{telemetry.MemoryUnreadable, func(m *MemorySum) *int64 { return &m.Unreadable }},
	{telemetry.MemoryUnknown, func(m *MemorySum) *int64 { return &m.Unknown }},
	{telemetry.MemoryRows, func(m *MemorySum) *int64 { return &m.Rows }},
	{telemetry.MemoryBytes, func(m *MemorySum) *int64 { return &m.Bytes }},
}

var signalNumbers = []number[SignalSum]{
	{telemetry.SignalsWritten, func(s *SignalSum) *int64 { return &s.Written }},
	{telemetry.SignalsApplied, func(s *SignalSum) *int64 { return &s.Applied }},
	{telemetry.SignalsSkipped, func(s *SignalSum) *int64 { return &s.Skipped }},
	{telemetry.SignalsUnknown, func(s *SignalSum) *int64 { return &s.Unknown }},
	{telemetry.SignalsUnreadable, func(s *SignalSum) *int64 { return &s.Unreadable }},
	{telemetry.SignalsRestored, func(s *SignalSum) *int64 { return &s.Restored }},
	{telemetry.SignalsRows, func(s *SignalSum) *int64 { return &s.Rows }},
	{telemetry.SignalsWaiting, func(s *SignalSum) *int64 { return &s.Waiting }},
	{telemetry.SignalsBytes, func(s *SignalSum) *int64 { return &s.Bytes }},
}

var logNumbers = []number[LogSum]{
	{telemetry.LogUsed, func(l *LogSum) *int64 { return &l.Used }},
	{telemetry.LogLimit, func(l *LogSum) *int64 { return &l.Limit }},
}

var ruleNumbers = []number[RuleSum]{
	{telemetry.RuleEvaluated, func(r *RuleSum) *int64 { return &r.Evaluated }},
	{telemetry.RuleFailed, func(r *RuleSum) *int64 { return &r.Failed }},
	{telemetry.RuleExcused, func(r *RuleSum) *int64 { return &r.Excused }},
	{telemetry.RuleFired, func(r *RuleSum) *int64 { return &r.Fired }},
	{telemetry.RuleShadow, func(r *RuleSum) *int64 { return &r.Shadow }},
	{telemetry.RuleBuilding, func(r *RuleSum) *int64 { return &r.Building }},
	{telemetry.RuleTimed, func(r *RuleSum) *int64 { return &r.Timed }},
	{telemetry.RuleTime, func(r *RuleSum) *int64 { return &r.Time }},
}

var partitionNumbers = []number[feed.Snapshot]{
	{telemetry.SourceMessages, func(s *feed.Snapshot) *int64 { return &s.Messages }},
	{telemetry.SourceRecords, func(s *feed.Snapshot) *int64 { return &s.Records }},
	{telemetry.SourceBytes, func(s *feed.Snapshot) *int64 { return &s.Bytes }},
	{telemetry.SourceUnresolved, func(s *feed.Snapshot) *int64 { return &s.Unresolved }},
	{telemetry.SourceNotUTF8, func(s *feed.Snapshot) *int64 { return &s.NotUTF8 }},
	{telemetry.SourcePartial, func(s *feed.Snapshot) *int64 { return &s.Partial }},
	{telemetry.SourceSequence, func(s *feed.Snapshot) *int64 { return &s.Sequence }},
	{telemetry.SourceCommitted, func(s *feed.Snapshot) *int64 { return &s.Committed }},
	{telemetry.SourceAborted, func(s *feed.Snapshot) *int64 { return &s.Aborted }},
	{telemetry.SourceMissed, func(s *feed.Snapshot) *int64 { return &s.Missed }},
}

// lookedNumbers are known once the stream has said what it holds.
var lookedNumbers = []number[feed.Snapshot]{
	{telemetry.SourceFirst, func(s *feed.Snapshot) *int64 { return &s.First }},
	{telemetry.SourceLast, func(s *feed.Snapshot) *int64 { return &s.Last }},
}

var delayNumbers = []number[feed.Delay]{
	{telemetry.DatasetRecords, func(d *feed.Delay) *int64 { return &d.Records }},
	{telemetry.DatasetDelay, func(d *feed.Delay) *int64 { return &d.Sum }},
	{telemetry.DatasetLongest, func(d *feed.Delay) *int64 { return &d.Longest }},
}

var fileNumbers = []number[file.Snapshot]{
	{telemetry.FilesFollowed, func(f *file.Snapshot) *int64 { return &f.Files }},
	{telemetry.FilesOpen, func(f *file.Snapshot) *int64 { return &f.Open }},
	{telemetry.FilesFailing, func(f *file.Snapshot) *int64 { return &f.Failing }},
	{telemetry.FilesVain, func(f *file.Snapshot) *int64 { return &f.Vain }},
	{telemetry.FilesNot, func(f *file.Snapshot) *int64 { return &f.NotFiles }},
	{telemetry.FilesPending, func(f *file.Snapshot) *int64 { return &f.Unfinished }},
	{telemetry.FilesCut, func(f *file.Snapshot) *int64 { return &f.Cut }},
}

var sinkNumbers = []number[SinkSum]{
	{telemetry.SinkRead, func(s *SinkSum) *int64 { return &s.Read }},
	{telemetry.SinkSent, func(s *SinkSum) *int64 { return &s.Sent }},
	{telemetry.SinkSummarised, func(s *SinkSum) *int64 { return &s.Summarised }},
	{telemetry.SinkRefused, func(s *SinkSum) *int64 { return &s.Refused }},
	{telemetry.SinkFiltered, func(s *SinkSum) *int64 { return &s.Filtered }},
	{telemetry.SinkHeld, func(s *SinkSum) *int64 { return &s.Held }},
	{telemetry.SinkReturned, func(s *SinkSum) *int64 { return &s.Returned }},
	{telemetry.SinkUntold, func(s *SinkSum) *int64 { return &s.Untold }},
	{telemetry.SinkFaults, func(s *SinkSum) *int64 { return &s.Faults }},
	{telemetry.SinkSkipped, func(s *SinkSum) *int64 { return &s.Skipped }},
}

// hand gives the numbers of a row to an observer.
func hand[T any](o *telemetry.Observer, table []number[T], row *T, labels ...string) {
	for _, n := range table {
		o.Observe(n.of, *n.at(row), labels...)
	}
}

// take puts the numbers of a look into rows.
func take[T any](l *telemetry.Look, table []number[T], row func(labels []string) *T) {
	for _, n := range table {
		for _, s := range l.Series(n.of) {
			if to := row(s.Labels); to != nil {
				*n.at(to) = s.Value
			}
		}
	}
}

// observe gives all that is counted to an observer. Readers may ask before all that counts is made; then they are told nothing.
func (r *Run) observe(o *telemetry.Observer) {
	if !r.counting.Load() {
		return
	}
	r.observeTotals(o)
	for _, p := range r.counts.Snapshot() {
		observePartition(o, &p, p.Source, strconv.Itoa(int(p.Partition)))
	}
	for _, l := range r.listings() {
		observeListing(o, &l, time.Now())
	}
	for i, one := range r.Sources {
		name := fileSource(i, len(r.Sources))
		o.Observe(telemetry.FilesRecords, r.files[i].brought.Load(), name)
		if f, ok := one.(*file.Source); ok {
			c := f.Counts().Snapshot()
			hand(o, fileNumbers, &c, name)
		}
	}
	for _, rule := range r.ruling.Load().set.Rules() {
		t := r.detected.rule(rule.ID)
		row := RuleSum{Evaluated: t.evaluated, Failed: t.failed, Excused: t.excused, Fired: t.fired, Shadow: t.shadow, Building: t.building, Timed: t.timed, Time: t.time}
		hand(o, ruleNumbers, &row, rule.ID)
	}
	r.observeStages(o)
	r.observeSinks(o)
}

// memory is what has become of the memory of rules.
func (d *detected) memory(found *tally) MemorySum {
	s := MemorySum{TooLate: int64(found.bounds.TooLate), Overflow: int64(found.bounds.Overflow), Evicted: int64(found.bounds.Evicted),
		Undecided: int64(found.bounds.Undecided)}
	for _, c := range []*stage.Counts{&d.stage, &d.signals.stage} {
		s.Restored, s.Unreadable, s.Unknown = s.Restored+c.Restored.Load(), s.Unreadable+c.Unreadable.Load(), s.Unknown+c.Unknown.Load()
		s.Lost += c.Lost.Load()
		s.Rows, s.Bytes = s.Rows+c.Rows.Load(), s.Bytes+c.RowBytes.Load()
	}
	return s
}

func (r *Run) observeTotals(o *telemetry.Observer) {
	sum, found, w := r.stored(), r.detected.snapshot(), &r.watching
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Status{Records: sum.records, Unknown: sum.unknown, Unresolved: sum.unresolved, NotUTF8: sum.notUTF8, Partial: sum.partial, Letters: sum.letters,
		Events: r.detected.events.Load(), Duplicates: r.detected.duplicates.Load(), Overflows: found.overflows, CutLists: found.lists,
		Alerts: found.alerts, Revised: found.revised, Cut: found.alertsCut, CutEvidence: found.evidenced, TooLarge: r.tooLarge.Load(), Missed: w.missed, Problems: w.problems}
	hand(o, numbers, &s)
	memory := r.detected.memory(&found)
	hand(o, memoryNumbers, &memory)
	signals := r.detected.signals.sum()
	hand(o, signalNumbers, &signals)
	set := r.ruleSet()
	hand(o, reloadNumbers, &set)
	if w.log != nil {
		hand(o, logNumbers, w.log)
	}
}

func observePartition(o *telemetry.Observer, p *feed.Snapshot, labels ...string) {
	hand(o, partitionNumbers, p, labels...)
	o.Observe(telemetry.SourceOwned, one(p.Owned), labels...)
	if p.Looked {
		hand(o, lookedNumbers, p, labels...)
	}
	if lag := p.Lag(); p.Owned && lag >= 0 {
		o.Observe(telemetry.SourceLag, lag, labels...)
		o.Observe(telemetry.SourceAge, ageOf(p, lag, time.Now()), labels...)
	}
	with := func(label string) []string { return append(slices.Clone(labels), label) }
	for reason, n := range p.Restarts {
		o.Observe(telemetry.SourceRestarts, n, with(reason)...)
	}
	for reason, n := range p.Letters {
		o.Observe(telemetry.SourceLetters, n, with(reason)...)
	}
	for dataset, d := range p.Delays {
		hand(o, delayNumbers, &d, with(dataset)...)
	}
}

func (r *Run) observeSinks(o *telemetry.Observer) {
	w := &r.watching
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range r.runners {
		c := k.Counts()
		row := SinkSum{Read: c.Read, Sent: c.Sent, Summarised: c.Summarised, Refused: c.Refused, Filtered: c.Filtered, Held: c.Held, Returned: c.Returned, Untold: c.Untold, Faults: c.Faults}
		if q, ok := k.Queue.(*queue); ok {
			row.Skipped = q.skipped.Load()
		}
		hand(o, sinkNumbers, &row, k.Name)
		o.Observe(telemetry.SinkDelivering, one(c.State == sinks.Delivering), k.Name)
		if b := w.behind[k.Name]; b.known {
			o.Observe(telemetry.SinkWaiting, b.waiting, k.Name)
			if !b.oldest.IsZero() {
				o.Observe(telemetry.SinkOldest, int64(max(0, time.Since(b.oldest))/time.Second), k.Name)
			}
		}
	}
}

func one(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// status is a look at all instruments, and what is no number beside it.
func (r *Run) status(ctx context.Context, t *telemetry.Telemetry) (*Status, error) {
	l, err := t.Look(ctx)
	if err != nil {
		return nil, err
	}
	s := &Status{At: time.Now().UTC(), Crowded: l.Overflow, Keys: r.members.names(), Encoding: r.notUTF8.String(), Inside: r.partial.String()}
	take(l, numbers, func([]string) *Status { return s })
	take(l, memoryNumbers, func([]string) *MemorySum { return &s.Memory })
	take(l, signalNumbers, func([]string) *SignalSum { return &s.Signals })
	if _, ours := l.Value(telemetry.LogLimit); ours {
		s.Log = &LogSum{}
		take(l, logNumbers, func([]string) *LogSum { return s.Log })
	}
	s.RuleSet = r.ruleSet()
	take(l, reloadNumbers, func([]string) *RuleSetSum { return &s.RuleSet })
	r.ruleStatus(l, s)
	r.sourceStatus(l, s)
	r.sinkStatus(l, s)
	r.clocks.tell(s)
	r.asleep(s)
	r.lateness(s)
	return s, nil
}

func (r *Run) sourceStatus(l *telemetry.Look, s *Status) {
	s.Partitions = partitions(l, r.counts.Snapshot())
	s.Listings = listed(l, r.listings())
	files := map[string]*file.Snapshot{}
	s.Files = make([]file.Snapshot, len(r.Sources))
	for i, one := range r.Sources {
		f, ok := one.(*file.Source)
		if !ok {
			continue
		}
		c := f.Counts().Snapshot()
		s.Files[i] = file.Snapshot{First: r.shown(c.First), Fault: r.shown(c.Fault), Without: r.shown(c.Without), Since: c.Since,
			NotFile: r.shown(c.NotFile), UnfinishedAt: r.shown(c.UnfinishedAt)}
		files[fileSource(i, len(r.Sources))] = &s.Files[i]
	}
	take(l, fileNumbers, func(labels []string) *file.Snapshot { return files[labels[0]] })
	s.Sources = r.sources()
	w := &r.watching
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Letter, s.Unreached, s.Disks = w.lettered, w.unreached, w.disks
	for i := range s.Sources {
		if was := w.sources[s.Sources[i].Name]; was != nil {
			s.Sources[i].Last = was.last
			if s.Sources[i].Fault != "" {
				s.Sources[i].Since = was.failed
			}
		}
	}
	if s.Log != nil && w.log != nil {
		s.Log.Full = w.log.Full
	}
}

// partitions are those of streams that have been this instance's, with what is no number as it is now.
func partitions(l *telemetry.Look, now []feed.Snapshot) (all []feed.Snapshot) {
	rows := map[string]*feed.Snapshot{}
	key := func(labels []string) string { return fmt.Sprintf("%q", labels[:2]) }
	row := func(labels []string) *feed.Snapshot { return rows[key(labels)] }
	for _, p := range now {
		rows[key([]string{p.Source, strconv.Itoa(int(p.Partition))})] = &feed.Snapshot{Source: p.Source, Partition: p.Partition, Last: -1, Enqueued: p.Enqueued,
			Restarts: map[string]int64{}, Letters: map[string]int64{}, Delays: map[string]feed.Delay{}}
	}
	take(l, partitionNumbers, row)
	take(l, lookedNumbers, row)
	for _, s := range l.Series(telemetry.SourceOwned) {
		row(s.Labels).Owned = s.Value == 1
	}
	for _, s := range l.Series(telemetry.SourceFirst) {
		row(s.Labels).Looked = true
	}
	for _, s := range l.Series(telemetry.SourceRestarts) {
		row(s.Labels).Restarts[s.Labels[2]] = s.Value
	}
	for _, s := range l.Series(telemetry.SourceLetters) {
		row(s.Labels).Letters[s.Labels[2]] = s.Value
	}
	for _, n := range delayNumbers {
		for _, s := range l.Series(n.of) {
			d := row(s.Labels).Delays[s.Labels[2]]
			*n.at(&d) = s.Value
			row(s.Labels).Delays[s.Labels[2]] = d
		}
	}
	for _, p := range rows {
		all = append(all, *p)
	}
	feed.Sort(all)
	return all
}

func (r *Run) sinkStatus(l *telemetry.Look, s *Status) {
	rows := map[string]*SinkSum{}
	w := &r.watching
	w.mu.Lock()
	for _, k := range r.runners {
		c := k.Counts()
		rows[k.Name] = &SinkSum{State: c.State, Since: c.Since.UTC(), Took: c.Took.UTC(), Next: c.Next.UTC(), Oldest: w.behind[k.Name].oldest.UTC()}
		if c.Fault != nil {
			rows[k.Name].Fault = r.shown(c.Fault.Error())
		}
	}
	w.mu.Unlock()
	take(l, sinkNumbers, func(labels []string) *SinkSum { return rows[labels[0]] })
	for _, one := range l.Series(telemetry.SinkWaiting) {
		rows[one.Labels[0]].Waiting = &one.Value
	}
	s.Sinks = map[string]SinkSum{}
	for name, row := range rows {
		s.Sinks[name] = *row
	}
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
