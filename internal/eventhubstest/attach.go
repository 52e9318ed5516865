package eventhubstest

import (
	"fmt"
	"strings"

	"noroshi/internal/eventhubstest/amqp"
)

// attachment is what an attach asks for (part 2, section 2.7.3).
type attachment struct {
	name       string
	handle     amqp.Uint
	receives   bool // the client does
	address    string
	local      string // the client's own end: where replies go
	filter     string
	filters    amqp.Map
	properties amqp.Map
	fields     amqp.List
}

func readAttach(l amqp.List) attachment {
	a := attachment{fields: l}
	name, _ := amqp.Field[amqp.String](l, 0)
	a.name = string(name)
	a.handle, _ = amqp.Field[amqp.Uint](l, 1)
	receives, _ := amqp.Field[amqp.Bool](l, 2)
	a.receives = bool(receives)
	source, target := ends(l, 5), ends(l, 6)
	a.address, a.local = end(target), end(source)
	if a.receives {
		a.address, a.local = a.local, a.address
	}
	a.filters, _ = amqp.Field[amqp.Map](source, 7)
	if d, ok := a.filters.Get("apache.org:selector-filter:string").(amqp.Described); ok {
		a.filter = amqp.Text(d.Value)
	}
	a.properties, _ = amqp.Field[amqp.Map](l, 13)
	return a
}

func ends(l amqp.List, i int) amqp.List {
	d, _ := amqp.Field[amqp.Described](l, i)
	fields, _ := d.Value.(amqp.List)
	return fields
}

func end(l amqp.List) string {
	if len(l) == 0 {
		return ""
	}
	return amqp.Text(l[0])
}

// attach answers an attach, or refuses it: by an attach without source and target, and a detach with the reason.
func (s *session) attach(l amqp.List) error {
	a := readAttach(l)
	if a.handle > handleMax || s.links[uint32(a.handle)] != nil {
		return fmt.Errorf("handle %d is in use or beyond %d", a.handle, handleMax)
	}
	reply := amqp.List{amqp.String(a.name), a.handle, amqp.Bool(!a.receives), amqp.Ubyte(2), amqp.Ubyte(0), nil, nil, nil, nil, nil,
		amqp.Ulong(s.conn.server.config.MaxMessage)} // without it azeventhubs finds every event too large
	for i := 3; i <= 4 && i < len(l); i++ { // clients insist on the settle modes that they asked for
		if l[i] != nil {
			reply[i] = l[i]
		}
	}
	made, why := s.admit(a)
	if why != nil {
		s.conn.server.config.Log.Debug("link refused", "address", a.address, "condition", why.condition, "text", why.text)
		s.conn.send(s.channel, amqp.Attach, reply...)
		s.conn.send(s.channel, amqp.Detach, a.handle, amqp.Bool(true), amqp.Error(why.condition, why.text))
		return nil
	}
	reply[5], reply[6] = amqp.Source(a.local, nil), amqp.Target(a.address)
	if a.receives {
		reply[5], reply[6] = amqp.Source(a.address, a.filters), amqp.Target(a.local)
		reply[9] = amqp.Uint(0) // the first delivery-count is for the sender to say
	}
	s.conn.send(s.channel, amqp.Attach, reply...)
	s.links[uint32(a.handle)] = made
	made.start()
	return nil
}

// refusal is why something is refused.
type refusal struct{ condition, text string }

// starter is a link that goes to work once the client knows of it.
type starter interface {
	link
	start()
}

// admit decides whether a link may attach, and prepares it.
func (s *session) admit(a attachment) (starter, *refusal) {
	if a.address == nodeClaims || a.address == nodeManagement {
		if a.receives {
			return s.newOutlet(a, &replies{}), nil
		}
		answer := s.conn.manage
		if a.address == nodeClaims {
			answer = s.conn.claim
		}
		return s.newInlet(a, s.respond(a.address, answer)), nil
	}
	if condition := s.conn.server.faults.link(); condition != "" {
		return nil, &refusal{condition, "refused by the test"}
	}
	if !s.conn.claimed(a.address) {
		return nil, &refusal{Unauthorized, "no claim for " + a.address}
	}
	path := strings.Split(a.address, "/")
	h := s.conn.server.hubs[strings.ToLower(path[0])]
	switch {
	case h == nil:
		return nil, &refusal{NotFound, "no event hub " + path[0]}
	case a.receives:
		return s.reader(a, h, path[1:])
	}
	return s.producer(a, h, path[1:])
}

// producer admits a link to HUB or to HUB/Partitions/N.
func (s *session) producer(a attachment, h *hub, path []string) (starter, *refusal) {
	var p *partition
	switch {
	case len(path) == 0:
	case len(path) != 2 || !strings.EqualFold(path[0], "Partitions"):
		return nil, &refusal{NotFound, "no node " + a.address}
	default:
		if p = h.partition(path[1]); p == nil {
			return nil, &refusal{OutOfRange, "no partition " + path[1]}
		}
	}
	return s.newInlet(a, func(format uint32, raw []byte) *refusal { return s.conn.server.store(h, p, format, raw) }), nil
}

// reader admits a link to HUB/ConsumerGroups/GROUP/Partitions/N.
func (s *session) reader(a attachment, h *hub, path []string) (starter, *refusal) {
	if len(path) != 4 || !strings.EqualFold(path[0], "ConsumerGroups") || !strings.EqualFold(path[2], "Partitions") {
		return nil, &refusal{NotFound, "no node " + a.address}
	}
	group := strings.ToLower(path[1])
	if !h.groups[group] {
		return nil, &refusal{NotFound, "no consumer group " + path[1]}
	}
	p := h.partition(path[3])
	if p == nil {
		return nil, &refusal{OutOfRange, "no partition " + path[3]}
	}
	now := s.conn.server.config.Now
	from, err := p.start(a.filter, now())
	if err != nil {
		return nil, &refusal{invalidField, err.Error()}
	}
	o := s.newOutlet(a, &cursor{partition: p, from: from, now: now})
	o.seat = seatOf(a, group)
	if !s.conn.trusted {
		o.claim = s.conn.claimOf(a.address)
	}
	if why := s.conn.server.sit(p, o); why != nil {
		return nil, why
	}
	return o, nil
}
