package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/coverage"
	"noroshi/internal/decode"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/rules"
)

func coverageCommand(s Streams) *cobra.Command {
	var asJSON bool
	var records []string
	f := &ruleFlags{}
	c := &cobra.Command{
		Use:   "coverage [flags] [--for FILE|-]...",
		Short: "Show which rules answer which items of the guide, and which can work on your records",
		Long: `Coverage lists the items of the guide on hijacked accounts and the rules that answer them. It ends with 1 if an item has none.

With --for it reads records, as replay does, and tells which rules could fire on them and which sleep: a rule sleeps where no record is of
a dataset that it looks at, or where none of these records has a field that it needs. Take records of some days from every source that you
have. That a rule is awake does not say that it has found something. It ends with 0, also where rules sleep.`,
		Example: `  noroshi coverage
  noroshi coverage --for signins.ndjson --for audit.csv
  noroshi coverage --json --for audit.ndjson | jq -r '.rules[] | select(.awake | not) | .rule'`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && len(records) == 0 {
				return fmt.Errorf("coverage takes no files; did you mean --for %s?", args[0])
			}
			set, conf, err := f.load(s)
			if err != nil {
				return err
			}
			if len(records) > 0 {
				return coverFor(c.Context(), s, set, conf, append(records, args...), asJSON)
			}
			return coverGuide(s, set, asJSON)
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one object: item to rules; with --for datasets and rules")
	c.Flags().StringArrayVar(&records, "for", nil, "tell which rules could fire on the records of this `file`, and why others sleep; may be repeated")
	return c
}

// coverGuide tells which rules answer the items of the guide.
func coverGuide(s Streams, set *rules.Set, asJSON bool) error {
	by := map[string][]string{}
	empty := 0
	for _, i := range rules.GuideItems {
		by[i] = answering(set.Rules, i)
		if i != "X" && len(by[i]) == 0 {
			empty++
		}
	}
	if asJSON {
		if err := writeJSON(s.Out, by); err != nil {
			return failed{fmt.Errorf("write coverage: %w", err)}
		}
	} else {
		for _, i := range rules.GuideItems {
			fmt.Fprintf(s.Out, "%-3s %s\n", i, rules.GuideTexts[i])
			listed(s.Out, by[i])
		}
	}
	if empty > 0 {
		return failed{fmt.Errorf("no rule answers %s of the guide", plural(empty, "item"))}
	}
	return nil
}

// listedWidth is how wide a list of rules is printed, in characters.
const listedWidth = 100

// listed prints names below a line, as many as fit on each.
func listed(w io.Writer, names []string) {
	if len(names) == 0 {
		names = []string{"no rule"}
	}
	const indent = "      "
	line := indent
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		if line != indent && len(line)+1+len(name) > listedWidth {
			fmt.Fprintln(w, line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += name
	}
	fmt.Fprintln(w, line)
}

// answering are the rules that answer an item of the guide.
func answering(all []*rules.Rule, item string) []string {
	ids := []string{}
	for _, r := range all {
		if slices.Contains(r.Guide, item) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// covered is what `coverage --for --json` prints.
type covered struct {
	Datasets map[string]int `json:"datasets"` // events of each
	Rules    []coveredRule  `json:"rules"`
	Asleep   []string       `json:"asleep"` // items of the guide, X aside, without a rule that is awake
}

// coveredRule is whether a rule could fire.
type coveredRule struct {
	Rule     string          `json:"rule"`
	Guide    []string        `json:"guide"`
	Awake    bool            `json:"awake"`
	Datasets []string        `json:"datasets,omitempty"` // on which it could fire
	Lacks    []coverage.Lack `json:"lacks,omitempty"`
}

// coverFor tells which rules could fire on records.
func coverFor(ctx context.Context, s Streams, set *rules.Set, conf *config.Config, files []string, asJSON bool) error {
	v := newViewing(set, app.DecodeOptions(conf))
	r := newReading(s)
	for _, one := range open(ctx, s, files) {
		defer one.from.Close()
		if err := r.each(ctx, one, v.reader, v.look); err != nil {
			return failed{err}
		}
	}
	unread := r.end(s)
	if len(v.counts) == 0 {
		if unread == nil {
			unread = failed{errors.New("the input shows no event")}
		}
		return unread
	}
	c := &covered{Datasets: v.counts, Rules: []coveredRule{}, Asleep: []string{}}
	var awake []*rules.Rule
	for _, one := range coverage.Of(set, &v.shown) {
		c.Rules = append(c.Rules, coveredRule{one.Rule.ID, one.Rule.Guide, one.Awake, one.Datasets, one.Lacks})
		if one.Awake {
			awake = append(awake, one.Rule)
		}
	}
	for _, i := range rules.GuideItems {
		if i != "X" && len(answering(awake, i)) == 0 && len(answering(set.Rules, i)) > 0 {
			c.Asleep = append(c.Asleep, i)
		}
	}
	err := error(nil)
	if asJSON {
		err = writeJSON(s.Out, c)
	} else {
		err = c.print(s.Out, len(awake))
	}
	if err != nil {
		return failed{fmt.Errorf("write coverage: %w", err)}
	}
	return unread
}

// viewing notes which datasets and fields records show.
type viewing struct {
	reader *decode.Reader
	layout *event.Layout
	shown  coverage.Shown
	counts map[string]int
}

func newViewing(set *rules.Set, o decode.Options) *viewing {
	l := set.Scope.Layout
	return &viewing{layout: l, reader: decode.NewPlan(l, o).Reader(), shown: coverage.Shown{Datasets: map[string]map[event.Slot]bool{}}, counts: map[string]int{}}
}

// look notes what the record at hand has.
func (v *viewing) look() error {
	ev := v.reader.Event
	d := ev.Text(event.Dataset)
	has := v.shown.Datasets[d]
	if has == nil {
		has, d = map[event.Slot]bool{}, strings.Clone(d)
		v.shown.Datasets[d] = has
	}
	v.counts[d]++
	for i := range v.layout.Len() {
		slot := event.Slot(i)
		def := v.layout.Def(slot)
		if !def.Plain() || has[slot] {
			continue
		}
		if def.Type == event.List && len(ev.List(slot)) > 0 || def.Type != event.List && ev.Text(slot) != "" {
			has[slot] = true
		}
	}
	return nil
}

func (c *covered) print(w io.Writer, awake int) error {
	var b strings.Builder
	names, items := 40, 7 // how wide the columns are
	for d := range c.Datasets {
		names = max(names, len(d))
	}
	for _, r := range c.Rules {
		names, items = max(names, len(r.Rule)), max(items, len(strings.Join(r.Guide, ",")))
	}
	b.WriteString("events by dataset:\n")
	for _, d := range slices.Sorted(maps.Keys(c.Datasets)) {
		fmt.Fprintf(&b, "  %-*s %d\n", names, diag.EscapeLine(d), c.Datasets[d])
	}
	fmt.Fprintf(&b, "\n%s could fire:\n", plural(awake, "rule"))
	for _, r := range c.Rules {
		if r.Awake {
			fmt.Fprintf(&b, "  %-*s %-*s %s\n", names, r.Rule, items, strings.Join(r.Guide, ","), strings.Join(r.Datasets, ", "))
		}
	}
	if n := len(c.Rules) - awake; n > 0 {
		fmt.Fprintf(&b, "\n%s:\n", asleep(n))
		for _, r := range c.Rules {
			if !r.Awake {
				fmt.Fprintf(&b, "  %-*s %-*s %s\n", names, r.Rule, items, strings.Join(r.Guide, ","), lacking(r.Lacks))
			}
		}
	}
	if len(c.Asleep) > 0 {
		fmt.Fprintf(&b, "\nno rule that could fire answers these items of the guide:\n")
		for _, i := range c.Asleep {
			fmt.Fprintf(&b, "  %-3s %s\n", i, rules.GuideTexts[i])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// asleep says how many rules sleep.
func asleep(n int) string {
	if n == 1 {
		return "1 rule sleeps"
	}
	return fmt.Sprintf("%d rules sleep", n)
}

// lacking says what keeps a rule asleep.
func lacking(all []coverage.Lack) string {
	var texts []string
	for _, l := range all {
		switch {
		case len(l.Fields) > 0:
			of := ""
			if len(l.Datasets) <= mostDatasets {
				of = " of " + either(l.Datasets)
			}
			texts = append(texts, "no record"+of+" has "+few(l.Fields))
		case len(l.Datasets) > 0:
			texts = append(texts, "needs "+either(l.Datasets))
		case len(l.Rules) == 1:
			texts = append(texts, "it looks at alerts of "+l.Rules[0]+", which sleeps")
		case len(l.Rules) > 0:
			texts = append(texts, "it looks at alerts of rules that all sleep: "+few(l.Rules))
		default:
			texts = append(texts, "it looks at alerts of rules that are off")
		}
	}
	return strings.Join(texts, "; ")
}

// mostDatasets is how many are named.
const mostDatasets = 5

// few are names, the first of many; --json has all.
func few(all []string) string {
	if n := len(all) - mostDatasets; n > 1 {
		return strings.Join(all[:mostDatasets], ", ") + fmt.Sprintf(" and %d others", n)
	}
	return strings.Join(all, ", ")
}

// either are datasets of which one would do, the first of many.
func either(all []string) string {
	if n := len(all) - mostDatasets; n > 0 {
		return strings.Join(all[:mostDatasets], " or ") + fmt.Sprintf(" or %d others", n)
	}
	return strings.Join(all, " or ")
}
