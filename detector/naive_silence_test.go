package detector_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cells are the cells in which a key speaks, and the first event in each.
type cells struct {
	key   []string
	of    string // tenant
	first map[int64]*event
}

// silence fires for a cell of a key after which it speaks no more for longer than the limit.
func silence(r *rule, w *world) (all []firing) {
	size := max(time.Second, r.longer/20)
	for _, c := range r.cells(w.events, size) {
		spoken := slices.Sorted(maps.Keys(c.first))
		for i, at := range spoken {
			limit := r.limit(spoken[:i+1], size)
			silent := false
			if i+1 < len(spoken) {
				silent = time.Duration(spoken[i+1]-at)*size > limit
			} else {
				end := time.Unix(0, (at+int64(limit/size)+1)*int64(size))
				silent = !end.After(w.clock)
			}
			if silent {
				e := c.first[at]
				f := firing{key: c.key, bucket: strconv.FormatInt(at, 10), event: e, counted: counting(e)}
				f.time = time.Unix(0, at*int64(size)).Add(limit)
				all = append(all, f)
			}
		}
	}
	return all
}

// cells are those of every key.
func (r *rule) cells(events []*event, size time.Duration) (all []*cells) {
	known := map[string]*cells{}
	for _, e := range r.keys(r.when, events) {
		tenant := e.tenant()
		name := strings.Join(append([]string{tenant}, e.key...), "\x00")
		if known[name] == nil {
			known[name] = &cells{key: e.key, of: tenant, first: map[int64]*event{}}
			all = append(all, known[name])
		}
		cell := e.at.UnixNano() / int64(size)
		if first := known[name].first[cell]; first == nil || order(e.event, first) < 0 {
			known[name].first[cell] = e.event
		}
	}
	return all
}

// limit is how long a key may be silent after the last of the cells: the rule's, or a multiple of the largest gap that was no
// silence and ended within the history.
func (r *rule) limit(spoken []int64, size time.Duration) time.Duration {
	if r.ratio == 0 {
		return r.longer
	}
	last, largest := spoken[len(spoken)-1], time.Duration(0)
	for i := 1; i < len(spoken); i++ {
		gap := time.Duration(spoken[i]-spoken[i-1]) * size
		recent := time.Duration(last-spoken[i])*size < r.history
		if recent && gap <= r.limit(spoken[:i], size) {
			largest = max(largest, gap)
		}
	}
	return max(r.longer, time.Duration(r.ratio)*largest/10)
}
