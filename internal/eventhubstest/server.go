// Package eventhubstest is an Azure Event Hubs namespace for tests and for trying things out, in memory and on loopback.
//
// It speaks AMQP 1.0 over TCP, TLS and WebSocket with azeventhubs/v2 and @azure/event-hubs, and offers what real
// namespaces do to their clients only on bad days: cuts, detaches, throttling, refusals. Where a comment names a file of
// azeventhubs/v2, that is where version 2.0.2 shows what it expects.
//
// Not modelled: quotas, publishers' own addresses, geo-replication, and which partition a key leads to.
package eventhubstest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"

	"noroshi/internal/counterpart"
)

// Server is a namespace. All its methods may be called from any goroutine, at any time.
type Server struct {
	config   Config
	listener *net.TCPListener
	cert     *counterpart.Certificate // nil without TLS
	hubs     map[string]*hub
	faults   faults

	mu      sync.Mutex
	sockets map[net.Conn]struct{}
	stats   Stats
}

// Stats counts what happened since New.
type Stats struct {
	Connections int
	Claims      int // tokens put, also refused ones
	Readers     int // links that read a partition
	Stolen      int // of those, ended by a higher epoch
	Sends       int // messages from producers, also refused ones; a batch is one
	Stored      int64
	Delivered   int64
}

// New checks the configuration and takes the address. Nothing is served before Run, which gives the address back.
func New(c Config) (*Server, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &Server{config: c, hubs: map[string]*hub{}, sockets: map[net.Conn]struct{}{}}
	for _, h := range c.Hubs {
		if err := h.complete(); err != nil {
			return nil, err
		}
		key := strings.ToLower(h.Name)
		if s.hubs[key] != nil {
			return nil, fmt.Errorf("event hub %s: there are two of that name", h.Name)
		}
		s.hubs[key] = newHub(h, c.Now())
	}
	if c.TLS {
		var err error
		if s.cert, err = newCertificate(c.Namespace); err != nil {
			return nil, err
		}
	}
	addr, err := net.ResolveTCPAddr("tcp", c.Addr)
	if err != nil {
		return nil, err
	}
	s.listener, err = net.ListenTCP("tcp", addr)
	return s, err
}

// Run serves until ctx ends; then it breaks all connections, waits for what served them and returns nil. It is called once.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		<-ctx.Done()
		_ = s.listener.Close() // it is given up
		s.Cut()
	})
	for {
		socket, err := s.listener.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = socket.Close() // it is given up
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept a connection: %w", err)
		}
		wg.Go(func() { s.Serve(ctx, socket) })
	}
}

// Serve serves a connection of any kind until it ends, such as a net.Pipe where testing/synctest moves the clock.
func (s *Server) Serve(ctx context.Context, socket net.Conn) {
	s.mu.Lock()
	s.sockets[socket] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sockets, socket)
		_ = socket.Close() // it is given up
	}()
	if ctx.Err() != nil { // it came after the cut that ends Run
		return
	}
	wire := socket
	if s.cert != nil {
		wire = tls.Server(socket, s.cert.Server())
	}
	p := peek(wire)
	if !p.isHTTP() {
		s.newConn(p).serve()
		return
	}
	if ws := upgrade(ctx, p); ws != nil {
		s.newConn(ws).serve()
	}
}

// reset breaks a connection so that the client sees an error instead of an end.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // without it the connection ends more politely
	}
	_ = c.Close() // it is given up
}

// Addr is the address that the namespace listens on: for a client's custom endpoint.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// host is the name by which clients know the namespace.
func (s *Server) host() string { return either(s.config.Namespace, s.Addr()) }

// ConnectionString is what Azure would show for an event hub, or for the namespace where hub is empty. Without TLS it says
// that this is an emulator, so that clients ask for none.
func (s *Server) ConnectionString(hub string) string {
	c := fmt.Sprintf("Endpoint=sb://%s;SharedAccessKeyName=%s;SharedAccessKey=%s", s.host(), s.config.KeyName, s.config.Key)
	if s.cert == nil {
		c += ";UseDevelopmentEmulator=true"
	}
	if hub != "" {
		c += ";EntityPath=" + hub
	}
	return c
}

// partition finds a partition by the names that clients use.
func (s *Server) partition(hub, id string) (*partition, error) {
	h := s.hubs[strings.ToLower(hub)]
	if h == nil {
		return nil, fmt.Errorf("no event hub %s", hub)
	}
	if p := h.partition(id); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("event hub %s has no partition %s", hub, id)
}

// Append stores events in a partition without a client and returns the sequence number of the first one.
func (s *Server) Append(hub, partition string, events ...Event) (int64, error) {
	p, err := s.partition(hub, partition)
	if err != nil {
		return 0, err
	}
	all := make([]stored, len(events))
	for i, e := range events {
		if all[i], err = e.encode(); err != nil {
			return 0, err
		}
	}
	return p.add(all, s.config.Now()), nil
}

// Truncate drops the events of a partition with a sequence number below before and returns how many there were.
func (s *Server) Truncate(hub, partition string, before int64) (int, error) {
	p, err := s.partition(hub, partition)
	if err != nil {
		return 0, err
	}
	return p.truncate(before), nil
}

// Delivered is how many events of a partition were sent to readers, to each of them counted.
func (s *Server) Delivered(hub, partition string) (int64, error) {
	p, err := s.partition(hub, partition)
	if err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delivered, nil
}

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	st := s.stats
	s.mu.Unlock()
	for _, h := range s.hubs {
		for _, p := range h.parts {
			p.mu.Lock()
			st.Stored += p.next.sequence
			st.Delivered += p.delivered
			p.mu.Unlock()
		}
	}
	return st
}

func (s *Server) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}
