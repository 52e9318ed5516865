package incident

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"noroshi/internal/alert"
)

// run is an incident that is being made of an account's signs.
type run struct {
	number   int
	signs    []*sign // those that open it and keep it open
	beside   []*sign // those without points
	opened   time.Time
	from     time.Time // when it was opened last
	last     time.Time // its last sign
	reopened int
}

// ends is when a run is closed if no sign comes any more.
func (r *run) ends(a *Ages) time.Time {
	quiet, most := r.last.Add(a.Quiet), r.from.Add(a.Most)
	if most.Before(quiet) {
		return most
	}
	return quiet
}

// runs divides an account's signs into incidents.
func (b *Book) runs(s *story) (all []*run) {
	ages := &b.scoring.Ages
	var r *run
	number := s.base.Number
	for _, x := range slices.SortedFunc(maps.Values(s.signs), inOrder) {
		if x.points() == 0 {
			if r != nil && !x.Time.After(r.ends(ages)) {
				r.beside = append(r.beside, x)
			}
			continue
		}
		switch {
		case r == nil || x.Time.After(r.ends(ages).Add(ages.Reopen)):
			number++
			r = &run{number: number, opened: x.Time, from: x.Time}
			all = append(all, r)
		case x.Time.After(r.ends(ages)):
			r.reopened++
			r.from = x.Time
		}
		r.last = x.Time
		r.signs = append(r.signs, x)
	}
	return all
}

// fold makes an account's incidents of what is held of it. They depend on that and on the time alone.
func (b *Book) fold(s *story, now time.Time) (all []*Incident) {
	runs := b.runs(s)
	activities := s.sortedActivities()
	s.due = time.Time{}
	clear(s.marks)
	for n, r := range runs {
		var next time.Time
		if n+1 < len(runs) {
			next = runs[n+1].opened
		}
		i := b.incident(s, r, next, activities, now)
		all = append(all, i)
		if end := r.ends(&b.scoring.Ages); i.Status != Closed && (s.due.IsZero() || end.Before(s.due)) {
			s.due = end.Add(1)
		}
	}
	if n := len(runs); n > 0 && s.due.IsZero() {
		s.due = runs[n-1].ends(&b.scoring.Ages).Add(b.scoring.Ages.Reopen + keepClosed)
	}
	if len(runs) == 0 && len(s.activities) > 0 {
		s.due = activities[len(activities)-1].Entry.Time.Add(keepAlone)
	}
	return all
}

// incident makes an incident of its signs; next is when the account's next one is opened.
func (b *Book) incident(s *story, r *run, next time.Time, activities []*Activity, now time.Time) *Incident {
	i := &Incident{Schema: Schema, Drill: alert.IsDrill(s.of.Tenant), ID: ID(s.of.Tenant, s.of.Name, r.number), Number: r.number,
		Tenant: s.of.Tenant, Account: s.of.Name, Status: Open, Opened: r.opened, Updated: r.last, Reopened: r.reopened, Rules: map[string]int{}}
	b.judge(i, s, r, now)
	from, until := b.span(r, next)
	entries := i.entries(from, until, activities)
	b.things(i, s.things(from, until))
	b.contain(i, r, entries)
	if end := r.ends(&b.scoring.Ages); now.After(end) || !next.IsZero() {
		i.Status, i.Closed, i.ScoreNow = Closed, end, 0
	}
	i.listAlerts(slices.SortedFunc(slices.Values(slices.Concat(r.signs, r.beside)), inOrder))
	if p := s.profile; p != nil {
		i.SignIns, i.Hybrid = p.SignIns, p.Hybrid
		if n := len(i.SignIns.Places); n > MaxPlaces {
			i.SignIns.Places, i.SignIns.Left = i.SignIns.Places[:MaxPlaces], i.SignIns.Left+n-MaxPlaces
		}
		b.mark(i, r)
	}
	if s.left > 0 {
		i.Cut = append(i.Cut, "signs")
	}
	i.count(r, from, until, activities)
	i.Revision += s.raised[r.number]
	s.marks[r.number] = mark{r.last, i.print(r, from, until, activities)}
	i.bound()
	return i
}

// count counts what has made the incident what it is, so that the same incident has the same revision wherever it is made, as long as nothing
// was taken from it after it was told. Entries count twice, for a new one opens again what was contained or closed.
func (i *Incident) count(r *run, from, until time.Time, all []*Activity) {
	for _, x := range slices.Concat(r.signs, r.beside) {
		i.Revision += 2 * x.Revision
	}
	for _, a := range all {
		if counts(a, from, until) {
			i.Revision += 2 * max(1, a.Entry.Count)
		}
	}
	i.Revision += 2 * i.Reopened
	if !i.Contained.IsZero() {
		i.Revision++
	}
	if i.Status == Closed {
		i.Revision++
	}
	i.Revision-- // the first is 1
}

// judge says how sure it is, and why.
func (b *Book) judge(i *Incident, s *story, r *run, now time.Time) {
	c := &score{of: b.scoring, marked: b.markedSessions(r), rules: map[string][]weighed{}, allowed: func(x *sign) bool { return b.allowed(s.of.Tenant, x) }}
	if b.important(s, r.opened) {
		c.extra = b.scoring.Important
	}
	proved := b.scoring.proved(r.signs)
	most := Confirmed
	if b.scoring.alone(r.signs) {
		most = Likely
	}
	for _, x := range r.signs {
		p := c.add(x)
		i.Timeline = append(i.Timeline, x.entry(p))
		at := c.at(x.Time)
		i.Score = max(i.Score, at)
		l := least(b.scoring.level(at), most)
		if !within(proved, x.Time, b.scoring.Decay) {
			l = least(l, b.scoring.Unproved)
		}
		i.raise(l)
		if slices.Index(alert.Severities, x.Severity) > slices.Index(alert.Severities, i.Severity) {
			i.Severity = x.Severity
		}
	}
	i.ScoreNow = c.at(lastOf(now, r.last))
	for _, x := range r.beside {
		i.Timeline = append(i.Timeline, x.entry(0))
	}
	if found := b.scoring.combined(r.signs); found.by != nil {
		i.Level, i.ConfirmedBy = Confirmed, found.by.ID
		i.Why = append(i.Why, found.by.Text)
	}
	i.explain(r.signs)
}

func lastOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (i *Incident) raise(l Level) {
	if slices.Index(Levels, l) > slices.Index(Levels, i.Level) {
		i.Level = l
	}
}

// maxWhy is how many signs are named as reasons.
const maxWhy = 5

// explain names the weightiest rules, each with what its last alert says.
func (i *Incident) explain(signs []*sign) {
	last := map[string]*sign{}
	for _, x := range signs {
		last[x.Rule] = x
	}
	all := slices.SortedFunc(maps.Values(last), func(a, b *sign) int { return cmp.Or(b.Points-a.Points, inOrder(a, b)) })
	for _, x := range all[:min(len(all), maxWhy)] {
		i.Why = append(i.Why, cmp.Or(x.Title, x.Rule)+": "+x.Text)
	}
	if n := len(all) - maxWhy; n > 0 {
		i.Why = append(i.Why, fmt.Sprintf("and alerts of %d more rules", n))
	}
}

// entry is the line of a sign.
func (s *sign) entry(points int) Entry {
	e := Entry{Time: s.Time, Kind: Sign, Text: s.Text, EventID: s.EventID, Rule: s.Rule, Alert: s.ID, Severity: s.Severity, Points: points, Dataset: s.Dataset, Action: s.Action,
		IP: s.Source.IP, Country: s.Source.Country, ASN: s.Source.ASN}
	if len(s.Sessions) > 0 {
		e.Session = s.Sessions[0]
	}
	if s.Count > 1 {
		e.Count = s.Count
	}
	return e
}

// markedSessions are the sessions that signs of access have marked, by the first that does.
func (b *Book) markedSessions(r *run) map[string]*sign {
	m := map[string]*sign{}
	for _, x := range r.signs {
		if x.Class == accessClass && x.Points >= b.scoring.Least {
			for _, s := range x.Sessions {
				if m[s] == nil || x.From.Before(m[s].From) {
					m[s] = x
				}
			}
		}
	}
	return m
}

const accessClass = "access"

// mark marks the addresses that signs of access came from.
func (b *Book) mark(i *Incident, r *run) {
	bad := map[string]bool{}
	for _, x := range r.signs {
		if x.Class == accessClass && x.Points >= b.scoring.Least && x.Source.IP != "" {
			bad[x.Source.IP] = true
		}
	}
	i.SignIns.Places = slices.Clone(i.SignIns.Places)
	for n := range i.SignIns.Places {
		i.SignIns.Places[n].Marked = i.SignIns.Places[n].Marked || bad[i.SignIns.Places[n].IP]
	}
}

// span is the time whose activities belong to an incident; next is when the account's next one is opened.
func (b *Book) span(r *run, next time.Time) (from, until time.Time) {
	before := b.scoring.Containment.Before
	until = r.ends(&b.scoring.Ages).Add(b.scoring.Ages.Reopen)
	if !next.IsZero() && next.Add(-before).Before(until) {
		until = next.Add(-before)
	}
	return r.opened.Add(-before), until
}

// entries are the activities of a time.
func (i *Incident) entries(from, until time.Time, all []*Activity) (own []*Activity) {
	for _, a := range all {
		if at := a.Entry.Time; at.Before(from) || !at.Before(until) {
			continue
		}
		own = append(own, a)
		i.Timeline = append(i.Timeline, a.Entry)
		i.Updated = lastOf(i.Updated, a.Entry.Time)
	}
	return own
}

// listAlerts lists the ids, the counts by rule, and the steps that the alerts bring.
func (i *Incident) listAlerts(signs []*sign) {
	seen := map[string]bool{}
	for _, x := range signs {
		i.AlertsTotal++
		i.Rules[x.Rule]++
		if len(i.Alerts) < MaxAlerts {
			i.Alerts = append(i.Alerts, x.ID)
		}
		if i.Rules[x.Rule] > MaxThings { // what the others bring is the same again
			continue
		}
		for _, d := range x.Steps {
			if key := d.ID + "\x00" + d.Command; !seen[key] && len(i.Remediation) < maxSteps {
				seen[key] = true
				i.Remediation = append(i.Remediation, Step{ID: d.ID, Text: d.Text, Command: d.Command})
			}
		}
	}
}

const maxSteps = 100

// bound sorts the timeline and cuts what is too long: context first, then what lies in the middle.
func (i *Incident) bound() {
	slices.SortStableFunc(i.Timeline, func(a, b Entry) int {
		return cmp.Or(a.Time.Compare(b.Time), rank(a.Kind)-rank(b.Kind), strings.Compare(a.Alert, b.Alert), strings.Compare(a.EventID, b.EventID), strings.Compare(a.Text, b.Text))
	})
	i.TimelineTotal = len(i.Timeline)
	most := MaxTimeline
	for {
		i.cutTimeline(most)
		if most < 10 || len(i.AppendJSON(nil)) <= MaxSize {
			return
		}
		most /= 2
	}
}

// rank orders entries of the same time.
func rank(kind string) int { return slices.Index([]string{Context, Sign, Closing}, kind) }

func (i *Incident) cutTimeline(most int) {
	spare := len(i.Timeline) - most
	if spare <= 0 {
		return
	}
	if !slices.Contains(i.Cut, "timeline") {
		i.Cut = append(i.Cut, "timeline")
	}
	for _, context := range []bool{true, false} {
		var at []int
		for n := range i.Timeline {
			if (i.Timeline[n].Kind == Context) == context {
				at = append(at, n)
			}
		}
		n := min(spare, len(at))
		from := (len(at) - n) / 2
		gone := map[int]bool{}
		for _, k := range at[from : from+n] {
			gone[k] = true
		}
		kept := i.Timeline[:0]
		for k := range i.Timeline {
			if !gone[k] {
				kept = append(kept, i.Timeline[k])
			}
		}
		i.Timeline, spare = kept, spare-n
	}
}
