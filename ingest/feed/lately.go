package feed

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"noroshi/internal/bus"
)

// A tick tells what a partition has shown when its messages are stored already. A process that dies in between tells it no more, and a
// stream that is quiet from then on shows nothing again. So the position holds what was shown lately, and whoever reads on from it tells
// that again.

const (
	// latelyFor is how long what was shown stays in positions: long after it is told.
	latelyFor = time.Minute
	// mostLately is how many datasets of tenants a position names, those that were shown last.
	mostLately = 256
	// longestText is how long the names in a position may be together: ticks do not tell longer ones either.
	longestText = 512
)

// lately is what a partition has shown in the last minute.
type lately map[Dataset]*latelyShown

type latelyShown struct {
	Span
	at time.Time // when it was stored
}

// add adds what was shown at a time, and forgets what was not shown for long.
func (l lately) add(now time.Time, each func(show func(of Dataset, span Span))) {
	for of, one := range l {
		if now.Sub(one.at) > latelyFor {
			delete(l, of)
		}
	}
	each(func(of Dataset, span Span) {
		if len(of.Tenant)+len(of.Name) > longestText {
			return
		}
		one := l[of]
		if one == nil {
			one = &latelyShown{}
			l[of] = one
		}
		one.Plus(&span)
		one.at = now
	})
	if len(l) <= mostLately {
		return
	}
	oldest := slices.SortedFunc(maps.Keys(l), func(a, b Dataset) int { return l[a].at.Compare(l[b].at) })
	for _, of := range oldest[:len(l)-mostLately] {
		delete(l, of)
	}
}

// row is a position as it is stored.
type row struct {
	Position
	Shown []rowShown `json:"shown,omitempty"`
}

// rowShown are the first and the last time of the events of a dataset, in milliseconds since 1970.
type rowShown struct {
	Tenant  string `json:"tenant,omitempty"`
	Dataset string `json:"dataset,omitempty"`
	First   int64  `json:"first"`
	Last    int64  `json:"last"`
}

// record is a position with what was shown lately.
func (l lately) record(p Position) bus.Record {
	all := row{Position: p}
	for of, one := range l {
		all.Shown = append(all.Shown, rowShown{of.Tenant, of.Name, one.First.UnixMilli(), one.Last.UnixMilli()})
	}
	slices.SortFunc(all.Shown, func(a, b rowShown) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Dataset, b.Dataset))
	})
	value, _ := json.Marshal(all) // of numbers, texts and a writable time there is always one
	return bus.Record{Key: []byte(positionKey), Value: value}
}

// spans are those of a row.
func (r *row) spans() map[Dataset]*Span {
	all := map[Dataset]*Span{}
	for _, one := range r.Shown {
		all[Dataset{one.Tenant, one.Dataset}] = &Span{time.UnixMilli(one.First).UTC(), time.UnixMilli(one.Last).UTC()}
	}
	return all
}
