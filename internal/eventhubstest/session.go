package eventhubstest

import (
	"fmt"
	"sync"

	"noroshi/internal/eventhubstest/amqp"
)

// window is how many transfers a session takes before the client has to wait for a flow.
const window = 5000

// link is a link as its session sees it: an inlet or an outlet.
type link interface {
	// flow takes the client's flow.
	flow(l amqp.List)
	// transfer takes a part of a message; an error ends the connection.
	transfer(l amqp.List, payload []byte) error
	// end takes the link out of service and reports whether it was in service.
	end() bool
}

// session is a session. The goroutine that reads the connection owns the links.
type session struct {
	conn    *conn
	channel uint16
	links   map[uint32]link

	mu         sync.Mutex // below: the goroutines that write share it
	nextIn     uint32     // the transfer to come from the client
	nextOut    uint32     // the transfer to come to the client
	since      int        // transfers taken since the last flow
	peerWindow int64      // transfers the client still takes
	delivery   uint32     // the delivery to come to the client
}

// begin answers a begin.
func (c *conn) begin(f amqp.Frame) *session {
	next, _ := amqp.Field[amqp.Uint](f.Fields, 1)
	incoming, _ := amqp.Field[amqp.Uint](f.Fields, 2)
	c.send(f.Channel, amqp.Begin, amqp.Ushort(f.Channel), amqp.Uint(0), amqp.Uint(window), amqp.Uint(window), amqp.Uint(handleMax))
	return &session{conn: c, channel: f.Channel, links: map[uint32]link{}, nextIn: uint32(next), peerWindow: int64(incoming)}
}

func (s *session) end() {
	for _, l := range s.links {
		l.end()
	}
}

func (s *session) handle(f amqp.Frame) error {
	switch f.Code {
	case amqp.Attach:
		return s.attach(f.Fields)
	case amqp.Flow:
		s.flow(f.Fields)
	case amqp.Transfer:
		return s.transfer(f)
	case amqp.Detach:
		handle, _ := amqp.Field[amqp.Uint](f.Fields, 0)
		if l := s.links[uint32(handle)]; l != nil {
			delete(s.links, uint32(handle))
			if l.end() { // otherwise the namespace detached first and this is the answer
				s.conn.send(s.channel, amqp.Detach, handle, amqp.Bool(true))
			}
		}
	case amqp.Disposition: // deliveries are settled when they are sent
	default:
		return fmt.Errorf("a frame %#x is not for a session", f.Code)
	}
	return nil
}

// flow takes the client's window and passes credit on to the link it is for (part 2, sections 2.5.6 and 2.6.7).
func (s *session) flow(l amqp.List) {
	next, _ := amqp.Field[amqp.Uint](l, 0)
	incoming, _ := amqp.Field[amqp.Uint](l, 1)
	s.mu.Lock()
	s.peerWindow = int64(incoming) - int64(s.nextOut-uint32(next))
	s.mu.Unlock()
	if handle, ok := amqp.Field[amqp.Uint](l, 4); ok {
		if l2 := s.links[uint32(handle)]; l2 != nil {
			l2.flow(l)
		}
	}
	for _, l := range s.links {
		if o, ok := l.(*outlet); ok {
			o.wake()
		}
	}
}

// transfer counts a transfer and gives it to its link. One for a link that was detached meanwhile is dropped.
func (s *session) transfer(f amqp.Frame) error {
	s.mu.Lock()
	s.nextIn++
	s.since++
	full := s.since >= window/2
	s.mu.Unlock()
	if full {
		s.sendFlow()
	}
	handle, _ := amqp.Field[amqp.Uint](f.Fields, 0)
	if l := s.links[uint32(handle)]; l != nil {
		return l.transfer(f.Fields, f.Payload)
	}
	return nil
}

// sendFlow opens the window anew, and gives a link what fields say.
func (s *session) sendFlow(fields ...amqp.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = 0
	all := append(amqp.List{amqp.Uint(s.nextIn), amqp.Uint(window), amqp.Uint(s.nextOut), amqp.Uint(window)}, fields...)
	s.conn.send(s.channel, amqp.Flow, all...)
}
