package app

import (
	"log/slog"
	"slices"
	"time"
)

// Role is a part of the work, which an instance does or leaves to others.
type Role string

// The roles.
const (
	Ingest  Role = "ingest"  // sources are read, and their records stored
	Detect  Role = "detect"  // records are evaluated
	Deliver Role = "deliver" // alerts are sent to sinks
)

// Roles are all roles, in the order in which a record meets them.
var Roles = []Role{Ingest, Detect, Deliver}

// has reports whether the instance has a role.
func (r *Run) has(one Role) bool { return len(r.Roles) == 0 || slices.Contains(r.Roles, one) }

// roles are those of the instance, in their order.
func (r *Run) roles() []Role {
	return slices.DeleteFunc(slices.Clone(Roles), func(one Role) bool { return !r.has(one) })
}

// Lacking are the roles that no instance has, of those that run.
func Lacking(all []Status, now time.Time) (lacking []Role) {
	for _, role := range Roles {
		if !slices.ContainsFunc(all, func(s Status) bool {
			return !s.Ended && !s.Stale(now) && (len(s.Roles) == 0 || slices.Contains(s.Roles, role)) // earlier versions have all
		}) {
			lacking = append(lacking, role)
		}
	}
	return lacking
}

// Undone says what is not done without a role.
func (one Role) Undone() string {
	switch one {
	case Ingest:
		return "no source is read"
	case Detect:
		return "nothing is evaluated"
	}
	return "alerts are not delivered"
}

// tellRoles tells of roles that no instance has had for a minute, once.
func (p *peers) tellRoles(own []Role, log *slog.Logger, now time.Time) {
	all := []Status{{At: now, Roles: own}}
	for _, s := range p.all {
		all = append(all, s)
	}
	lacking := Lacking(all, now)
	switch {
	case len(lacking) == 0:
		p.lacking, p.toldLacking = time.Time{}, false
	case p.lacking.IsZero():
		p.lacking = now
	case now.Sub(p.lacking) >= lackingLong && !p.toldLacking:
		p.toldLacking = true
		for _, one := range lacking {
			log.Warn("no instance has the role "+string(one)+": "+one.Undone(), slog.Time("since", p.lacking))
		}
	}
}

const lackingLong = time.Minute // instances start one after the other
