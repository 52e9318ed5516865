package event

import (
	"strings"
	"time"
)

// Late says how late the events of a dataset may come.
type Late struct {
	Wait time.Duration // how long a decision waits that rests on what has not come
	Keep time.Duration // how long a window stays in memory after its end, so that a late event finds its neighbours
}

// Lateness is that of datasets, and of families of them such as "ual.*", where it is not the usual one.
type Lateness map[string]Late

// usual is how late events come. Microsoft delivers sign-ins within minutes, the unified audit log within an hour as a rule and a day at
// times.
var usual = Lateness{
	"entra.*":    {15 * time.Minute, 2 * time.Hour},
	"ual.*":      {time.Hour, 24 * time.Hour},
	"defender.*": {30 * time.Minute, 6 * time.Hour},
	"*":          {time.Hour, 24 * time.Hour},
}

// Of is the lateness of a dataset: its own, else its family's, else the usual one.
func (l Lateness) Of(dataset string) Late {
	family := Family(dataset)
	for _, by := range []Lateness{l, usual} {
		for _, name := range []string{dataset, family, "*"} {
			if late, ok := by[name]; ok {
				return late
			}
		}
	}
	return usual["*"]
}

// Family names the family of a dataset: "ual.*" for ual.exchange_admin.
func Family(dataset string) string {
	name, _, _ := strings.Cut(dataset, ".")
	return name + ".*"
}

// Worst is the lateness of events that may be of any of the datasets; without one, of any there is.
func (l Lateness) Worst(datasets []string) (worst Late) {
	if len(datasets) == 0 {
		datasets = append(datasets, Datasets...)
		for name := range l {
			datasets = append(datasets, name)
		}
	}
	for _, d := range datasets {
		late := l.Of(d)
		worst.Wait, worst.Keep = max(worst.Wait, late.Wait), max(worst.Keep, late.Keep)
	}
	return worst
}
