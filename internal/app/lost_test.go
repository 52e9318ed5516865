package app

import (
	"fmt"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/event"
)

// A rule that has lost its memory and fires again in the same span tells the alert that it has told, by its id, from the first revision on,
// with what came since. No receiver takes it for another finding.
func TestAnAlertAfterMemoryWasLost(t *testing.T) {
	set := compiled(t, `id: guessing
title: Many wrong passwords
severity: high
kind: threshold
when: auth.result == "wrong_credential"
by: [account]
within: 10m
count: 3
`)
	told := func(from, to int) (all []*alert.Alert) {
		m := set.Memory(detector.MemoryOptions{Live: true, Lateness: event.Lateness{}})
		w := set.Worker()
		for n := from; n < to; n++ {
			if err := w.ReadAlone([]byte(signInOf(fmt.Sprint("s-", n), "taro", 50126, time.Duration(n)*time.Second)), time.Time{}); err != nil {
				t.Fatal(err)
			}
			detector.EachHit(w.Match(nil), func(packed []byte) {
				if err := m.Apply(packed, func(a *alert.Alert) { one := *a; all = append(all, &one) }); err != nil {
					t.Fatal(err)
				}
			})
		}
		return all
	}
	before, behind := told(0, 3), told(3, 6)
	if len(before) != 1 || len(behind) != 1 {
		t.Fatalf("told are %d and then %d alerts, expected 1 and 1", len(before), len(behind))
	}
	a, b := before[0], behind[0]
	if a.ID != b.ID || a.DedupKey != b.DedupKey || a.Revision != b.Revision {
		t.Errorf("told is %s, %s, revision %d; then %s, %s, revision %d", a.ID, a.DedupKey, a.Revision, b.ID, b.DedupKey, b.Revision)
	}
	if id := func(a *alert.Alert) string { return a.Evidence[0].ID }; id(a) == id(b) {
		t.Errorf("the evidence is %s both times", id(a))
	}
}
