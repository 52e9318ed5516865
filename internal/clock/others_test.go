package clock

import (
	"errors"
	"fmt"
	"testing"
)

// showing is a tick of a source partition that has shown a dataset in each of some tenants.
func showing(progress int64, tenants ...string) *Tick {
	s := Source{Name: "hub/0", Progress: progress}
	for _, t := range tenants {
		s.Shown = append(s.Shown, Shown{Tenant: t, Dataset: "d", First: 1, Last: 2})
	}
	return &Tick{Made: progress, Sources: []Source{s}}
}

// Others are as far as the partition that is furthest behind, and nobody knows how far while one has not spoken. Where alerts cross twice,
// each has to hear from all others first.
func TestOthersAreAsFarAsTheLast(t *testing.T) {
	clocks, others := []*Clocks{New(), New()}, []*Others{NewOthers(2, 2), NewOthers(2, 2)}
	say := func(from, to int) {
		t.Helper()
		for _, said := range others[from].Say(clocks[from], 1000) {
			if err := others[to].Take(from, said); err != nil {
				t.Fatal(err)
			}
		}
	}
	at := func(step string, want ...int64) {
		t.Helper()
		for i, n := range want {
			if got := others[i/2].Of("t-1", 1+i%2); got != n {
				t.Errorf("%s: partition %d is at %d after %d crossings, want %d", step, i/2, got, 1+i%2, n)
			}
		}
	}
	at("nothing is said", Unknown, Unknown, Unknown, Unknown)
	clocks[0].Take(showing(10*millisecond, "t-1"), here)
	clocks[1].Take(showing(20*millisecond, "t-1"), here)
	say(0, 0)
	at("one has not spoken", Unknown, Unknown, Unknown, Unknown)
	if others[0].Silent() != 1 {
		t.Errorf("%d are silent", others[0].Silent())
	}
	say(1, 0)
	at("both have spoken to the first", 10*millisecond, Unknown, Unknown, Unknown)
	say(0, 1)
	say(1, 1)
	at("and to the second", 10*millisecond, Unknown, 10*millisecond, Unknown)
	say(0, 0)
	say(1, 0)
	at("the first has heard how far both have heard", 10*millisecond, 10*millisecond, 10*millisecond, Unknown)
	clocks[0].Take(showing(30*millisecond, "t-1"), here)
	say(0, 0)
	at("one goes on", 20*millisecond, 10*millisecond, 10*millisecond, Unknown)
	if got := others[0].Of("t-2", 1); got != Unknown {
		t.Errorf("of a tenant that nobody speaks of it is at %d", got)
	}
}

// What is said of many tenants is said in several texts, each of which can be read alone; what is no such text is refused.
func TestOthersSpeakInTexts(t *testing.T) {
	var tenants []string
	for i := range 100 {
		tenants = append(tenants, fmt.Sprint("t-", i))
	}
	c, o := New(), NewOthers(1, 3)
	c.Take(showing(10*millisecond, tenants...), here)
	all := o.Say(c, 200)
	if len(all) < 5 {
		t.Errorf("they are %d texts", len(all))
	}
	for _, said := range all {
		if len(said) > 300 {
			t.Errorf("a text of %d bytes", len(said))
		}
		if err := o.Take(0, said); err != nil {
			t.Fatal(err)
		}
	}
	for _, tenant := range tenants {
		if got := o.Of(tenant, 1); got != 10*millisecond {
			t.Errorf("%s is at %d", tenant, got)
		}
	}
	for _, wrong := range []struct {
		partition int
		said      []byte
	}{{1, all[0]}, {-1, all[0]}, {0, all[0][:len(all[0])-1]}, {0, []byte{9}}} {
		if err := o.Take(wrong.partition, wrong.said); !errors.Is(err, ErrOthers) {
			t.Errorf("partition %d says %x: %v", wrong.partition, wrong.said, err)
		}
	}
}
