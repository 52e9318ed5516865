package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// things are what the account is known to have and gave in a time, of its profile and of what came since. Of one that is told of several
// times the latest counts.
func (s *story) things(from, until time.Time) []Thing {
	type known struct {
		thing Thing
		gone  time.Time
	}
	all := map[string]*known{}
	add := func(t *Thing) {
		if !t.Since.Before(until) {
			return
		}
		key := strings.Join([]string{t.Kind, strings.ToLower(t.Name), t.Of}, "\x00")
		k := all[key]
		if k == nil {
			k = &known{thing: *t}
			all[key] = k
		}
		if newerThing(t, &k.thing) {
			k.thing = *t
		}
		if t.Gone.Before(until) {
			k.gone = lastOf(k.gone, t.Gone)
		}
	}
	if s.profile != nil {
		for i := range s.profile.Things {
			add(&s.profile.Things[i])
		}
	}
	for _, a := range s.sortedActivities() {
		if a.Thing != nil {
			add(a.Thing)
		}
	}
	var list []Thing
	for _, key := range sorted(all) {
		t := all[key].thing
		t.Gone = time.Time{}
		if gone := all[key].gone; !gone.IsZero() && !gone.Before(t.Since) {
			t.Gone = gone.UTC()
			if gone.Before(from) {
				continue
			}
		}
		t.Since, t.AsOf = t.Since.UTC(), t.AsOf.UTC()
		list = append(list, t)
	}
	slices.SortStableFunc(list, func(a, b Thing) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), b.Since.Compare(a.Since), strings.Compare(a.Name, b.Name), strings.Compare(a.Of, b.Of))
	})
	return list
}

// newerThing reports whether a thing says more of what is there than another one about the same.
func newerThing(t, than *Thing) bool {
	return cmp.Or(t.Since.Compare(than.Since), t.AsOf.Compare(than.AsOf), strings.Compare(t.EventID, than.EventID), strings.Compare(t.Detail, than.Detail)) > 0
}

// things lists what the account has, by kind, and marks what came since the incident was opened.
func (b *Book) things(i *Incident, all []Thing) {
	lists := map[string]*[]Thing{InboxRule: &i.InboxRules, Forwarding: &i.Forwarding, Role: &i.Roles, Consent: &i.Consents, Application: &i.Apps, Delegate: &i.Delegates,
		Method: &i.MFAChanges, Device: &i.Devices}
	for _, t := range all {
		list := lists[t.Kind]
		if list == nil {
			continue
		}
		end := i.Closed
		t.During = !t.Since.IsZero() && !t.Since.Before(i.Opened) && (end.IsZero() || !t.Since.After(end))
		if len(*list) == MaxThings && !i.room(list, &t) {
			continue
		}
		*list = append(*list, t)
	}
}

// room makes room in a full list for a thing that came during the incident, in the place of one that did not.
func (i *Incident) room(list *[]Thing, t *Thing) bool {
	if !slices.Contains(i.Cut, t.Kind) {
		i.Cut = append(i.Cut, t.Kind)
	}
	for n := len(*list) - 1; n >= 0 && t.During; n-- {
		if !(*list)[n].During {
			*list = slices.Delete(*list, n, n+1)
			return true
		}
	}
	return false
}

// demands are the texts of what must be done.
var demands = map[string]string{
	Password: "set a new password", Sessions: "revoke the sessions", SignIn: "block sign-in",
	InboxRule: "remove the inbox rule", Forwarding: "switch off the forwarding to", Delegate: "take away the access of", Role: "take away the role",
	Method: "remove the sign-in method", Consent: "revoke the consent to", Application: "disable the application", Device: "disable the device",
}

// contain says what must be done, and what the events show as done. What a marked session does is not done: whoever has taken an account over
// may change its password, too.
func (b *Book) contain(i *Incident, r *run, entries []*Activity) {
	harm := r.opened
	for _, x := range r.signs {
		if x.points() >= b.scoring.Containment.Undone {
			harm = lastOf(harm, x.Time)
		}
	}
	marked, bad := b.markedSessions(r), map[string]bool{}
	for _, x := range r.signs {
		if x.Class == accessClass && x.Points >= b.scoring.Least && x.Source.IP != "" {
			bad[x.Source.IP] = true
		}
	}
	for _, id := range b.scoring.Containment.Demands {
		if id != Password && id != Sessions && id != SignIn {
			i.demandThings(id)
			continue
		}
		d := Demand{ID: id, Text: demands[id]}
		for _, a := range entries {
			foreign := marked[a.Entry.Session] != nil || bad[a.Entry.IP]
			if a.Closes == id && !foreign && !a.Entry.Time.Before(harm) && d.Done.IsZero() {
				d.Done, d.EventID = a.Entry.Time, a.Entry.EventID
			}
		}
		i.Containment = append(i.Containment, d)
	}
	done := time.Time{}
	for n := range i.Containment {
		if i.Containment[n].Done.IsZero() {
			return
		}
		done = lastOf(done, i.Containment[n].Done)
	}
	if len(i.Containment) > 0 {
		i.Status, i.Contained = Contained, done
	}
}

func (i *Incident) demandThings(kind string) {
	lists := map[string][]Thing{InboxRule: i.InboxRules, Forwarding: i.Forwarding, Role: i.Roles, Consent: i.Consents, Application: i.Apps, Delegate: i.Delegates,
		Method: i.MFAChanges, Device: i.Devices}
	for _, t := range lists[kind] {
		if !t.During {
			continue
		}
		text := demands[kind] + " " + t.Name
		if t.Of != "" {
			text += " of " + t.Of
		}
		i.Containment = append(i.Containment, Demand{ID: kind, Thing: t.Name, Text: text, Done: t.Gone})
	}
}
