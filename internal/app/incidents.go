package app

import (
	"noroshi/internal/config"
	"noroshi/internal/incident"
	"noroshi/internal/list"
)

// IncidentOptions are what incidents depend on beside what is told of accounts: how it is weighed, and the lists of the configuration.
func IncidentOptions(c *config.Config, s *incident.Scoring) incident.Options {
	return incident.Options{Scoring: s, Important: inLists(c, "vip", "break_glass"), Allowed: inLists(c, "admins")}
}

// inLists reports whether an account stands in one of some lists, those of its tenant among them.
func inLists(c *config.Config, names ...string) func(tenant, account string) bool {
	var all []*list.List
	for _, name := range names {
		if l := c.Lists[name]; l != nil {
			all = append(all, l)
		}
	}
	return func(tenant, account string) bool {
		for _, l := range all {
			if own := l.Own(tenant); l.Has(account) || own != nil && own.Has(account) {
				return true
			}
		}
		return false
	}
}
