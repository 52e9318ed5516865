package app

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/detector"
	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/state"
)

// standing is how the clocks of this instance's partitions of events stand, for the status.
type standing struct {
	unread  atomic.Int64     // ticks of a version that is not known here
	unshown atomic.Int64     // datasets of tenants that were too many to tell of
	wall    func() time.Time // nil: the clock on the wall

	mu   sync.Mutex
	all  map[int32]*stood
	gone map[string]bool // whether a source was said to be retired, or to be back
}

// stood is how those of one partition stood at a moment.
type stood struct {
	at      time.Time
	sources []clock.Standing
	waits   []clock.Wait
	needs   []detector.Waiting
	refused int64
	ahead   time.Duration
}

func (s *standing) now() time.Time {
	if s.wall == nil {
		return time.Now()
	}
	return s.wall()
}

// standEvery is how often a partition says how its clocks stand.
const standEvery = 4 * time.Second

// stand notes how the clocks of a partition stand now, and what waits for datasets that rules need.
func (s *standing) stand(partition int32, c *clock.Clocks, needs func() []detector.Waiting, now time.Time) {
	s.mu.Lock()
	was := s.all[partition]
	s.mu.Unlock()
	if was != nil && now.Sub(was.at) < standEvery {
		return
	}
	one := &stood{at: now, sources: c.Sources(), waits: c.Waits(), needs: needs(), refused: c.Refused, ahead: c.Ahead}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[int32]*stood{}
	}
	s.all[partition] = one
}

// tellOf logs which sources are retired and which are back. All partitions hear of it; the first to hear tells.
func (r *Run) tellOf(news clock.News) {
	tell := func(names []string, retired bool, text string) {
		s := &r.clocks
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, name := range names {
			if was, said := s.gone[name]; said && was == retired {
				continue
			}
			if s.gone == nil {
				s.gone = map[string]bool{}
			}
			s.gone[name] = retired
			r.Log.Warn(text, slog.String("source", name))
		}
	}
	tell(news.Back, false, "a retired source tells again how far it has come: what waits is decided with it again")
	tell(news.Retired, true, "a source is retired: nothing waits for it any more")
}

// has reports whether a partition is this instance's.
func (s *standing) has(partition int32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[partition] != nil
}

// left forgets a partition that is another instance's now.
func (s *standing) left(partition int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, partition)
}

// ClockSum is how far a source partition has come, as the detector has heard it.
type ClockSum struct {
	Source   string     `json:"source"`            // audit/3
	Progress time.Time  `json:"progress,omitzero"` // zero: not known
	Ticked   time.Time  `json:"ticked,omitzero"`   // when it told so last, by the clock of who reads it
	Retired  time.Time  `json:"retired,omitzero"`  // and it has told nothing since
	Shown    []ShownSum `json:"shown"`             // datasets, by name
	Holds    int        `json:"holds"`             // clocks that rules go by and that are where they are because of it: nothing else is further behind
}

// ShownSum is what a source partition has shown of a dataset.
type ShownSum struct {
	Dataset string    `json:"dataset"`
	Tenants int       `json:"tenants"`
	Last    time.Time `json:"last"`
}

// WaitSum is a clock that is behind by more than BehindAfter.
type WaitSum struct {
	Tenant   string    `json:"tenant"`
	Datasets []string  `json:"datasets"` // none: all
	Since    time.Time `json:"since"`    // where it stands
	Source   string    `json:"source"`   // that holds it
}

// The bounds of what the status tells of clocks.
const (
	// BehindAfter is how far behind a clock is told.
	BehindAfter = 15 * time.Minute
	mostClocks  = 1000
	mostWaits   = 50
	mostTold    = 50 // datasets of a source partition
)

// tell adds how the clocks stand to the status.
func (s *standing) tell(to *Status) {
	s.mu.Lock()
	all := maps.Clone(s.all)
	s.mu.Unlock()
	var latest *stood
	holds, waits, needs := map[string]int{}, map[string]wait{}, map[string]*NeedSum{}
	for _, one := range all {
		if latest == nil || one.at.After(latest.at) {
			latest = one
		}
		to.Refused = max(to.Refused, int(one.refused))
		to.Ahead = max(to.Ahead, int(one.ahead/time.Second))
		for _, w := range one.waits {
			add(waits, &w, one.at)
		}
		for i := range one.needs {
			addNeed(needs, &one.needs[i])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(needs)) {
		to.Needs = append(to.Needs, *needs[key])
	}
	to.NeedsTotal = len(to.Needs)
	to.Needs = to.Needs[:min(mostWaits, len(to.Needs))]
	to.Refused += int(s.unshown.Load())
	to.Unread = int(s.unread.Load())
	if latest == nil {
		return
	}
	for _, w := range waits {
		holds[w.Source]++
		if w.behind >= BehindAfter {
			to.Waits = append(to.Waits, w.WaitSum)
		}
	}
	slices.SortFunc(to.Waits, func(a, b WaitSum) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Tenant, b.Tenant), slices.Compare(a.Datasets, b.Datasets))
	})
	to.Waiting = len(to.Waits)
	to.Waits = to.Waits[:min(mostWaits, len(to.Waits))]
	for _, x := range latest.sources[:min(mostClocks, len(latest.sources))] {
		to.Clocks = append(to.Clocks, clockSum(&x, holds[x.Name]))
	}
}

// NeedSum are events of a rule that are not decided though their time has come.
type NeedSum struct {
	Rule     string    `json:"rule"`
	Tenant   string    `json:"tenant"`
	Events   int       `json:"events"`
	Datasets []string  `json:"datasets"` // that have shown nothing later
	Since    time.Time `json:"since"`    // when the first of the events was to be decided
}

// addNeed adds what waits in a partition to what waits in the others.
func addNeed(all map[string]*NeedSum, w *detector.Waiting) {
	key := w.Rule + "\x00" + w.Tenant
	one := all[key]
	if one == nil {
		one = &NeedSum{Rule: w.Rule, Tenant: w.Tenant, Since: w.Since}
		all[key] = one
	}
	one.Events += w.Events
	if w.Since.Before(one.Since) {
		one.Since = w.Since
	}
	one.Datasets = slices.Compact(slices.Sorted(slices.Values(slices.Concat(one.Datasets, w.Datasets))))
}

// wait is a clock that has been asked for, and how far it is behind.
type wait struct {
	WaitSum
	behind time.Duration
}

// add notes a clock that a source holds; the partition of events in which it is furthest behind tells. However a rule names its datasets,
// those of the same datasets have one clock.
func add(waits map[string]wait, w *clock.Wait, at time.Time) {
	since, datasets := timeOf(w.Clock), slices.Compact(slices.Sorted(slices.Values(w.Datasets)))
	if w.Source == "" {
		return
	}
	key := w.Tenant + "\x00" + strings.Join(datasets, "\x00")
	if was, have := waits[key]; !have || since.Before(was.Since) {
		waits[key] = wait{WaitSum{Tenant: w.Tenant, Datasets: datasets, Since: since, Source: w.Source}, at.Sub(since)}
	}
}

func clockSum(x *clock.Standing, holds int) ClockSum {
	sum := ClockSum{Source: x.Name, Progress: timeOf(x.Progress), Ticked: timeOf(x.Ticked), Retired: timeOf(x.Retired), Holds: holds}
	by := map[string]*ShownSum{}
	for _, w := range x.Shown {
		one := by[w.Dataset]
		if one == nil {
			one = &ShownSum{Dataset: w.Dataset}
			by[w.Dataset] = one
		}
		one.Tenants++
		if last := timeOf(w.Last); last.After(one.Last) {
			one.Last = last
		}
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		if len(sum.Shown) < mostTold {
			sum.Shown = append(sum.Shown, *by[name])
		}
	}
	return sum
}

// timeOf is a time of clocks, zero where it is not known.
func timeOf(n int64) time.Time {
	if n == clock.Unknown {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// LateSum is a dataset whose events come later than what is configured for it waits.
type LateSum struct {
	Dataset string        `json:"dataset"`
	Mean    time.Duration `json:"mean_ns"` // from the event to the stream
	Wait    time.Duration `json:"wait_ns"`
}

// fewRecords are too few to tell how late a dataset is.
const fewRecords = 100

// lateness tells the datasets that come later, on average, than decisions wait for them.
func (r *Run) lateness(to *Status) {
	delays := map[string]feed.Delay{}
	for _, p := range to.Partitions {
		for name, d := range p.Delays {
			delays[name] = delays[name].Plus(d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(delays)) {
		d, wait := delays[name], r.ruling.Load().lateness.Of(name).Wait
		if d.Records < fewRecords {
			continue
		}
		if mean := time.Duration(d.Sum/d.Records) * time.Millisecond; mean > wait {
			to.Late = append(to.Late, LateSum{name, mean, wait})
		}
	}
}

// Clocks are the source partitions that any instance knows, by name, as the one says that has heard most lately of them. What an instance
// said that ended before the newest report counts only where nobody has said anything since.
func Clocks(all []Status) (some []ClockSum) {
	by, newest := map[string]ClockSum{}, time.Time{}
	all = slices.SortedFunc(slices.Values(all), func(a, b Status) int { return a.At.Compare(b.At) })
	for _, s := range all {
		if len(s.Clocks) > 0 {
			newest = s.At
		}
	}
	for _, s := range all {
		if s.Ended && s.At.Before(newest) || newest.Sub(s.At) > staleAfter {
			continue
		}
		for _, c := range s.Clocks {
			was, have := by[c.Source]
			c.Holds = max(c.Holds, was.Holds)
			if have && was.Ticked.After(c.Ticked) {
				was.Holds = c.Holds
				c = was
			}
			by[c.Source] = c
		}
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		some = append(some, by[name])
	}
	return some
}

// Retire tells all detectors that a source, or a partition of one, is gone for good.
func Retire(ctx context.Context, b *bus.Bus, name string, now time.Time) error {
	to, err := b.Everywhere(bus.Events)
	if err != nil {
		return err
	}
	defer to.Close()
	at := state.Nanoseconds(now)
	return to.Write(ctx, tickRecord(&clock.Tick{Made: at, Retired: []clock.Retired{{Name: name, At: at}}}))
}
