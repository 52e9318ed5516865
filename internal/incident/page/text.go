package page

import (
	"strings"

	"github.com/rivo/uniseg"

	"noroshi/internal/diag"
	"noroshi/internal/incident"
	"noroshi/internal/paper"
)

// The width of texts in columns: where nothing tells it, and the least.
const (
	usual     = 100
	narrow    = 40
	leastName = 24 // of a column of names
	leastWord = 10 // of a column of words
	between   = 2
	indented  = 6 // what belongs to a step
)

// sheet is what a text is written on.
type sheet struct {
	paper.Sheet
	width int
}

// text is the page for a terminal or a mail, no line of it wider than the width but for commands, which are copied.
func text(v *incident.View, width int) []byte {
	if width <= 0 {
		width = usual
	}
	s := &sheet{width: max(width, narrow)}
	s.wrapped("", v.Verdict)
	s.wrapped("", v.State)
	if v.Contained != "" {
		s.wrapped("", v.Contained)
	}
	if v.Next != nil {
		s.wrapped("", v.NextText)
		s.command("  ", v.Next)
	}
	for _, n := range v.Notes {
		s.wrapped("! ", n)
	}
	if len(v.Why) > 0 {
		s.Title(v.Say("Why", "理由"))
		for _, w := range v.Why {
			s.wrapped("- ", w)
		}
	}
	s.table(&v.Tables[0])
	s.steps(v)
	for k := range v.Tables[1:] {
		s.table(&v.Tables[1+k])
	}
	return s.Bytes()
}

// steps are the checklist.
func (s *sheet) steps(v *incident.View) {
	s.Title(v.Say("Checklist", "チェックリスト"))
	for _, p := range v.Phases {
		s.wrapped("", p.Title)
		for k := range p.Steps {
			step := &p.Steps[k]
			said := step.Said
			for _, m := range step.Marks {
				said += "; " + m
			}
			s.wrapped("  "+step.State.Mark()+" ", step.Text+" ("+said+")")
			s.command(strings.Repeat(" ", indented), &step.Step)
		}
	}
}

// command writes a step's commands, each on one line, so that it can be copied.
func (s *sheet) command(indent string, step *incident.Step) {
	for _, c := range []string{step.Connect, step.Command, step.Link} {
		if c != "" {
			s.Line("%s%s", indent, diag.EscapeLine(c))
		}
	}
}

// wrapped writes a text behind a mark, its further lines below its first.
func (s *sheet) wrapped(mark, text string) {
	indent := strings.Repeat(" ", uniseg.StringWidth(mark))
	for k, line := range wrap(paper.Plain(text), s.width-len(indent)) {
		if k > 0 {
			mark = indent
		}
		s.Line("%s%s", mark, line)
	}
}

// table writes a section, its columns as wide as they may be.
func (s *sheet) table(t *incident.Table) {
	s.Title(t.Title)
	if t.Intro != "" {
		s.wrapped("", t.Intro)
	}
	if len(t.Rows) == 0 {
		s.wrapped("", t.None)
	} else {
		s.rows(t)
	}
	if t.Left != "" {
		s.wrapped("", t.Left)
	}
}

func (s *sheet) rows(t *incident.Table) {
	head := make([]string, len(t.Head))
	for k, c := range t.Head {
		head[k] = c.Name
	}
	rows := [][]string{head}
	for _, r := range t.Rows {
		cells := make([]string, len(r.Cells))
		for k, c := range r.Cells {
			cells[k] = paper.Plain(c)
		}
		rows = append(rows, cells)
	}
	widths := make([]int, len(head))
	for _, r := range rows {
		for k, c := range r {
			widths[k] = max(widths[k], uniseg.StringWidth(c))
		}
	}
	if !fit(widths, t.Head, s.width) {
		s.blocks(rows, t.Head)
		return
	}
	for _, r := range rows {
		s.row(r, widths)
	}
}

// least is how narrow a column may become; 0: no narrower than its texts.
func least(of incident.ColumnKind) int {
	switch of {
	case incident.Name:
		return leastName
	case incident.Moment, incident.Count:
		return 0
	}
	return leastWord
}

// fit makes the widest columns narrower until all fit beside each other, and reports whether they do.
func fit(widths []int, head []incident.Column, room int) bool {
	for {
		sum, at := -between, -1
		for k, w := range widths {
			sum += w + between
			if n := least(head[k].Kind); n > 0 && w > n && (at < 0 || w > widths[at]) {
				at = k
			}
		}
		if sum <= room {
			return true
		}
		if at < 0 {
			return false
		}
		widths[at]--
	}
}

// row writes cells beside each other, in as many lines as the highest needs.
func (s *sheet) row(cells []string, widths []int) {
	var lines [][]string
	high := 1
	for k, c := range cells {
		lines = append(lines, wrap(c, max(widths[k], 1)))
		high = max(high, len(lines[k]))
	}
	for n := range high {
		var b strings.Builder
		for k, w := range widths {
			part := ""
			if n < len(lines[k]) {
				part = lines[k][n]
			}
			b.WriteString(part + strings.Repeat(" ", w-uniseg.StringWidth(part)+between))
		}
		s.Line("%s", strings.TrimRight(b.String(), " "))
	}
}

// blocks write rows below each other where columns have no room. The first name stands alone, as do times; others have the name of their
// column.
func (s *sheet) blocks(rows [][]string, head []incident.Column) {
	for _, r := range rows[1:] {
		mark, named := "* ", false
		var short []string
		end := func(more ...string) {
			if line := strings.Join(append(short, more...), "  "); line != "" {
				s.wrapped(mark, line)
				mark, short = "  ", nil
			}
		}
		for k, c := range r {
			switch name := rows[0][k]; {
			case c == "":
			case head[k].Kind == incident.Name && !named:
				end()
				end(c)
				named = true
			case head[k].Kind == incident.Name || head[k].Kind == incident.Code && name != rows[0][0]:
				end()
				end(name + ": " + c)
			case head[k].Kind == incident.Moment && strings.ContainsAny(name, " ,"):
				short = append(short, name+": "+c)
			case head[k].Kind == incident.Moment: // a zone alone
				short = append(short, c+" "+name)
			case head[k].Kind == incident.Count:
				short = append(short, name+" "+c)
			default:
				short = append(short, c)
			}
		}
		end()
	}
}

// wrap breaks a text into lines of a width, between words where it can.
func wrap(text string, width int) (lines []string) {
	var line strings.Builder
	used := 0
	end := func() {
		lines = append(lines, strings.TrimRight(line.String(), " "))
		line.Reset()
		used = 0
	}
	state := -1
	for rest := text; rest != ""; {
		var part string
		part, rest, _, state = uniseg.FirstLineSegmentInString(rest, state)
		if w := uniseg.StringWidth(strings.TrimRight(part, " ")); used+w > width {
			if used > 0 {
				end()
			}
			for w > width { // a word longer than a line
				head := ""
				for g := uniseg.NewGraphemes(part); g.Next() && uniseg.StringWidth(head+g.Str()) <= width; {
					head += g.Str()
				}
				if head == "" {
					break
				}
				line.WriteString(head)
				end()
				part = part[len(head):]
				w = uniseg.StringWidth(strings.TrimRight(part, " "))
			}
		}
		line.WriteString(part)
		used += uniseg.StringWidth(part)
	}
	if used > 0 || len(lines) == 0 {
		end()
	}
	return lines
}
