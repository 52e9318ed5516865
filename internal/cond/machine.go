package cond

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/vm"

	"noroshi/internal/event"
)

// Machine runs programs over one event. It belongs to one goroutine.
type Machine struct {
	ev       *event.Event
	env      map[string]any
	vm       vm.VM
	accepted List
	own      []event.Slot         // in the order of ownNames, for domains where no list says
	acting   []event.Slot         // what names the actor, the best first
	named    map[*string]*aliases // of lists that similar has asked, by where their entries lie
	Runs     int                  // how often the VM ran
}

// AcceptedDomains is the list of domains that are one's own.
const AcceptedDomains = "accepted_domains"

// Prepare adds to a layout what functions ask of the event.
func Prepare(l *event.Layout) {
	for _, name := range slices.Concat(ownNames, actingNames) {
		l.Slot(name)
	}
}

// What tells whose domains are one's own, and whether it can be believed.
const (
	ownActor = iota
	ownKind
	ownAccount
	ownDataset
	ownMailbox
	ownOrganization
)

var ownNames = []string{ownActor: "user.name", ownKind: "user.kind", ownAccount: "account", ownDataset: "event.dataset", ownMailbox: "raw.MailboxOwnerUPN", ownOrganization: "organization.name"}

var actingNames = []string{"user.name", "app.name", "user.id"}

// Asked are the values that functions ask of the event whatever a text mentions.
func Asked(l *event.Layout) (all []event.Slot) {
	for _, name := range slices.Concat(ownNames, actingNames) {
		if slot, ok := l.Slot(name); ok && !slices.Contains(all, slot) {
			all = append(all, slot)
		}
	}
	return all
}

// NewMachine makes a machine for programs of the scope.
func NewMachine(ev *event.Event, s *Scope) *Machine {
	m := &Machine{ev: ev}
	if s.Lists != nil {
		if l, ok := s.Lists(AcceptedDomains); ok {
			m.accepted = l
		}
	}
	for _, name := range ownNames {
		if slot, ok := ev.Layout().Find(name); ok {
			m.own = append(m.own, slot)
		}
	}
	if len(m.own) < len(ownNames) {
		m.own = nil // an event of a layout that was not prepared
	}
	for _, name := range actingNames {
		if slot, ok := ev.Layout().Find(name); ok {
			m.acting = append(m.acting, slot)
		}
	}
	m.env = m.bound()
	return m
}

// Holds reports whether a condition holds for the event. An error is one of the condition, at run time.
func (m *Machine) Holds(p *Program) (bool, error) {
	v, err := m.run(p)
	if err != nil {
		return false, err
	}
	holds, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("evaluate condition: it gives a %T", v)
	}
	return holds, nil
}

func (m *Machine) run(p *Program) (any, error) {
	m.Runs++
	for i, s := range p.slots {
		m.env[p.names[i]] = m.Value(s)
	}
	v, err := m.vm.Run(p.vm, m.env)
	if err != nil {
		return nil, fmt.Errorf("evaluate condition: %s", firstLine(err.Error()))
	}
	return v, nil
}

// Value is a slot's value with its type: text, number, truth or list.
func (m *Machine) Value(s event.Slot) any {
	switch m.ev.Layout().Def(s).Type {
	case event.Number:
		n, _ := event.NumberOf(m.ev.Text(s))
		return n
	case event.Bool:
		return m.ev.Bool(s)
	case event.List:
		return m.ev.List(s)
	}
	return m.ev.Text(s)
}
