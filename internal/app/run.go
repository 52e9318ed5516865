// Package app wires the rooms together and runs them live.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/ingest/feed"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/limits"
	"noroshi/internal/service"
	"noroshi/internal/telemetry"
	"noroshi/sinks"
)

// Run is everything in one process: sources, Kafka, detector, sinks.
type Run struct {
	Config   *config.Config
	Compile  func(sample [][]byte) *detector.Set // called once, with records that tell how common comparisons are
	Began    time.Time                           // when Config and the rules were begun to be read
	Read     func() *Reading                     // reads them again; nil: they stay as they are
	Hangup   <-chan os.Signal                    // asks for that
	Sources  []ingest.Source
	Feeds    []Feed
	Sinks    []NamedSink
	Roles    []Role // none: all
	Sessions int    // detector sessions; 0: one for each core, at most one for each partition
	Log      *slog.Logger
	Version  string
	Manager  *service.Manager // who started the process and watches it; nil: nobody
	Limits   limits.Limits

	ruling   atomic.Pointer[ruling]
	last     atomic.Pointer[Status] // that was told
	hearts   hearts
	watchman watchman
	prepared prepared
	sleeps   atomic.Pointer[sleeping]
	reloads  reloads
	awaited  awaited
	peers    peers
	ingested ingested
	members  members // of records of no known kind
	notUTF8  example
	partial  example // of records in which an audit record cannot be read
	detected detected
	clocks   standing
	repeats  repeats
	counts   feed.Counts
	tooLarge atomic.Int64 // records that their topic did not take
	runners  []*sinks.Runner
	files    []files // of each of Sources
	watching watching

	telemetry *telemetry.Telemetry // from the start of Run on
	counting  atomic.Bool          // all that counts is made
}

// NamedSink is a sink and the name of its place in the topic.
type NamedSink struct {
	Name string
	Sink sinks.Sink
	sinks.Terms
	Answer *sinks.Answer // what its destination says; nil: nobody knows
}

// The groups of the detector's stages, and the beginning of those of sinks.
const (
	detectorGroup = "detector"
	signalsGroup  = "signals"
	sinkGroup     = "sink-"
)

const (
	sampleRecords = 500
	sampleWithin  = 10 * time.Second
	keepTick      = time.Second
	watchTick     = time.Minute
	startWithin   = time.Minute
)

// A run ends at most so long after its context, whatever Kafka, a sink, a hub or a disk does. What was not acknowledged by then comes
// again at the next start, with the same ids.
const (
	drainWithin = 15 * time.Second            // for what is under way
	leaveWithin = drainWithin + 3*time.Second // also for what heeds no context
)

// Run works until ctx ends, then stops from the sources on, so that what has been read is evaluated and what has been
// evaluated is stored. Where all sources end by themselves it goes on: alerts may still be on their way.
func (r *Run) Run(ctx context.Context) (err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	drain, stop := feed.Outlive(ctx, drainWithin)
	defer stop()
	left, stop := feed.Outlive(ctx, leaveWithin)
	defer stop()
	closeTelemetry, err := r.openTelemetry(ctx)
	if err != nil {
		return err
	}
	defer closeTelemetry() // after Kafka: the last that is told is how it ended
	alarm := make(chan struct{}, 1)
	operating := newTasks(drain, "the admin listener", alarm)
	defer func() {
		first := operating.end(left)
		if first != nil && errors.Is(err, context.Canceled) { // it follows from the first
			err = nil
		}
		err = errors.Join(first, err)
	}()
	r.reloads.asked = make(chan asked)
	if server := r.operators(); server != nil { // from the first moment on: a start may take long
		operating.run(func(ctx context.Context) error {
			err := server.Run(ctx)
			if err != nil {
				end()
			}
			return err
		})
	}
	kafka, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer orLeave(left, kafka.close)
	sample, err := kafka.sample(ctx, r.Config.Kafka.Partitions)
	if err != nil { // rules are found as surely without, only slower
		r.Log.Warn("no sample of records for the rules", slog.Any("err", err))
	}
	first, err := r.rule(r.Config, r.Compile(sample))
	if err != nil {
		return err
	}
	r.ruling.Store(first)
	r.reloads.missing = make(chan struct{}, 1)
	writer, err := kafka.bus.Writer()
	if err != nil {
		return err
	}
	defer orLeave(left, writer.Close)
	var detect *detection
	if r.has(Detect) {
		if detect, err = r.newDetection(ctx, kafka, writer); err != nil {
			return err
		}
		defer detect.name.released()
	}
	r.followFiles(kafka)
	// Each of these ends after the one that feeds it, so its context is its own.
	delivery := newTasks(drain, "delivery", alarm)
	detection := newTasks(drain, "detection", alarm)
	signals := newTasks(drain, "detection over signals", alarm)
	keeping := newTasks(drain, "keeping the log", alarm)
	keeping.run(func(ctx context.Context) error { return kafka.keep(ctx, r.groups()) })
	reporting := newTasks(drain, "reporting", alarm)
	var beats []time.Duration
	for _, s := range r.Sinks {
		runner := r.runner(kafka.bus, writer, s)
		r.runners = append(r.runners, runner)
		delivery.run(func(ctx context.Context) error { return r.deliver(ctx, drain, kafka.bus, writer, runner) })
		if b, ok := s.Sink.(beating); ok {
			beats = append(beats, b.Every())
		}
	}
	if detect != nil {
		for i := range r.sessions() {
			detection.run(func(ctx context.Context) error { return r.detect(ctx, drain, detect, place{detectorGroup, i}) })
			signals.run(func(ctx context.Context) error { return r.detect(ctx, drain, detect, place{signalsGroup, i}) })
		}
	}
	reading := newTasks(ctx, "reading", alarm)
	reading.run(func(ctx context.Context) error {
		r.keepReading(ctx, kafka)
		return nil
	})
	in, err := r.newIngest(ctx, kafka, writer)
	var feeds []*feed.Feed
	if err == nil {
		defer orLeave(left, func() { in.end(drain) })
		feeds, err = r.feeds(ctx, kafka)
	}
	r.counting.Store(true)
	reporting.run(func(ctx context.Context) error { return r.report(ctx, drain, kafka, writer) })
	if err == nil {
		for _, every := range beats {
			reading.run(func(ctx context.Context) error { return r.beat(ctx, writer, alert.HeartbeatTenant, every) })
		}
		if r.has(Detect) || r.has(Ingest) {
			reading.run(func(ctx context.Context) error { return r.tick(ctx, kafka) })
		}
		for _, f := range feeds {
			reading.run(func(ctx context.Context) error {
				f.Run(ctx, drain)
				return nil
			})
		}
		for i, s := range r.Sources {
			reading.run(func(ctx context.Context) error {
				err := s.Run(ctx, in.positions(), in.deliverOf(&r.files[i]))
				if err == nil {
					r.files[i].end()
				}
				return err
			})
		}
		if r.Config.Geography != nil {
			r.Log.Info("databases of addresses", slog.Any("types", r.Config.Geography.Databases()))
		}
		r.Log.Info("running", slog.Any("roles", r.roles()), slog.Int("rules", len(first.set.Rules())), slog.String("rule_set", first.digest),
			slog.Int("sources", len(r.Sources)+len(r.Feeds)), slog.Int("sinks", len(r.Sinks)))
		reading.run(r.serve)
	}
	if err == nil {
		now := time.Now()
		r.prepared.running.Store(&now)
		select {
		case <-ctx.Done():
			r.Log.Info("ending; a second signal ends at once", slog.Duration("within", leaveWithin))
		case <-alarm:
		}
	}
	r.prepared.ending.Store(true)
	r.Manager.Stopping("ending", leaveWithin)
	end()
	for _, t := range []*tasks{reading, detection, signals, delivery, reporting, keeping} {
		err = errors.Join(err, t.end(left))
	}
	if drain.Err() != nil {
		err = errors.Join(err, errCut)
	}
	r.sum()
	return err
}

func (r *Run) sessions() int {
	n := r.Sessions
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return max(1, min(n, r.Config.Kafka.Partitions))
}

// groups are our readers by topic.
func (r *Run) groups() map[bus.Topic][]string {
	g := map[bus.Topic][]string{bus.Events: {detectorGroup}, bus.Signals: {signalsGroup}}
	for _, s := range r.Sinks {
		g[bus.Alerts] = append(g[bus.Alerts], sinkGroup+s.Name)
	}
	return g
}

// sum says what has been done.
func (r *Run) sum() {
	all, found := r.stored(), r.detected.snapshot()
	r.Log.Info("stopped", slog.Int64("records", all.records), slog.Int64("dead_letters", all.letters), slog.Int64("unresolved_accounts", all.unresolved), slog.Int64("events", r.detected.events.Load()),
		slog.Int64("duplicates", r.detected.duplicates.Load()), slog.Int64("alerts", found.alerts), slog.Int64("alerts_revised", found.revised), slog.Int64("alerts_cut", found.alertsCut), slog.Int64("unknown", all.unknown),
		slog.Int64("not_utf8", all.notUTF8), slog.Int64("partial", all.partial))
	if n := r.ruling.Load().geography.Broken(); n > 0 {
		r.Log.Warn("databases of addresses are broken; what they say there is left out", slog.Int64("lookups", n))
	}
	for _, s := range r.runners {
		c := s.Counts()
		r.Log.Info("sink stopped", slog.String("sink", s.Name), slog.Int64("sent", c.Sent), slog.Int64("refused", c.Refused), slog.Int64("faults", c.Faults))
	}
}

// errCut ends a run that has not come to the end of what was under way.
var errCut = fmt.Errorf("not all that was under way could be finished within %s; what was not acknowledged comes again", drainWithin)

// orLeave waits for do, but not longer than ctx lives: then do is left to itself.
func orLeave(ctx context.Context, do func()) (done bool) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do()
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}

// tasks are goroutines that end together.
type tasks struct {
	name   string
	ctx    context.Context
	cancel context.CancelFunc
	alarm  chan<- struct{}
	wg     sync.WaitGroup

	mu     sync.Mutex
	failed []error
}

// newTasks makes tasks. They raise the alarm, which has room for one, when one of them fails.
func newTasks(ctx context.Context, name string, alarm chan<- struct{}) *tasks {
	t := &tasks{name: name, alarm: alarm}
	t.ctx, t.cancel = context.WithCancel(ctx)
	return t
}

func (t *tasks) run(do func(ctx context.Context) error) {
	t.wg.Go(func() {
		if err := do(t.ctx); err != nil && t.ctx.Err() == nil {
			t.fail(err)
		}
	})
}

func (t *tasks) fail(err error) {
	t.mu.Lock()
	t.failed = append(t.failed, err)
	t.mu.Unlock()
	select {
	case t.alarm <- struct{}{}:
	default: // it has been raised
	}
}

// end stops the goroutines and waits for them, but not longer than ctx lives. It gives all their failures.
func (t *tasks) end(ctx context.Context) error {
	t.cancel()
	ended := orLeave(ctx, t.wg.Wait)
	t.mu.Lock()
	defer t.mu.Unlock()
	err := errors.Join(t.failed...)
	if !ended {
		err = errors.Join(err, fmt.Errorf("%s has not ended", t.name))
	}
	return err
}
