package detector

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

const overSpray = `id: over
title: A spray anywhere
severity: high
kind: correlation
of: [spray]
by: []
within: 1h
count: 1
`

const overOver = `id: top
title: Over all
severity: high
kind: correlation
of: [over, guessing]
by: []
within: 1h
count: 1
`

// crossing is a memory of the second stage, and the alerts that have left it for another one.
type crossing struct {
	memory *Memory
	sent   [][]byte
}

// TestClocksDoNotOvertakeAlertsThatCross: clocks that move by days at once reach the partition of one rule before that of another rule at
// whose alerts it looks. What these still say is not taken for something new.
func TestClocksDoNotOvertakeAlertsThatCross(t *testing.T) {
	rules := ruleSet(t, sprayed, overSpray)
	clocks, crossed := &set{of: map[string]time.Duration{}}, time.Duration(0)
	var told []string
	take := func(a *alert.Alert) { told = append(told, fmt.Sprintf("%s r%d", a.Rule.ID, a.Revision)) }
	from, to := &crossing{}, &crossing{}
	for _, c := range []*crossing{from, to} {
		c.memory = rules.Memory(MemoryOptions{Stage: Second, Live: true, Clocks: clocks, Lateness: event.Lateness{},
			Crossed: func(string, int) int64 { return base.Add(crossed).UnixNano() },
			Send: func(packed []byte) bool {
				c.sent = append(c.sent, bytes.Clone(packed))
				return true
			}})
	}
	cross := func() {
		for _, packed := range from.sent {
			if err := to.memory.Apply(packed, take); err != nil {
				t.Fatal(err)
			}
		}
		from.sent = nil
	}
	w := rules.Worker()
	for n, account := range []string{"a", "b", "c"} {
		if err := w.ReadAlone([]byte(wrongPassword(n, account+"@contoso.example", "203.0.113.7")), time.Time{}); err != nil {
			t.Fatal(err)
		}
		EachHit(w.Match(nil), func(packed []byte) {
			if err := from.memory.Apply(packed, take); err != nil {
				t.Fatal(err)
			}
		})
	}
	cross()
	clocks.of["entra.signin"] = 100 * time.Hour
	to.memory.Follow(take)
	from.memory.Follow(take)
	cross()
	crossed = 100 * time.Hour
	to.memory.Follow(take)
	if got, want := strings.Join(told, ", "), "spray r1, over r1, spray r2, over r2"; got != want {
		t.Errorf("told are %s; want %s", got, want)
	}
	if n := to.memory.Keys(); n != 0 {
		t.Errorf("%d keys are kept for ever", n)
	}
}

// TestHowOftenAlertsCross: an alert of a rule of the second stage crosses to the partition of a rule that looks at it.
func TestHowOftenAlertsCross(t *testing.T) {
	set := ruleSet(t, sprayed, ownGuesses, overSpray, overOver)
	var got []int
	for _, r := range set.rules {
		got = append(got, r.crossings)
	}
	if want := []int{0, 0, 1, 2}; !slices.Equal(got, want) || set.Crossings() != 2 {
		t.Errorf("they cross %v times, %d at most; want %v", got, set.Crossings(), want)
	}
	if n := ruleSet(t, anywhere, ownGuesses).Crossings(); n != 0 {
		t.Errorf("alerts cross %d times that nobody looks at", n)
	}
}
