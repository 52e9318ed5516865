package event

import (
	"regexp"
	"slices"
	"strings"
)

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

// Read reports whether a field is read from a place of records: a member by its path, or an entry of a list of names and values.
func Read(path string) bool {
	if entry, ok := strings.CutSuffix(path[strings.LastIndexByte(path, '[')+1:], "]"); ok {
		_, _, fields := Entered(entry)
		return len(fields) > 0
	}
	return slices.ContainsFunc(fields, func(f Field) bool {
		return slices.ContainsFunc(f.Paths[:], func(of []string) bool {
			return slices.ContainsFunc(of, func(p string) bool { return strings.EqualFold(p, path) })
		})
	})
}

// recorded are the fields by the members that they are read from, lower case: by the whole path before its last part.
var recorded = placesOf(fields)

// entered are the fields by the entries of lists that they are worked out of, lower case.
var entered = entriesOf(fields)

type entry struct {
	list, name string
	fields     []string
}

// word is an entry's name among the words of Field.Derived. One that begins with … stands for all that end so.
var word = regexp.MustCompile(`^…?[A-Z][A-Za-z]*([.][A-Z][A-Za-z]*)?$`)

func entriesOf(all []Field) map[string]*entry {
	m := map[string]*entry{}
	for i := range all {
		f := &all[i]
		at := slices.IndexFunc(f.Paths[UAL], func(path string) bool { return slices.Contains(several, path) })
		if at < 0 {
			continue
		}
		for name := range strings.SplitSeq(f.Derived, ", ") {
			if _, member := recorded[strings.ToLower(name)]; !word.MatchString(name) || member && slices.Contains(f.Paths[UAL], name) {
				continue
			}
			e := m[strings.ToLower(name)]
			if e == nil {
				e = &entry{list: f.Paths[UAL][at], name: name}
				m[strings.ToLower(name)] = e
			}
			e.fields = append(e.fields, f.Name)
		}
	}
	return m
}

// Entered finds the fields that are worked out of an entry of a list of names and values: MoveToFolder is inbox_rule.moves_to.
// The list and the entry are given as they are spelt in records.
func Entered(name string) (list, spelt string, fields []string) {
	if e := entered[strings.ToLower(name)]; e != nil {
		return e.list, e.name, e.fields
	}
	for end, e := range entered {
		if end, open := strings.CutPrefix(end, "…"); open && strings.HasSuffix(strings.ToLower(name), end) {
			return e.list, name, e.fields
		}
	}
	return "", "", nil
}

// several are lists that many fields are worked out of, and that none of them is.
var several = slices.Concat(Lists, []string{"ModifiedProperties", "properties.targetResources"})

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
				if slices.Contains(several, path) {
					return
				}
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
