package clock

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What one partition of a hub has shown the others may hold, too: the clock waits also for those that nobody has read yet, until they are
// retired. It does so behind a restart, and where the ticks are passed on.
func TestAClockWaitsForPartitionsThatNobodyHasRead(t *testing.T) {
	at := func(minutes int) int64 { return here.Add(time.Duration(minutes-1000) * time.Minute).UnixNano() }
	c, hears := New(), New()
	take := func(made int, sources ...Source) {
		t.Helper()
		tick, err := Parse((&Tick{Made: at(made), Sources: sources, Alike: []Alike{{"hub", 3}}}).Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range []*Clocks{c, hears} {
			to.Take(tick, here)
		}
	}
	come := func(name string, to int, shown ...Shown) Source { return Source{name, at(to), shown} }
	want := func(what string, to int64) {
		t.Helper()
		for _, datasets := range [][]string{nil, {"d"}} {
			if got, heard := c.Of("t", datasets), hears.Of("t", datasets); got != to || heard != to {
				t.Errorf("%s: the clock of %v is at %s, who hears it has %s, want %s", what, datasets, time.Unix(0, got).UTC(), time.Unix(0, heard).UTC(), time.Unix(0, to).UTC())
			}
		}
	}
	again := func() {
		t.Helper()
		next := New()
		c.Rows(func(key, row []byte) {
			if err := next.Load(key, row); err != nil {
				t.Fatal(err)
			}
		})
		c, hears = next, New()
		c.Whole()
		for _, tick := range c.Untold() {
			read, err := Parse(tick.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			hears.Take(read, here)
		}
	}
	shows := Shown{"t", "d", at(1), at(2)}
	take(10, come("hub/0", 5, shows), come("other/0", 3), come("other/1", 1, Shown{"t", "else", at(1), at(1)}))
	want("two are not read", Unknown)
	again()
	want("two are not read, behind a restart", Unknown)
	take(11, come("hub/1", 4))
	want("one is not read", Unknown)
	if w := c.Waits(); w[0].Source != "hub/2" {
		t.Errorf("it is held by %q", w[0].Source)
	}
	c.Take(&Tick{Made: at(12), Retired: []Retired{{"hub/2", at(12)}}}, here)
	hears.Take(&Tick{Made: at(12), Retired: []Retired{{"hub/2", at(12)}}}, here)
	if got := c.Of("t", []string{"d"}); got != at(4) {
		t.Errorf("one is retired: the clock is at %s, want where the second is", time.Unix(0, got).UTC())
	}
	again()
	take(13, come("hub/0", 9), come("hub/1", 8), come("other/1", 20))
	want("it stays retired", at(8))
	take(14, come("hub/2", 7), come("hub/0", 30), come("hub/1", 30))
	want("it is back, and the clock does not go back", at(8))
	take(15, come("hub/2", 9))
	want("it goes on", at(9))
}

// Ticks tell which sources have partitions that are alike, also where they are split.
func TestATickTellsWhatIsAlike(t *testing.T) {
	tick := &Tick{Made: 5 * millisecond, Sources: []Source{{Name: "hub/0", Progress: Unknown}}, Alike: []Alike{{"hub", 32}, {"none", 0}, {"topic", 3}}}
	var got []Alike
	for _, part := range tick.Split(40) {
		read, err := Parse(part.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, read.Alike...)
	}
	if diff := cmp.Diff([]Alike{{"hub", 32}, {"topic", 3}}, got); diff != "" {
		t.Error(diff)
	}
}
