package cli

import (
	"io"
	"slices"
	"time"

	"noroshi/internal/alert"
)

// lines print alerts for a person, in order of their time as far as they are held: what is decided late is told late. They name the tenant
// where alerts of several are printed.
type lines struct {
	out     io.Writer
	held    []held
	tenant  string
	some    bool // an alert has come
	several bool
}

type held struct {
	at            time.Time
	with, without string
}

// maxHeld is how many lines wait to see whether another tenant, or an earlier alert, follows. Then the earlier half goes out.
const maxHeld = 10_000

func (l *lines) add(a *alert.Alert) error {
	l.several = l.several || l.some && a.Tenant != l.tenant
	l.some, l.tenant = true, a.Tenant
	l.held = append(l.held, held{a.Time, line(a, inTenant(a)), Line(a)})
	if len(l.held) > maxHeld {
		return l.print(maxHeld / 2)
	}
	return nil
}

// flush prints what waits.
func (l *lines) flush() error { return l.print(len(l.held)) }

// print prints so many of those that are held, the earliest.
func (l *lines) print(n int) error {
	slices.SortStableFunc(l.held, func(a, b held) int { return a.at.Compare(b.at) })
	for _, h := range l.held[:n] {
		text := h.without
		if l.several {
			text = h.with
		}
		if _, err := io.WriteString(l.out, text+"\n"); err != nil {
			return err
		}
	}
	l.held = slices.Delete(l.held, 0, n)
	return nil
}
