package detector

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

const scatter uint64 = 0x9e3779b97f4a7c15

// TestRecentKnowsTheLastQuarterOfAnHour compares with a plain map: what is younger than the span is known, what is older is forgotten
// as soon as the next hashes are confirmed.
func TestRecentKnowsTheLastQuarterOfAnHour(t *testing.T) {
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		r, confirmed, now := &Recent{}, map[uint64]time.Time{}, time.Unix(1_800_000_000, 0)
		hash := func() uint64 {
			h := rnd.Uint64N(20_000)
			if seed == 0 {
				return h%1000<<5 | h<<40 // many belong in one place of the table
			}
			return h * scatter
		}
		for range 400 {
			batch := map[uint64]bool{}
			for range rnd.IntN(300) {
				h := hash()
				at, known := confirmed[h]
				young, old := known && now.Sub(at) < RecentSpan, known && now.Sub(at) > RecentSpan+2*time.Minute
				switch got := r.Add(h); {
				case !got && (young || batch[h]):
					t.Fatalf("seed %d: a hash that came %s before is not known", seed, now.Sub(at))
				case got && !batch[h] && (!known || old):
					t.Fatalf("seed %d: a hash is known that came %s before (%t)", seed, now.Sub(at), known)
				case !got:
					batch[h] = true
				}
			}
			now = now.Add(time.Duration(rnd.IntN(60_000)) * time.Millisecond)
			r.Keep(now)
			for h := range batch {
				confirmed[h] = now
			}
			if rnd.IntN(20) > 0 {
				continue
			}
			lasting := 0
			for _, at := range confirmed {
				if now.Sub(at) < RecentSpan+recentGrain {
					lasting++
				}
			}
			if r.Len() > lasting || r.Overflows > 0 {
				t.Fatalf("seed %d: %d hashes, want %d at most; %d overflows", seed, r.Len(), lasting, r.Overflows)
			}
		}
	}
}

// TestRecentIsBounded forgets the oldest first, and counts them.
func TestRecentIsBounded(t *testing.T) {
	const more = 5000
	r, now := &Recent{}, time.Unix(1_800_000_000, 0)
	for i := range uint64(RecentMax + more) {
		if r.Add(i * scatter) {
			t.Fatalf("hash %d is known", i)
		}
		if i%1000 == 0 {
			r.Keep(now)
		}
	}
	if r.Len() != RecentMax || r.Overflows != more || len(r.table) != 2*RecentMax {
		t.Errorf("%d hashes, %d overflows, a table of %d", r.Len(), r.Overflows, len(r.table))
	}
	for _, i := range []uint64{more, RecentMax + more - 1} {
		if !r.Add(i * scatter) {
			t.Errorf("hash %d is forgotten", i)
		}
	}
	forgotten := uint64(more - 1)
	if r.Overflows != more || r.Add(forgotten*scatter) {
		t.Error("the last hash that was forgotten is known, or a repeat was counted")
	}
}

// TestRecentNumbersGoRound when a partition has had more hashes than an entry counts.
func TestRecentNumbersGoRound(t *testing.T) {
	start := uint64(1<<32 - 1500)
	r, now := &Recent{first: start, next: start}, time.Unix(1_800_000_000, 0)
	for i := range uint64(4000) {
		if r.Add(i*31 + 1) {
			t.Fatalf("hash %d is known", i)
		}
		now = now.Add(time.Second)
		r.Keep(now)
		for _, back := range []uint64{1, 800, 899} {
			if i >= back && !r.Add((i-back)*31+1) {
				t.Fatalf("the hash before hash %d by %d is forgotten", i, back)
			}
		}
	}
	if r.Len() > 905 {
		t.Errorf("%d hashes", r.Len())
	}
}

// TestRecentIsSteady takes as much at the end of an hour as after the first quarter, and gives it back when nothing comes.
func TestRecentIsSteady(t *testing.T) {
	r, now, h := &Recent{}, time.Unix(1_800_000_000, 0), uint64(0)
	used := func() (places int) { return len(r.chunks)*recentChunk*2 + len(r.table) + cap(r.marks)*8 }
	var most, least int
	for second := range 3600 {
		for range 40 {
			h++
			r.Add(h * scatter)
		}
		now = now.Add(time.Second)
		r.Keep(now)
		if second > 920 {
			most = max(most, used())
			if least == 0 {
				least = used()
			}
			least = min(least, used())
		}
	}
	if most-least > 4*recentChunk {
		t.Errorf("between %d and %d words of four bytes are used", least, most)
	}
	if perHash := float64(4*most) / float64(r.Len()); perHash > 26 {
		t.Errorf("%.1f bytes a hash", perHash)
	}
	r.Forget(now.Add(RecentSpan + 2*recentGrain))
	if r.Len() != 0 || used() > 3*recentChunk+1000*8 {
		t.Errorf("%d hashes, %d words remain", r.Len(), used())
	}
}

func BenchmarkRecent(b *testing.B) {
	r, now, h := &Recent{}, time.Unix(1_800_000_000, 0), uint64(0)
	step := func() {
		h++
		r.Add(h * scatter)
		if h%400 == 0 {
			now = now.Add(time.Second)
			r.Keep(now)
		}
	}
	for range 400 * 1000 { // a quarter of an hour at 400 records a second
		step()
	}
	runtime.GC()
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}
