//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"maps"
)

// unsettled are rules whose last revision is not compared: the bucket of an alert does not end within the test.
var unsettled = map[string]bool{"widely": true, "everywhere": true}

// finding is an alert in all its revisions.
type finding struct {
	rule      string
	revisions map[int]int // how often each was told
	last      int
	says      string // the last one, but for what may differ
}

// findings are alerts of the fleet's rules by id.
type findings map[string]*finding

func (all findings) add(body []byte) error {
	var a map[string]any
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	rule, _ := a["rule"].(map[string]any)
	name, _ := rule["id"].(string)
	if fleetRules[name] == "" { // the library's may fire, too
		return nil
	}
	id, _ := a["id"].(string)
	revision, _ := a["revision"].(float64)
	for _, k := range []string{"revision", "late", "times"} {
		delete(a, k)
	}
	says, err := json.Marshal(a)
	if err != nil {
		return err
	}
	f := all[id]
	if f == nil {
		f = &finding{rule: name, revisions: map[int]int{}}
		all[id] = f
	}
	f.revisions[int(revision)]++
	if int(revision) > f.last {
		f.last, f.says = int(revision), string(says)
	}
	return nil
}

// difference is how findings differ from those that are wanted, by rule.
type difference struct {
	missing, foreign, twice, skipped, other map[string]int
	revisions                               int
	example                                 string
}

func (all findings) compare(want findings) *difference {
	d := &difference{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, 0, ""}
	for id, w := range want {
		switch got := all[id]; {
		case got == nil:
			d.missing[w.rule]++
		case got.says != w.says && !unsettled[w.rule]:
			d.other[w.rule]++
			d.example = fmt.Sprintf("told %v\n%s\nreplayed\n%s", got.revisions, got.says, w.says)
		}
	}
	for id, got := range all {
		if want[id] == nil {
			d.foreign[got.rule]++
		}
		d.revisions += len(got.revisions)
		d.skipped[got.rule] += got.last - len(got.revisions)
		for _, n := range got.revisions {
			d.twice[got.rule] += n - 1
		}
	}
	for _, counts := range []map[string]int{d.twice, d.skipped} {
		maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	}
	return d
}

func (d *difference) none() bool {
	return len(d.missing)+len(d.foreign)+len(d.twice)+len(d.skipped)+len(d.other) == 0
}

func (d *difference) String() string {
	return fmt.Sprintf("missing %v, found by no replay %v, told twice %v, revisions left out %v, last revisions that differ %v", d.missing, d.foreign, d.twice, d.skipped, d.other)
}
