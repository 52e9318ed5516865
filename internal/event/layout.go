package event

import (
	"slices"
	"strconv"
	"strings"

	"noroshi/internal/diag"
)

type form uint8

const (
	plain    form = iota
	lowered       // the lower case of another slot
	presence      // whether another slot has a value
	own           // no value of records, but of what alerts show
)

// Def is what a slot stands for.
type Def struct {
	Name  string
	Type  Type
	Field *Field // nil for raw, param, change and for the forms of other slots
	form  form
	of    Slot
}

// Layout numbers the values that a set of rules mentions. It grows while rules are compiled and is immutable afterwards.
type Layout struct {
	defs  []Def
	names map[string]Slot
}

// NewLayout makes a layout with the slots that every event has.
func NewLayout() *Layout {
	l := &Layout{names: map[string]Slot{}}
	for _, n := range fixedNames {
		l.Slot(n)
	}
	return l
}

const (
	lowerName    = "lower "
	presenceName = "has "
	ownName      = "own "
)

// Slot is the number of a field, or of an entry of an open family: raw.A.B, param[Name], change[Name].old, change[Name].new.
// It is made when first asked for; false means that there is no such field.
func (l *Layout) Slot(name string) (Slot, bool) {
	if s, ok := l.names[name]; ok {
		return s, true
	}
	d := Def{Name: name}
	if f, ok := Lookup(name); ok {
		d.Type, d.Field = f.Type, f
	} else if !open(name) {
		return 0, false
	}
	return l.add(d), true
}

// Lower is the slot of the lower case of a slot.
func (l *Layout) Lower(of Slot) Slot {
	d := l.defs[of]
	if s, ok := l.names[lowerName+d.Name]; ok {
		return s
	}
	return l.add(Def{Name: lowerName + d.Name, Type: d.Type, form: lowered, of: of})
}

// Presence is the slot of the truth whether a slot has a value.
func (l *Layout) Presence(of Slot) Slot {
	d := l.defs[of]
	if s, ok := l.names[presenceName+d.Name]; ok {
		return s
	}
	return l.add(Def{Name: presenceName + d.Name, Type: Bool, form: presence, of: of})
}

// Own is the slot of a value that no record has: a rule's memory gives it. No condition finds it by its name.
func (l *Layout) Own(name string, t Type) Slot {
	if s, ok := l.names[ownName+name]; ok {
		return s
	}
	return l.add(Def{Name: ownName + name, Type: t, form: own})
}

// FindOwn is the slot of a value that a rule's memory gives, where a text mentions it.
func (l *Layout) FindOwn(name string) (Slot, bool) { return l.Find(ownName + name) }

func (l *Layout) add(d Def) Slot {
	s := Slot(len(l.defs))
	l.defs = append(l.defs, d)
	l.names[d.Name] = s
	return s
}

// Find is the number of a name that has one, forms of slots included.
func (l *Layout) Find(name string) (Slot, bool) {
	s, ok := l.names[name]
	return s, ok
}

// Len is the number of slots.
func (l *Layout) Len() int { return len(l.defs) }

// Def tells what a slot stands for.
func (l *Layout) Def(s Slot) *Def { return &l.defs[s] }

// Plain reports whether a slot is no form of another one.
func (d *Def) Plain() bool { return d.form == plain }

// Own reports whether a slot is that of no record, but of a rule's memory.
func (d *Def) Own() bool { return d.form == own }

// Root is the slot that a slot is a form of, or itself.
func (l *Layout) Root(s Slot) Slot {
	for l.defs[s].form == lowered || l.defs[s].form == presence {
		s = l.defs[s].of
	}
	return s
}

// Families are the open families: their names are the record's own.
var Families = []string{"raw", "param", "change"}

// open reports whether a flat name belongs to an open family.
func open(name string) bool {
	inside := func(family, end string) bool {
		return strings.HasPrefix(name, family+"[") && strings.HasSuffix(name, end) && len(name) > len(family)+1+len(end)
	}
	return strings.HasPrefix(name, "raw.") && len(name) > len("raw.") || strings.HasPrefix(name, `raw["`) ||
		inside("param", "]") || inside("change", "].old") || inside("change", "].new")
}

// Member is the flat name of a member of what a flat name of the family raw stands for. Names that could be read as more than one
// member stand in brackets.
func Member(of, name string) string {
	for i, c := range name {
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return of + "[" + strconv.Quote(name) + "]"
		}
	}
	if name == "" {
		return of + `[""]`
	}
	return of + "." + name
}

// Entry is the flat name of an entry of a family of Name/Value lists: param or change.
func Entry(family, name string) string { return family + "[" + name + "]" }

// otherSchemas are fields of the Elastic Common Schema that are another one here.
var otherSchemas = map[string]string{
	"event.category": "event.action", "event.type": "event.action", "event.provider": "event.dataset", "event.module": "event.dataset",
}

// Suggest is the field that a misspelt name most likely means, or "".
func Suggest(name string) string {
	if meant := otherSchemas[strings.ToLower(name)]; meant != "" {
		return meant
	}
	all := make([]string, 0, len(fields)+len(Families))
	for i := range fields {
		all = append(all, fields[i].Name)
		// Authors of other tools write the last part alone.
		if at := strings.LastIndexByte(fields[i].Name, '.'); at >= 0 && strings.EqualFold(fields[i].Name[at+1:], name) {
			return fields[i].Name
		}
	}
	return diag.Suggest(name, append(all, Families...))
}

// Fields are all fields, by name.
func Fields() []Field {
	all := slices.Clone(fields)
	slices.SortFunc(all, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Lookup finds a field by its name.
func Lookup(name string) (*Field, bool) {
	f, ok := byName[name]
	return f, ok
}

var byName = index(fields)

func index(all []Field) map[string]*Field {
	m := make(map[string]*Field, len(all))
	for i := range all {
		m[all[i].Name] = &all[i]
	}
	return m
}

// Family is the open family of a name that is no field, or "".
func (d *Def) Family() string {
	for _, f := range Families {
		if d.Field == nil && len(d.Name) > len(f) && d.Name[:len(f)] == f {
			return f
		}
	}
	return ""
}

// Key is what stands in the brackets of param[Key] and change[Key].old.
func (d *Def) Key() string {
	_, key, _ := strings.Cut(d.Name, "[")
	key, _, _ = cutLast(key, "]")
	return key
}

// Form is how the text is made canonical.
func (d *Def) Form() Form {
	switch {
	case d.Field != nil && d.Field.Type == Bool:
		return Truth
	case d.Field != nil && d.Field.Type == Number:
		return Decimal
	case d.Field != nil:
		return d.Field.Form
	case d.Family() == "change":
		return JSONText
	}
	return AsIs
}
