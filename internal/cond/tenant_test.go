package cond

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"noroshi/internal/event"
)

// split is a list in whose place tenants have their own.
type split struct {
	names3
	own map[string]names3
}

func (s split) Tenants() []string { return slices.Sorted(maps.Keys(s.own)) }

func (s split) Own(tenant string) List {
	if own, ok := s.own[tenant]; ok {
		return own
	}
	return nil
}

// conditions about lists, each way of asking for one.
var aboutLists = []string{
	`user.name in lists.vip`, `not (user.name in lists.vip)`, `user.name in lists.vip || user.name == "ren@contoso.example"`, `user.name in lists.vip && event.action == "x"`,
	`any(forward.to, # in lists.vip)`, `none(forward.to, # in lists.vip)`, `in_net(source.ip, lists.vpn)`, `!in_net(source.ip, lists.vpn)`, `external(forward.to)`, `external(user.name)`,
	`"taro@contoso.example" in lists.vip`, `lower(user.name) in lists.vip`, `has(user.name) ? user.name in lists.vip : in_net(source.ip, lists.vpn)`,
}

// holdsFor is what conditions say of an event, one letter each; what the filter says of it must not be stricter.
func holdsFor(t *testing.T, s *Scope, texts map[string]string, lists map[string][]string) string {
	t.Helper()
	said := ""
	for _, source := range aboutLists {
		p, ms := Compile(source, s)
		if p == nil {
			t.Fatalf("%s: %v", source, ms)
		}
		ev := eventOf(s, texts, lists)
		holds, err := NewMachine(ev, s).Holds(p)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if holds && !p.root.holds(ev) {
			t.Errorf("%s holds for %v, and a look at the event says that it cannot", source, texts)
		}
		said += map[bool]string{true: "T", false: "f"}[holds]
	}
	return said
}

// TestAListIsTheTenantsElseTheCommonOne: for random lists, a condition says the same as with the list of the event's tenant alone, and
// where it has none as with the common one alone; what other tenants have changes nothing.
func TestAListIsTheTenantsElseTheCommonOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	people := []string{"taro@contoso.example", "hana@contoso.example", "ren@fabrikam.example"}
	nets := []string{"203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"}
	domains := []string{"contoso.example", "fabrikam.example"}
	some := func(of []string) (all names3) {
		for _, one := range of {
			if r.IntN(3) == 0 {
				all = append(all, one)
			}
		}
		return all
	}
	differ := 0
	for n := range 300 {
		own := map[string]map[string]names3{}
		common := map[string]names3{}
		for name, of := range map[string][]string{"vip": people, "vpn": nets, AcceptedDomains: domains} {
			common[name] = some(of)
			own[name] = map[string]names3{}
			for _, tenant := range []string{"a", "b"} {
				if r.IntN(3) > 0 {
					own[name][tenant] = some(of)
				}
			}
		}
		whole, alone, only := map[string]List{}, map[string]List{}, map[string]List{}
		tenant := []string{"a", "b", "c", ""}[r.IntN(4)]
		for name := range common {
			whole[name] = split{common[name], own[name]}
			mine := map[string]names3{}
			if l, ok := own[name][tenant]; ok {
				mine[tenant] = l
			}
			alone[name] = split{common[name], mine}
			only[name] = common[name]
			if l, ok := own[name][tenant]; ok {
				only[name] = l
			}
		}
		texts := map[string]string{"organization.id": tenant, "user.name": people[r.IntN(3)], "event.action": "x", "user.kind": "user"}
		texts["source.ip"] = []string{"203.0.113.7", "198.51.100.7", "192.0.2.7"}[r.IntN(3)]
		lists := map[string][]string{"forward.to": some(people)}
		got := holdsFor(t, scope(whole), texts, lists)
		if want := holdsFor(t, scope(only), texts, lists); got != want {
			t.Fatalf("%d: tenant %q, %v: got %s, want %s with lists %v", n, tenant, texts, got, want, whole)
		}
		if want := holdsFor(t, scope(alone), texts, lists); got != want {
			t.Fatalf("%d: tenant %q, %v: got %s, without the other tenants %s", n, tenant, texts, got, want)
		}
		texts["organization.id"] = ""
		if holdsFor(t, scope(whole), texts, lists) != got {
			differ++
		}
	}
	if differ < 30 {
		t.Errorf("the tenant matters in %d cases only", differ)
	}
}

func eventOf(s *Scope, texts map[string]string, lists map[string][]string) *event.Event {
	ev := event.New(s.Layout, record{s.Layout, texts, lists})
	ev.Next()
	return ev
}
