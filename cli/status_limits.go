package cli

import "fmt"

// limits are what the process may have.
func (t *statusTable) limits() {
	l := t.of.Limits
	if l.Memory == 0 {
		return
	}
	text := bytesOf(l.Memory) + " of memory"
	if l.Group > 0 {
		text += " (the control group has " + bytesOf(l.Group) + ")"
	}
	if l.Files > 0 {
		text += fmt.Sprintf(", %d open files", l.Files)
	}
	t.line("  limits: %s", text)
}
