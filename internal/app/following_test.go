package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/clock"
)

const overSpray = `id: sprays
title: A spray anywhere
severity: high
kind: correlation
of: [spray]
by: []
within: 1h
count: 1
`

// Clocks that move by days at once, as after an outage, do not overtake alerts that travel from one partition of signals to another: what
// is said of them further is a further revision, not something new.
func TestClocksDoNotOvertakeAlertsBetweenPartitionsOfSignals(t *testing.T) {
	if detector.KeyPartition("t-1", "spray", []string{"203.0.113.7"}, 2) == detector.KeyPartition("t-1", "sprays", []string{}, 2) {
		t.Fatal("both rules have their keys in the same partition: take another name")
	}
	x := newTicked(t, fmt.Sprintf(spraying, 2, ""), overSpray)
	kill := x.session()
	for n, account := range []string{"a", "b", "c"} {
		x.record(fmt.Sprint("f-", n), account, 50126, 0) // in any order
	}
	told := func() string {
		var all []string
		for _, a := range x.alerts() {
			all = append(all, fmt.Sprintf("%s r%d", a.Rule.ID, a.Revision))
		}
		slices.Sort(all)
		return strings.Join(all, ", ")
	}
	eventuallyWithin(t, "the spray is told, and what looks at it", func() bool { return told() == "spray r1, sprays r1" })
	want := "spray r1, spray r2, sprays r1, sprays r2"
	for n := range 20 {
		x.wall.Add(int64(sayEvery))
		x.tick(clock.Tick{Sources: []clock.Source{progress("hub/0", "entra.signin", 50*time.Hour+time.Duration(n)*time.Minute, 0)}})
		if strings.Count(told(), "sprays") > 1 {
			break
		}
	}
	if got := told(); got != want {
		t.Errorf("told are %s; want %s", got, want)
	}
	kill()
}
