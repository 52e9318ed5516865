package sinks

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"noroshi/internal/alert"
)

// SummaryRule is the rule of summaries.
const SummaryRule = "noroshi-summary"

// maxLinked bounds the alerts of one revision of a summary, so that it names all of them.
const maxLinked = 1000

// summary is one alert that stands for many which have waited for too long. While more of them come it goes on under the same id, with a
// higher revision.
type summary struct {
	id       string
	revision int
	of       covered // what has been taken
}

// covered is what a summary stands for.
type covered struct {
	count       int
	first, last time.Time
	severities  map[string]int
	accounts    map[string]bool
	more        bool // accounts than are remembered
}

// maxAccounts is how many accounts a summary tells apart.
const maxAccounts = 10_000

func (c *covered) add(all []Message) {
	if c.severities == nil {
		c.severities, c.accounts = map[string]int{}, map[string]bool{}
	}
	for i := range all {
		m := &all[i]
		if c.count++; c.first.IsZero() || m.Time.Before(c.first) {
			c.first = m.Time
		}
		if m.Time.After(c.last) {
			c.last = m.Time
		}
		c.severities[m.Severity]++
		switch {
		case c.accounts[m.Account]:
		case len(c.accounts) < maxAccounts:
			c.accounts[m.Account] = true
		default:
			c.more = true
		}
	}
}

// summarise tells of messages that are too old by one that stands for all of them. A single one is told by itself, and so is each drill:
// in a summary it would count as an alert.
func (r *Runner) summarise(ctx, drain context.Context, old []int) error {
	for _, i := range old {
		if !r.all[i].Drill() {
			continue
		}
		if err := r.deliver(ctx, drain, parcel{of: []int{i}}); err != nil {
			return err
		}
	}
	old = slices.DeleteFunc(old, func(i int) bool { return r.all[i].Drill() })
	if len(old) == 0 {
		r.summary = summary{}
		return nil
	}
	if len(old) == 1 && r.summary.revision == 0 {
		return r.oneByOne(ctx, drain, old)
	}
	for part := range slices.Chunk(old, maxLinked) {
		if err := r.summariseOne(ctx, drain, part); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) summariseOne(ctx, drain context.Context, old []int) error {
	all, err := r.redacted(ctx, drain, old)
	if err == nil {
		m := r.summaryOf(all)
		err = r.deliver(ctx, drain, parcel{of: old, summary: &m})
	}
	if err == nil {
		r.summary.of.add(all)
		return nil
	}
	if !errors.As(err, new(*Refused)) {
		return err
	}
	return r.oneByOne(ctx, drain, old)
}

// redacted are messages without what the destination is not to know. Where the secret for that cannot be read, it waits as for the
// destination.
func (r *Runner) redacted(ctx, drain context.Context, of []int) ([]Message, error) {
	waits := newWaits()
	for {
		all, err := r.messages(&parcel{of: of})
		if err == nil || errors.As(err, new(*Refused)) {
			return all, err
		}
		wait := waits.NextBackOff()
		r.pause(err, wait)
		if err := r.hold(ctx, drain, wait); err != nil {
			return nil, err
		}
	}
}

// oneByOne delivers each message by itself.
func (r *Runner) oneByOne(ctx, drain context.Context, all []int) error {
	for _, i := range all {
		if err := r.deliver(ctx, drain, parcel{of: []int{i}}); err != nil {
			return err
		}
	}
	return nil
}

// summaryOf is the message that stands for others. What has changed since an attempt that failed, which may have arrived all the same,
// has another revision.
func (r *Runner) summaryOf(all []Message) Message {
	s := &r.summary
	if s.revision++; s.revision == 1 { // with the time: behind a crash the same alerts may be covered otherwise
		s.id = alert.ID("", SummaryRule, []string{r.Name}, all[0].Key(), r.Env.Now().Format(time.RFC3339Nano))
	}
	now := covered{count: s.of.count, first: s.of.first, last: s.of.last, severities: maps.Clone(s.of.severities), accounts: maps.Clone(s.of.accounts), more: s.of.more}
	now.add(all)
	gravest := slices.Clone(all)
	slices.SortStableFunc(gravest, func(a, b Message) int { return cmp.Compare(grave(b.Severity), grave(a.Severity)) })
	status := alert.Firing
	if s.revision > 1 {
		status = alert.Updated
	}
	a := &alert.Alert{Schema: alert.Schema, ID: s.id, Status: status, Revision: s.revision,
		Rule:     alert.Rule{ID: SummaryRule, Title: "Alerts that were not told in time", Guide: []string{"X"}, Class: gravest[0].Class, Revision: strings.Repeat("0", 12)},
		Severity: worst(now.severities), Summary: now.text(r.MaxAge, &gravest[0]), Time: now.last, Window: alert.Window{First: now.first, Last: now.last, Count: now.count},
		DedupKey: alert.DedupKey("", SummaryRule, []string{r.Name}), Evidence: evidence(gravest), Times: alert.Times{Happened: now.last, Evaluated: r.Env.Now()}}
	if one := only(now.accounts); one != "" && !now.more {
		a.Account = one
	}
	if tenants := tenantsOf(all); s.revision == 1 && len(tenants) == 1 {
		a.Tenant = tenants[0]
	}
	for i := range all {
		a.Linked = append(a.Linked, all[i].ID)
	}
	return Message{ID: a.ID, Revision: a.Revision, Status: string(a.Status), Time: a.Time, Rule: a.Rule.ID, Class: a.Rule.Class, Account: a.Account, Severity: a.Severity, Tenant: a.Tenant, Body: a.AppendJSON(nil)}
}

// text says what a summary stands for.
func (c *covered) text(age time.Duration, gravest *Message) string {
	var parts []string
	for _, s := range slices.Backward(alert.Severities) {
		if n := c.severities[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	accounts := fmt.Sprint(len(c.accounts))
	if c.more {
		accounts = "more than " + accounts
	}
	return fmt.Sprintf("%d alerts about %s accounts waited for longer than %s and are told together: %s. The gravest of the last is %s about %s. Sinks without max_age, and the topic of alerts, have each of them.",
		c.count, accounts, short(age), strings.Join(parts, ", "), gravest.Rule, cmp.Or(gravest.Account, "nobody in particular"))
}

// short is a duration without parts that are zero.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// evidence is an entry for each of the gravest alerts, by time.
func evidence(gravest []Message) (all []alert.Evidence) {
	for i := range gravest[:min(len(gravest), alert.MaxEvidence)] {
		m := &gravest[i]
		facts, err := json.Marshal(map[string]string{"account": m.Account, "severity": m.Severity, "status": m.Status})
		if err != nil {
			facts = nil // texts can always be written
		}
		all = append(all, alert.Evidence{ID: m.ID, Time: m.Time, Action: m.Rule, Dataset: "noroshi.alert", Facts: facts})
	}
	slices.SortStableFunc(all, func(a, b alert.Evidence) int { return a.Time.Compare(b.Time) })
	return all
}

func grave(severity string) int { return slices.Index(alert.Severities, severity) }

func worst(severities map[string]int) (s string) {
	for one := range severities {
		if s == "" || grave(one) > grave(s) {
			s = one
		}
	}
	return s
}

func only(all map[string]bool) (one string) {
	if len(all) == 1 {
		for one = range all {
		}
	}
	return one
}

func tenantsOf(all []Message) (tenants []string) {
	for i := range all {
		if t := all[i].Tenant; !slices.Contains(tenants, t) {
			tenants = append(tenants, t)
		}
	}
	return tenants
}
