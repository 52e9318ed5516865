package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/decode"
	"noroshi/internal/replay"
	"noroshi/rules"
	"noroshi/rules/kind"
	"noroshi/rules/library"
)

// handbook writes about rules for people, in Markdown.
type handbook struct {
	set    *rules.Set // all live, so that tests show what each rule says
	states map[string]rules.State
	decode decode.Options
}

// portrait is what the tests of a rule show of it.
type portrait struct {
	datasets []string
	example  *alert.Alert // nil: no test makes an alert
	test     string       // which test made it
}

// show runs the tests of a rule that fire.
func (h *handbook) show(ctx context.Context, r *rules.Rule) (*portrait, error) {
	out := &portrait{}
	p := replay.NewProver(h.set, r, detector.Options{Decode: h.decode})
	for i := range r.Tests {
		t := &r.Tests[i]
		if len(t.Want) == 0 {
			continue
		}
		alerts, err := p.Show(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", r.ID, t.Name, err)
		}
		for k := range alerts {
			if out.example == nil {
				out.example, out.test = &alerts[k], t.Name
			}
			for _, e := range alerts[k].Evidence {
				out.datasets = append(out.datasets, e.Dataset)
			}
		}
	}
	slices.Sort(out.datasets)
	out.datasets = slices.Compact(slices.DeleteFunc(out.datasets, func(name string) bool { return name == "" }))
	return out, nil
}

// page is the page of a rule.
func (h *handbook) page(ctx context.Context, r *rules.Rule) (string, error) {
	s, err := h.show(ctx, r)
	if err != nil {
		return "", err
	}
	source, err := sourceOf(r)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", r.Title)
	if r.Description != "" {
		b.WriteString(r.Description + "\n\n")
	}
	h.facts(&b, r, s)
	if s.example != nil {
		fmt.Fprintf(&b, "\n## What it says\n\n> %s\n\nSo it speaks in its test \"%s\".\n", strings.ReplaceAll(s.example.Summary, "<", `\<`), s.test)
	}
	fmt.Fprintf(&b, "\n## What it looks for\n\n%s\n\n```yaml\n%s```\n", r.Kind.Kind.Doc(), condition(source))
	bullets(&b, "What else looks like it", r.FalsePositives)
	steps(&b, s)
	h.tuning(&b, r)
	links := r.References
	if r.Runbook != "" {
		links = append([]string{r.Runbook}, links...)
	}
	bullets(&b, "Read more", links)
	return b.String(), nil
}

// facts is the table at the beginning of a page.
func (h *handbook) facts(b *strings.Builder, r *rules.Rule, s *portrait) {
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "| %s | %s |\n", name, strings.ReplaceAll(text, "|", `\|`))
		}
	}
	b.WriteString("| | |\n|---|---|\n")
	row("rule", "`"+r.ID+"`")
	severity := r.Severity
	for _, x := range r.Raise {
		severity += fmt.Sprintf("; %s where `%s`", rules.Severities[x.To], strings.Join(strings.Fields(x.When.Source), " "))
	}
	row("severity", severity)
	row("class, points", strings.Trim(fmt.Sprintf("%s, %d", r.Class, r.Points), ", "))
	var items, attack []string
	for _, item := range r.Guide {
		items = append(items, fmt.Sprintf("[%s](README.md#%s) %s", item, strings.ToLower(item), rules.GuideTexts[item]))
	}
	for _, id := range r.Attack {
		attack = append(attack, fmt.Sprintf("[%s](https://attack.mitre.org/techniques/%s/)", id, strings.ReplaceAll(id, ".", "/")))
	}
	row("guide", strings.Join(items, "; "))
	row("ATT&CK", strings.Join(attack, ", "))
	row("records", coded(s.datasets))
	row("needs also", coded(r.Kind.Needs))
	row("looks at alerts of", coded(r.Kind.Of))
	switch h.states[r.ID] {
	case rules.Shadow:
		row("state", "shadow: `replay` shows its alerts, nobody is told")
	case rules.Building:
		row("state", "building: its alerts are for other rules alone")
	case rules.Off:
		row("state", "off")
	}
}

// coded are words as code.
func coded(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return "`" + strings.Join(all, "`, `") + "`"
}

func bullets(b *strings.Builder, title string, all []string) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	for _, one := range all {
		if strings.HasPrefix(one, "http") {
			one = "<" + one + ">"
		}
		b.WriteString("* " + strings.Join(strings.Fields(one), " ") + "\n")
	}
}

// steps are what to do first, as the alert of the test has them.
func steps(b *strings.Builder, s *portrait) {
	if s.example == nil || len(s.example.Respond) == 0 {
		return
	}
	b.WriteString("\n## First steps\n\nFilled in for the alert above, as each alert has them.\n\n")
	for i, step := range s.example.Respond {
		fmt.Fprintf(b, "%d. %s\n", i+1, strings.ReplaceAll(step.Text, "<", `\<`))
		if step.Command != "" {
			fmt.Fprintf(b, "\n   ```powershell\n   %s\n   ```\n", step.Command)
		}
	}
}

// tuning says how to change the rule without copying it.
func (h *handbook) tuning(b *strings.Builder, r *rules.Rule) {
	b.WriteString("\n## Tuning\n\n")
	switch {
	case !r.Shipped:
		b.WriteString("It is a rule of your own: change its file.\n")
		return
	case h.onlyAlerts(r):
		fmt.Fprintf(b, "In the configuration. It looks at alerts alone, so an exception is for the rules that it names: %s.\n\n```yaml\nlibrary:\n%s```\n",
			coded(r.Kind.Of), settings(r))
		return
	}
	fmt.Fprintf(b, "In the configuration:\n\n```yaml\nlibrary:\n%sexceptions:\n  - rules: [%s]\n    when: account == \"pentest@contoso.example\"\n"+
		"    because: The red team tests until the end of March\n    owner: soc\n    until: 2027-03-31   # the last day, UTC\n```\n\n"+
		"`noroshi explain --rule %s --config noroshi.yaml audit.ndjson` says which exception keeps it silent.\n", settings(r), r.ID, r.ID)
	if len(r.Kind.Needs) > 0 && r.Kind.Name() == "absence" {
		b.WriteString("\nThe exception is for the event that something should go with. It does not make the other event count as missing.\n")
	}
}

// settings are what `library` can say of a rule.
func settings(r *rules.Rule) string {
	other := "low"
	if r.Severity == other {
		other = "medium"
	}
	return fmt.Sprintf("  shadow: [%s]   # counted and shown by replay, not delivered; or off: [%s]\n  severity: {%s: %s}\n", r.ID, r.ID, r.ID, other)
}

// onlyAlerts reports whether a rule looks at alerts alone.
func (h *handbook) onlyAlerts(r *rules.Rule) bool {
	return len(r.Kind.Of) > 0 && !slices.ContainsFunc(r.Kind.Clauses, func(c kind.Clause) bool { return c.Of == nil })
}

// sourceOf is the text of a rule's file.
func sourceOf(r *rules.Rule) (string, error) {
	read := os.ReadFile
	name := r.File
	if r.Shipped {
		read, name = library.Files.ReadFile, strings.TrimPrefix(r.File, "library/")
	}
	b, err := read(name)
	if err != nil {
		return "", failed{fmt.Errorf("read %s: %w", r.File, err)}
	}
	return string(b), nil
}

// toldApart are the keys of a rule's file that a page tells in its own words.
var toldApart = []string{"id", "title", "description", "guide", "severity", "class", "points", "attack", "references", "false_positives", "runbook", "facts", "summary",
	"respond", "tests", "raise", "state"}

// condition is what a rule's file says of when it fires: the keys that a page does not tell otherwise, as they are written.
func condition(source string) string {
	var b strings.Builder
	keep := false
	for line := range strings.Lines(source) {
		key, _, found := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case found && key != "" && !strings.ContainsAny(key[:1], " \t-'\""):
			keep = !slices.Contains(toldApart, key)
		}
		if keep {
			b.WriteString(line)
		}
	}
	return b.String()
}

// overview lists the rules by the items of the guide, in its order.
func (h *handbook) overview() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The rules we ship\n\nEach item of the guide on hijacked accounts with the rules that answer it. `noroshi library show RULE` prints the page of a rule; "+
		"`noroshi coverage` is this table in short. How to tune rules: [operating](../operating.md#tuning-the-rules). How to write your own: [rules](../rules.md).\n\n"+
		"Severities are those of an ordinary finding; rules may lift them.\n")
	for _, item := range rules.GuideItems {
		fmt.Fprintf(&b, "\n<a id=\"%s\"></a>\n\n## %s: %s\n\n| rule | severity | class | it finds |\n|---|---|---|---|\n", strings.ToLower(item), item, rules.GuideTexts[item])
		var of []*rules.Rule
		for _, r := range h.set.Rules {
			if slices.Contains(r.Guide, item) {
				of = append(of, r)
			}
		}
		slices.SortStableFunc(of, func(a, b *rules.Rule) int {
			return cmp.Or(slices.Index(rules.Severities, b.Severity)-slices.Index(rules.Severities, a.Severity), strings.Compare(a.ID, b.ID))
		})
		for _, r := range of {
			state := ""
			if s := h.states[r.ID]; s != rules.Live {
				state = " (" + string(s) + ")"
			}
			fmt.Fprintf(&b, "| [%s](%s.md) | %s%s | %s | %s |\n", r.ID, r.ID, r.Severity, state, r.Class, r.Title)
		}
	}
	return b.String()
}
