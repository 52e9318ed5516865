package clock

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Streams that carry the same ticks, each at its own pace, move a clock as far as the one that is furthest behind.
func TestStreamsAreAsFarAsTheLast(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		n := 1 + r.IntN(4)
		ticks := someTicks(r, 1+r.IntN(20))
		for i := range ticks { // streams carry them in order
			ticks[i].Made, ticks[i].Retired = (1_700_000_000_000+int64(i))*millisecond, nil
		}
		c, s := New(), NewStreams(n)
		said, was := make([][]*Tick, n), map[string]int64{}
		for left := n * len(ticks); left > 0; left-- {
			stream := r.IntN(n)
			for len(said[stream]) == len(ticks) {
				stream = (stream + 1) % n
			}
			tick := ticks[len(said[stream])]
			said[stream] = append(said[stream], tick)
			c.Take(s.Take(stream, tick), here)
			for _, tenant := range []string{"t0", "t1"} {
				for _, set := range sets {
					key := fmt.Sprint(tenant, set)
					before, asked := was[key]
					got := c.Of(tenant, set)
					if most := last(said, tenant, set); got > most && (!asked || got > before) {
						t.Fatalf("seed %d: the clock of %s goes to %d, and a stream is at %d", seed, key, got, most)
					}
					was[key] = got
				}
			}
		}
		if s.Silent() > 0 {
			t.Fatalf("seed %d: %d streams are silent", seed, s.Silent())
		}
		for _, tenant := range []string{"t0", "t1"} {
			for _, set := range sets {
				if got, want := c.Of(tenant, set), naive(ticks, tenant, set); got < want {
					t.Errorf("seed %d: the clock of %s%s is %d in the end, want %d", seed, tenant, set, got, want)
				}
			}
		}
	}
}

// last is the clock of the stream that is furthest behind, of all the source partitions that any stream has shown with one of the datasets.
func last(said [][]*Tick, tenant string, set []string) int64 {
	var all []*Tick
	for _, ticks := range said {
		all = append(all, ticks...)
	}
	shows := map[string]bool{}
	for _, tick := range all {
		for _, s := range tick.Sources {
			one := &Tick{Made: tick.Made, Sources: []Source{{s.Name, 1, s.Shown}}}
			shows[s.Name] = shows[s.Name] || naive([]*Tick{one}, tenant, set) != Unknown
		}
	}
	least, any := int64(1<<62), false
	for name := range shows {
		if !shows[name] {
			continue
		}
		any = true
		for _, ticks := range said {
			at := Unknown
			for _, tick := range ticks {
				for _, s := range tick.Sources {
					if s.Name == name {
						at = max(at, s.Progress)
					}
				}
			}
			least = min(least, at)
		}
	}
	if !any {
		return Unknown
	}
	return least
}
