package cli

import (
	"io"

	"noroshi/internal/alert"
)

// lines print alerts for a person. They name the tenant where alerts of several are printed.
type lines struct {
	out     io.Writer
	held    []held // of the only tenant so far
	tenant  string
	some    bool // an alert has come
	several bool
}

type held struct{ with, without string }

// maxHeld is how many lines wait to see whether another tenant follows. Behind so many they go out as they are until one does.
const maxHeld = 10_000

func (l *lines) add(a *alert.Alert) error {
	if l.several = l.several || l.some && a.Tenant != l.tenant; l.several {
		if err := l.flush(); err != nil {
			return err
		}
		_, err := io.WriteString(l.out, line(a, inTenant(a))+"\n")
		return err
	}
	l.some, l.tenant = true, a.Tenant
	l.held = append(l.held, held{with: line(a, inTenant(a)), without: Line(a)})
	if len(l.held) > maxHeld {
		return l.flush()
	}
	return nil
}

// flush prints what waits.
func (l *lines) flush() error {
	for _, h := range l.held {
		text := h.without
		if l.several {
			text = h.with
		}
		if _, err := io.WriteString(l.out, text+"\n"); err != nil {
			return err
		}
	}
	l.held = nil
	return nil
}
