// Package o365test is the Office 365 Management Activity API of one tenant for tests and for trying things out, in memory and on
// loopback. The sign-in host that gives the tokens is served with it.
//
// It is written after Microsoft's Management Activity API reference: subscriptions, listings by availability with their bounds and next
// pages, blobs that expire, the quota, and the errors with their codes. Beside that it has the faults that users have reported.
//
// Not modelled: webhooks, notifications, and the listing of friendly names.
package o365test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"noroshi/internal/counterpart"
)

// Config describes the tenant. The zero value listens on a free port of loopback, and has no faults.
type Config struct {
	// Addr is where to listen, 127.0.0.1:0 where empty.
	Addr string
	// Tenant, Client and Secret are who may ask; the constants of the same names where empty.
	Tenant, Client, Secret string
	// PageSize is how many blobs a page lists, 100 where 0.
	PageSize int
	// Quota is how many requests a minute are answered, 2,000 where 0; none is refused where it is negative.
	Quota int
	// Lifetime is that of tokens, an hour where 0.
	Lifetime time.Duration
	// Delay is how long each answer takes.
	Delay time.Duration
	// Every is after how many requests one is answered by a fault: the kinds of Faults in turn, or all where there are none. 0: never.
	Every  int
	Faults []Fault
	// PEM are a certificate and its key, as Server.PEM gives them; new ones are made where there are none.
	PEM []byte
	// Now is the clock, the machine's where nil.
	Now func() time.Time
}

// Who may ask where the configuration says nothing. The secret is known to all.
const (
	Tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	Client = "00001111-aaaa-2222-bbbb-3333cccc4444"
	Secret = "noroshi-development-no-secret"
)

// The content types.
const (
	AzureActiveDirectory = "Audit.AzureActiveDirectory"
	Exchange             = "Audit.Exchange"
	SharePoint           = "Audit.SharePoint"
	General              = "Audit.General"
	DLP                  = "DLP.All"
)

var contents = []string{AzureActiveDirectory, Exchange, SharePoint, General, DLP}

// Blob is some content of a type.
type Blob struct {
	// ID is made of the time where it is empty.
	ID      string
	Content string
	// Created is when it became available, as it says itself; now where zero.
	Created time.Time
	// Visible is from when on it is listed; a blob is late that is listed after others that say they were created later.
	Visible time.Time
	// Body is what it holds. Write is called in its place for blobs that are not to lie in memory.
	Body  []byte
	Write func(to io.Writer)
	// Header is sent with it.
	Header http.Header
}

type blob struct {
	Blob
	id      string
	expired bool
	broken  bool // it is never given
}

// Stats count what happened.
type Stats struct {
	Requests  int // but those for tokens
	Lists     int
	Blobs     int // answers with a blob's content, whole or not
	Tokens    int
	Faults    int
	Throttled int // by the quota
	Peak      int // the most requests in a minute
	InFlight  int // the most at a time
	Nameless  int // requests without PublisherIdentifier
}

// Server is the API. All its methods may be called from any goroutine, at any time.
type Server struct {
	config   Config
	listener net.Listener
	cert     *counterpart.Certificate

	mu         sync.Mutex
	blobs      []*blob
	byID       map[string]*blob
	subscribed map[string]bool
	disabled   map[string]bool
	tokens     map[string]time.Time
	asked      []time.Time // within the last minute
	inFlight   int
	stats      Stats
	next       []Fault // that requests meet first
	turn       int
}

// New takes the address. Nothing is served before Run, which gives it back.
func New(c Config) (*Server, error) {
	c.Addr = either(c.Addr, "127.0.0.1:0")
	c.Tenant, c.Client, c.Secret = either(c.Tenant, Tenant), either(c.Client, Client), either(c.Secret, Secret)
	c.PageSize, c.Quota, c.Lifetime = either(c.PageSize, 100), either(c.Quota, 2000), either(c.Lifetime, time.Hour)
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // it stands in for a service that has a clock of its own
	}
	if len(c.Faults) == 0 {
		c.Faults = AllFaults
	}
	s := &Server{config: c, byID: map[string]*blob{}, subscribed: map[string]bool{}, disabled: map[string]bool{}, tokens: map[string]time.Time{}}
	var err error
	if s.cert, err = certificateOf(c.PEM); err != nil {
		return nil, err
	}
	at, err := net.ResolveTCPAddr("tcp", c.Addr)
	if err != nil {
		return nil, err
	}
	s.listener, err = net.ListenTCP("tcp", at)
	return s, err
}

// either is v, or fallback where v is zero.
func either[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// Addr is the address that it listens on: for a client's endpoint.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Tenant is whose content it has.
func (s *Server) Tenant() string { return s.config.Tenant }

// Run serves until ctx ends. It is called once.
func (s *Server) Run(ctx context.Context) error {
	h := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1: connections can be cut
		TLSConfig:    s.cert.Server()}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = h.Close() // what is under way is given up
	})
	err := h.ServeTLS(s.listener, "", "")
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Add adds a blob, and gives its id.
func (s *Server) Add(b Blob) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Created.IsZero() {
		b.Created = s.config.Now().UTC()
	}
	at := b.Created.UTC().Format("20060102150405") + fmt.Sprintf("%09d", len(s.blobs))
	one := &blob{Blob: b, id: either(b.ID, at+"$"+at+"$"+b.Content+"$tryout")}
	s.byID[one.id] = one
	i, _ := slices.BinarySearchFunc(s.blobs, one, func(a, b *blob) int { return a.Created.Compare(b.Created) })
	s.blobs = slices.Insert(s.blobs, i, one)
	return one.id
}

// Expire takes a blob away before its time; its id is listed all the same.
func (s *Server) Expire(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[id].expired = true
}

// Break makes that a blob is never given, or is again: it is answered by AF50000.
func (s *Server) Break(id string) { s.setBroken(id, true) }

// Mend ends Break.
func (s *Server) Mend(id string) { s.setBroken(id, false) }

func (s *Server) setBroken(id string, broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[id].broken = broken
}

// Disable lets an administrator disable the subscription of a type; Enable ends that.
func (s *Server) Disable(content string) { s.setDisabled(content, true) }

// Enable ends Disable. The subscription must be started again.
func (s *Server) Enable(content string) { s.setDisabled(content, false) }

func (s *Server) setDisabled(content string, disabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disabled[content], s.subscribed[content] = disabled, false
}

// EndTokens ends all tokens before their time.
func (s *Server) EndTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Fail answers the next requests by faults.
func (s *Server) Fail(all ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, all...)
}

// Stats gives what was counted so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Start serves until the end of a test.
func Start(t counterpart.T, c Config) *Server {
	t.Helper()
	s, err := New(c)
	return counterpart.Run(t, s, err)
}
