package sample

import (
	"regexp"
	"strings"
	"time"
)

// instant is a time as records write it: RFC 3339, with any number of decimals, with or without a zone.
var instant = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?$`)

const clock = "2006-01-02T15:04:05"

// Move moves all times in a record, also those in objects and lists that stand in text. Each keeps its notation.
func (n *Node) Move(by time.Duration) {
	if by != 0 {
		n.texts(func(t string) string { return moved(t, by) })
	}
}

func moved(text string, by time.Duration) string {
	if len(text) < len(clock) || text[4] != '-' || text[10] != 'T' { // nearly all
		return text
	}
	m := instant.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	t, err := time.Parse(clock+".999999999", m[1]+m[2])
	if err != nil {
		return text
	}
	layout := clock
	if m[2] != "" {
		layout += "." + strings.Repeat("0", min(len(m[2])-1, 9))
	}
	return t.Add(by).Format(layout) + m[3]
}

// Rename replaces a text wherever it is the whole of a value.
func (n *Node) Rename(from, to string) {
	n.texts(func(t string) string {
		if t == from {
			return to
		}
		return t
	})
}

// texts replaces all texts and numbers, and reports whether one has changed. What stands in text is read where that changes it.
func (n *Node) texts(by func(string) string) (changed bool) {
	switch n.Kind {
	case Text:
		if t := by(n.Text); t != n.Text {
			n.Text = t
			return true
		}
		inside := *n
		if inside.unfold(); inside.folded && inside.texts(by) {
			*n = inside
			return true
		}
	case Plain:
		if t := by(n.Text); t != n.Text {
			n.Kind, n.Text = Text, t
			return true
		}
	}
	for i := range n.Members {
		changed = n.Members[i].Value.texts(by) || changed
	}
	for _, v := range n.Items {
		changed = v.texts(by) || changed
	}
	return changed
}
