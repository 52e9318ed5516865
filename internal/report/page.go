package report

import (
	"bytes"
	"cmp"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"noroshi/internal/diag"
	"noroshi/internal/paper"
)

// pageHead is how the page begins.
const pageHead = "<!doctype html>\n<!-- noroshi report -->\n"

//go:embed page.html
var pageSource string

// What the page shows; report.json has more.
const (
	pageFindings   = 100
	pageDays       = 100
	pageAccounts   = 100
	pageExceptions = 100
	pageDatasets   = 100
	pageInputs     = 100
)

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"number": paper.Number, "plural": paper.Plural, "plain": paper.Plain,
	"account": account,
	"tenant":  func(s string) string { return orElse(s, "no tenant") },
	"lines":   func(s string) string { return diag.Escape(paper.Cut(s)) },
	"join":    func(all []string) string { return strings.Join(all, ", ") },
	"all":     func(c Counts) int { return c.all() },
	"levels":  levelsOf, "bar": bar,
	"when":   func(at time.Time) string { return format(at, "2006-01-02 15:04:05") },
	"minute": func(at time.Time) string { return format(at, "2006-01-02 15:04") },
	"hour":   func(at time.Time) string { return format(at, "2006-01-02 15h") },
	"few":    func(all []Place) []Place { return all[:min(len(all), maxOf)] },
}).Parse(pageSource + paper.PlotSource))

// account is the name of an account, which may be broken where people would break it.
func account(s string) template.HTML {
	if s == "" {
		return "nobody in particular"
	}
	return template.HTML(places.Replace(template.HTMLEscapeString(paper.Plain(s))))
}

var places = strings.NewReplacer("@", "@<wbr>", ".", ".<wbr>")

// orElse is a text of records, or what stands where there is none.
func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return paper.Plain(s)
}

func format(at time.Time, layout string) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(layout)
}

// view is what the page is made of.
type view struct {
	*Report
	Style                                       paper.Style
	Period                                      string
	Notes                                       []string
	Tiles                                       []tile
	Sections                                    []section
	Gravest                                     []Finding
	Unshown                                     int
	Tenants                                     bool // several are told apart
	Fired, Troubled                             []Rule
	MostOfRule, MostOfDay, MostOfAccount        int
	AlertDays                                   []Day
	MoreDays                                    int
	Accounts                                    []Account
	Beyond                                      *Beyond
	Exceptions                                  []Exception
	MoreExceptions                              int
	Broken, ShownInputs                         []Input
	MoreInputs                                  int
	Limited                                     string
	RulePlot, AlertPlot, EventPlot, DatasetPlot paper.Plot
}

// tile is a number with its name.
type tile struct {
	Name, Class string
	N           int
}

type section struct{ ID, Title string }

var sections = []section{{"rules", "Alerts by rule"}, {"days", "By day"}, {"accounts", "By account"}, {"gravest", "The gravest"}, {"exceptions", "Exceptions"},
	{"records", "Records"}, {"unread", "Not read"}}

// HTML writes the report as a page that loads nothing.
func (r *Report) HTML(w io.Writer) error {
	v := &view{Report: r, Style: paper.NewStyle(""), Sections: sections,
		Period: r.period(), Notes: r.notes(), Limited: r.limited()}
	v.tiles()
	v.tables()
	v.plots()
	var b bytes.Buffer
	b.WriteString(pageHead) // a template leaves comments out
	if err := page.Execute(&b, v); err != nil {
		return fmt.Errorf("make page: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// period is the time that events cover.
func (r *Report) period() string {
	from, to := format(r.First, time.DateOnly), format(r.Last, time.DateOnly)
	if from == to {
		return from
	}
	return from + " to " + to
}

// notes say what a reader must know before anything else.
func (r *Report) notes() (all []string) {
	if !r.Complete {
		all = append(all, "This report is incomplete: "+paper.Plain(r.Incomplete)+". What was not evaluated is missing, and alerts may be among it.")
	}
	if n := len(r.broken()); n > 0 {
		all = append(all, fmt.Sprintf("%s could not be read, or not to the end.", paper.Plural(n, "input")))
	}
	if r.Records.Undecodable > 0 {
		all = append(all, fmt.Sprintf("%s of %s could not be read.", paper.Number(r.Records.Undecodable), paper.Plural(r.Records.Read, "record")))
	}
	if r.Records.Unknown > 0 {
		all = append(all, fmt.Sprintf("%s of %s are of no known kind; no rule can match them.", paper.Number(r.Records.Unknown), paper.Plural(r.Records.Read, "record")))
	}
	return all
}

// limited says which alerts were asked for.
func (r *Report) limited() string {
	var all []string
	if !r.Since.IsZero() {
		all = append(all, "from "+format(r.Since, time.RFC3339))
	}
	if !r.Until.IsZero() {
		all = append(all, "before "+format(r.Until, time.RFC3339))
	}
	if r.Only != "" {
		all = append(all, "of "+r.Only)
	}
	if len(all) == 0 {
		return ""
	}
	return "only alerts " + strings.Join(all, " and ")
}

func (r *Report) broken() (all []Input) {
	for _, in := range r.Inputs {
		if in.Fault != "" {
			all = append(all, in)
		}
	}
	return all
}

func (v *view) tiles() {
	v.Tiles = append(v.Tiles, tile{"alerts", "plain", v.Alerts.Total})
	for i, n := range v.Alerts.byLevel() {
		if *n > 0 || i < shadowed-1 {
			name := levels[i]
			if i == shadowed {
				name = "in shadow"
			}
			v.Tiles = append(v.Tiles, tile{name, levels[i], *n})
		}
	}
}

// tables are the rows that the page has room for.
func (v *view) tables() {
	r := v.Report
	v.Gravest, v.Unshown = r.Gravest[:min(len(r.Gravest), pageFindings)], r.Unlisted
	v.Unshown += len(r.Gravest) - len(v.Gravest)
	for _, one := range r.Rules {
		if one.Alerts.all() > 0 {
			v.Fired = append(v.Fired, one)
			v.MostOfRule = max(v.MostOfRule, one.Alerts.all())
		}
		if one.Failed > 0 || one.Forgot {
			v.Troubled = append(v.Troubled, one)
		}
	}
	for _, d := range r.Days {
		if d.Alerts.all() > 0 {
			v.AlertDays = append(v.AlertDays, d)
			v.MostOfDay = max(v.MostOfDay, d.Alerts.all())
		}
	}
	v.MoreDays = max(0, len(v.AlertDays)-pageDays)
	v.AlertDays = v.AlertDays[:len(v.AlertDays)-v.MoreDays]
	v.Accounts, v.Beyond = r.few(pageAccounts)
	tenants := map[string]bool{}
	for _, a := range r.Accounts {
		tenants[a.Tenant] = true
		v.MostOfAccount = max(v.MostOfAccount, a.Alerts.all())
	}
	v.Tenants = len(tenants) > 1
	v.Exceptions = r.Exceptions[:min(len(r.Exceptions), pageExceptions)]
	v.MoreExceptions = len(r.Exceptions) - len(v.Exceptions)
	v.Broken = r.broken()
	v.ShownInputs = r.Inputs[:min(len(r.Inputs), pageInputs)]
	v.MoreInputs = len(r.Inputs) - len(v.ShownInputs)
}

// few are the gravest accounts, and the sum of the others.
func (r *Report) few(most int) ([]Account, *Beyond) {
	shown := r.Accounts[:min(len(r.Accounts), most)]
	left := Beyond{}
	if r.Beyond != nil {
		left = *r.Beyond
	}
	for _, a := range r.Accounts[len(shown):] {
		left.Accounts++
		for i, n := range a.Alerts.byLevel() {
			left.Alerts.add(i, *n)
		}
	}
	if left == (Beyond{}) {
		return shown, nil
	}
	return shown, &left
}

// graver orders findings: the gravest first, then by time.
func graver(a, b Finding) int {
	return cmp.Or(level(a.Severity)-level(b.Severity), a.Time.Compare(b.Time))
}

func (v *view) plots() {
	t := newTimeline(v.alerts, v.events)
	v.AlertPlot = bars("alerts-plot", "alerts", t, v.alerts, levels[:])
	for _, name := range levels {
		if _, ok := v.alerts.at[name]; ok {
			v.AlertPlot.Key = append(v.AlertPlot.Key, name)
		}
	}
	var rows []named
	for _, one := range v.Fired {
		class := levels[shadowed]
		for i, n := range one.Alerts.byLevel() {
			if *n > 0 {
				class = levels[i]
				break
			}
		}
		rows = append(rows, named{one.ID, class})
	}
	v.RulePlot = matrix("rules-plot", "Alerts by rule", "alert", t, v.byRule, rows)
	rows = nil
	for _, d := range v.Datasets {
		rows = append(rows, named{d.Dataset, "plain"})
	}
	v.EventPlot = bars("events-plot", "events", t, v.events.sum(), []string{"events"})
	v.DatasetPlot = matrix("datasets-plot", "Events by dataset", "event", t, v.events, rows)
}

// levelsOf are the numbers of a count that are not zero.
func levelsOf(c Counts) (all []tile) {
	for i, n := range c.byLevel() {
		if *n > 0 {
			all = append(all, tile{levels[i], levels[i], *n})
		}
	}
	return all
}

// bar is a count as a bar beside the greatest.
func bar(c Counts, most int) (all []paper.Rect) {
	x := 0.0
	for i, n := range c.byLevel() {
		if *n > 0 {
			w := paper.Near(float64(*n) / float64(max(1, most)) * 130)
			all = append(all, paper.Rect{X: paper.Near(x), W: max(1, w), Class: levels[i]})
			x += w
		}
	}
	return all
}
