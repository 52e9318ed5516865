package eventhubstest

import (
	"sync"
	"time"
)

// Conditions that a namespace gives as the reason of a refusal or a detach (azure-docs, event-hubs-amqp-troubleshoot).
const (
	Busy            = "com.microsoft:server-busy"
	TimedOut        = "com.microsoft:timeout"
	OutOfRange      = "com.microsoft:argument-out-of-range"
	DetachForced    = "amqp:link:detach-forced"
	Stolen          = "amqp:link:stolen"
	MessageTooLarge = "amqp:link:message-size-exceeded"
	Unauthorized    = "amqp:unauthorized-access"
	NotFound        = "amqp:not-found"
	InternalError   = "amqp:internal-error"
	invalidField    = "amqp:invalid-field"
	decodeError     = "amqp:decode-error"
	tooMany         = "amqp:resource-limit-exceeded"
	frameError      = "amqp:connection:framing-error"
)

// Throttling is how an overloaded namespace behaves.
type Throttling struct {
	// Sends and Links are how many of the next messages and links of event hubs are refused as Busy.
	Sends, Links int
	// Delay is the time before each delivery, on each link.
	Delay time.Duration
}

// faults are what the test asked to go wrong.
type faults struct {
	mu     sync.Mutex
	sends  []string
	links  []string
	claims int
	shut   bool
	delay  time.Duration
}

// Throttle replaces the throttling; the zero value ends it.
func (s *Server) Throttle(t Throttling) {
	f := &s.faults
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sends, f.links, f.delay = repeat(Busy, t.Sends), repeat(Busy, t.Links), t.Delay
}

func repeat(condition string, n int) (all []string) {
	for range n {
		all = append(all, condition)
	}
	return all
}

// RefuseSends refuses as many of the next messages as there are conditions, with them in their order.
func (s *Server) RefuseSends(conditions ...string) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.sends = append(s.faults.sends, conditions...)
}

// RefuseLinks is RefuseSends for the next links to event hubs.
func (s *Server) RefuseLinks(conditions ...string) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.links = append(s.faults.links, conditions...)
}

// RefuseClaims refuses the next n tokens, whatever they are.
func (s *Server) RefuseClaims(n int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.claims = n
}

// Unauthorize takes away every right until Authorize: tokens, links and requests are refused and the links that read end
// as Unauthorized.
func (s *Server) Unauthorize() {
	s.bar(true)
	for _, h := range s.hubs {
		for _, p := range h.parts {
			p.detach(Unauthorized)
		}
	}
}

// Authorize ends Unauthorize.
func (s *Server) Authorize() { s.bar(false) }

func (s *Server) bar(shut bool) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.shut = shut
}

func (f *faults) barred() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shut
}

func (f *faults) claimRefused() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.claims > 0 {
		f.claims--
		return true
	}
	return f.shut
}

// send is the condition to refuse a message with, "" to take it.
func (f *faults) send() string { return f.next(&f.sends) }

// link is send for a link.
func (f *faults) link() string { return f.next(&f.links) }

func (f *faults) next(queue *[]string) (condition string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shut {
		return Unauthorized
	}
	if len(*queue) > 0 {
		condition, *queue = (*queue)[0], (*queue)[1:]
	}
	return condition
}

func (f *faults) pause() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.delay
}

// Cut breaks every connection without a word and returns how many there were.
func (s *Server) Cut() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sockets {
		reset(c)
	}
	return len(s.sockets)
}

// Detach ends the links that read a partition with a condition, such as DetachForced, and returns how many there were;
// 0 also where there is no such partition.
func (s *Server) Detach(hub, partition, condition string) int {
	p, err := s.partition(hub, partition)
	if err != nil {
		return 0
	}
	return p.detach(condition)
}

func (p *partition) detach(condition string) int {
	p.mu.Lock()
	var all []*outlet
	for r := range p.readers {
		all = append(all, r)
	}
	p.mu.Unlock()
	for _, r := range all {
		r.detach(condition, "detached by the test")
	}
	return len(all)
}
