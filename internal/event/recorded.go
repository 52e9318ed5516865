package event

import "strings"

// Recorded finds the field that a member of records becomes: Operation is event.action, ClientIP is source.ip. The member is given
// as it is spelt in records.
func Recorded(name string) (member, field string, ok bool) {
	r, ok := recorded[strings.ToLower(name)]
	return r.member, r.field, ok
}

type place struct {
	member, field string
	rank          int // the better the smaller
}

// recorded are the fields by the members that they are read from, lower case: by the whole path before its last part.
var recorded = placesOf(fields)

func placesOf(all []Field) map[string]place {
	m := map[string]place{}
	put := func(name string, p place) {
		if have, taken := m[strings.ToLower(name)]; name != "" && (!taken || p.rank < have.rank) {
			m[strings.ToLower(name)] = p
		}
	}
	for rank, pick := range []func(path string) string{
		func(path string) string { return path },
		func(path string) string { return strings.TrimPrefix(path, "properties.") },
		func(path string) string { return path[strings.LastIndexByte(path, '.')+1:] },
	} {
		for i := range all {
			all[i].placed(func(path string, p place) {
				p.rank += 10_000 * rank
				put(pick(path), p)
			})
		}
	}
	return m
}

// placed gives the plain paths of a field. Fields that are worked out of others come last, and those that have many places.
func (f *Field) placed(each func(path string, p place)) {
	for shape, paths := range f.Paths {
		rank := len(paths)
		if f.Derived != "" {
			rank += 1000
		}
		if Shape(shape) == Other {
			rank += 2000
		}
		for _, path := range paths {
			if !strings.ContainsAny(path, "[*") && (f.Type != Bool || f.Derived == "") {
				each(path, place{path[strings.LastIndexByte(path, '.')+1:], f.Name, rank})
			}
		}
	}
}
