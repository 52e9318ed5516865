package replay

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/incident"
	"noroshi/rules"
)

// Investigation gathers what files tell of one account, or of a tenant, without an alert. First it is given what a replay finds, then each
// event once more. Its methods are called from one goroutine.
type Investigation struct {
	Account string    // "": the tenant
	Tenant  string    // "": any; it is settled by the first event of the account
	Since   time.Time // earlier events are left out
	Until   time.Time // events from it on are left out

	page     incident.Incident
	told     map[string]bool // ids of events that have a line of their own
	deeds    map[deed]*incident.Entry
	beyond   int // events that have no line, since there are too many kinds
	steps    map[[2]string]bool
	tenants  map[string]int // events of the account, by tenant
	profiles map[string]*incident.Profile
	Names    Names
	slots    investigated
}

// deed is what events of one line have in common.
type deed struct {
	dataset, action, outcome, ip, client, session string
	day                                           int64
}

// maxDeeds is how many lines of an account's doings are told apart. The page shows fewer.
const maxDeeds = 20_000

// Names are the accounts that events are about.
type Names struct {
	all  map[string]struct{}
	More bool // there were too many to hold
}

// maxNames is how many accounts are held, to tell which one somebody may have meant.
const maxNames = 200_000

func (n *Names) add(name string) {
	if n.all == nil {
		n.all = map[string]struct{}{}
	}
	if _, ok := n.all[name]; ok || name == "" {
		return
	}
	if len(n.all) >= maxNames {
		n.More = true
		return
	}
	n.all[strings.Clone(name)] = struct{}{}
}

// All are the names in order.
func (n *Names) All() []string { return slices.Sorted(maps.Keys(n.all)) }

// investigated are the fields that an investigation looks at.
type investigated struct{ client, result, unified, disabled, bypassed, audited, identity event.Slot }

// Layout is what events are read with.
func (v *Investigation) Layout() *event.Layout {
	l := event.NewLayout()
	slot := func(name string) event.Slot {
		s, _ := l.Slot(name)
		return s
	}
	v.slots = investigated{client: slot("user_agent.original"), result: slot("auth.result"), unified: slot(event.Entry("param", "UnifiedAuditLogIngestionEnabled")),
		disabled: slot(event.Entry("param", "AuditDisabled")), bypassed: slot(event.Entry("param", "AuditBypassEnabled")), audited: slot(event.Entry("param", "AuditEnabled")),
		identity: slot(event.Entry("param", "Identity"))}
	return l
}

// Story takes what a replay tells beside alerts.
func (v *Investigation) Story() *Story {
	return &Story{Activity: v.activity, Profile: v.profile, Everyone: true}
}

// about reports whether something of a tenant's account is asked about.
func (v *Investigation) about(tenant, account string) bool {
	return account == v.Account && (v.Tenant == "" || v.Tenant == tenant)
}

// outside reports whether a time is not asked about.
func (v *Investigation) outside(at time.Time) bool {
	return at.Before(v.Since) || !v.Until.IsZero() && !at.Before(v.Until)
}

// ofTenant are the items of the guide that are about a tenant: forwarding, administrators, audit.
var ofTenant = []string{"I4", "P2", "P5", "P6"}

// Alert takes an alert.
func (v *Investigation) Alert(a *alert.Alert) error {
	v.ready()
	whole := v.Account == "" && (v.Tenant == "" || v.Tenant == a.Tenant) && slices.ContainsFunc(a.Rule.Guide, func(g string) bool { return slices.Contains(ofTenant, g) })
	if a.State == string(rules.Shadow) || !whole && !(v.Account != "" && v.about(a.Tenant, a.Account)) {
		return nil
	}
	p := &v.page
	p.AlertsTotal++
	if len(p.Alerts) < incident.MaxAlerts {
		p.Alerts = append(p.Alerts, a.ID)
	}
	p.Rules[a.Rule.ID]++
	if slices.Index(alert.Severities, a.Severity) > slices.Index(alert.Severities, p.Severity) {
		p.Severity = a.Severity
	}
	e := incident.Entry{Time: a.Time, Kind: incident.Sign, Text: a.Summary, Rule: a.Rule.ID, Alert: a.ID, Severity: a.Severity, IP: a.Source.IP, Country: a.Source.Country, ASN: a.Source.ASN}
	if len(a.Sessions) > 0 {
		e.Session = a.Sessions[0]
	}
	for _, x := range a.Evidence {
		v.told[x.ID] = true
		e.EventID = x.ID
	}
	p.Timeline = append(p.Timeline, e)
	for _, r := range a.Respond {
		if key := [2]string{r.ID, r.Command}; !v.steps[key] && len(v.steps) < incident.MaxTimeline {
			v.steps[key] = true
			p.Remediation = append(p.Remediation, incident.Step{ID: r.ID, Text: r.Text, Command: r.Command})
		}
	}
	return nil
}

func (v *Investigation) ready() {
	if v.told == nil {
		v.told, v.deeds, v.steps, v.tenants = map[string]bool{}, map[deed]*incident.Entry{}, map[[2]string]bool{}, map[string]int{}
		v.profiles = map[string]*incident.Profile{}
		v.page = incident.Incident{Schema: incident.Schema, Rules: map[string]int{}}
	}
}

// activity takes an event that has a line of its own.
func (v *Investigation) activity(a *incident.Activity) error {
	v.ready()
	if !v.about(a.Tenant, a.Account) || v.outside(a.Entry.Time) {
		return nil
	}
	for k := range v.page.Timeline {
		if e := &v.page.Timeline[k]; e.Kind == incident.Sign && e.EventID == a.Entry.EventID && a.Thing == nil && a.Closes == "" {
			return nil // the alert says more of the same event
		}
	}
	v.told[a.Entry.EventID] = true
	v.page.Timeline = append(v.page.Timeline, a.Entry)
	return nil
}

// profile takes what is known of an account. The last one of a tenant counts, which comes at the end.
func (v *Investigation) profile(f *incident.Profile) error {
	v.ready()
	if v.about(f.Tenant, f.Account) {
		v.profiles[f.Tenant] = f
	}
	return nil
}

// known shows what profiles have.
func (v *Investigation) known(f *incident.Profile) {
	p := &v.page
	p.SignIns.Succeeded += f.SignIns.Succeeded
	p.SignIns.Failed += f.SignIns.Failed
	p.SignIns.Left += f.SignIns.Left
	p.SignIns.Places = append(p.SignIns.Places, f.SignIns.Places...)
	p.Hybrid = p.Hybrid || f.Hybrid
	lists := map[string]*[]incident.Thing{incident.InboxRule: &p.InboxRules, incident.Forwarding: &p.Forwarding, incident.Role: &p.Roles, incident.Consent: &p.Consents,
		incident.Application: &p.Apps, incident.Delegate: &p.Delegates, incident.Method: &p.MFAChanges, incident.Device: &p.Devices, incident.AuditSwitch: &p.Audit}
	for _, t := range f.Things {
		if list := lists[t.Kind]; list != nil {
			t.During = !t.Since.IsZero() && !v.outside(t.Since)
			*list = append(*list, t)
		}
	}
	if f.Cut > 0 {
		p.Cut = append(p.Cut, "profile")
	}
}

// Event takes the event that a reader has at hand.
func (v *Investigation) Event(r *decode.Reader) {
	v.ready()
	ev := r.Event
	account, tenant := ev.Text(event.Account), ev.Text(event.Tenant)
	if v.Tenant != "" && v.Tenant != tenant || v.outside(r.Time()) {
		return
	}
	v.Names.add(account)
	v.switches(r)
	if v.Account == "" {
		v.tenants[strings.Clone(tenant)]++
		return
	}
	if owner := ev.Text(event.MailboxOwner); account != v.Account && owner != v.Account {
		return
	}
	v.tenants[strings.Clone(tenant)]++
	if v.told[ev.Text(event.ID)] {
		return
	}
	at := r.Time()
	d := deed{dataset: ev.Text(event.Dataset), action: ev.Text(event.Action), outcome: cmp.Or(ev.Text(v.slots.result), ev.Text(event.Outcome)), ip: ev.Text(event.SourceIP),
		client: alert.OneLine(ev.Text(v.slots.client), 60), session: ev.Text(event.Session), day: at.Unix() / 86400}
	if e := v.deeds[d]; e != nil {
		e.Count++
		if at.Before(e.Time) {
			e.Time = at.UTC()
		}
		return
	}
	if len(v.deeds) >= maxDeeds {
		v.beyond++
		return
	}
	for _, s := range []*string{&d.dataset, &d.action, &d.outcome, &d.ip, &d.client, &d.session} {
		*s = strings.Clone(*s)
	}
	text := d.action
	if d.outcome != "" && d.outcome != "success" {
		text += ": " + d.outcome
	}
	if account != v.Account {
		text += ", by " + account
	}
	asn, _ := strconv.Atoi(ev.Text(event.SourceASN))
	v.deeds[d] = &incident.Entry{Time: at.UTC(), Kind: incident.Context, Text: text, EventID: strings.Clone(ev.Text(event.ID)), Session: d.session, Dataset: d.dataset,
		Action: d.action, IP: d.ip, Country: strings.Clone(ev.Text(event.SourceCountry)), ASN: asn, Client: d.client, Count: 1}
}

// switches takes an event that switches the keeping of records off or on.
func (v *Investigation) switches(r *decode.Reader) {
	ev := r.Event
	if ev.Text(event.Outcome) == "failure" {
		return
	}
	whose := strings.ToLower(cmp.Or(ev.Text(event.MailboxOwner), ev.Text(v.slots.identity)))
	for _, one := range []struct {
		slot              event.Slot
		action, name, off string
		of                string
	}{{v.slots.unified, "Set-AdminAuditLogConfig", "unified audit log", "false", incident.OfTenant}, {v.slots.disabled, "Set-OrganizationConfig", "auditing of mailboxes", "true", incident.OfTenant},
		{v.slots.bypassed, "Set-MailboxAuditBypassAssociation", "bypass of auditing", "true", whose}, {v.slots.audited, "Set-Mailbox", "auditing of the mailbox", "false", whose}} {
		value := strings.ToLower(strings.TrimPrefix(ev.Text(one.slot), "$"))
		if value == "" || ev.Text(event.Action) != one.action {
			continue
		}
		by := ev.Text(event.UserName)
		if v.Account != "" && by != v.Account && one.of != v.Account {
			continue
		}
		v.switched(r.Time().UTC(), one.name, one.of, by, value == one.off, ev.Text(event.ID))
	}
}

// switched notes the last time that something was switched, off or on.
func (v *Investigation) switched(at time.Time, name, of, by string, off bool, id string) {
	all := &v.page.Audit
	k := slices.IndexFunc(*all, func(t incident.Thing) bool { return t.Name == name && t.Of == of })
	if k < 0 {
		if len(*all) == incident.MaxThings {
			if !slices.Contains(v.page.Cut, "audit_switches") {
				v.page.Cut = append(v.page.Cut, "audit_switches")
			}
			return
		}
		*all = append(*all, incident.Thing{Kind: incident.AuditSwitch, Name: name, Of: strings.Clone(of), Seen: incident.SeenEvent, During: true})
		k = len(*all) - 1
	}
	t := &(*all)[k]
	if at.Before(t.Since) || at.Before(t.Gone) {
		return
	}
	if !off {
		t.Gone, t.Detail = at, "on again"
		return
	}
	t.Since, t.Gone, t.Detail, t.By, t.EventID = at, time.Time{}, "off", strings.Clone(by), strings.Clone(id)
}

// Tenants are the tenants in which events of the account, or any, were seen, the most events first; "" alone where records name none.
func (v *Investigation) Tenants() []string {
	all := slices.Sorted(maps.Keys(v.tenants))
	if len(all) > 1 {
		all = slices.DeleteFunc(all, func(t string) bool { return t == "" })
	}
	slices.SortStableFunc(all, func(a, b string) int { return v.tenants[b] - v.tenants[a] })
	return all
}

// Page is all that was found, as an incident without a number: nothing says that there is one. It is called once, at the end.
func (v *Investigation) Page() *incident.Incident {
	v.ready()
	for _, tenant := range slices.Sorted(maps.Keys(v.profiles)) {
		v.known(v.profiles[tenant])
	}
	p := v.page
	p.Account, p.Tenant = v.Account, v.Tenant
	if all := v.Tenants(); p.Tenant == "" && len(all) > 0 {
		p.Tenant = all[0]
	}
	signs := slices.Clone(p.Timeline)
	var context []incident.Entry
	for _, e := range v.deeds {
		context = append(context, *e)
	}
	p.TimelineTotal = len(signs) + len(context) + v.beyond
	byTime := func(a, b incident.Entry) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.EventID, b.EventID), cmp.Compare(a.Text, b.Text))
	}
	slices.SortFunc(context, func(a, b incident.Entry) int { return byTime(b, a) }) // the newest are kept
	slices.SortFunc(signs, func(a, b incident.Entry) int { return byTime(b, a) })
	signs = signs[:min(len(signs), incident.MaxTimeline)]
	p.Timeline = append(signs, context[:min(len(context), incident.MaxTimeline-len(signs))]...)
	slices.SortFunc(p.Timeline, byTime)
	if len(p.Timeline) > 0 {
		p.Opened, p.Updated = p.Timeline[0].Time, p.Timeline[len(p.Timeline)-1].Time
	}
	if v.beyond > 0 {
		p.Cut = append(p.Cut, fmt.Sprintf("timeline: %d events", v.beyond))
	}
	return &p
}
