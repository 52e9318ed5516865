package eventhubstest

import (
	"errors"
	"fmt"

	"noroshi/internal/eventhubstest/amqp"
)

// credit is how many messages a client may send before it waits for a flow.
const credit = 1000

// inlet is a link on which the client sends. The goroutine that reads the connection owns it.
type inlet struct {
	session *session
	handle  amqp.Uint
	take    func(format uint32, message []byte) *refusal

	message  []byte // the transfers of a delivery so far
	tooLarge bool   // more came than a message may have; the rest is dropped
	format   uint32
	delivery amqp.Uint
	count    uint32 // deliveries taken
	left     uint32 // deliveries the client may send
	ended    bool
}

func (s *session) newInlet(a attachment, take func(uint32, []byte) *refusal) *inlet {
	return &inlet{session: s, handle: a.handle, take: take}
}

func (l *inlet) start() { l.grant() }

func (l *inlet) flow(amqp.List) {}

func (l *inlet) end() bool {
	was := !l.ended
	l.ended = true
	return was
}

func (l *inlet) grant() {
	l.left = credit
	l.session.sendFlow(l.handle, amqp.Uint(l.count), amqp.Uint(l.left))
}

// transfer collects a delivery and settles it (part 2, section 2.7.5).
func (l *inlet) transfer(f amqp.List, payload []byte) error {
	if id, ok := amqp.Field[amqp.Uint](f, 1); ok {
		l.delivery = id
	}
	if n, ok := amqp.Field[amqp.Uint](f, 3); ok {
		l.format = uint32(n)
	}
	l.tooLarge = l.tooLarge || uint64(len(l.message)+len(payload)) > l.session.conn.server.config.MaxMessage
	if !l.tooLarge {
		l.message = append(l.message, payload...)
	}
	if more, _ := amqp.Field[amqp.Bool](f, 5); more {
		return nil
	}
	if l.left == 0 {
		return errors.New("the client sends without credit")
	}
	l.left--
	l.count++
	why := l.finish()
	if settled, _ := amqp.Field[amqp.Bool](f, 4); !settled {
		outcome := amqp.Accepted()
		if why != nil {
			outcome = amqp.Rejected(why.condition, why.text)
		}
		l.session.conn.send(l.session.channel, amqp.Disposition, amqp.Bool(true), l.delivery, l.delivery, amqp.Bool(true), outcome)
	}
	if l.left <= credit/2 {
		l.grant()
	}
	return nil
}

// finish hands the message over and makes room for the next.
func (l *inlet) finish() *refusal {
	message, tooLarge := l.message, l.tooLarge
	l.message, l.tooLarge = nil, false
	if tooLarge {
		return &refusal{MessageTooLarge, fmt.Sprintf("more than %d bytes", l.session.conn.server.config.MaxMessage)}
	}
	return l.take(l.format, message)
}

// respond answers the requests to a node on the session's reply link.
func (s *session) respond(node string, handle func(amqp.Message) answer) func(uint32, []byte) *refusal {
	return func(_ uint32, raw []byte) *refusal {
		m, err := amqp.DecodeMessage(raw)
		if err != nil {
			return &refusal{decodeError, err.Error()}
		}
		a := handle(m)
		if a.status >= 300 {
			s.conn.server.config.Log.Debug("request refused", "node", node, "status", a.status, "text", a.text)
		}
		var id amqp.Value
		if len(m.Properties) > 0 {
			id = m.Properties[0]
		}
		reply := amqp.AppendProperties(nil, amqp.List{nil, nil, nil, nil, nil, id}) // correlation-id
		reply = amqp.AppendApplication(reply, amqp.Map{
			{Key: amqp.String("status-code"), Value: amqp.Int(a.status)},
			{Key: amqp.String("status-description"), Value: amqp.String(a.text)},
		})
		s.reply(node, m, amqp.AppendValue(reply, a.value))
		return nil
	}
}

// reply puts a message on the link that reply-to names: azeventhubs gives the target of its link, @azure/event-hubs the
// name.
func (s *session) reply(node string, m amqp.Message, message []byte) {
	to := ""
	if len(m.Properties) > 4 {
		to = amqp.Text(m.Properties[4])
	}
	for _, l := range s.links {
		if o, ok := l.(*outlet); ok && o.address == node && (o.local == to || o.name == to) {
			o.feed.add(message)
			o.wake()
		}
	}
}

// store takes what a producer sent to a hub, or to one of its partitions.
func (s *Server) store(h *hub, p *partition, format uint32, raw []byte) *refusal {
	s.count(func(st *Stats) { st.Sends++ })
	if condition := s.faults.send(); condition != "" {
		return &refusal{condition, "refused by the test"}
	}
	events, err := unpack(format, raw)
	if err != nil {
		return &refusal{decodeError, err.Error()}
	}
	if len(events) == 0 {
		return nil
	}
	if p == nil {
		p = h.choose(events[0].key)
	}
	p.add(events, s.config.Now())
	return nil
}
