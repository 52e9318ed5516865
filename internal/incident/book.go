package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"noroshi/internal/alert"
)

// How long what is over or came to nothing is held.
const (
	keepClosed = 7 * 24 * time.Hour // beyond the time in which a sign opens an incident again: alerts may come late
	keepAlone  = 24 * time.Hour     // activities of an account without a sign
)

// Options are what incidents depend on beside what is told of accounts.
type Options struct {
	Scoring *Scoring
	// Important reports whether an account is a person whom others obey; nil: none is.
	Important func(tenant, account string) bool
	// Allowed reports whether an account administers, and has the right to; nil: none has.
	Allowed func(tenant, account string) bool
}

// Book holds the stories of accounts. What it makes of them depends on the set of what it was given, not on the order, as long as an account
// stays within its bounds. It belongs to one goroutine.
type Book struct {
	scoring *Scoring
	options Options
	now     time.Time
	stories map[Account]*story
	changed []*story // to be folded
	rows    []Account
	moved   bool // the clock has, since rows were written
	sweep   []Account

	Counts Counts
}

// Counts are what a book has done.
type Counts struct {
	Signs      int64 // alerts that count, each revision
	Shadow     int64 // alerts of rules that are not live
	Unassigned int64 // alerts of no account
	Activities int64
	Profiles   int64
	Told       int64 // revisions of incidents
	Left       int64 // signs and activities that are held no more, because there were too many or they came too late
}

// NewBook makes an empty book.
func NewBook(o Options) *Book {
	return &Book{scoring: o.Scoring, options: o, stories: map[Account]*story{}}
}

func (b *Book) allowed(tenant string, x *sign) bool {
	return b.options.Allowed != nil && (x.Class == "privilege" || x.Class == "defence") && b.options.Allowed(tenant, x.By)
}

// important reports whether an account is a person whom others obey, or was an administrator before the incident.
func (b *Book) important(s *story, opened time.Time) bool {
	if b.options.Important != nil && b.options.Important(s.of.Tenant, s.of.Name) {
		return true
	}
	return s.profile != nil && slices.ContainsFunc(s.profile.Things, func(t Thing) bool {
		return t.Kind == Role && t.Of == "" && t.Gone.IsZero() && t.Since.Before(opened)
	})
}

func (b *Book) story(tenant, account string) *story {
	of := Account{tenant, account}
	s := b.stories[of]
	if s == nil {
		s = newStory(of)
		b.stories[of] = s
	}
	return s
}

// touch notes that a story is to be folded and written.
func (b *Book) touch(s *story) {
	if s.changed && !s.rows.noted {
		s.rows.noted = true
		b.changed = append(b.changed, s)
	}
}

// Alert takes a revision of an alert. Alerts of rules that are not live, and of no account, are nobody's signs. Where it is about another
// account it gives what that account's story is to be told.
func (b *Book) Alert(a *alert.Alert) *Activity {
	switch {
	case a.State != "":
		b.Counts.Shadow++
		return nil
	case a.Tenant == alert.HeartbeatTenant:
		return nil
	case a.Account == "":
		b.Counts.Unassigned++
		return nil
	}
	b.Counts.Signs++
	x := newSign(a)
	s := b.story(a.Tenant, a.Account)
	left := s.left
	s.sign(x)
	b.Counts.Left += int64(s.left - left)
	b.touch(s)
	if a.Status == alert.Withdrawn || a.Target == "" || !strings.Contains(a.Target, "@") || strings.EqualFold(a.Target, a.Account) {
		return nil
	}
	e := x.entry(0)
	e.Kind, e.Alert, e.Session = Context, "", ""
	return &Activity{Schema: ActivitySchema, Tenant: a.Tenant, Account: strings.ToLower(a.Target), Line: "alert " + x.ID, Entry: e}
}

// Activity takes an event that belongs into an account's story.
func (b *Book) Activity(a *Activity) {
	if a.Account == "" {
		return
	}
	b.Counts.Activities++
	s := b.story(a.Tenant, a.Account)
	left := s.left
	s.activity(a)
	b.Counts.Left += int64(s.left - left)
	b.touch(s)
}

// Profile takes what is known of an account.
func (b *Book) Profile(p *Profile) {
	if p.Account == "" {
		return
	}
	b.Counts.Profiles++
	s := b.story(p.Tenant, p.Account)
	s.know(p)
	b.touch(s)
}

// Advance moves the clock, which never goes back, closes incidents by their age, and forgets what is over for good.
func (b *Book) Advance(now time.Time) {
	if !now.After(b.now) {
		return
	}
	b.now, b.moved = now, true
	for _, s := range b.stories {
		if s.due.IsZero() || now.Before(s.due) {
			continue
		}
		s.changed = true
		b.touch(s)
	}
}

// Now is where the clock stands.
func (b *Book) Now() time.Time { return b.now }

// Changed gives the incidents that have changed since it was called last and are to be told, in a fixed order. An incident that is told has
// reached a level; one that was told and is no more is told as closed.
func (b *Book) Changed(each func(*Incident)) {
	slices.SortFunc(b.changed, func(x, y *story) int {
		return cmp.Or(strings.Compare(x.of.Tenant, y.of.Tenant), strings.Compare(x.of.Name, y.of.Name))
	})
	for _, s := range b.changed {
		s.rows.noted = false
		s.changed = false
		for _, i := range b.refold(s) {
			if s.tell(i) {
				b.Counts.Told++
				each(i)
			}
		}
		for _, i := range s.merged() {
			b.Counts.Told++
			each(i)
		}
		b.rows = append(b.rows, s.of)
		b.settle(s)
	}
	b.changed = b.changed[:0]
}

// refold folds a story again, and keeps little of what comes of it.
func (b *Book) refold(s *story) []*Incident {
	all := b.fold(s, b.now)
	s.all = s.all[:0]
	for _, i := range all {
		s.all = append(s.all, Incident{Number: i.Number, ID: i.ID, Drill: i.Drill, Level: i.Level, Status: i.Status, Severity: i.Severity, Opened: i.Opened, Updated: i.Updated, Closed: i.Closed})
	}
	return all
}

// settle forgets what is over for good. What remains is the number of the last incident.
func (b *Book) settle(s *story) {
	if s.due.IsZero() || b.now.Before(s.due) {
		return
	}
	for id := range s.signs {
		s.rows.gone(signKey(id))
	}
	for k := range s.activities {
		s.rows.gone(activityRow(k))
	}
	if s.profile != nil {
		s.rows.gone(profileKey)
	}
	if n := len(s.all); n > 0 {
		s.base = base{s.all[n-1].Number, s.all[n-1].Closed}
	}
	for number := range s.told { // the number of one that is no more is not given again
		s.base.Number = max(s.base.Number, number)
	}
	rows, of, base := s.rows, s.of, s.base
	*s = *newStory(of)
	s.rows, s.base = rows, base
	s.rows.head = base.Number > 0
	if base.Number == 0 {
		s.rows.gone(headKey)
		s.rows.over = true
	}
}

// Incidents are all that have reached a level, by the time when they were opened.
func (b *Book) Incidents() (all []*Incident) {
	for _, s := range b.stories {
		for _, i := range b.fold(s, b.now) {
			if i.Level != Noticed {
				all = append(all, i)
			}
		}
	}
	slices.SortFunc(all, func(x, y *Incident) int { return cmp.Or(x.Opened.Compare(y.Opened), strings.Compare(x.ID, y.ID)) })
	return all
}
