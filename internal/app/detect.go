package app

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"noroshi/detector"
	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/decode"
	"noroshi/internal/stage"
	"noroshi/internal/telemetry"
)

// detected counts what the detector has done.
type detected struct {
	events, duplicates, refused atomic.Int64
	stage                       stage.Counts
	signals                     signalCounts
	keys                        keyCounts
	tallies
}

// detect runs a session of a stage of the detector, and a new one after a fault, until ctx ends. What is under way then has until drain
// ends.
func (r *Run) detect(ctx, drain context.Context, d *detection, of place) error {
	waits := backoff.NewExponentialBackOff()
	for {
		began := time.Now()
		instance := d.name.instance(of)
		err := r.session(ctx, drain, d, of.group, instance)
		if ctx.Err() != nil {
			if err != nil {
				r.Log.Warn("what the detector read last is not stored; it comes again",
					slog.String("stage", of.group), slog.Int("session", of.number), slog.Any("err", err))
			}
			return nil
		}
		if bus.Fenced(err) {
			d.name.change(of)
			r.Log.Error("another process has taken the name of this session; it goes on by another one", slog.String("name", instance),
				slog.String("new_name", d.name.instance(of)))
		}
		if time.Since(began) > time.Minute {
			waits.Reset()
		}
		wait := waits.NextBackOff()
		r.Log.Warn("detector session ended", slog.String("stage", of.group), slog.Int("session", of.number), slog.Any("err", err), slog.Duration("again_in", wait))
		if feed.Pause(ctx, wait) != nil {
			return nil
		}
	}
}

// detection is what the sessions of the detector share.
type detection struct {
	kafka   *kafka
	writer  *bus.Writer
	name    *names
	exactly bool
}

func (r *Run) newDetection(ctx context.Context, k *kafka, w *bus.Writer) (*detection, error) {
	d := &detection{kafka: k, writer: w}
	if k.embedded == nil { // the embedded one has one process, and what a crash repeats meets the memory that knows it
		var err error
		d.exactly, err = r.exactly(ctx, k, detectorGroup, signalsGroup)
		switch {
		case bus.TransactionsDenied(err):
			r.Log.Warn("the detector works without transactions: after a crash it tells alerts again, with the same ids", slog.Any("err", err))
		case err != nil && ctx.Err() == nil: // whether it may repeat alerts is not for a fault to decide
			return nil, err
		}
	}
	c := k.bus.Config()
	d.name = newNames(&c, r.Log)
	return d, nil
}

// session is one member of a stage's group, in one goroutine.
type session struct {
	run     *Run
	exactly bool
	second  bool                   // of the second stage
	ruling  atomic.Pointer[ruling] // parts that are opened begin with it
	worker  *detector.Worker       // of it, in the first stage
	tally   tally
	body    []byte
	// found tells of an alert, and gives where its trace has come to. nil: nobody is told.
	found func(*telemetry.Found) (traceparent string)
	// await waits for the rules of a signal. An error means that the signal is to come again.
	await func(versions []string, known func(*ruling) bool) error
}

// session runs a session of the stage that has a group.
func (r *Run) session(ctx, drain context.Context, d *detection, group, instance string) error {
	s := &session{run: r, exactly: d.exactly, second: group == signalsGroup}
	s.await = func(versions []string, known func(*ruling) bool) error { return d.awaitSignal(ctx, r, versions, known) }
	if r.telemetry != nil {
		s.found = func(f *telemetry.Found) string { return r.telemetry.Found(ctx, f) }
	}
	took := func(what stage.Work, d time.Duration) {
		if r.telemetry != nil {
			r.telemetry.Delay(ctx, workTimes[what], d, group)
		}
	}
	s.turn()
	one := &stage.Session{Bus: d.kafka.bus, Now: time.Now, Log: r.Log, Counts: &r.detected.stage, Open: s.open, Turn: s.turn, Turns: s.turns, Await: d.awaitMemory(s), Took: took,
		Patient: isClock, Lasts: lasts, Name: ruleOf,
		Step: bus.Step{Topic: bus.Events, Group: group, State: bus.DetectorState, Instance: instance, Exactly: d.exactly,
			Missed: r.missedRecords(d.writer), Smaller: r.setAside}}
	if group == signalsGroup {
		one.Counts, one.Open, one.Step.Topic, one.Step.State = &r.detected.signals.stage, s.openSignals, bus.Signals, bus.SignalsState
	}
	beat := r.hearts.heart("evaluation of " + instance + " over " + group)
	defer beat.stops()
	one.Begins, one.Ends = beat.turns, beat.rests
	return one.Run(ctx, drain)
}

// turns reports whether there are new rules.
func (s *session) turns() bool { return s.ruling.Load() != s.run.ruling.Load() }

// turn takes new rules over, when there are some.
func (s *session) turn() {
	u := s.run.ruling.Load()
	if s.ruling.Load() == u {
		return
	}
	s.run.detected.add(&s.tally)
	s.tally = s.run.detected.tally(u.set)
	if !s.second {
		s.worker = u.set.Worker()
		s.worker.Packing, s.worker.Clock = detector.Local, sinceStart
	}
	s.ruling.Store(u)
	stage := stageNumber(0)
	if s.second {
		stage = 1
	}
	s.run.reloads.turned(stage, u)
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
