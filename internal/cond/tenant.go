package cond

import "noroshi/internal/event"

// Lists of which single tenants have their own: a look-up in them depends on the event's tenant. For a tenant that has none of that
// name, and for records that name no tenant, the common list counts.

// listedName is the function that `x in lists.name` becomes where the list differs by tenant. No author can write such a name.
const listedName = "in list"

// tenantTexts are the entries of a list.
type tenantTexts struct {
	common map[string]struct{}
	own    map[string]map[string]struct{} // by tenant, also empty ones
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
	mine, ok := in.own[m.ev.Text(event.Tenant)]
	if !ok {
		mine = in.common
	}
	_, ok = mine[text]
	return ok
}

// mine is the list of the event's tenant, the common one where it has none of that name.
func (m *Machine) mine(l List) List {
	if of, ok := l.(ByTenant); ok {
		if own := of.Own(m.ev.Text(event.Tenant)); own != nil {
			return own
		}
	}
	return l
}
