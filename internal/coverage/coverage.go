// Package coverage tells which rules can fire on the datasets that a tenant has, and what the others lack.
package coverage

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules"
	"noroshi/rules/kind"
	"noroshi/rules/sample"
)

// Shown is what records have shown: the datasets, and of each the fields that some record of it has.
type Shown struct {
	Datasets map[string]map[event.Slot]bool // by dataset; nil as its fields: they are not known
}

// Coverage is what a rule can look at.
type Coverage struct {
	Rule     *rules.Rule
	Awake    bool
	Datasets []string // those that have shown something and on which the rule can fire
	Lacks    []Lack   // why it sleeps: each of them is needed
}

// Lack is something that a rule needs and that nothing has shown.
type Lack struct {
	// Datasets are those of which one would do; where Fields are given, those that have shown something, without these fields.
	Datasets []string `json:"datasets,omitempty"`
	Fields   []string `json:"fields,omitempty"`
	// Rules are those of which one would have to be awake: the rule looks at their alerts.
	Rules []string `json:"rules,omitempty"`
}

// Of tells of each rule of a set whether it can fire, as far as its conditions tell: a rule that sleeps cannot.
func Of(set *rules.Set, shown *Shown) (all []Coverage) {
	v := &view{set: set, shown: shown, done: map[*rules.Rule]*Coverage{}}
	for _, r := range set.Rules {
		if r.State != rules.Off {
			all = append(all, *v.of(r))
		}
	}
	return all
}

// view is a set of rules as records show it.
type view struct {
	set   *rules.Set
	shown *Shown
	done  map[*rules.Rule]*Coverage
}

func (v *view) of(r *rules.Rule) *Coverage {
	if c := v.done[r]; c != nil {
		return c
	}
	c := &Coverage{Rule: r}
	v.done[r] = c // rules look at each other in no circle
	for i := range r.Kind.Clauses {
		clause := &r.Kind.Clauses[i]
		switch _, absent := r.Kind.Kind.(kind.Absence); {
		case clause.Of != nil:
			v.named(c, clause.Of)
		case i > 0 && absent:
			continue // the other event need not come
		case i > 0 && learns(r):
			continue // what begins a memory need be no other event
		default:
			v.clause(c, clause)
		}
	}
	for _, d := range r.Kind.Needs {
		if _, ok := v.shown.Datasets[d]; !ok {
			c.Lacks = append(c.Lacks, Lack{Datasets: []string{d}})
		}
	}
	slices.Sort(c.Datasets)
	c.Datasets = slices.Compact(c.Datasets)
	c.Awake = len(c.Lacks) == 0
	return c
}

func learns(r *rules.Rule) bool {
	_, first := r.Kind.Kind.(kind.FirstSeen)
	return first
}

// named takes a reference to other rules: one of them must be awake.
func (v *view) named(c *Coverage, of []string) {
	var asleep []string
	awake := false
	for _, other := range v.set.Rules {
		if other == c.Rule || other.State == rules.Off || !slices.ContainsFunc(of, other.Answers) {
			continue
		}
		if o := v.of(other); o.Awake {
			awake = true
			c.Datasets = append(c.Datasets, o.Datasets...)
			continue
		}
		asleep = append(asleep, other.ID)
	}
	if !awake {
		c.Lacks = append(c.Lacks, Lack{Rules: asleep})
	}
}

// clause takes a condition: some dataset must have shown something that may satisfy it.
func (v *view) clause(c *Coverage, clause *kind.Clause) {
	may := v.datasets(clause)
	var shown, awake []string
	var fields []string
	for _, d := range may {
		has, ok := v.shown.Datasets[d]
		if !ok {
			continue
		}
		shown = append(shown, d)
		lacks := v.lacks(c.Rule, clause, d, has)
		if len(lacks) == 0 {
			awake = append(awake, d)
		}
		fields = append(fields, lacks...)
	}
	switch {
	case len(awake) > 0:
		c.Datasets = append(c.Datasets, awake...)
	case len(shown) > 0:
		slices.Sort(fields)
		c.Lacks = append(c.Lacks, Lack{Datasets: shown, Fields: slices.Compact(fields)})
	default:
		c.Lacks = append(c.Lacks, Lack{Datasets: may})
	}
}

// lacks are fields without which no event of a dataset counts for a clause, and which none has.
func (v *view) lacks(r *rules.Rule, clause *kind.Clause, dataset string, has map[event.Slot]bool) (fields []string) {
	if has == nil {
		return nil
	}
	l := v.set.Scope.Layout
	var absent []event.Slot
	for _, s := range keyed(r, clause) {
		if d := l.Def(l.Root(s)); !d.Own() && !has[l.Root(s)] && everyday(d.Field) {
			fields = append(fields, l.Def(s).Name)
		}
	}
	if clause.When == nil || len(fields) > 0 {
		return fields
	}
	for _, s := range clause.When.Slots() {
		if s = l.Root(s); !has[s] && !slices.Contains(absent, s) && everyday(l.Def(s).Field) {
			absent = append(absent, s)
		}
	}
	if v.may(clause, dataset, absent) {
		return nil
	}
	for _, s := range absent { // those that suffice
		if !v.may(clause, dataset, []event.Slot{s}) {
			fields = append(fields, l.Def(s).Name)
		}
	}
	if len(fields) > 0 {
		return fields
	}
	for _, s := range absent {
		fields = append(fields, l.Def(s).Name)
	}
	return fields
}

// everyday reports whether a dataset that never shows a field will hardly show it some day: it is neither an entry of a record's own nor
// told by a few operations alone.
func everyday(f *event.Field) bool { return f != nil && len(f.Actions) == 0 }

// may reports whether some event of a dataset may satisfy a clause without fields that are absent.
func (v *view) may(clause *kind.Clause, dataset string, absent []event.Slot) bool {
	return slices.ContainsFunc(slices.Concat(actionsOf(dataset), unsampled(clause, dataset)), func(action string) bool {
		return clause.When.May(func(s event.Slot) (string, bool) {
			switch {
			case s == event.Dataset:
				return dataset, true
			case s == event.Action:
				return action, true
			}
			return "", len(absent) > 0 && slices.Contains(absent, v.set.Scope.Layout.Root(s))
		})
	})
}

// keyed are the fields that an event must have to count for a clause, beside what the condition asks: those of the key, and of a rule with
// one condition those that its memory looks at.
func keyed(r *rules.Rule, clause *kind.Clause) (all []event.Slot) {
	if _, match := r.Kind.Kind.(kind.Match); match {
		return nil // what is absent is empty text there
	}
	by := r.Kind.By
	if clause.By != nil {
		by = clause.By
	}
	for _, f := range by {
		all = append(all, f.Slot)
	}
	if len(r.Kind.Clauses) == 1 || learns(r) {
		for _, f := range r.Kind.Looks {
			all = append(all, f.Slot)
		}
	}
	return all
}

// datasets are those whose records may satisfy a clause.
func (v *view) datasets(clause *kind.Clause) (all []string) {
	for _, d := range event.Datasets {
		if clause.When == nil || v.may(clause, d, nil) {
			all = append(all, d)
		}
	}
	return all
}

// families are datasets whose records tell of the same operations. Defender for Cloud Apps repeats those of the unified audit log.
var families = [][]string{
	{"entra.audit", "ual.azure_active_directory"},
	{"ual.exchange_item", "ual.exchange_item_group", "ual.exchange_item_aggregated", "ual.exchange_aggregated_operation"},
	{"ual.sharepoint", "ual.sharepoint_file_operation", "ual.sharepoint_sharing_operation", "ual.onedrive", "ual.sharepoint_list_operation",
		"ual.sharepoint_list_item_operation"},
	{"ual.microsoft_teams", "ual.microsoft_teams_admin"},
	{"ual.azure_active_directory_sts_logon", "ual.azure_active_directory_account_logon"},
}

const cloudApps = "defender.cloud_app_events"

// actionsOf are the operations that a dataset may tell of: those of the samples of its family, and those that stand for the same as one of
// these. The last stands for any that no rule knows.
func actionsOf(dataset string) []string {
	if all := byDataset()[dataset]; all != nil {
		return all
	}
	return []string{other}
}

// byDataset are the operations of each dataset.
var byDataset = sync.OnceValue(func() map[string][]string {
	by := sampled()
	told := map[string][]string{} // the datasets of an operation
	for d, all := range by {
		for _, a := range all {
			told[a] = append(told[a], d)
		}
	}
	for _, f := range event.Fields() { // operations without which the same field is absent
		var datasets []string
		for _, a := range f.Actions {
			datasets = append(datasets, told[a]...)
		}
		for _, a := range f.Actions {
			if len(told[a]) > 0 {
				continue
			}
			for _, d := range datasets {
				by[d] = append(by[d], a)
			}
		}
	}
	for _, family := range families {
		var all []string
		for _, d := range family {
			all = append(all, by[d]...)
		}
		for _, d := range family {
			by[d] = slices.Clone(all)
		}
	}
	for d, all := range by {
		if strings.HasPrefix(d, "ual.") {
			by[cloudApps] = append(by[cloudApps], all...)
		}
	}
	for d, all := range by {
		all = append(all, other)
		slices.Sort(all)
		by[d] = slices.Compact(all)
	}
	return by
})

// unsampled are the operations that a clause asks for and that no sample has, where a dataset may tell of them.
func unsampled(clause *kind.Clause, dataset string) (all []string) {
	audit := strings.HasPrefix(dataset, "ual.") || dataset == "entra.audit" || dataset == cloudApps
	for _, a := range clause.When.Compared(event.Action) {
		if audit && !known()[a] && (!command.MatchString(a) || dataset == cloudApps || slices.Contains(commanded, dataset)) {
			all = append(all, a)
		}
	}
	return all
}

// known are the operations of which it is known where they are told.
var known = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, some := range byDataset() {
		for _, a := range some {
			all[a] = true
		}
	}
	return all
})

// command is how commands of PowerShell are named.
var command = regexp.MustCompile(`^[A-Z][a-z]+-[A-Z]`)

// commanded are the datasets in which commands of PowerShell are told.
var commanded = []string{"ual.exchange_admin", "ual.security_compliance_center_eop_cmdlet", "ual.microsoft_teams", "ual.microsoft_teams_admin"}

// other stands for an operation that no rule can know.
const other = "\x00"

// sampled are the operations of the samples, by dataset.
func sampled() map[string][]string {
	by := map[string][]string{}
	reader := decode.NewPlan(event.NewLayout(), decode.Options{}).Reader()
	for _, name := range sample.Shipped() {
		data, err := sample.Ours(name)
		if err == nil && reader.ReadAlone(data, time.Time{}) == nil {
			d, a := strings.Clone(reader.Dataset()), strings.Clone(reader.Event.Text(event.Action))
			by[d] = append(by[d], a)
		}
	}
	return by
}
