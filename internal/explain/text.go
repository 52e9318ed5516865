package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/diag"
	"noroshi/rules/kind"
)

// Words say in a line what the rule makes of the event, or of the key.
func (t *Tree) Words() string {
	var b strings.Builder
	switch t.Verdict {
	case Waits:
		fmt.Fprintf(&b, "waits until %s", t.Waits)
	case Undecided:
		b.WriteString("could not be decided")
	case Fired:
		b.WriteString("has fired")
	case NotHeld:
		b.WriteString("is not held any more")
	case NoKey:
		b.WriteString(string(Uncounted))
	default:
		b.WriteString(string(t.Verdict))
	}
	if len(t.CountsAs) > 0 && !(len(t.CountsAs) == 1 && t.CountsAs[0] == "when") {
		b.WriteString(", counts as " + strings.Join(t.CountsAs, ", "))
	}
	if t.Because != "" && t.Verdict == Fired {
		b.WriteString(" " + t.Because)
	} else if t.Because != "" {
		b.WriteString(": " + t.Because)
	}
	if t.Verdict != Silent && t.Verdict != Waits {
		return b.String()
	}
	if len(t.Missing) > 0 {
		b.WriteString("; missing: " + strings.Join(t.Missing, ", "))
	}
	if t.Left != nil && !t.at.IsZero() && len(t.Missing)+len(t.Because) > 0 {
		fmt.Fprintf(&b, "; %s left", kind.Written(t.Left.Sub(t.at)))
	}
	return b.String()
}

// Head names the event, or the alert and whom it is about.
func (e *Event) Head() string {
	head := e.Time.String()
	for _, t := range [...]string{e.Rule, e.Action, e.ID} {
		if t != "" {
			head += " " + t
		}
	}
	if e.Rule != "" && e.Account != "" {
		head += " (" + e.Account + ")"
	}
	return head
}

// WriteEvent writes the tree under the event.
func (t *Tree) WriteEvent(b *strings.Builder, indent string) { t.write(b, indent, t.Event.Head(), "") }

// WriteRule writes the tree under the rule.
func (t *Tree) WriteRule(b *strings.Builder, indent string) {
	name := t.Rule
	if t.State != "" {
		name += " (" + t.State + ")"
	}
	t.write(b, indent, name, t.Title)
}

func (t *Tree) write(b *strings.Builder, indent, heading, title string) {
	line(b, indent, heading+": "+t.Words())
	indent += "  "
	if title != "" {
		line(b, indent, title)
	}
	if where := t.where(); where != "" {
		line(b, indent, where)
	}
	for i := range t.Parts {
		t.Parts[i].write(b, indent, t.Event)
	}
}

// TellTenants makes trees tell whose tenant they are of where they are of several: their keys alone do not tell them apart.
func TellTenants(all []Tree) {
	several := slices.ContainsFunc(all, func(t Tree) bool { return t.Tenant != all[0].Tenant })
	for i := range all {
		all[i].tells = several
	}
}

// where says what is looked at.
func (t *Tree) where() string {
	var all []string
	switch {
	case !t.tells:
	case t.Tenant == "":
		all = append(all, "no organization.id")
	default:
		all = append(all, "organization.id = "+strconv.Quote(t.Tenant))
	}
	for _, v := range t.Key {
		all = append(all, v.Field+" = "+string(v.Value))
	}
	if t.From != nil && t.To != nil {
		all = append(all, "between "+clock(t.From.Truncate(time.Millisecond))+" and "+clock(t.To.Truncate(time.Millisecond)))
	}
	return strings.Join(all, ", ")
}

func (p *Part) write(b *strings.Builder, indent string, of *Event) {
	mark := "no   "
	switch {
	case p.Error != "":
		mark = "err  "
	case p.Holds:
		mark = "yes  "
	}
	parts, says := p.Parts, p.Says
	if len(parts) == 1 && p.Condition == "" { // a condition that is not joined by &&
		one := parts[0]
		one.Name, parts = p.Name, nil
		p = &one
		says = p.Says
	}
	text := p.Name
	condition := p.Condition
	if strings.Contains(condition, "\n") {
		condition = strings.Join(strings.Fields(condition), " ")
	}
	for _, more := range [...]string{condition, says} {
		switch {
		case more == "":
		case text == "":
			text = more
		default:
			text += ": " + more
		}
	}
	line(b, indent, mark+text)
	indent += "     "
	if p.Error != "" {
		line(b, indent+"  ", p.Error)
	}
	if len(p.Values) > 0 {
		line(b, indent+"  ", values(p.Values))
	}
	for i := range parts {
		parts[i].write(b, indent, of)
	}
	for i, e := range p.Events {
		if i == firstEvents && p.More > 0 {
			line(b, indent+"  ", fmt.Sprintf("... %d more", p.More))
		}
		text := e.Head()
		if of != nil && e.ID == of.ID && e.Time.Equal(of.Time.Time) && e.Action == of.Action {
			text += " (this event)"
		}
		if len(e.Values) > 0 {
			text += ": " + values(e.Values)
		}
		line(b, indent+"  ", text)
	}
}

func values(all []Value) string {
	var b strings.Builder
	for i, v := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.Field + " = " + string(v.Value))
	}
	return b.String()
}

func line(b *strings.Builder, indent, text string) {
	b.WriteString(indent + diag.EscapeLine(text) + "\n")
}
