package clock

import "strings"

// latest is what the last record has shown: most often the next one shows the same.
type latest struct {
	source          *source
	tenant, dataset string
	span            *span
}

// Show says that a record of a source partition has shown a dataset in a tenant at a time. So it is known with the record itself, and not
// only with the tick that comes after it. No clock waits for a source partition that has never ticked.
func (c *Clocks) Show(name, tenant, dataset []byte, at int64) {
	l := &c.latest
	if l.span == nil || l.source.name != string(name) || l.tenant != string(tenant) || l.dataset != string(dataset) {
		s := c.source(string(name))
		if s == nil {
			return
		}
		w := Shown{string(tenant), string(dataset), at, at}
		c.show(s, &w)
		span := s.shown[pair{w.Tenant, w.Dataset}]
		if span == nil {
			return
		}
		*l = latest{s, strings.Clone(w.Tenant), strings.Clone(w.Dataset), span}
		c.version++
		return
	}
	l.span.first = min(l.span.first, at)
	if at > l.span.last {
		l.span.last = at
		c.outdate(l.source, l.span)
	}
}
