package event

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Times are written as the standard library's format writes them, in any zone, of any year.
func TestAppendTime(t *testing.T) {
	zone := time.FixedZone("", -5*3600)
	for range 100_000 {
		at := time.Unix(rand.Int64N(1<<39)-1<<38, rand.Int64N(1e9)).In(zone)
		format := "2006-01-02T15:04:05.000000000Z"
		if rand.IntN(2) == 0 {
			at, format = at.Truncate(time.Millisecond), "2006-01-02T15:04:05.000Z"
		} else if at.Nanosecond()%1e6 == 0 {
			continue
		}
		if got, want := string(AppendTime([]byte("at "), at)), "at "+at.UTC().Format(format); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}
