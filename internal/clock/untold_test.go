package clock

import (
	"slices"
	"testing"
	"time"
)

// Whoever hears the ticks and what is untold knows as much as who has read the records, also where an earlier reader has heard ticks that it
// did not pass on.
func TestWhatTicksDoNotTellIsUntold(t *testing.T) {
	now := time.Unix(0, 1e18)
	at := func(seconds int64) int64 { return now.UnixNano() + (seconds-1000)*1e9 }
	tick := func(name string, made, to int64, shown ...Shown) *Tick {
		return &Tick{Made: at(made), Sources: []Source{{Name: name, Progress: at(to), Shown: shown}}}
	}
	sign := Shown{"t", "entra.signin", at(1), at(1)}
	c, hears := New(), New()
	pass := func(ticks ...*Tick) {
		t.Helper()
		for _, one := range slices.Concat(c.Untold(), ticks) {
			read, err := Parse(one.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			hears.Take(read, now)
		}
		if got, want := hears.Of("t", nil), c.Of("t", nil); got != want {
			t.Errorf("the clock is at %d, want %d", got, want)
		}
		if again := c.Untold(); len(again) > 0 {
			t.Errorf("%v is told twice", again)
		}
	}
	c.Show([]byte("hub/0"), []byte("t"), []byte("entra.signin"), at(1))
	pass() // it has not ticked
	first := tick("hub/0", 10, 5)
	c.Take(first, now)
	pass(first)
	second := tick("hub/1", 20, 100, sign)
	c.Take(second, now)
	pass(second)
	if got := hears.Of("t", []string{"entra.signin"}); got != at(5) {
		t.Errorf("the clock has passed the source that lags: %d", got)
	}

	lost := tick("hub/2", 30, 50, Shown{"t", "defender.alert", at(2), at(2)})
	lost.Retired = []Retired{{"hub/0", at(31)}}
	c.Take(lost, now)
	again := New()
	c.Rows(func(key, row []byte) {
		if err := again.Load(key, row); err != nil {
			t.Fatal(err)
		}
	})
	c = again
	c.Whole()
	third := tick("hub/1", 40, 200)
	c.Take(third, now)
	pass(third)
	if got := hears.Of("t", nil); got != at(50) {
		t.Errorf("the clock is at %d, want where the third source is", got)
	}
}
