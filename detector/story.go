package detector

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/internal/incident"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// Story is who is told what belongs into accounts' stories though no rule fires. The functions are called while hits are applied; what
// they are given is theirs.
type Story struct {
	// Activity takes an activity.
	Activity func(*incident.Activity)
	// Profile takes what is known of an account.
	Profile func(*incident.Profile)
	// Aside takes what belongs to the memory of another account, and reports whether it goes there; nil: this memory has all accounts.
	Aside func(*Aside) bool
	// Last says that repeats of an activity and changes of a profile are told once, when they are complete.
	Last bool
	// Everyone says that at the end the profiles of all accounts are told, also of those without an alert.
	Everyone bool
}

// Aside is what an event of one account says of another one, on its way to the memory of that one.
type Aside struct {
	Activity incident.Activity `json:"activity"`
	Quiet    bool              `json:"quiet,omitempty"` // it is known where it is told; it changes the profile alone
	Mark     time.Time         `json:"mark,omitzero"`   // an alert marks the account from then on; there is no activity
}

// The bounds of the texts of a story, in bytes.
const (
	maxThingName   = 200
	maxThingDetail = 300
	maxClient      = 100
)

// tenantWide is whose a thing is that is the whole tenant's.
const tenantWide = rules.TenantStory

// addLine takes a line of stories in.
func (s *Set) addLine(x *rules.Line) {
	at := len(s.rules)
	s.rules = append(s.rules, &rule{Rule: &rules.Rule{ID: "story:" + x.ID, State: rules.Live, Kind: x.Kind}, line: x, alike: true})
	s.clauses = append(s.clauses, clause{rule: int32(at), when: x.Kind.Clauses[0].When, marked: x.Does == rules.Tells})
}

// Stories reports whether the set has lines of accounts' stories.
func (s *Set) Stories() bool { return len(s.rules) > s.plain }

// Line is the line of stories that has an id, or nil.
func (s *Set) Line(id string) *rules.Line {
	for _, r := range s.rules[s.plain:] {
		if r.line.ID == id {
			return r.line
		}
	}
	return nil
}

// takeLine takes an event that is a line of a story.
func (m *Memory) takeLine(r *rule, h *kind.Hit) {
	if m.options.Story == nil {
		return
	}
	x, s := r.line, &m.show
	s.stand(r, h)
	a := incident.Activity{Schema: incident.ActivitySchema, Tenant: clone(h.Tenant), Account: clone(h.Key[0]), Line: x.ID, Entry: m.entry(x, h)}
	of := m.people.of[whose{a.Tenant, a.Account}]
	switch x.Does {
	case rules.Counts:
		of = m.person(whose{a.Tenant, a.Account})
		m.signIn(of, x, h)
		m.did(of, &a)
		return
	case rules.Tells:
		m.did(of, &a)
		return
	}
	own := a
	own.Account = s.whose(x, a.Account)
	if x.Does == rules.Closes {
		own.Entry.Kind, own.Closes = incident.Closing, x.Closes
	} else {
		own.Thing = m.thing(x, h)
		if own.Account != a.Account {
			own.Thing.By = a.Account
		}
		if x.Does == rules.Takes {
			own.Entry.Kind, own.Closes, own.Thing.Gone = incident.Closing, x.Thing, h.Time
		}
	}
	m.give(&Aside{Activity: own})
	if indexed[x.Thing] && own.Account != "" {
		m.give(&Aside{Activity: forTenant(own), Quiet: true})
	}
	switch {
	case own.Account == a.Account:
	case x.Does == rules.Brings:
		a.Thing = ownedBy(*own.Thing, own.Account)
		m.tellActivity(&a)
	default:
		m.did(of, &a)
	}
}

// indexed are the kinds of things of which the tenant knows, too, whose they are: who takes them away need not know it.
var indexed = map[string]bool{incident.Role: true, incident.Device: true, incident.Consent: true, incident.Application: true}

// forTenant is an activity of an account for the tenant's own memory.
func forTenant(a incident.Activity) incident.Activity {
	t := *a.Thing
	t.Of = a.Account
	if t.By == "" {
		t.By = a.Account
	}
	a.Account, a.Thing = "", &t
	return a
}

// ownedBy is a thing of an account as somebody else's story tells it.
func ownedBy(t incident.Thing, account string) *incident.Thing {
	t.By = ""
	if t.Of = account; account == "" {
		t.Of = tenantWide
	}
	return &t
}

// entry is the event at hand as a line.
func (m *Memory) entry(x *rules.Line, h *kind.Hit) incident.Entry {
	s := &m.show
	asn, _ := strconv.Atoi(s.ev.Text(event.SourceASN))
	return incident.Entry{Time: h.Time, Kind: incident.Context, Text: alert.OneLine(s.machine.Render(x.Text), alert.MaxSummary), EventID: clone(h.ID),
		Session: s.text(event.Session), Dataset: s.text(event.Dataset), Action: clone(h.Action), IP: s.text(event.SourceIP),
		Country: s.text(event.SourceCountry), ASN: asn, Client: s.short(x.Client, maxClient)}
}

// thing is what the event at hand brings or takes.
func (m *Memory) thing(x *rules.Line, h *kind.Hit) *incident.Thing {
	s := &m.show
	t := &incident.Thing{Kind: x.Thing, Name: s.named(x.Name), ID: s.named(x.Ref), Detail: s.short(x.Detail, maxThingDetail),
		Since: h.Time, Seen: incident.SeenEvent, EventID: clone(h.ID), Session: s.text(event.Session)}
	if x.Thing == incident.Method {
		t.Name = methodName(t.Name)
	}
	if x.Does == rules.Takes {
		t.Since = time.Time{}
	} else if x.Thing == incident.Delegate && t.ID == "" {
		t.ID = t.Detail
	}
	return t
}

// verbs are what stands before the method in the words of Entra's audit log.
var verbs = []string{"User registered ", "Admin registered ", "User deleted ", "Admin deleted ", "User added ", "Admin added ", "User removed ", "Admin removed "}

// methodName is a method without what was done to it.
func methodName(text string) string {
	for _, v := range verbs {
		if rest, ok := strings.CutPrefix(text, v); ok {
			return rest
		}
	}
	return text
}

// whose is whose story the event at hand is: the account's, another's, or the tenant's.
func (s *shower) whose(x *rules.Line, account string) string {
	switch name := s.short(x.Whose, math.MaxInt); {
	case name == tenantWide:
		return ""
	case name != "":
		return strings.ToLower(name)
	}
	return account
}

// short is a text filled in, on one line.
func (s *shower) short(t *cond.Template, most int) string {
	if t == nil {
		return ""
	}
	return strings.TrimSpace(alert.OneLine(s.machine.Render(t), most))
}

// named is a text by which things are told apart. Where a part of it is not shown, a hash of the whole stands behind it.
func (s *shower) named(t *cond.Template) string {
	if t == nil {
		return ""
	}
	return wholeName(strings.TrimSpace(s.machine.Render(t)))
}

func wholeName(text string) string {
	shown := alert.OneLine(text, maxThingName)
	if shown == text {
		return clone(text)
	}
	if mailbox, name, ok := strings.Cut(text, `\`); ok && len(mailbox) < maxThingName { // Exchange names a rule so: it ends as the rule's name does
		return alert.OneLine(mailbox, maxThingName) + `\` + wholeName(name)
	}
	return fmt.Sprintf("%s #%016x", shown, hashOfEvent(strings.ToLower(text)))
}

// give gives an activity to the memory of its account.
func (m *Memory) give(a *Aside) {
	if o := m.options.Story; o.Aside == nil || !o.Aside(a) {
		m.TakeAside(a)
	}
}

// TakeAside takes what an event of another account says of one that this memory has.
func (m *Memory) TakeAside(a *Aside) {
	if m.options.Story == nil {
		return
	}
	act := a.Activity
	p := m.person(whose{act.Tenant, act.Account})
	switch {
	case !a.Mark.IsZero():
		m.markFrom(p, a.Mark)
		return
	case act.Thing == nil:
		m.tellActivity(&act)
	case act.Thing.Gone.IsZero():
		t := *act.Thing
		m.change(p, func(f *profile) { t.Name = f.bring(t).Name })
		act.Thing = &t
		if !a.Quiet {
			m.tellActivity(&act)
		}
	default:
		m.takeAway(p, a)
	}
	m.tellProfile(p, act.Entry.Time)
}

// takeAway notes that things went, and tells it of whose they are and of who brought them.
func (m *Memory) takeAway(p *person, a *Aside) {
	act := a.Activity
	var gone []incident.Thing
	m.change(p, func(f *profile) { gone = f.take(act.Thing) })
	if a.Quiet {
		return
	}
	if len(gone) == 0 {
		m.tellActivity(&act)
	}
	for i := range gone {
		t := gone[i]
		t.Gone = act.Thing.Gone
		one := act
		one.Thing = &t
		m.tellActivity(&one)
		told := []string{act.Account}
		if t.Of != "" && t.Of != tenantWide { // of the tenant's index: whose it is learns it, too
			told = append(told, t.Of)
			owner := one
			own := t
			own.Of = ""
			owner.Account, owner.Thing = t.Of, &own
			m.give(&Aside{Activity: owner})
		}
		if t.By != "" && !slices.Contains(told, t.By) {
			one.Account = t.By
			whose := act.Account
			if t.Of != "" {
				whose = t.Of
			}
			one.Thing = ownedBy(t, whose)
			m.tellActivity(&one)
		}
	}
}

func (m *Memory) tellActivity(a *incident.Activity) {
	own := *a
	if a.Thing != nil {
		t := *a.Thing
		own.Thing = &t
	}
	m.options.Story.Activity(&own)
}
