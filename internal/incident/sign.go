package incident

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"noroshi/internal/alert"
)

// The bounds of what is held of an alert.
const (
	maxSessions = 8
	maxBrought  = 20 // steps of remediation
)

// sign is what is held of an alert.
type sign struct {
	ID        string        `json:"i"`
	Revision  int           `json:"n"`
	Withdrawn bool          `json:"w,omitempty"`
	Rule      string        `json:"r"`
	Title     string        `json:"t,omitempty"`
	Class     string        `json:"c"`
	Points    int           `json:"p"`
	Severity  string        `json:"s"`
	Time      time.Time     `json:"at"`
	From      time.Time     `json:"from"` // the time of its first event
	Text      string        `json:"x"`
	EventID   string        `json:"e,omitempty"`
	Dataset   string        `json:"d,omitempty"`
	Action    string        `json:"a,omitempty"`
	Sessions  []string      `json:"ss,omitempty"`
	Source    alert.Source  `json:"src"`
	Actor     string        `json:"k,omitempty"` // kind of the actor
	By        string        `json:"b,omitempty"` // the actor's name
	Managed   bool          `json:"m,omitempty"` // every event of its evidence is from a managed device
	Count     int           `json:"ct,omitempty"`
	Steps     []broughtStep `json:"do,omitempty"`
}

// broughtStep is a step of remediation that an alert brings.
type broughtStep struct {
	ID      string `json:"i"`
	Text    string `json:"t"`
	Command string `json:"c,omitempty"`
}

// newSign takes what is held of an alert.
func newSign(a *alert.Alert) *sign {
	s := &sign{ID: a.ID, Revision: max(1, a.Revision), Withdrawn: a.Status == alert.Withdrawn, Rule: a.Rule.ID, Title: a.Rule.Title, Class: a.Rule.Class,
		Points: a.Rule.Points, Severity: a.Severity, Time: a.Time.UTC(), From: a.Window.First.UTC(), Text: a.Summary, Source: a.Source, Actor: a.Actor.Kind, By: a.Actor.Name, Count: a.Window.Count}
	if s.From.IsZero() || s.From.After(s.Time) {
		s.From = s.Time
	}
	if n := len(a.Evidence); n > 0 {
		e := &a.Evidence[n-1]
		s.EventID, s.Dataset, s.Action = e.ID, e.Dataset, e.Action
	}
	s.Managed = len(a.Evidence) > 0 && !slices.ContainsFunc(a.Evidence, func(e alert.Evidence) bool {
		return !bytes.Contains(e.Facts, []byte(`"device.managed":true`))
	})
	s.Sessions = slices.Clone(a.Sessions[:min(len(a.Sessions), maxSessions)])
	for _, r := range a.Respond[:min(len(a.Respond), maxBrought)] {
		s.Steps = append(s.Steps, broughtStep{r.ID, r.Text, r.Command})
	}
	return s
}

// verdict is the class of alerts in which Microsoft judges the account: a service tells them.
const verdict = "verdict"

// points are those of the rule; what a service does is nobody's sign, what it tells of the account is one.
func (s *sign) points() int {
	if s.Withdrawn || s.Actor == "service" && s.Class != verdict {
		return 0
	}
	return s.Points
}

// inOrder compares signs by time.
func inOrder(a, b *sign) int { return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID)) }

// newer reports whether a sign is what a later revision of the other says. Of two with the same number, as partial ones may have, the one
// of more events counts.
func (s *sign) newer(o *sign) bool {
	return cmp.Or(cmp.Compare(s.Revision, o.Revision), cmp.Compare(s.Count, o.Count), s.Time.Compare(o.Time), strings.Compare(s.Text, o.Text)) > 0
}
