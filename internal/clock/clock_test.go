package clock

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// someTicks are ticks of a few instances that read a few sources.
func someTicks(r *rand.Rand, n int) (all []*Tick) {
	ms := func(span int) int64 { return int64(1_700_000_000_000+r.IntN(span)) * millisecond }
	for range n {
		t := &Tick{Made: ms(10_000)}
		for range r.IntN(4) {
			s := Source{Name: fmt.Sprintf("hub-%d/%d", r.IntN(2), r.IntN(3)), Progress: ms(9_000)}
			if r.IntN(4) == 0 {
				s.Progress = Unknown
			}
			for range r.IntN(3) {
				w := Shown{Tenant: fmt.Sprint("t", r.IntN(2)), Dataset: fmt.Sprint("d", r.IntN(3)), First: ms(5_000)}
				w.Last = w.First + int64(r.IntN(5_000))*millisecond
				s.Shown = append(s.Shown, w)
			}
			t.Sources = append(t.Sources, s)
		}
		if r.IntN(6) == 0 {
			t.Retired = append(t.Retired, Retired{fmt.Sprintf("hub-%d", r.IntN(2)), ms(10_000)}, Retired{fmt.Sprintf("hub-%d/1", r.IntN(2)), ms(10_000)})
		}
		all = append(all, t)
	}
	return all
}

var here = time.UnixMilli(1_700_000_000_000 + 20_000)

var sets = [][]string{nil, {"d0"}, {"d1"}, {"d0", "d2"}, {"d1", "d2", "d9"}}

// said is all that can be asked of clocks.
func said(c *Clocks) (all []string) {
	for _, s := range c.Sources() {
		all = append(all, fmt.Sprint(s))
	}
	for _, tenant := range []string{"t0", "t1", "t9"} {
		for _, set := range sets {
			all = append(all, fmt.Sprint(tenant, set, c.Of(tenant, set)))
		}
		for at := range int64(12) {
			at = 1_700_000_000_000*millisecond + at*1000*millisecond
			all = append(all, fmt.Sprint(c.Shows(tenant, "d0", at, 2000*millisecond), c.Shows(tenant, "d1", at, math.MaxInt64)))
		}
	}
	return all
}

// What clocks say depends on the ticks that have come, not on their order, nor on how often each came, nor on how they were split.
func TestTheOrderOfTicksDoesNotMatter(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		ticks := someTicks(r, 1+r.IntN(30))
		one, other := New(), New()
		for _, tick := range ticks {
			one.Take(tick, here)
		}
		ticks = append(ticks, ticks...)
		r.Shuffle(len(ticks), func(i, j int) { ticks[i], ticks[j] = ticks[j], ticks[i] })
		for _, tick := range ticks {
			for _, part := range tick.Split(r.IntN(300)) {
				other.Take(part, here)
			}
		}
		if diff := cmp.Diff(said(one), said(other)); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// naive is the clock of a set as the rule says it, over all ticks.
func naive(ticks []*Tick, tenant string, set []string) int64 {
	progress, ticked, retired, has := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]bool{}
	for _, t := range ticks {
		for _, s := range t.Sources {
			if _, known := progress[s.Name]; !known {
				progress[s.Name] = Unknown
			}
			progress[s.Name] = max(progress[s.Name], s.Progress)
			ticked[s.Name] = max(ticked[s.Name], t.Made)
			for _, w := range s.Shown {
				has[s.Name] = has[s.Name] || w.Tenant == tenant && (len(set) == 0 || slices.Contains(set, w.Dataset))
			}
		}
		for _, r := range t.Retired {
			retired[r.Name] = max(retired[r.Name], r.At)
		}
	}
	least, any := int64(math.MaxInt64), false
	for name, at := range progress {
		source, _, _ := strings.Cut(name, "/")
		if has[name] && ticked[name] > max(retired[name], retired[source]) {
			least, any = min(least, at), true
		}
	}
	if !any {
		return Unknown
	}
	return least
}

// A clock is the least progress of what has shown one of its datasets and is not retired, or what it was before.
func TestAClockIsTheLeastProgressAndNeverGoesBack(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		ticks := someTicks(r, 30)
		c := New()
		rows, was := map[string][]byte{}, map[string]int64{}
		for n, tick := range ticks {
			c.Take(tick, here)
			for _, tenant := range []string{"t0", "t1"} {
				for _, set := range sets {
					key := fmt.Sprint(tenant, set)
					want := naive(ticks[:n+1], tenant, set)
					if before, asked := was[key]; asked {
						want = max(want, before)
					}
					got := c.Of(tenant, set)
					if got != want {
						t.Fatalf("seed %d: the clock of %s after tick %d is %d, want %d", seed, key, n, got, want)
					}
					was[key] = got
				}
			}
			c.Changes(func(key, row []byte) { rows[string(key)] = bytes.Clone(row) })
			if r.IntN(5) == 0 { // a crash
				c = New()
				for _, key := range slices.Sorted(maps.Keys(rows)) {
					if err := c.Load([]byte(key), rows[key]); err != nil {
						t.Fatal(err)
					}
				}
				for _, tenant := range []string{"t0", "t1"} { // who asks is back before the next tick
					for _, set := range sets {
						if got, want := c.Of(tenant, set), was[fmt.Sprint(tenant, set)]; got != want {
							t.Fatalf("seed %d: after a crash the clock of %s%s is %d, and was %d", seed, tenant, set, got, want)
						}
					}
				}
			}
		}
	}
}

// What was stored is stored again only where it has changed.
func TestRowsAreWrittenWhereSomethingHasChanged(t *testing.T) {
	c := New()
	count := func() (n int) {
		c.Changes(func(key, _ []byte) {
			if !Own(key) {
				t.Errorf("a row under %q", key)
			}
			n++
		})
		return n
	}
	at := here.Add(-time.Hour).UnixNano()
	tick := &Tick{Made: at, Sources: []Source{{Name: "hub/0", Progress: at, Shown: []Shown{{"t", "d", at, at}}}}}
	c.Take(tick, here)
	if n := count(); n != 2 {
		t.Errorf("a source is %d rows", n)
	}
	c.Take(tick, here)
	if n := count(); n != 0 {
		t.Errorf("a tick that comes twice changes %d rows", n)
	}
	tick.Made, tick.Sources[0].Progress, tick.Sources[0].Shown[0].Last = at+1e9, at+1e9, at+1e9
	c.Take(tick, here)
	if n := count(); n != 1 {
		t.Errorf("progress changes %d rows", n)
	}
	tick.Made++
	c.Take(tick, here)
	count()
	for range 2 { // it rests: the last second is stored, once
		tick.Sources[0].Shown = nil
		c.Take(tick, here)
	}
	if n := count(); n != 1 {
		t.Errorf("what was shown last before a rest changes %d rows", n)
	}
	c.Take(tick, here)
	if n := count(); n != 0 {
		t.Errorf("a rest that goes on changes %d rows", n)
	}
	tick.Sources[0].Shown = []Shown{{"t", "d", at, at + 1e9 + storedEvery}}
	c.Take(tick, here)
	if n := count(); n != 1 {
		t.Errorf("what is shown much later changes %d rows", n)
	}
}

// A source comes no further than the clock of who reads its tick.
func TestNoSourceIsInTheFuture(t *testing.T) {
	c := New()
	ahead := here.Add(3 * time.Hour).UnixNano()
	c.Take(&Tick{Made: ahead, Sources: []Source{{Name: "hub/0", Progress: ahead, Shown: []Shown{{"t", "d", 0, 0}}}}}, here)
	if got := c.Of("t", nil); got != here.UnixNano() {
		t.Errorf("the clock is %s", time.Unix(0, got))
	}
	if c.Ahead != 3*time.Hour {
		t.Errorf("its maker's clock is ahead by %s", c.Ahead)
	}
}

// The clock on the wall stands in when ticks were listened to for some minutes and none of the sources sent one.
func TestTheWallStandsInWhereNothingTicks(t *testing.T) {
	c := New()
	now := here
	pass := func(d time.Duration, name string) {
		now = now.Add(d)
		c.Listen(now, now.UnixNano())
		if name != "" {
			c.Take(&Tick{Made: now.UnixNano(), Sources: []Source{{Name: name, Progress: now.UnixNano(), Shown: []Shown{{"t", "d", 0, 0}}}}}, now)
		}
	}
	want := func(stands bool) {
		t.Helper()
		if at, got := c.Wall("t", []string{"d"}); got != stands || at != now.UnixNano() {
			t.Errorf("the wall: %v at %s", got, time.Unix(0, at))
		}
	}
	pass(0, "hub/0")
	pass(0, "hub/1")
	for range 10 {
		pass(time.Minute, "hub/0")
		want(false)
	}
	pass(12*time.Hour, "") // nobody listened
	want(false)
	for range 4 {
		pass(time.Minute, "")
	}
	want(true)
	pass(time.Second, "hub/1")
	want(false)
	c.Take(&Tick{Retired: []Retired{{"hub", now.UnixNano()}}}, now)
	want(true)
}

// Where what was stored has not been read up to now, the clock on the wall is no further than what was, and a source partition that sends
// nothing any more counts until what it has brought is read.
func TestTheWallIsNoFurtherThanWhatIsRead(t *testing.T) {
	c, streams := New(), NewStreams(2)
	now := here
	take := func(stream int, made time.Time, sources ...Source) {
		c.Take(streams.Take(stream, &Tick{Made: made.UnixNano(), Sources: sources}), now)
		c.Listen(now, streams.Made())
	}
	want := func(what string, stands bool, to time.Time) {
		t.Helper()
		if at, got := c.Wall("t", []string{"d"}); got != stands || stands && at != to.UnixNano() {
			t.Errorf("%s: the wall: %v at %s, want %v at %s", what, got, time.Unix(0, at).UTC(), stands, to.UTC())
		}
	}
	take(0, here, Source{Name: "hub/0", Progress: here.UnixNano(), Shown: []Shown{{"t", "d", 0, 0}}})
	for range 20 {
		now = now.Add(time.Minute)
		take(0, now)
	}
	want("a stream has told nothing", false, here)
	behind := here.Add(4 * time.Minute)
	take(1, behind)
	want("a stream may hold what the source has brought", false, here)
	behind = here.Add(8 * time.Minute)
	take(1, behind)
	want("a stream is behind", true, behind)
	take(1, now.Add(time.Hour))
	want("all is read", true, now)
}

// What a source partition has shown is known with its records: a tick after a crash need not tell it again. No clock waits for a source
// partition before it has ticked, and a record like the one before costs nothing.
func TestWhatRecordsShowOutlivesACrash(t *testing.T) {
	c, at := New(), here.Add(-time.Hour).UnixNano()
	show := func() { c.Show([]byte("hub/0"), []byte("t"), []byte("d"), at) }
	show()
	if c.Of("t", nil) != Unknown || len(c.Sources()) > 0 {
		t.Errorf("before a tick: the clock is %d, sources %v", c.Of("t", nil), c.Sources())
	}
	again := New()
	c.Changes(func(key, row []byte) {
		if err := again.Load(key, row); err != nil {
			t.Error(err)
		}
	})
	again.Take(&Tick{Made: here.UnixNano(), Sources: []Source{{Name: "hub/0", Progress: at + 9}}}, here)
	if got := again.Of("t", []string{"d"}); got != at+9 || !again.Shows("t", "d", at-1, 0) && !again.Shows("t", "d", at-1, 1) {
		t.Errorf("after a crash and a tick the clock is %d, want %d", got, at+9)
	}
	if n := testing.AllocsPerRun(100, show); n > 0 {
		t.Errorf("a record like the one before allocates %v times", n)
	}
}

// It is news once that a source is retired, and once that it is back.
func TestWhoIsRetiredAndWhoIsBackIsNews(t *testing.T) {
	c, at := New(), here.Add(-time.Hour).UnixNano()
	ticks := func(n int64) *Tick { return &Tick{Made: at + n, Sources: []Source{{Name: "hub/0"}, {Name: "hub/1"}}} }
	retires := func(n int64) *Tick { return &Tick{Retired: []Retired{{"hub", at + n}}} }
	for i, step := range []struct {
		tick *Tick
		want News
	}{
		{ticks(0), News{}},
		{retires(1), News{Retired: []string{"hub"}}},
		{retires(1), News{}},
		{ticks(1), News{}},
		{ticks(2), News{Back: []string{"hub/0", "hub/1"}}},
		{ticks(3), News{}},
		{retires(9), News{Retired: []string{"hub"}}},
	} {
		if diff := cmp.Diff(step.want, c.Take(step.tick, here)); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
	}
}

// There is a bound to everything that strangers can make many of.
func TestClocksAreBounded(t *testing.T) {
	c := New()
	var tick Tick
	for i := range maxSources + 1 {
		tick.Sources = append(tick.Sources, Source{Name: fmt.Sprint("hub/", i)})
		tick.Retired = append(tick.Retired, Retired{Name: fmt.Sprint("old/", i)})
	}
	for i := range maxShown + 1 {
		tick.Sources[0].Shown = append(tick.Sources[0].Shown, Shown{Tenant: fmt.Sprint(i)})
	}
	c.Take(&tick, here)
	if len(c.sources) != maxSources || len(c.retired) != maxRetired || c.shown != maxShown || c.Refused != 3 {
		t.Errorf("%d sources, %d retired, %d shown, %d refused", len(c.sources), len(c.retired), c.shown, c.Refused)
	}
}

// A tick is read as it was written, to the millisecond.
func TestATickIsReadAsItWasWritten(t *testing.T) {
	for seed := range uint64(200) {
		for _, tick := range someTicks(rand.New(rand.NewPCG(seed, 3)), 5) {
			got, err := Parse(tick.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tick, got); diff != "" {
				t.Fatalf("seed %d: %s", seed, diff)
			}
		}
	}
	got, err := Parse((&Tick{Made: 1_999_999, Sources: []Source{{Name: "x", Progress: 1_700_000, Shown: []Shown{{"", "", math.MinInt64, math.MaxInt64}}},
		{Name: strings.Repeat("x", MaxText+1)}}}).Append(nil))
	if err != nil || got.Made != 1e6 || len(got.Sources) != 1 || got.Sources[0].Progress != 1e6 || got.Sources[0].Shown[0].Last < math.MaxInt64-2e6 {
		t.Errorf("%v, %v", got, err)
	}
}

// A tick's parts are each of the size that is asked for.
func TestATickIsSplit(t *testing.T) {
	tick := &Tick{Made: 5e6}
	for i := range 50 {
		s := Source{Name: fmt.Sprint("hub/", i)}
		for k := range 40 {
			s.Shown = append(s.Shown, Shown{Tenant: fmt.Sprint("tenant ", k), Dataset: "entra.signin"})
		}
		tick.Sources = append(tick.Sources, s)
	}
	all := tick.Split(4096)
	for _, part := range all {
		if n := len(part.Append(nil)); n > 4096 {
			t.Errorf("a part has %d bytes", n)
		}
	}
	if len(all) < 10 {
		t.Errorf("%d parts", len(all))
	}
}

// Names stand behind that of the partition they came from.
func TestATickLiesUnderAPartition(t *testing.T) {
	got := (&Tick{Made: 1, Sources: []Source{{Name: "hub/1", Progress: 2}}, Retired: []Retired{{"hub", 3}}}).Under("5:")
	want := &Tick{Made: 1, Sources: []Source{{Name: "5:hub/1", Progress: 2}}, Retired: []Retired{{"5:hub", 3}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What nobody of ours wrote is refused, and what is read can be taken.
func FuzzParse(f *testing.F) {
	for _, tick := range someTicks(rand.New(rand.NewPCG(1, 4)), 20) {
		f.Add(tick.Append(nil))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tick, err := Parse(body)
		if err != nil {
			return
		}
		again, err := Parse(tick.Append(nil))
		if err != nil || cmp.Diff(tick, again) != "" {
			t.Errorf("%v: %s", err, cmp.Diff(tick, again))
		}
		c := New()
		c.Take(tick, here)
		c.Changes(func(key, row []byte) {
			if err := New().Load(key, row); err != nil {
				t.Error(err)
			}
		})
	})
}

// Rows that nobody of ours wrote are refused.
func FuzzLoad(f *testing.F) {
	c := New()
	for _, tick := range someTicks(rand.New(rand.NewPCG(1, 5)), 20) {
		c.Take(tick, here)
	}
	c.Changes(func(key, row []byte) { f.Add(key, bytes.Clone(row)) })
	f.Fuzz(func(t *testing.T, key, row []byte) {
		c := New()
		_ = c.Load(key, row)
		_ = c.Of("t0", nil)
		c.Changes(func(key, row []byte) {
			if err := New().Load(key, row); err != nil {
				t.Error(err)
			}
		})
	})
}
