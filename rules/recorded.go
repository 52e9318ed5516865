package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/rules/sample"
)

// places are those of the base records that we ship. They are read when somebody has written a name that is no field.
var places = sync.OnceValue(func() (all []sample.Place) {
	have := map[string]bool{}
	for _, name := range sample.Shipped() {
		data, err := sample.Ours(name)
		if err != nil {
			continue // a test reads them all
		}
		n, err := sample.Parse(data)
		if err != nil {
			continue
		}
		for _, p := range n.Places() {
			if is := fmt.Sprint(p); !have[is] {
				have[is] = true
				all = append(all, p)
			}
		}
	}
	return all
})

// recorded is how conditions write what records have under a name: the member, the entry, or the members of an object.
func recorded(name string) (r cond.Recorded) {
	all := places()
	for i := range all {
		p := &all[i]
		switch {
		case !p.Is(name):
		case p.Entry != "":
			if way := cond.EntryOf(p.Path[strings.LastIndexByte(p.Path, '.')+1:], p.Entry); way != "" {
				r.Ways = append(r.Ways, way)
			}
		case p.Kind == sample.List:
			r.Deep = true
		case p.Kind == sample.Object:
			r.Deep = true
			for _, inside := range p.Inside {
				r.Inside = append(r.Inside, way(p.Path+"."+inside))
			}
		default:
			r.Ways = append(r.Ways, way(p.Path))
		}
	}
	slices.Sort(r.Ways)
	r.Ways = slices.Compact(r.Ways)
	slices.Sort(r.Inside)
	r.Inside = slices.Compact(r.Inside)
	return r
}

// way is how a condition writes a member: by its field where it has one.
func way(path string) string {
	if _, field, ok := event.Recorded(path); ok {
		return field
	}
	if strings.HasPrefix(path, "[") {
		return "raw" + path
	}
	return "raw." + path
}
