package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/paper"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// Collector gathers a report while a replay runs. Its methods are called from one goroutine.
type Collector struct {
	set      []*rules.Rule
	rules    map[string]*Rule
	alerts   *grid // by level
	byRule   *grid
	events   *grid // by dataset
	accounts map[who]*whose
	pairs    map[pair]struct{}
	beyond   Beyond
	gravest  [shadowed][]Finding
	hidden   map[exception]*hidden
	reasons  map[string]*Reason
	counts   Counts
}

type who struct{ tenant, account string }

// whose is an account, with its number.
type whose struct {
	Account
	number int32
}

type pair struct {
	account int32
	rule    *Rule
}

type exception struct {
	rule string
	by   int
}

// hidden is what an exception hid from a rule.
type hidden struct {
	events      int
	first, last time.Time
	accounts    []string
	more        bool
}

// take takes an account whose event was hidden.
func (x *hidden) take(name string) {
	switch {
	case slices.Contains(x.accounts, name):
	case len(x.accounts) < maxOf:
		x.accounts = append(x.accounts, name)
	default:
		x.more = true
	}
}

// New begins a report about rules.
func New(set *rules.Set) *Collector {
	return &Collector{set: set.Rules, rules: map[string]*Rule{}, alerts: newGrid(), byRule: newGrid(), events: newGrid(), accounts: map[who]*whose{},
		pairs: map[pair]struct{}{}, hidden: map[exception]*hidden{}, reasons: map[string]*Reason{}}
}

// Alert takes an alert.
func (c *Collector) Alert(a *alert.Alert) {
	at := level(a.Severity)
	if a.State == string(rules.Shadow) {
		at = shadowed
	}
	c.counts.add(at, 1)
	hour := paper.HourOf(a.Time)
	c.alerts.add(levels[at], hour, 1)
	c.byRule.add(a.Rule.ID, hour, 1)
	r := c.rule(a.Rule.ID)
	r.Alerts.add(at, 1)
	widen(&r.First, &r.Last, a.Time)
	c.account(a, r, at)
	if at == shadowed {
		return
	}
	if len(c.gravest[at]) < maxFindings {
		c.gravest[at] = append(c.gravest[at], Finding{ID: a.ID, Time: a.Time.UTC(), Severity: a.Severity, Tenant: paper.Cut(a.Tenant),
			Account: paper.Cut(a.Account), Rule: a.Rule.ID, Summary: paper.Cut(a.Summary), Steps: firstSteps(a)})
	}
}

// firstSteps are what to do first.
func firstSteps(a *alert.Alert) []string {
	all := []string{}
	for _, step := range a.Respond[:min(len(a.Respond), 2)] {
		all = append(all, paper.Cut(step.Text))
	}
	return all
}

// rule is what is known of a rule.
func (c *Collector) rule(id string) *Rule {
	r := c.rules[id]
	if r == nil {
		r = &Rule{ID: id, Guide: []string{}}
		c.rules[id] = r
	}
	return r
}

func widen(first, last *time.Time, at time.Time) {
	if at = at.UTC(); first.IsZero() || at.Before(*first) {
		*first = at
	}
	if at.After(*last) {
		*last = at
	}
}

// account counts an alert for whom it is about.
func (c *Collector) account(a *alert.Alert, r *Rule, at int) {
	key := who{a.Tenant, a.Account}
	of := c.accounts[key]
	switch {
	case of != nil:
	case len(c.accounts) >= MaxAccounts:
		c.beyond.AtLeast = true
		c.beyond.Alerts.add(at, 1)
		r.AtLeast = true
		return
	default:
		of = &whose{Account: Account{Account: paper.Cut(a.Account), Tenant: paper.Cut(a.Tenant), Rules: []string{}}, number: int32(len(c.accounts))}
		c.accounts[key] = of
	}
	of.Alerts.add(at, 1)
	widen(&of.First, &of.Last, a.Time)
	p := pair{of.number, r}
	if _, met := c.pairs[p]; met {
		return
	}
	if len(c.pairs) >= maxPairs {
		r.AtLeast = true
		return
	}
	c.pairs[p] = struct{}{}
	if a.Account != "" { // alerts of addresses and data sets are about nobody
		r.Accounts++
	}
	of.Rules = append(of.Rules, r.ID)
}

// Seen takes events of a dataset.
func (c *Collector) Seen(s replay.Seen) { c.events.add(s.Dataset, paper.HourOf(s.Hour), s.Events) }

// Hidden takes an event that an exception excused.
func (c *Collector) Hidden(h replay.Hidden) {
	key := exception{h.Rule, h.By}
	x := c.hidden[key]
	if x == nil {
		x = &hidden{}
		c.hidden[key] = x
	}
	x.events++
	widen(&x.first, &x.last, h.Time)
	x.take(paper.Cut(h.Account))
}

// Fault takes a place that cannot be read.
func (c *Collector) Fault(f replay.Fault) {
	r := c.reasons[string(f.Reason)]
	if r == nil {
		r = &Reason{Reason: string(f.Reason)}
		c.reasons[r.Reason] = r
	}
	if r.Count++; r.Count <= maxPlaces {
		r.Places = append(r.Places, Place{paper.Cut(f.Input), f.Line, paper.Cut(f.Detail)})
	}
}

// Run is what is known of a replay when it has ended.
type Run struct {
	Program      string
	Written      time.Time
	Since, Until time.Time
	Last         time.Duration // alerts earlier than so long before the last event were left out
	Inputs       []Input
	Stats        replay.Stats
	Interrupted  string // why it did not come to its end, "" where it did
}

// End makes the report.
func (c *Collector) End(r Run) *Report {
	s := &r.Stats
	out := &Report{Schema: Schema, Program: r.Program, Written: r.Written.UTC().Truncate(time.Second), Complete: r.Interrupted == "", Incomplete: r.Interrupted,
		Since: r.Since.UTC(), Until: r.Until.UTC(), Inputs: r.Inputs, Alerts: c.counts, NoPlace: c.events.beyond, alerts: c.alerts, events: c.events,
		Records: Records{Read: s.Records, Events: s.Events, Duplicates: s.Duplicates, Undecodable: s.Undecodable, NotUTF8: s.NotUTF8,
			Partial: s.Partial, Unknown: s.Unknown}}
	for _, key := range s.UnknownKeys {
		out.Records.UnknownKeys = append(out.Records.UnknownKeys, paper.Cut(key))
	}
	if r.Last > 0 {
		out.Only = "the last " + r.Last.String()
	}
	out.byRule = c.byRule
	out.Exceptions = c.exceptions()
	out.Rules, out.Silent = c.about(s)
	out.Days = c.days()
	out.Accounts, out.Beyond = c.listed()
	out.Gravest, out.Unlisted = c.findings()
	out.Datasets = c.datasets(s.ByDataset)
	out.Unread = slices.SortedFunc(values(c.reasons), func(a, b Reason) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Reason, b.Reason)) })
	for i := range out.Datasets {
		if d := &out.Datasets[i]; !d.First.IsZero() {
			widen(&out.First, &out.Last, d.First)
			widen(&out.First, &out.Last, d.Last)
		}
	}
	return out
}

// values are what a map points to.
func values[K comparable, V any](m map[K]*V) func(func(V) bool) {
	return func(yield func(V) bool) {
		for _, v := range m {
			if !yield(*v) {
				return
			}
		}
	}
}

// about completes what is known of rules, and tells those that gave no alert.
func (c *Collector) about(s *replay.Stats) (told []Rule, silent []string) {
	for id, n := range s.Failed {
		c.rule(id).Failed = n
	}
	for id, n := range s.Excused {
		c.rule(id).Excused = n
	}
	for id, counts := range s.Bounds {
		if counts.Evicted+counts.Overflow > 0 {
			c.rule(id).Forgot = true
		}
	}
	silent = []string{}
	for _, r := range c.set {
		of := c.rules[r.ID]
		if of != nil {
			of.Title, of.Class, of.Guide = r.Title, r.Class, append(of.Guide, r.Guide...)
		}
		if (of == nil || of.Alerts.all() == 0) && r.State != rules.Off && r.State != rules.Building {
			silent = append(silent, r.ID)
		}
	}
	slices.Sort(silent)
	told = slices.SortedFunc(values(c.rules), func(a, b Rule) int { return cmp.Or(a.Alerts.compare(&b.Alerts), cmp.Compare(a.ID, b.ID)) })
	return told, silent
}

// exceptions are what each exception hid, also those that hid nothing. One of the configuration is for several rules.
func (c *Collector) exceptions() []Exception {
	var all []*Exception
	same := map[Written]*Exception{}
	for _, r := range c.set {
		for i := range r.Unless {
			w := written(r, &r.Unless[i])
			x := same[w]
			if x == nil || !w.Outside {
				x = &Exception{Written: w, Rules: []Excused{}, Accounts: []string{}}
				all, same[w] = append(all, x), x
			}
			x.Of++
			if hid := c.hidden[exception{r.ID, i}]; hid != nil {
				x.join(r.ID, hid)
			}
		}
	}
	out := []Exception{}
	for _, x := range all {
		slices.SortStableFunc(x.Rules, func(a, b Excused) int { return b.Events - a.Events })
		out = append(out, *x)
	}
	slices.SortStableFunc(out, func(a, b Exception) int { return b.Events - a.Events })
	return out
}

// join adds what was hidden from a rule.
func (x *Exception) join(rule string, hid *hidden) {
	x.Rules = append(x.Rules, Excused{rule, hid.events})
	x.Events += hid.events
	widen(&x.First, &x.Last, hid.first)
	widen(&x.First, &x.Last, hid.last)
	all := hidden{accounts: x.Accounts, more: x.More || hid.more}
	for _, name := range hid.accounts {
		all.take(name)
	}
	x.Accounts, x.More = all.accounts, all.more
}

// days are the days that have something.
func (c *Collector) days() []Day {
	by := map[string]*Day{}
	of := func(hour int32) *Day {
		name := paper.TimeOf(hour).Format(time.DateOnly)
		if by[name] == nil {
			by[name] = &Day{Day: name}
		}
		return by[name]
	}
	for at, n := range c.events.cells {
		of(at.hour).Events += n
	}
	for at, n := range c.alerts.cells {
		of(at.hour).Alerts.add(slices.Index(levels[:], c.alerts.rows[at.row]), n)
	}
	return slices.SortedFunc(values(by), func(a, b Day) int { return cmp.Compare(a.Day, b.Day) })
}

// listed are the accounts that are listed, and the sum of the others.
func (c *Collector) listed() ([]Account, *Beyond) {
	all := []Account{}
	for _, a := range c.accounts {
		all = append(all, a.Account)
	}
	slices.SortFunc(all, func(a, b Account) int {
		return cmp.Or(a.Alerts.compare(&b.Alerts), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Tenant, b.Tenant))
	})
	left := c.beyond
	for _, a := range all[min(len(all), maxListed):] {
		left.Accounts++
		for i, n := range a.Alerts.byLevel() {
			left.Alerts.add(i, *n)
		}
	}
	if left == (Beyond{}) {
		return all, nil
	}
	return all[:min(len(all), maxListed)], &left
}

// findings are the gravest alerts, the gravest first, then in order of time, and how many are left out.
func (c *Collector) findings() ([]Finding, int) {
	all := []Finding{}
	for _, some := range c.gravest {
		all = append(all, some[:min(len(some), maxFindings-len(all))]...)
	}
	slices.SortStableFunc(all, graver)
	return all, c.counts.Total - len(all)
}

// datasets are the datasets, the most events first.
func (c *Collector) datasets(counts map[string]int) []Dataset {
	spans := c.events.spans()
	all := []Dataset{}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		d := Dataset{Dataset: paper.Cut(name)}
		if span := spans[name]; span != nil {
			d = *span
			d.Dataset = paper.Cut(name)
		}
		d.Events = counts[name]
		all = append(all, d)
	}
	slices.SortStableFunc(all, func(a, b Dataset) int { return b.Events - a.Events })
	return all
}
