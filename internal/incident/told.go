package incident

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"noroshi/internal/alert"
)

// mark is what an incident is known by when it is folded again.
type mark struct {
	last  time.Time // its last sign
	print uint64    // of all that its revision counts
}

// telled is what was told of an incident last.
type telled struct {
	revision int
	gone     bool // it was told that it is no more
	mark     mark
	opened   time.Time
	severity string
}

func (s *story) telled(i *Incident) telled {
	return telled{revision: i.Revision, mark: s.marks[i.Number], opened: i.Opened, severity: i.Severity}
}

// print is a fingerprint of what count counts.
func (i *Incident) print(r *run, from, until time.Time, all []*Activity) uint64 {
	h := fnv.New64a()
	say := func(format string, a ...any) { _, _ = fmt.Fprintf(h, format, a...) }
	for _, x := range slices.Concat(r.signs, r.beside) {
		say("s%q %d %d ", x.ID, x.Revision, x.points())
	}
	for _, a := range all {
		if counts(a, from, until) {
			say("a%q %d ", keyOf(a), a.Entry.Count)
		}
	}
	say("%d %t %s", i.Reopened, i.Contained.IsZero(), i.Status)
	return h.Sum64()
}

// counts reports whether an activity makes the incident of a time what it is.
func counts(a *Activity, from, until time.Time) bool {
	at := a.Entry.Time
	return at.Before(until) && (a.Thing != nil || !at.Before(from))
}

// tell reports whether an incident has changed since it was told last. A sign that is withdrawn, one that comes late and moves the numbers,
// or too many to be held can make the count smaller: then the revision is raised above all that were told under the id, for good.
func (s *story) tell(i *Incident) bool {
	if i.Level == Noticed {
		return false
	}
	t := s.told[i.Number]
	if i.Revision <= t.revision {
		if !t.gone && t.mark.print == s.marks[i.Number].print {
			return false
		}
		s.raised[i.Number] += t.revision + 1 - i.Revision
		i.Revision = t.revision + 1
		s.rows.head = true
	}
	s.rows.head = s.rows.head || t.gone
	s.told[i.Number] = s.telled(i)
	return true
}

// merged are the incidents that were told and are no more: a late sign has joined them to others, or their signs were withdrawn.
func (s *story) merged() (all []*Incident) {
	for _, number := range slices.Sorted(maps.Keys(s.told)) {
		t := s.told[number]
		if t.gone || number <= s.base.Number || slices.ContainsFunc(s.all, func(i Incident) bool { return i.Number == number && i.Level != Noticed }) {
			continue
		}
		i := &Incident{Schema: Schema, Drill: alert.IsDrill(s.of.Tenant), ID: ID(s.of.Tenant, s.of.Name, number), Number: number, Revision: t.revision + 1,
			Tenant: s.of.Tenant, Account: s.of.Name, Status: Closed, Severity: t.severity, Opened: t.opened, Updated: t.mark.last, Closed: t.mark.last}
		for _, into := range s.all {
			if into.Level != Noticed && !into.Opened.After(t.mark.last) && !s.marks[into.Number].last.Before(t.opened) {
				i.Merged, i.Severity, i.Opened, i.Updated, i.Closed = into.ID, into.Severity, into.Opened, into.Updated, into.Updated
			}
		}
		t.revision, t.gone = i.Revision, true
		s.told[number] = t
		s.rows.head = true
		all = append(all, i)
	}
	return all
}
