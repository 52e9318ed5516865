package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"noroshi/detector"
	"noroshi/ingest/feed"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/identify"
)

// detected counts what the detector has done.
type detected struct {
	events, duplicates, refused atomic.Int64
	tallies
}

// The rhythm of a detector session.
const (
	pollRecords = 1000
	commitEvery = 100 * time.Millisecond
	forgetEvery = time.Minute
)

// detect runs a session of the detector, and a new one after a fault, until ctx ends. What is
// under way then has until drain ends.
func (r *Run) detect(ctx, drain context.Context, b *bus.Bus, w *bus.Writer, number int) error {
	waits := backoff.NewExponentialBackOff()
	for {
		began := time.Now()
		err := r.session(ctx, drain, b, w, number)
		if ctx.Err() != nil {
			if err != nil {
				r.Log.Warn("what the detector read last is not stored; it comes again", slog.Int("session", number), slog.Any("err", err))
			}
			return nil
		}
		if time.Since(began) > time.Minute {
			waits.Reset()
		}
		wait := waits.NextBackOff()
		r.Log.Warn("detector session ended", slog.Int("session", number), slog.Any("err", err), slog.Duration("again_in", wait))
		if feed.Pause(ctx, wait) != nil {
			return nil
		}
	}
}

// session is one member of the detector's group, in one goroutine. At least once: alerts are acknowledged, then offsets.
type session struct {
	run    *Run
	reader *bus.Reader
	writer *bus.Writer
	worker *detector.Worker
	tally  tally
	parts  map[int32]*part
	out    []bus.Record
	body   []byte
	dirty  bool // something is done and not committed
	broken bool // a batch was not stored

	forgot time.Time // the last time
}

// part is what the session keeps of one partition.
type part struct {
	memory *detector.Memory
	recent *detector.Recent
}

func (r *Run) session(ctx, drain context.Context, b *bus.Bus, w *bus.Writer, number int) error {
	s := &session{run: r, writer: w, worker: r.set.Worker(), tally: tally{rules: make([]ruleTally, len(r.set.Rules()))}, parts: map[int32]*part{}}
	reader, err := b.Reader(bus.Member{Topic: bus.Events, Group: detectorGroup, Instance: fmt.Sprintf("%s-%d", detectorGroup, number),
		Missed: r.missedRecords(w), Left: s.left})
	if err != nil {
		return err
	}
	defer reader.Leave(drain)
	s.reader = reader
	last := time.Now()
	for {
		records, err := s.poll(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err := s.batch(drain, records); err != nil {
			s.broken = true
			return err
		}
		ending := ctx.Err() != nil
		if s.dirty && (ending || len(records) == 0 || time.Since(last) >= commitEvery) {
			if err := reader.Commit(drain); err != nil {
				return err
			}
			s.dirty, last = false, time.Now()
		}
		s.forget(time.Now())
		if ending {
			return nil
		}
	}
}

// poll waits for records; while something is not committed only so long as the next commit may wait.
func (s *session) poll(ctx context.Context) ([]bus.Record, error) {
	wait := forgetEvery
	if s.dirty {
		wait = commitEvery
	}
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	records, err := s.reader.Poll(within, pollRecords)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	return records, err
}

// forget gives back what is not needed any more, also of partitions to which nothing comes.
func (s *session) forget(now time.Time) {
	if now.Sub(s.forgot) < forgetEvery {
		return
	}
	s.forgot = now
	for _, p := range s.parts {
		p.recent.Forget(now)
	}
	s.run.repeats.forget(now)
}

// batch evaluates records and stores what they give.
func (s *session) batch(ctx context.Context, records []bus.Record) error {
	if len(records) == 0 {
		return nil
	}
	s.out = s.out[:0]
	touched := map[int32]*part{}
	for i := range records {
		rec := &records[i]
		p := s.parts[rec.Partition]
		if p == nil {
			p = &part{memory: s.run.set.Memory(detector.MemoryOptions{Live: true})}
			p.recent = s.run.repeats.take(rec.Partition)
			s.parts[rec.Partition] = p
		}
		touched[rec.Partition] = p
		if err := s.record(rec, p); err != nil {
			return err
		}
	}
	s.tally.take(s.worker)
	s.run.detected.add(&s.tally)
	if err := s.run.writeOrSetAside(ctx, s.writer, s.out); err != nil {
		return fmt.Errorf("store alerts: %w", err)
	}
	now := time.Now()
	for _, p := range touched {
		p.recent.Keep(now)
		s.tally.overflowed(p.recent)
	}
	s.dirty = true
	return nil
}

// record evaluates one record.
func (s *session) record(rec *bus.Record, p *part) error {
	d := &s.run.detected
	if err := s.worker.ReadAlone(rec.Value, identify.Enqueued(rec)); err != nil {
		e := decode.Undecodable(err)
		d.refused.Add(1)
		l := deadletter.Letter{Reason: string(e.Reason), Detail: e.Cause.Error(), Stage: deadletter.StageDetect, Topic: bus.Events, Partition: rec.Partition, Offset: rec.Offset, Key: rec.Key, Headers: rec.Headers, Value: rec.Value}
		s.out = append(s.out, l.Record())
		return nil
	}
	if p.recent.Add(s.worker.Reader().Duplicate()) {
		d.duplicates.Add(1)
		return nil
	}
	d.events.Add(1)
	s.body = s.worker.Match(s.body[:0])
	for _, i := range s.worker.Excused {
		s.tally.rules[i].excused++
	}
	var failed error
	detector.EachHit(s.body, func(packed []byte) {
		err := p.memory.Apply(packed, func(a *alert.Alert) {
			if s.tally.found(a, p.memory.Rule()) {
				s.alert(a, rec)
			}
		})
		if err != nil {
			failed = err
		}
	})
	return failed
}

// headerSchema says what a record on the topic alerts is.
const headerSchema = "schema"

// alert puts an alert among what is to be stored. It keeps the record's key: an account's alerts stay in order.
func (s *session) alert(a *alert.Alert, rec *bus.Record) {
	a.Times.Evaluated = time.Now().UTC()
	s.out = append(s.out, bus.Record{Topic: bus.Alerts, Key: rec.Key, Value: a.AppendJSON(nil), Headers: []bus.Header{{Key: headerSchema, Value: []byte(alert.Schema)}}})
}

// DecodeOptions are what the configuration knows beyond the records.
func DecodeOptions(c *config.Config) decode.Options {
	o := IdentityOptions(c)
	if c.Geography != nil {
		o.Place = c.Geography.Place
	}
	return o
}

// IdentityOptions are what it takes to tell what a record is and whom it is about.
func IdentityOptions(c *config.Config) decode.Options {
	if d, ok := c.Lists["directory"]; ok {
		return decode.Options{Directory: d.Resolve}
	}
	return decode.Options{}
}
