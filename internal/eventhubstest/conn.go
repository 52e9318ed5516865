package eventhubstest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/internal/eventhubstest/amqp"
)

const (
	minFrame   = 512  // what every peer takes (part 2, section 4.1 of AMQP)
	channelMax = 4999 // the service's limit of sessions on a connection, as it says in its open
	handleMax  = 255
	// heartbeat is how often a frame is sent at least: azeventhubs gives up after a minute of silence.
	heartbeat = 10 * time.Second
)

// conn is an AMQP connection. One goroutine reads it and owns all that is not behind the mutex; each link that the client
// receives on has a goroutine that writes.
type conn struct {
	server   *Server
	socket   net.Conn
	in       *bufio.Reader
	peerMax  uint32                   // the client's limit of a frame
	pulse    time.Duration            // between heartbeats
	trusted  bool                     // the key was given by SASL PLAIN
	claims   map[string]*atomic.Int64 // path in lower case → expiry in Unix nanoseconds, which the links look at
	sessions map[uint16]*session
	done     chan struct{}
	writers  sync.WaitGroup

	mu  sync.Mutex
	out *bufio.Writer
}

func (s *Server) newConn(socket net.Conn) *conn {
	return &conn{
		server: s, socket: socket, in: bufio.NewReaderSize(socket, 64<<10), out: bufio.NewWriterSize(socket, 64<<10),
		peerMax: minFrame, pulse: heartbeat, claims: map[string]*atomic.Int64{}, sessions: map[uint16]*session{}, done: make(chan struct{}),
	}
}

// serve works until the connection ends.
func (c *conn) serve() {
	c.server.count(func(st *Stats) { st.Connections++ })
	err := c.converse()
	close(c.done)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		c.server.config.Log.Debug("connection ended", "err", err)
		c.send(0, amqp.Close, amqp.Error(frameError, err.Error()))
	}
	_ = c.socket.Close() // it is given up
	for _, s := range c.sessions {
		s.end()
	}
	c.writers.Wait()
}

// converse reads frames until the client closes, breaks the protocol or is gone.
func (c *conn) converse() error {
	if err := c.greet(); err != nil {
		return err
	}
	if err := c.open(); err != nil {
		return err
	}
	c.writers.Go(c.keepAlive)
	for {
		f, err := amqp.ReadFrame(c.in, c.server.config.MaxFrame)
		switch {
		case err != nil:
			return err
		case f.Code == amqp.Close:
			c.send(0, amqp.Close)
			return nil
		case f.Code == 0: // a heartbeat
			continue
		}
		if err := c.handle(f); err != nil {
			return err
		}
	}
}

// greet exchanges the headers and, where the client wants it, SASL.
func (c *conn) greet() error {
	var h [len(amqp.Header)]byte
	if _, err := io.ReadFull(c.in, h[:]); err != nil {
		return err
	}
	if string(h[:]) == amqp.SASLHeader {
		c.write([]byte(amqp.SASLHeader))
		if err := c.authenticate(); err != nil {
			return err
		}
		if _, err := io.ReadFull(c.in, h[:]); err != nil {
			return err
		}
	}
	c.write([]byte(amqp.Header)) // also to a client that asked for something else (part 2, section 2.2)
	if string(h[:]) != amqp.Header {
		return fmt.Errorf("the client speaks %q", h)
	}
	return nil
}

// authenticate answers SASL. PLAIN is checked against the key; the other mechanisms prove nothing, and the client has to
// put a token on $cbs.
func (c *conn) authenticate() error {
	c.sasl(amqp.SASLMechanisms, amqp.Symbols{"MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"})
	f, err := amqp.ReadFrame(c.in, c.server.config.MaxFrame)
	if err != nil {
		return err
	}
	mechanism, _ := amqp.Field[amqp.Symbol](f.Fields, 0)
	response, _ := amqp.Field[amqp.Binary](f.Fields, 1)
	ok := f.Code == amqp.SASLInit
	switch mechanism {
	case "MSSBCBS", "ANONYMOUS", "EXTERNAL":
	case "PLAIN":
		part := bytes.Split(response, []byte{0}) // who to act as, name, password (RFC 4616)
		ok = ok && len(part) == 3 && string(part[1]) == c.server.config.KeyName && string(part[2]) == c.server.config.Key
		c.trusted = ok
	default:
		ok = false
	}
	if !ok {
		c.sasl(amqp.SASLOutcome, amqp.Ubyte(1)) // auth (part 5, section 5.3.3.6)
		return fmt.Errorf("SASL %s refused", mechanism)
	}
	c.sasl(amqp.SASLOutcome, amqp.Ubyte(0))
	return nil
}

// open exchanges the limits of the connection.
func (c *conn) open() error {
	f, err := amqp.ReadFrame(c.in, c.server.config.MaxFrame)
	if err != nil {
		return err
	}
	if f.Code != amqp.Open {
		return errors.New("the client does not open")
	}
	c.peerMax = c.server.config.MaxFrame
	if n, ok := amqp.Field[amqp.Uint](f.Fields, 2); ok {
		c.peerMax = max(minFrame, min(uint32(n), c.peerMax))
	}
	if idle, ok := amqp.Field[amqp.Uint](f.Fields, 4); ok && idle > 0 {
		c.pulse = min(c.pulse, time.Duration(idle)*time.Millisecond/2)
	}
	c.send(0, amqp.Open, amqp.String("eventhubstest"), nil, amqp.Uint(c.server.config.MaxFrame), amqp.Ushort(channelMax))
	return nil
}

func (c *conn) keepAlive() {
	t := time.NewTicker(c.pulse)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			c.write([]byte(amqp.Heartbeat))
		case <-c.done:
			return
		}
	}
}

func (c *conn) sasl(code amqp.Performative, fields ...amqp.Value) {
	c.write(amqp.AppendFrame(nil, amqp.SASL, amqp.Frame{Code: code, Fields: fields}))
}

func (c *conn) send(channel uint16, code amqp.Performative, fields ...amqp.Value) {
	c.write(amqp.AppendFrame(nil, amqp.Plain, amqp.Frame{Channel: channel, Code: code, Fields: fields}))
}

func (c *conn) write(b []byte) {
	c.buffer(b)
	c.flush()
}

// buffer takes bytes that may wait for a flush. An error stays in the writer: the goroutine that reads sees the end of the
// connection anyway.
func (c *conn) buffer(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.out.Write(b)
}

func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.out.Flush()
}

// handle takes a frame of a session. An error is a breach of the protocol and ends the connection.
func (c *conn) handle(f amqp.Frame) error {
	s := c.sessions[f.Channel]
	switch {
	case f.Code == amqp.Begin && s == nil && f.Channel <= channelMax:
		c.sessions[f.Channel] = c.begin(f)
		return nil
	case f.Code == amqp.Begin:
		return fmt.Errorf("a second session on channel %d, or one beyond %d", f.Channel, channelMax)
	case s == nil:
		return fmt.Errorf("no session on channel %d", f.Channel)
	case f.Code == amqp.End:
		s.end()
		delete(c.sessions, f.Channel)
		c.send(f.Channel, amqp.End)
		return nil
	}
	return s.handle(f)
}
