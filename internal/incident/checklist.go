package incident

import (
	"cmp"
	"slices"

	"noroshi/internal/alert"
	"noroshi/internal/cond"
	"noroshi/internal/event"
)

// Language is what a page is written in.
type Language string

// The languages of pages. What records and rules say stays as it is.
const (
	English  Language = "en"
	Japanese Language = "ja"
)

// Languages are the languages of pages.
var Languages = []Language{English, Japanese}

// Checklist fills steps of remediation in. It belongs to one goroutine.
type Checklist struct {
	remedies []Remedy
	from     *values
	event    *event.Event
	machine  *cond.Machine
}

// NewChecklist takes steps in their order, and what they are compiled with.
func NewChecklist(remedies []Remedy, scope *cond.Scope) *Checklist {
	c := &Checklist{remedies: slices.Clone(remedies), from: &values{layout: scope.Layout}}
	slices.SortStableFunc(c.remedies, func(a, b Remedy) int { return slices.Index(Phases, a.Phase) - slices.Index(Phases, b.Phase) })
	c.event = event.New(scope.Layout, c.from)
	c.machine = cond.NewMachine(c.event, scope)
	return c
}

// values are an event of nothing but texts by the names of fields.
type values struct {
	layout *event.Layout
	texts  map[string]string
}

// Text is a field's text.
func (v *values) Text(s event.Slot) string { return v.texts[v.layout.Def(s).Name] }

// List is a field's only text.
func (v *values) List(s event.Slot) []string {
	if t := v.Text(s); t != "" {
		return []string{t}
	}
	return nil
}

// Has reports whether there is a text.
func (v *values) Has(s event.Slot) bool { return v.Text(s) != "" }

// Steps are what is to be done about an incident, in the guide's order: what every incident needs, what its things need, and what its alerts
// have brought, which is what the incident lists. Steps of steps are the same again.
func (c *Checklist) Steps(i *Incident, lang Language) []Step {
	l := &listing{checklist: c, of: i, lang: lang, met: map[[2]string]int{}}
	for k := range c.remedies {
		r := &c.remedies[k]
		l.needed(r)
		for n := range i.Remediation {
			if s := i.Remediation[n]; s.ID == r.ID {
				l.brought(r, s)
			}
		}
		l.specific(r)
	}
	for _, s := range i.Remediation {
		if !slices.ContainsFunc(c.remedies, func(r Remedy) bool { return r.ID == s.ID }) {
			s.Phase, s.Connect, s.Link = cmp.Or(s.Phase, BySign), "", "" // what is followed and run first comes from steps that we know
			l.add(s)
		}
	}
	slices.SortStableFunc(l.steps, func(a, b Step) int { return slices.Index(Phases, a.Phase) - slices.Index(Phases, b.Phase) })
	return l.steps
}

// listing is the steps of an incident so far.
type listing struct {
	checklist *Checklist
	of        *Incident
	lang      Language
	steps     []Step
	met       map[[2]string]int // by id and command
}

// add takes a step, once.
func (l *listing) add(s Step) {
	key := [2]string{s.ID, s.Command}
	if at, ok := l.met[key]; ok {
		was := &l.steps[at]
		was.Done, was.Known, was.Needed = was.Done || s.Done, was.Known || s.Known, was.Needed || s.Needed
		return
	}
	l.met[key] = len(l.steps)
	l.steps = append(l.steps, s)
}

// needed are the steps that the incident has because of what it holds.
func (l *listing) needed(r *Remedy) {
	if slices.Contains(r.For, Always) && l.of.Account != "" { // a tenant is not contained
		l.add(l.step(r, nil))
	}
	for _, t := range l.of.things() {
		if t.calls() && slices.Contains(r.For, t.need()) {
			l.add(l.step(r, t))
		}
	}
}

// brought takes a step that an alert has brought.
func (l *listing) brought(r *Remedy, s Step) {
	mine := l.step(r, nil)
	mine.Command, mine.Done, mine.Known, mine.Needed = s.Command, mine.Done || s.Done, mine.Known || s.Known, mine.Needed || s.Needed
	if l.lang == English || r.Local == nil {
		mine.Text = s.Text
	}
	l.add(mine)
}

// specific leaves a step out that names no thing where the same step names what it is about. The last steps are those of the remedy.
func (l *listing) specific(r *Remedy) {
	general, from := l.step(r, nil).Command, len(l.steps)
	for from > 0 && l.steps[from-1].ID == r.ID {
		from--
	}
	names := func(s Step) bool { return s.Command != general }
	if slices.Contains(r.For, Always) || !slices.ContainsFunc(l.steps[from:], names) {
		return
	}
	l.steps = append(l.steps[:from], slices.DeleteFunc(l.steps[from:], func(s Step) bool { return !names(s) })...)
}

// step fills a step in for a thing, or, without one, for the account.
func (l *listing) step(r *Remedy, t *Thing) Step {
	c := l.checklist
	c.from.texts = fields(l.of, t)
	c.event.Next()
	text := r.Text
	if l.lang == Japanese && r.Local != nil {
		text = r.Local
	}
	s := Step{ID: r.ID, Guide: r.Guide, Phase: r.Phase, Connect: r.Connect, Link: r.Link, Tenant: r.Tenant, Known: r.Phase != Prevent && (t != nil || r.Shown != ""),
		Text: alert.OneLine(c.machine.Render(text), alert.MaxSummary)}
	if command := c.machine.RenderQuoted(r.Command); len(command) <= alert.MaxCommand { // a part of a command would be another one
		s.Command = alert.OneLine(command, alert.MaxCommand)
	}
	if !s.Known {
		return s
	}
	s.Done = t != nil && !t.Gone.IsZero()
	for _, d := range l.of.Containment {
		if t == nil && r.Shown != "" && d.ID == r.Shown || t != nil && d.ID == t.Kind && d.Thing == t.Name {
			s.Needed = true
			s.Done = s.Done || t == nil && !d.Done.IsZero() // things of one name may be of several people
		}
	}
	return s
}

// things are all that the incident holds.
func (i *Incident) things() (all []*Thing) {
	for _, some := range [][]Thing{i.InboxRules, i.Forwarding, i.Roles, i.Consents, i.Apps, i.Delegates, i.MFAChanges, i.Devices, i.Audit} {
		for k := range some {
			all = append(all, &some[k])
		}
	}
	return all
}

// calls reports whether somebody has to do something about the thing: it came since the incident was opened, or it sends mail away.
func (t *Thing) calls() bool { return t.During || t.Kind == Forwarding && t.Gone.IsZero() }

// need is what a step must be for to be about the thing.
func (t *Thing) need() string {
	switch {
	case t.Kind == Forwarding && t.Of == OfTenant:
		return TenantForwarding
	case t.Kind == AuditSwitch && t.Of != OfTenant:
		return MailboxAudit
	}
	return t.Kind
}

// fields are the fields of events in which steps look for an account and a thing.
func fields(i *Incident, t *Thing) map[string]string {
	all := map[string]string{"account": i.Account}
	if t == nil {
		return all
	}
	of := t.Of
	if of == OfTenant {
		of = ""
	}
	switch t.Kind {
	case InboxRule:
		all["mailbox.owner"], all["inbox_rule.name"] = of, cmp.Or(t.Name, t.ID)
	case Forwarding:
		all["mailbox.owner"], all[event.Entry("param", "Name")] = of, t.ID
	case Delegate:
		all["mailbox.owner"], all["grant.trustee"] = of, t.Name
	case Role:
		all["role.name"], all["role.template_id"], all["role.member"] = t.Name, t.ID, cmp.Or(of, i.Account)
	case Consent, Application:
		all["target.name"] = t.Name
	case Method, AuditSwitch:
		all["user.target.name"], all["mailbox.owner"] = of, of
	}
	return all
}
