// Package decode turns a record's bytes into the event that rules see.
package decode

import (
	"maps"
	"slices"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// MaxRecord is the longest record that is read, in bytes; a longer one is undecodable, reason size.
const MaxRecord = 4 << 20

// MaxList is how many texts of a list conditions see; the rest is cut and counted.
const MaxList = 1000

// Slack is the number of readable bytes, the first of them a zero, that must follow a record.
const Slack = projector.Slack

// Options are what an operator knows beyond the records.
type Options struct {
	// Directory gives the user principal name of an alias or object id in a tenant; nil without a directory.
	Directory func(tenant, name string) (upn string, ok bool)
	// Place tells where an address lies and whose network it is in; nil where there is no database that does. Readers remember its
	// answers.
	Place func(ip string) event.Place
}

// Plan says where in records of each shape the values of a layout lie. It is immutable and shared by all readers.
type Plan struct {
	layout  *event.Layout
	options Options
	views   [event.Shapes]view

	location event.Slot // where the layout has it, as those that follow
	region   event.Slot
	city     event.Slot
	operator event.Slot
}

// view is a shape as the plan's projector sees it.
type view struct {
	shape  event.Shape
	paths  []string
	at     map[string]int32 // by path, as it is spelt
	same   map[string]int32 // by what paths have in common that lead to the same value
	slots  []origin         // by slot
	lists  []int32          // the Name/Value lists that param looks into
	inside []int32          // the members in which another record may lie
	users  []int32          // where a directory audit names the user who began it,
	apps   []int32          // and the application
	owner  int32            // where a record names the owner of a mailbox, or -1
}

// origin is where a slot's value comes from.
type origin struct {
	feeds  []int32 // places in paths, the first that has a text counts
	plain  int32   // the only place, where a text there is the value as it stands; else -1
	form   event.Form
	derive func(r *Reader, text string) string
	list   func(r *Reader) []string
	told   uint8 // the shapes of records around that may tell the value, as bits
}

// NewPlan plans the projection of a layout's values. It adds the slots that derived values are worked out of, and is made
// after the last rule has been compiled.
func NewPlan(l *event.Layout, o Options) *Plan {
	for _, name := range identity {
		l.Slot(name)
	}
	if o.Place != nil {
		for name := range byAddress {
			l.Slot(name)
		}
	}
	for s := event.Slot(0); int(s) < l.Len(); s++ { // grows while it runs
		for _, name := range derived[l.Def(s).Name].needs {
			l.Slot(name)
		}
	}
	p := &Plan{layout: l, options: o}
	for name, slot := range map[string]*event.Slot{"source.geo.location": &p.location, "source.geo.region_name": &p.region, "source.geo.city_name": &p.city, "source.as.organization.name": &p.operator} {
		*slot, _ = l.Find(name)
	}
	for s := range p.views {
		p.views[s] = p.newView(event.Shape(s))
	}
	return p
}

// Layout is the numbering of the values.
func (p *Plan) Layout() *event.Layout { return p.layout }

func (p *Plan) newView(shape event.Shape) view {
	l := p.layout
	v := view{shape: shape, at: map[string]int32{}, same: map[string]int32{}, slots: make([]origin, l.Len())}
	for _, m := range marks[:marked[shape]] {
		v.path(m)
	}
	if marked[shape] > markProperties { // what opens them does not depend on what else is wanted
		v.path(marks[markProperties] + ".id")
	}
	for _, holder := range holders[shape] {
		v.inside = append(v.inside, v.path(holder))
	}
	for _, p := range structured[shape] {
		v.path(p)
	}
	if shape == event.Defender {
		for _, p := range columns {
			v.path(p)
		}
	}
	for s := range v.slots {
		d := l.Def(event.Slot(s))
		if !d.Plain() {
			continue
		}
		o := &v.slots[s]
		o.plain = -1
		for _, p := range d.Paths(shape) {
			o.feeds = append(o.feeds, v.path(p))
		}
		o.form = d.Form()
		how := derived[d.Name]
		o.derive, o.list = how.text, how.list
		if add := byAddress[d.Name]; add != nil && p.options.Place != nil {
			o.derive = add
		}
		if how.own {
			o.feeds = nil
		}
		if shape == event.UAL { // others are not what they lie in
			o.told = tellers(d.Name)
		}
		if d.Field == nil && d.Family() == "param" && shape == event.UAL {
			v.lists = nil
			for _, l := range event.Lists {
				v.lists = append(v.lists, v.path(l))
			}
		}
	}
	for s := range v.slots {
		if o := &v.slots[s]; len(o.feeds) == 1 && o.form == event.AsIs && o.derive == nil && o.told == 0 {
			o.plain = o.feeds[0]
		}
	}
	v.owner = -1
	if i, ok := v.find("MailboxOwnerUPN"); ok {
		v.owner = i
	}
	v.users, v.apps = v.places(userInitiators[:]), v.places(appInitiators[:])
	return v
}

// find is where a path's value is among those projected, however the plan spells it.
func (v *view) find(path string) (int32, bool) {
	if i, ok := v.at[path]; ok {
		return i, true
	}
	i, ok := v.same[projector.Same(path)]
	return i, ok
}

// places are those of paths that are projected.
func (v *view) places(paths []string) (all []int32) {
	for _, p := range paths {
		if i, ok := v.find(p); ok {
			all = append(all, i)
		}
	}
	return all
}

// path is the place of a path among those projected. Paths that differ in case alone have one place: what a rule sees does not
// depend on how others spell it.
func (v *view) path(p string) int32 {
	if i, ok := v.at[p]; ok {
		return i
	}
	same := projector.Same(p)
	i, ok := v.same[same]
	if !ok {
		i = int32(len(v.paths))
		v.same[same] = i
		v.paths = append(v.paths, p)
	}
	v.at[p] = i
	return i
}

// Given reports whether records of a shape can have a value for the slot.
func (p *Plan) Given(s event.Slot, shape event.Shape) bool {
	s = p.layout.Root(s)
	o := &p.views[shape].slots[s]
	return len(o.feeds) > 0 || o.told != 0 || o.derive != nil || o.list != nil
}

// Derived reports whether a slot's value costs more than a look into the record.
func (p *Plan) Derived(s event.Slot) bool {
	name := p.layout.Def(s).Name
	if p.options.Place != nil && byAddress[name] != nil {
		return true
	}
	how := derived[name]
	return how.text != nil && !how.cheap || how.list != nil
}

// Names are the derived fields, for tests about the schema.
func Names() []string { return slices.Sorted(maps.Keys(derived)) }
