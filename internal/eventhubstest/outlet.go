package eventhubstest

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/internal/eventhubstest/amqp"
)

// outlet is a link on which the client receives, with a goroutine that sends as credit and window allow.
type outlet struct {
	session *session
	handle  amqp.Uint
	name    string
	address string
	local   string
	feed    feed
	seat    seat
	claim   *atomic.Int64 // when the right to read ends, in Unix nanoseconds; nil: never
	bell    chan struct{} // rung when something changed
	gone    chan struct{}

	mu     sync.Mutex // held while a delivery is sent: none may follow the detach
	ended  bool
	count  uint32 // deliveries sent
	credit uint32 // deliveries the client still takes
	drain  bool
}

// feed is where an outlet's messages come from. It is used under the outlet's lock, except for add.
type feed interface {
	// peek returns the next message, nil if there is none now.
	peek() []byte
	// taken says that it was sent.
	taken()
	// add puts a message at the end.
	add(message []byte)
	// leave says that the link is gone.
	leave(o *outlet)
}

// newOutlet makes a link that takes part in nothing until start.
func (s *session) newOutlet(a attachment, f feed) *outlet {
	l := &outlet{session: s, handle: a.handle, name: a.name, address: a.address, local: a.local, feed: f,
		bell: make(chan struct{}, 1), gone: make(chan struct{})}
	l.mu.Lock() // until start: a reader has its seat, and may lose it, before its attach was answered
	return l
}

func (l *outlet) start() {
	l.mu.Unlock()
	l.session.conn.writers.Go(l.deliver)
}

func (l *outlet) transfer(amqp.List, []byte) error { return nil }

func (l *outlet) wake() {
	select {
	case l.bell <- struct{}{}:
	default: // it rings already
	}
}

// flow takes the client's credit (part 2, section 2.6.7).
func (l *outlet) flow(f amqp.List) {
	count, _ := amqp.Field[amqp.Uint](f, 5)
	credit, ok := amqp.Field[amqp.Uint](f, 6)
	if !ok {
		return
	}
	drain, _ := amqp.Field[amqp.Bool](f, 8)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.credit, l.drain = uint32(count)+uint32(credit)-l.count, bool(drain)
}

func (l *outlet) end() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.endLocked()
}

func (l *outlet) endLocked() bool {
	if l.ended {
		return false
	}
	l.ended = true
	close(l.gone)
	l.feed.leave(l)
	return true
}

// detach ends the link from the namespace's side.
func (l *outlet) detach(condition, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.detachLocked(condition, text)
}

func (l *outlet) detachLocked(condition, text string) {
	if l.endLocked() {
		l.session.conn.send(l.session.channel, amqp.Detach, l.handle, amqp.Bool(true), amqp.Error(condition, text))
	}
}

// deliver sends until the link or the connection ends.
func (l *outlet) deliver() {
	c := l.session.conn
	for {
		for l.pause() && l.one() {
		}
		l.drained()
		c.flush()
		select {
		case <-l.bell:
		case <-l.gone:
			return
		case <-c.done:
			return
		}
	}
}

// pause waits as long as the throttling asks; false where the link ended meanwhile.
func (l *outlet) pause() bool {
	d := l.session.conn.server.faults.pause()
	if _, events := l.feed.(*cursor); d <= 0 || !events {
		return true
	}
	l.session.conn.flush()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.gone:
	case <-l.session.conn.done:
	}
	return false
}

// one sends the next message, if there is one and the client takes it.
func (l *outlet) one() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.credit == 0 {
		return false
	}
	message := l.feed.peek()
	if message != nil && l.claim != nil && l.session.conn.server.config.Now().UnixNano() >= l.claim.Load() {
		l.detachLocked(Unauthorized, "the token has expired")
		return false
	}
	if message == nil || !l.send(message) {
		return false
	}
	l.feed.taken()
	l.credit--
	l.count++
	return true
}

// drained gives back the credit of a client that wants no more than there is.
func (l *outlet) drained() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || !l.drain {
		return
	}
	l.count += l.credit
	l.credit, l.drain = 0, false
	l.session.sendFlow(l.handle, amqp.Uint(l.count), amqp.Uint(0), nil, amqp.Bool(true))
}

// transferRoom is more than the header and the fields of a transfer take.
const transferRoom = 128

// send buffers a message as transfers that are settled already: azeventhubs settles nothing, and gives credit only for
// what is settled. It is false where the session's window has no room for all of it.
func (l *outlet) send(message []byte) bool {
	s := l.session
	size := int(s.conn.peerMax) - transferRoom
	frames := (len(message) + size - 1) / size
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peerWindow < int64(frames) {
		return false
	}
	id := amqp.Uint(s.delivery)
	s.delivery++
	tag := amqp.Binary(binary.BigEndian.AppendUint32(nil, uint32(id)))
	for i := range frames {
		fields := amqp.List{l.handle, id, tag, amqp.Uint(0), amqp.Bool(true), amqp.Bool(i < frames-1)}
		part := message[i*size : min((i+1)*size, len(message))]
		s.conn.buffer(amqp.AppendFrame(nil, amqp.Plain, amqp.Frame{Channel: s.channel, Code: amqp.Transfer, Fields: fields, Payload: part}))
		s.nextOut++
		s.peerWindow--
	}
	return true
}

// cursor feeds the events of a partition.
type cursor struct {
	partition *partition
	from      int64 // the sequence number to deliver at least
	now       func() time.Time
}

func (c *cursor) peek() []byte {
	e, ok := c.partition.read(c.from, c.now())
	if !ok {
		return nil
	}
	c.from = e.sequence
	return e.message()
}

func (c *cursor) taken() {
	c.from++
	c.partition.mu.Lock()
	defer c.partition.mu.Unlock()
	c.partition.delivered++
}

func (c *cursor) add([]byte) {}

func (c *cursor) leave(o *outlet) { c.partition.leave(o) }

// replies feeds the answers of a node.
type replies struct {
	mu    sync.Mutex
	queue [][]byte
}

func (r *replies) peek() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return nil
	}
	return r.queue[0]
}

func (r *replies) taken() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = r.queue[1:]
}

func (r *replies) add(message []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, message)
}

func (r *replies) leave(*outlet) {}
