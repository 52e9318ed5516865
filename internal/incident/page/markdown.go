package page

import (
	"strings"

	"noroshi/internal/diag"
	"noroshi/internal/incident"
	"noroshi/internal/paper"
)

// markdown is the page as GitHub's Markdown.
func markdown(v *incident.View) []byte {
	s := &paper.Sheet{}
	s.Line("# %s\n", plainly(v.Title))
	s.Line("**%s**\n", plainly(v.Verdict))
	s.Line("%s\n", plainly(v.State))
	if v.Contained != "" {
		s.Line("**%s**\n", plainly(v.Contained))
	}
	if v.Next != nil {
		s.Line("%s\n", plainly(v.NextText))
		fence(s, "", &v.Next.Connect, &v.Next.Command)
	}
	for _, n := range v.Notes {
		s.Line("> %s\n", plainly(n))
	}
	if len(v.Why) > 0 {
		s.Line("## %s\n", v.Say("Why", "理由"))
		for _, w := range v.Why {
			s.Line("* %s", plainly(w))
		}
		s.Line("")
	}
	rows(s, &v.Tables[0])
	s.Line("## %s\n", v.Say("Checklist", "チェックリスト"))
	for _, p := range v.Phases {
		s.Line("### %s\n", plainly(p.Title))
		for k := range p.Steps {
			step := &p.Steps[k]
			box := " "
			if step.State == incident.StepDone {
				box = "x"
			}
			said := strings.Join(append([]string{step.Said}, step.Marks...), "; ")
			s.Line("* [%s] %s (%s)", box, plainly(step.Text), plainly(said))
			if step.Link != "" {
				s.Line("  <%s>", step.Link)
			}
			s.Line("")
			fence(s, "  ", &step.Connect, &step.Command)
		}
	}
	for k := range v.Tables[1:] {
		rows(s, &v.Tables[1+k])
	}
	return s.Bytes()
}

// fence writes commands as code: nothing in them ends it.
func fence(s *paper.Sheet, indent string, commands ...*string) {
	marks, any := "```", false
	for _, c := range commands {
		any = any || *c != ""
		for strings.Contains(*c, marks) {
			marks += "`"
		}
	}
	if !any {
		return
	}
	s.Line("%s%spowershell", indent, marks)
	for _, c := range commands {
		if *c != "" {
			s.Line("%s%s", indent, diag.EscapeLine(*c))
		}
	}
	s.Line("%s%s\n", indent, marks)
}

// rows is a section with a table.
func rows(s *paper.Sheet, t *incident.Table) {
	s.Line("## %s\n", plainly(t.Title))
	if t.Intro != "" {
		s.Line("%s\n", plainly(t.Intro))
	}
	if len(t.Rows) == 0 {
		s.Line("%s\n", plainly(t.None))
	} else {
		head, rule := "|", "|"
		for _, c := range t.Head {
			head += " " + plainly(c.Name) + " |"
			if c.Kind == incident.Count {
				rule += " ---: |"
			} else {
				rule += " --- |"
			}
		}
		s.Line("%s\n%s", head, rule)
		for _, r := range t.Rows {
			line := "|"
			for _, c := range r.Cells {
				line += " " + plainly(c) + " |"
			}
			s.Line("%s", line)
		}
		s.Line("")
	}
	if t.Left != "" {
		s.Line("%s\n", plainly(t.Left))
	}
}

// plainly is a text that Markdown takes for nothing but a text: what it may read something into stands behind a backslash.
func plainly(text string) string {
	var b strings.Builder
	first := true
	text = paper.Plain(text)
	for k, r := range text {
		switch {
		case strings.ContainsRune("#$&*<>@[\\]_`|~", r), // marks, links, names of people who would be called
			first && strings.ContainsRune("+-=:", r),
			r == ':' && strings.HasPrefix(text[k:], "://"),
			(r == '.' || r == ')') && (k > 0 && k < 4 && onlyDigits(text[:k]) || strings.HasSuffix(strings.ToLower(text[:k]), "www")):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		first = first && r == ' '
	}
	return b.String()
}

// onlyDigits reports whether a text is a number, which a point or a bracket would make the first of a list.
func onlyDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
