package app

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/state"
)

// The rhythm of ticks.
const (
	tickEvery = 5 * time.Second
	// newsEvery is how often it is looked whether a source has shown a dataset for the first time, which is told at once.
	newsEvery = 250 * time.Millisecond
	// emptyEvery is how often an instance ticks that reads no source: so the detector sees that nothing else does.
	emptyEvery = time.Minute
	// wholeEvery is how often all is told again that sources have shown.
	wholeEvery = 10 * time.Minute
	tickWithin = 10 * time.Second
	tickBytes  = 256 << 10
	mostShown  = 4096 // of a source partition
)

// future is how far ahead of now an event may say that it happened and count as shown.
const future = 5 * time.Minute

// ticking tells how far the source partitions have come that this instance reads.
type ticking struct {
	run   *Run
	known map[string]map[feed.Dataset]*saying
	news  bool      // something is known that has never been told
	told  time.Time // when something was told last,
	whole time.Time // and all of it
}

// saying is what a source partition has shown of a dataset.
type saying struct {
	feed.Span
	untold bool
}

// tick tells now and then, until ctx ends, how far the sources have come.
func (r *Run) tick(ctx context.Context, k *kafka) error {
	to, err := k.bus.Everywhere(bus.Events)
	if err != nil {
		return err
	}
	defer to.Close()
	t := &ticking{run: r, known: map[string]map[feed.Dataset]*saying{}}
	trouble, looked := &bus.Trouble{Log: r.Log}, time.Now()
	beat := r.hearts.heart("telling how far sources have come")
	defer beat.stops()
	for feed.Pause(ctx, newsEvery) == nil {
		beat.turns()
		now := time.Now()
		sources := t.look(now)
		if !t.news && now.Sub(looked) < tickEvery {
			continue
		}
		t.news = false
		err := t.write(ctx, to, sources, now)
		if ctx.Err() == nil {
			trouble.Tick(time.Since(looked), "it is not told how far the sources have come; what waits for that waits longer", err,
				"it is told again how far the sources have come")
		}
		looked = time.Now()
	}
	return nil
}

func (t *ticking) write(ctx context.Context, to *bus.Everywhere, sources []feed.Progress, now time.Time) error {
	tick := t.make(sources, now)
	if tick == nil {
		return nil
	}
	var all []bus.Record
	for _, part := range tick.Split(tickBytes) {
		all = append(all, tickRecord(part))
	}
	ctx, cancel := context.WithTimeout(ctx, tickWithin)
	defer cancel()
	if err := to.Write(ctx, all...); err != nil {
		return err
	}
	t.took(now)
	return nil
}

// tickRecord is a record of the topic events without a key, which those of sources have.
func tickRecord(t *clock.Tick) bus.Record {
	return bus.Record{Value: t.Append(nil), Headers: []bus.Header{{Key: clock.Header, Value: []byte(clock.Schema)}}}
}

// isTick reports whether a record of the topic events is a tick.
func isTick(r *bus.Record) bool { return len(r.Key) == 0 && r.Header(clock.Header) == clock.Schema }

// look takes what sources have shown by now, and gives how far they have come.
func (t *ticking) look(now time.Time) []feed.Progress {
	all := t.run.progress(now)
	for _, p := range all {
		t.add(p.Source, p.Shown, now)
	}
	return all
}

// make makes the tick of a moment, nil where there is nothing to say.
func (t *ticking) make(sources []feed.Progress, now time.Time) *clock.Tick {
	if now.Sub(t.whole) >= wholeEvery {
		t.again()
	}
	tick := &clock.Tick{Made: state.Nanoseconds(now)}
	for _, p := range sources {
		tick.Sources = append(tick.Sources, clock.Source{Name: p.Source, Progress: nanoseconds(p.At), Shown: t.untold(p.Source)})
	}
	for source, n := range t.run.counts.Alike() {
		tick.Alike = append(tick.Alike, clock.Alike{Source: source, Partitions: n})
	}
	if len(tick.Sources) == 0 && now.Sub(t.told) < emptyEvery {
		return nil
	}
	return tick
}

// progress is how far all source partitions have come that this instance reads. The name of a partition is in that of its source.
func (r *Run) progress(now time.Time) (all []feed.Progress) {
	for i := range r.files {
		if p, tells := r.files[i].tell(now); tells {
			p.Source = r.files[i].name
			all = append(all, p)
		}
	}
	for _, p := range r.counts.Progress(now) {
		p.Source = partitionName(p.Source, p.Partition)
		all = append(all, p)
	}
	return all
}

func partitionName(source string, partition int32) string {
	return source + "/" + strconv.Itoa(int(partition))
}

func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return clock.Unknown
	}
	return state.Nanoseconds(t)
}

// add adds what a source has shown.
func (t *ticking) add(source string, shown map[feed.Dataset]*feed.Span, now time.Time) {
	known := t.known[source]
	if known == nil {
		known = map[feed.Dataset]*saying{}
		t.known[source] = known
	}
	most := now.Add(future)
	for of, span := range shown {
		if span.Last.After(most) {
			span.Last = most
		}
		one := known[of]
		if one == nil {
			if len(known) >= mostShown {
				t.run.clocks.unshown.Add(1)
				continue
			}
			one = &saying{}
			known[of] = one
			t.news = true
		}
		was := one.Span
		one.Plus(span)
		one.untold = one.untold || one.Span != was
	}
}

// untold is what is to be told of a source.
func (t *ticking) untold(source string) (all []clock.Shown) {
	for of, one := range t.known[source] {
		if one.untold {
			all = append(all, clock.Shown{Tenant: of.Tenant, Dataset: of.Name, First: state.Nanoseconds(one.First), Last: state.Nanoseconds(one.Last)})
		}
	}
	slices.SortFunc(all, func(a, b clock.Shown) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Dataset, b.Dataset))
	})
	return all
}

// took notes that all is told.
func (t *ticking) took(now time.Time) {
	t.told = now
	if t.whole.IsZero() {
		t.whole = now
	}
	t.each(func(one *saying) { one.untold = false })
}

// again makes that all is told again: what came before may be lost.
func (t *ticking) again() {
	t.whole = time.Time{}
	t.each(func(one *saying) { one.untold = true })
}

func (t *ticking) each(do func(*saying)) {
	for _, known := range t.known {
		for _, one := range known {
			do(one)
		}
	}
}
