package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"noroshi/internal/alert"
	"noroshi/internal/paper"
	"noroshi/internal/replay"
	"noroshi/rules"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// finding is an alert about an account.
func finding(n int, severity, rule, account string, at time.Time) *alert.Alert {
	return &alert.Alert{ID: fmt.Sprint("alrt_", n), Rule: alert.Rule{ID: rule}, Severity: severity, Tenant: "t", Account: account, Summary: account + " did it", Time: at}
}

// pages are the three forms of a report.
func pages(t *testing.T, r *Report) (text, page string, form map[string]any) {
	t.Helper()
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range Files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil || !strings.HasPrefix(string(b), f.Begins) {
			t.Fatalf("%s does not begin as a report does: %v", f.Name, err)
		}
		all = append(all, string(b))
	}
	if left, _ := os.ReadDir(dir); len(left) != len(Files) {
		t.Errorf("the folder holds %v", left)
	}
	if err := json.Unmarshal([]byte(all[1]), &form); err != nil {
		t.Fatal(err)
	}
	return all[2], all[0], form
}

// elements and attributes of the page; those that fetch or run something are none of them.
var (
	elements = strings.Fields("html head meta title link style body main header h1 h2 h3 p ul li b nav a section div table thead tbody tr th td span small code pre " +
		"wbr br details summary figure figcaption svg desc g line text rect footer")
	attributes = strings.Fields("lang charset http-equiv content name rel href class id aria-label aria-labelledby aria-hidden role scope colspan tabindex viewbox " +
		"x y x1 x2 y1 y2 dy width height fill-opacity text-anchor transform")
)

// harmless checks that a page has no elements and attributes but ours, and names no other place.
func harmless(t *testing.T, page string) {
	t.Helper()
	for z := html.NewTokenizer(strings.NewReader(page)); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		if !slices.Contains(elements, token.Data) {
			t.Errorf("the page has the element %s", token.Data)
		}
		for _, a := range token.Attr {
			if !slices.Contains(attributes, a.Key) || a.Key == "href" && a.Val != "data:," && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("the page has the attribute %s=%q", a.Key, a.Val)
			}
		}
	}
}

// TestWhatRecordsSayDoesNothing: whatever an account or an input is called, it is text, on one line, and not long.
func TestWhatRecordsSayDoesNothing(t *testing.T) {
	evil := []string{`<script>alert(1)</script>`, `"><img src=https://evil.example/x onerror=alert(1)>`, "\u202egnp.exe", "a\x00b\x1b[31m", "line\nbreak", "\xff\xfe",
		strings.Repeat("長", 1<<20), "javascript:alert(1)", "</style><b>", "{{.Style}}"}
	c := New(&rules.Set{})
	for i, name := range evil {
		c.Alert(finding(i, "high", name, name, start))
		c.Fault(replay.Fault{Input: name, Line: 1, Reason: "json", Detail: name})
		c.Hidden(replay.Hidden{Rule: name, Account: name, Time: start})
	}
	r := c.End(Run{Program: "x", Written: start, Inputs: []Input{{Name: evil[0], Fault: evil[2]}}, Stats: replay.Stats{UnknownKeys: evil, Unknown: 1, ByDataset: map[string]int{evil[0]: 1}}})
	text, page, _ := pages(t, r)
	for _, form := range []string{text, page} {
		if strings.ContainsAny(form, "\u202e\x00\x1b") || len(form) > 200_000 {
			t.Errorf("what nobody sees, or all of it, is in %d bytes", len(form))
		}
		if !strings.Contains(form, `\u{202e}`) || !strings.Contains(form, "… (cut; 3145728 bytes)") {
			t.Error("it is not said what was there")
		}
	}
	harmless(t, page)
}

// TestThePageNamesNoOtherPlace: nothing is to be fetched, and the policy would forbid it.
func TestThePageNamesNoOtherPlace(t *testing.T) {
	c := New(&rules.Set{})
	c.Alert(finding(1, "high", "r", "taro@contoso.example", start))
	_, page, _ := pages(t, c.End(Run{}))
	harmless(t, page)
	if at := regexp.MustCompile(`(?i)url\(|@import|//[a-z]`).FindString(page); at != "" {
		t.Errorf("the page names %s", at)
	}
	if !strings.Contains(page, "default-src 'none'") {
		t.Error("the page has no policy")
	}
}

// TestManyAccountsAreSummed: those that are not told apart are counted all the same.
func TestManyAccountsAreSummed(t *testing.T) {
	c := New(&rules.Set{})
	const accounts = MaxAccounts + 500
	for i := range accounts {
		c.Alert(finding(i, []string{"high", "low"}[i%2], "r", fmt.Sprintf("a%d@contoso.example", i), start.Add(time.Duration(i)*time.Second)))
	}
	c.Alert(finding(accounts, "critical", "r", "a7@contoso.example", start))
	r := c.End(Run{})
	sum := r.Beyond.Alerts.all()
	for _, a := range r.Accounts {
		sum += a.Alerts.all()
	}
	if sum != accounts+1 || r.Alerts.Total != sum || !r.Beyond.AtLeast || r.Accounts[0].Account != "a7@contoso.example" || !r.Rules[0].AtLeast {
		t.Errorf("%d alerts of accounts, %+v", sum, r.Beyond)
	}
	text, page, _ := pages(t, r)
	if !strings.Contains(text, "more than ") || !strings.Contains(page, "More than ") || len(page) > 300_000 {
		t.Error("it is not said that there are more")
	}
}

// TestCountsAgree: by rule, day, account and severity, the sums are the same.
func TestCountsAgree(t *testing.T) {
	c := New(&rules.Set{})
	for i := range 1000 {
		a := finding(i, levels[i%5], fmt.Sprint("r", i%7), fmt.Sprint("a", i%11), start.Add(time.Duration(i)*time.Hour))
		if i%3 == 0 {
			a.State = string(rules.Shadow)
		}
		c.Alert(a)
		c.Seen(replay.Seen{Dataset: fmt.Sprint("d", i%4), Hour: start.Add(time.Duration(i) * time.Hour), Events: 2})
	}
	r := c.End(Run{Stats: replay.Stats{Events: 2000, ByDataset: map[string]int{"d0": 500, "d1": 500, "d2": 500, "d3": 500}}})
	var byRule, byDay, byAccount Counts
	events := 0
	sum := func(to *Counts, of Counts) {
		for i, n := range of.byLevel() {
			to.add(i, *n)
		}
	}
	for _, one := range r.Rules {
		sum(&byRule, one.Alerts)
	}
	for _, d := range r.Days {
		sum(&byDay, d.Alerts)
		events += d.Events
	}
	for _, a := range r.Accounts {
		sum(&byAccount, a.Alerts)
	}
	if byRule != r.Alerts || byDay != r.Alerts || byAccount != r.Alerts || r.Alerts.Shadow != 334 || events != 2000 {
		t.Errorf("by rule %+v, by day %+v, by account %+v, all %+v, %d events", byRule, byDay, byAccount, r.Alerts, events)
	}
	if len(r.Gravest) != maxFindings || r.Gravest[0].Time.After(r.Gravest[1].Time) || r.Unlisted != 666-maxFindings {
		t.Errorf("%d are listed, %d are not", len(r.Gravest), r.Unlisted)
	}
	t1 := newTimeline(c.alerts, c.events)
	shown := 0
	for _, of := range byRowAll(t1, c.byRule) {
		shown += of
	}
	if shown != 1000 || t1.left != 0 {
		t.Errorf("plots show %d alerts; %d lie outside", shown, t1.left)
	}
}

func byRowAll(t timeline, g *grid) (all []int) {
	for _, of := range byRow(t, g) {
		all = append(all, of...)
	}
	return all
}

// TestAxesOfTime: each hour lies in one span, spans are few, and labels have room, however long the time is.
func TestAxesOfTime(t *testing.T) {
	for _, days := range []int{0, 1, 2, 3, 10, 40, 100, 200, 700, 3000, 8000} {
		g := newGrid()
		from := paper.HourOf(start)
		for h := range int32(days*24 + 1) {
			g.add("x", from+h, 1)
		}
		line := newTimeline(g)
		if line.Spans > paper.MaxSpans || len(line.Marks()) == 0 || len(line.Marks()) > paper.MaxMarks+3 {
			t.Errorf("%d days: %d spans of %d hours, %d marks", days, line.Spans, line.Step, len(line.Marks()))
		}
		sum := line.left
		for _, n := range byRowAll(line, g) {
			sum += n
		}
		if want := days*24 + 1; sum != want {
			t.Errorf("%d days: %d of %d are in spans", days, sum, want)
		}
		if line.Step >= 7*24 && line.Begin(0).Weekday() != time.Monday {
			t.Errorf("%d days: weeks begin on a %s", days, line.Begin(0).Weekday())
		}
	}
	before := time.Date(1969, 12, 31, 23, 30, 0, 0, time.UTC)
	if got := paper.TimeOf(paper.HourOf(before)); !got.Equal(before.Truncate(time.Hour)) {
		t.Errorf("%s is in the hour of %s", before, got)
	}
}

// TestAWrongClockSqueezesNothing: a record of another century is left out of plots, and said.
func TestAWrongClockSqueezesNothing(t *testing.T) {
	g := newGrid()
	for h := range int32(240) {
		g.add("x", paper.HourOf(start)+h, 100)
	}
	g.add("x", paper.HourOf(start.AddDate(-50, 0, 0)), 3)
	line := newTimeline(g)
	if line.left != 3 || line.Step > 6 {
		t.Errorf("%+v", line)
	}
	if p := bars("p", "events", line, g, []string{"x"}); !strings.Contains(p.Left, "outside of these years: 3.") {
		t.Error(p.Left)
	}
}

// TestWhatExceptionsHid: one of the configuration is told once, one that hid nothing too.
func TestWhatExceptionsHid(t *testing.T) {
	set, problems := rules.Load(rules.Options{Library: true, Untested: true})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	set.Rules = set.Rules[:3]
	for _, r := range set.Rules {
		r.Unless = nil
		for _, because := range []string{"ours", "theirs"} {
			when := set.Rules[0].Kind.Clauses[0].When
			r.Unless = append(r.Unless, rules.Exception{Because: because, When: when, Outside: true, Until: start})
		}
	}
	c := New(set)
	for i := range 10 {
		c.Hidden(replay.Hidden{Rule: set.Rules[i%2].ID, By: 1, Account: fmt.Sprint("a", i), Time: start.Add(time.Duration(i) * time.Hour)})
	}
	all := c.End(Run{}).Exceptions
	if len(all) != 2 || all[0].Because != "theirs" || all[0].Events != 10 || all[0].Of != 3 || len(all[0].Rules) != 2 || all[0].Rules[0].Events != 5 ||
		len(all[0].Accounts) != maxOf || !all[0].More || all[1].Events != 0 || all[0].LastDay != "2026-01-01" || !all[0].Last.Equal(start.Add(9*time.Hour)) {
		t.Errorf("%+v", all)
	}
}

// TestTheShapeIsDocumented: each member of report.json is in docs/report.md.
func TestTheShapeIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(b), "## Shape")
	var look func(reflect.Type, string)
	look = func(of reflect.Type, at string) {
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range of.NumField() {
			f := of.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && !strings.Contains(part, "`"+name+"`") {
				t.Errorf("the member %s of %s is nowhere", name, at)
			}
			look(f.Type, cmp.Or(name, at))
		}
	}
	look(reflect.TypeFor[Report](), "the report")
}

// TestAnIncompleteReportSaysSo: in all its forms.
func TestAnIncompleteReportSaysSo(t *testing.T) {
	text, page, form := pages(t, New(&rules.Set{}).End(Run{Interrupted: "the replay was interrupted after 7 records"}))
	for _, s := range []string{text, page} {
		if !strings.Contains(s, "incomplete: the replay was interrupted after 7 records") {
			t.Error(s[:200])
		}
	}
	if form["complete"] != false || form["incomplete"] != "the replay was interrupted after 7 records" {
		t.Error(form["complete"], form["incomplete"])
	}
	var b bytes.Buffer
	if err := New(&rules.Set{}).End(Run{}).Text(&b); err != nil || strings.Contains(b.String(), "incomplete") {
		t.Error(b.String(), err)
	}
}

// TestAlertsAboutNobodyCountNoAccount: an address that tries many passwords is no account.
func TestAlertsAboutNobodyCountNoAccount(t *testing.T) {
	c := New(&rules.Set{})
	c.Alert(finding(1, "medium", "spray", "", start))
	c.Alert(finding(2, "medium", "spray", "taro@contoso.example", start))
	if r := c.End(Run{}); len(r.Rules) != 1 || r.Rules[0].Accounts != 1 || r.Rules[0].Alerts.Total != 2 {
		t.Errorf("rules are %+v, want one of two alerts and one account", r.Rules)
	}
}
