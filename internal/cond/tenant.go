package cond

import "noroshi/internal/event"

// Lists to which single tenants add entries: a look-up in them depends on the event's tenant. Of a tenant that nobody has heard of, and
// of records that name none, only what is common to all counts.

// listedName is the function that `x in lists.name` becomes where the list differs by tenant. No author can write such a name.
const listedName = "in list"

// tenantTexts are the entries of a list.
type tenantTexts struct {
	common map[string]struct{}
	own    map[string]map[string]struct{} // by tenant, what it adds
	all    map[string]struct{}            // of all tenants together
}

func textsOf(l List) *tenantTexts {
	t := &tenantTexts{common: textSet(l)}
	t.all = t.common
	of, split := l.(ByTenant)
	if !split || len(of.Tenants()) == 0 {
		return t
	}
	t.own, t.all = map[string]map[string]struct{}{}, map[string]struct{}{}
	for _, tenant := range of.Tenants() {
		t.own[tenant] = textSet(of.Own(tenant))
		for text := range t.own[tenant] {
			t.all[text] = struct{}{}
		}
	}
	for text := range t.common {
		t.all[text] = struct{}{}
	}
	return t
}

func textSet(l List) map[string]struct{} {
	set := map[string]struct{}{}
	for _, text := range l.Texts() {
		set[text] = struct{}{}
	}
	return set
}

// listed reports whether a list holds a text for the event's tenant.
func (m *Machine) listed(text string, in *tenantTexts) bool {
	if _, ok := in.common[text]; ok {
		return true
	}
	_, ok := in.own[m.ev.Text(event.Tenant)][text]
	return ok
}

// ownOf is what the event's tenant adds to a list, nil where it adds nothing.
func (m *Machine) ownOf(l List) List {
	if of, ok := l.(ByTenant); ok {
		return of.Own(m.ev.Text(event.Tenant))
	}
	return nil
}
