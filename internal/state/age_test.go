package state

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// TestTheKeyUsedLongestAgoGoes: whatever keys are used and dropped, the one that goes for a new one is that used longest ago, and Each and
// Rows give the keys in that order.
func TestTheKeyUsedLongestAgoGoes(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	for range 50 {
		most := 1 + r.IntN(20)
		var used, gone []string // the keys that are held, the one used longest ago first
		table := NewTable(most, func() *Window { return NewWindow(&Spec{Within: 10}) })
		table.Evicting = func(key string) { gone = append(gone, key) }
		c := &Context{Counts: &Counts{}}
		for range 500 {
			key := strconv.Itoa(r.IntN(2*most + r.IntN(3)))
			at := slices.Index(used, key)
			switch {
			case at >= 0 && r.IntN(8) == 0:
				table.drop(table.keys[key])
				used = slices.Delete(used, at, at+1)
				continue
			case at >= 0:
				used = slices.Delete(used, at, at+1)
			}
			var want []string
			if at < 0 && len(used) == most {
				want, used = []string{used[0]}, used[1:]
			}
			gone = nil
			table.Use(c, []byte(key))
			table.Used(c)
			used = append(used, key)
			if !slices.Equal(gone, want) {
				t.Fatalf("%v went for %s, want %v", gone, key, want)
			}
		}
		var each []string
		table.Each(func(key string, _ *Window) { each = append(each, key) })
		if !slices.Equal(each, used) {
			t.Fatalf("got %v, want %v", each, used)
		}
	}
}

// TestKeysThatHaveGoneStayInNoQueue: once there is room again, nothing waits to go.
func TestKeysThatHaveGoneStayInNoQueue(t *testing.T) {
	table := NewTable(100, func() *Window { return NewWindow(&Spec{Within: 10}) })
	c := &Context{Counts: &Counts{}}
	for i := range 101 {
		table.Use(c, []byte(strconv.Itoa(i)))
		table.Used(c)
	}
	if c.Counts.Evicted != 1 || len(table.aged) == 0 {
		t.Fatalf("%d keys were evicted, and %d wait", c.Counts.Evicted, len(table.aged))
	}
	for i := 20; i < 90; i++ {
		table.drop(table.keys[strconv.Itoa(i)])
	}
	if len(table.aged) != 0 {
		t.Errorf("%d keys wait to go", len(table.aged))
	}
}
