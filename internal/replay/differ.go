package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Difference is a place in which alerts are not what a test wants.
type Difference struct {
	Alert    int    `json:"alert"` // counted from 1; of alerts that are not there, or not wanted, among those
	Path     string `json:"path"`  // "" is the whole alert
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
}

// differences are those between what is wanted and what came. The order of alerts is no difference.
func differences(want, have []any) (all []Difference) {
	pairs, missing, over := pair(want, have)
	for _, p := range pairs {
		all = append(all, lacks(want[p[0]], have[p[1]], p[0]+1, "")...)
	}
	for _, i := range missing {
		all = append(all, Difference{Alert: i + 1, Expected: show(want[i])})
	}
	for _, i := range over {
		all = append(all, Difference{Alert: i + 1, Got: short(have[i])})
	}
	return all
}

// pair finds for each wanted alert the one that has all of it, whatever the order; then for what is left the next best.
func pair(want, have []any) (pairs [][2]int, missing, over []int) {
	taker := make([]int, len(have)) // of each alert the wanted one that has it
	for i := range taker {
		taker[i] = -1
	}
	fits := func(i, j int) bool { return len(lacks(want[i], have[j], 0, "")) == 0 }
	var place func(i int, tried []bool) bool
	place = func(i int, tried []bool) bool {
		for j := range have {
			if tried[j] || !fits(i, j) {
				continue
			}
			tried[j] = true
			if taker[j] < 0 || place(taker[j], tried) {
				taker[j] = i
				return true
			}
		}
		return false
	}
	for i := range want {
		if !place(i, make([]bool, len(have))) {
			missing = append(missing, i)
		}
	}
	for j, i := range taker {
		if i < 0 {
			over = append(over, j)
		} else {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	for len(missing) > 0 && len(over) > 0 {
		i, j := nearest(want, have, missing, over)
		pairs = append(pairs, [2]int{missing[i], over[j]})
		settle(want, have, pairs)
		missing, over = slices.Delete(missing, i, i+1), slices.Delete(over, j, j+1)
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return a[0] - b[0] })
	return pairs, missing, over
}

// settle lets the last pair, which differs, change places with another where that differs less.
func settle(want, have []any, pairs [][2]int) {
	last := &pairs[len(pairs)-1]
	least := len(lacks(want[last[0]], have[last[1]], 0, ""))
	for i := range pairs[:len(pairs)-1] {
		p := &pairs[i]
		if n := len(lacks(want[last[0]], have[p[1]], 0, "")); n < least && len(lacks(want[p[0]], have[last[1]], 0, "")) == 0 {
			least = n
			p[1], last[1] = last[1], p[1]
		}
	}
}

// nearest are the places of the two that differ least.
func nearest(want, have []any, missing, over []int) (i, j int) {
	least := -1
	for a := range missing {
		for b := range over {
			if n := len(lacks(want[missing[a]], have[over[b]], 0, "")); least < 0 || n < least {
				i, j, least = a, b, n
			}
		}
	}
	return i, j
}

// lacks tells in what a value lacks what is wanted: of objects each wanted member, of lists each wanted element in its place.
func lacks(want, have any, number int, at string) (all []Difference) {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			break
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			member := strings.TrimPrefix(at+"."+k, ".")
			if got, ok := h[k]; ok {
				all = append(all, lacks(w[k], got, number, member)...)
			} else {
				all = append(all, Difference{number, member, show(w[k]), "nothing"})
			}
		}
		return all
	case []any:
		h, ok := have.([]any)
		if !ok {
			break
		}
		for i := range w {
			element := at + "[" + strconv.Itoa(i) + "]"
			if i < len(h) {
				all = append(all, lacks(w[i], h[i], number, element)...)
			} else {
				all = append(all, Difference{number, element, show(w[i]), "nothing"})
			}
		}
		return all
	}
	if equal(want, have) {
		return nil
	}
	return []Difference{{number, at, show(want), show(have)}}
}

// equal compares single values; times are equal whatever their decimals and zone.
func equal(want, have any) bool {
	w, isText := want.(string)
	h, areText := have.(string)
	if isText && areText && w != h {
		a, err := time.Parse(time.RFC3339Nano, w)
		b, wrong := time.Parse(time.RFC3339Nano, h)
		return err == nil && wrong == nil && a.Equal(b)
	}
	switch want.(type) {
	case map[string]any, []any:
		return false
	}
	switch have.(type) {
	case map[string]any, []any:
		return false
	}
	return want == have
}

// aside are the members of an alert that the order of arrival may change.
var aside = []string{"revision", "late", "times"}

// same are the differences between the alerts of two orders of arrival.
func same(want, have []any) (all []Difference) {
	expected, got := bare(want), bare(have)
	for n, id := range slices.Sorted(maps.Keys(expected)) {
		if other, ok := got[id]; !ok {
			all = append(all, Difference{Alert: n + 1, Expected: short(expected[id])})
		} else if all = append(all, lacks(expected[id], other, n+1, "")...); len(all) == 0 {
			all = lacks(other, expected[id], n+1, "") // neither has more than the other
		}
	}
	for n, id := range slices.Sorted(maps.Keys(got)) {
		if _, ok := expected[id]; !ok {
			all = append(all, Difference{Alert: n + 1, Got: short(got[id])})
		}
	}
	return all
}

// bare are alerts by their ids, without what may differ.
func bare(alerts []any) map[string]any {
	all := map[string]any{}
	for _, a := range alerts {
		if m, ok := a.(map[string]any); ok {
			m = maps.Clone(m)
			for _, name := range aside {
				delete(m, name)
			}
			all[show(m["id"])] = m
		}
	}
	return all
}

// summary tells differences in one line.
func summary(want, have int, all []Difference) string {
	if want != have {
		return fmt.Sprintf("expected %s, got %d", alerts(want), have)
	}
	d := all[0]
	return fmt.Sprintf("alert %d: %s: expected %s, got %s", d.Alert, d.Path, d.Expected, d.Got)
}

// short is what an alert is told by.
func short(a any) string {
	m, ok := a.(map[string]any)
	if !ok {
		return show(a)
	}
	some := map[string]any{}
	for _, k := range []string{"account", "time", "summary"} {
		some[k] = m[k]
	}
	return show(some)
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}

func alerts(n int) string {
	if n == 1 {
		return "1 alert"
	}
	return fmt.Sprintf("%d alerts", n)
}
