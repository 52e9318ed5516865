package deadletter

import (
	"slices"
	"strings"
	"time"

	"noroshi/internal/bus"
)

// replayed is the header of a mark: the place of the letter that was replayed. Marks lie on the topic of the letters, and are not letters.
const replayed = "replayed"

// Mark is the record that marks the letter as replayed.
func (l *Letter) Mark() bus.Record {
	return bus.Record{Topic: bus.DeadLetters, Key: l.Key, Headers: []bus.Header{{Key: replayed, Value: []byte(l.Place)}}}
}

// Letters are the letters of the topic.
type Letters struct {
	all    []Letter
	marked map[string]time.Time // when a letter was replayed last, by its place
}

// Add takes a record of the topic: a letter or a mark.
func (l *Letters) Add(r bus.Record) {
	place := r.Header(replayed)
	if place == "" {
		l.all = append(l.all, Parse(r))
		return
	}
	if l.marked == nil {
		l.marked = map[string]time.Time{}
	}
	if r.Timestamp.After(l.marked[place]) {
		l.marked[place] = r.Timestamp
	}
}

// All are the letters in the order in which they became letters.
func (l *Letters) All() []Letter {
	all := slices.Clone(l.all)
	for i := range all {
		all[i].Replayed = l.marked[all[i].Place]
	}
	slices.SortStableFunc(all, func(a, b Letter) int { return a.At.Compare(b.At) })
	return all
}

// Stages are the stages at which letters can fail, with the sinks named and those of the letters.
func (l *Letters) Stages(sinks []string) []string {
	all := []string{}
	for _, s := range sinks {
		all = append(all, StageSink+s)
	}
	for i := range l.all {
		if strings.HasPrefix(l.all[i].Stage, StageSink) {
			all = append(all, l.all[i].Stage)
		}
	}
	slices.Sort(all)
	return append([]string{StageIngest, StageDetect}, slices.Compact(all)...)
}
