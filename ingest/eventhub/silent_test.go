package eventhub_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"noroshi/ingest/eventhub"
	"noroshi/ingest/feed"
	"noroshi/internal/eventhubstest"
)

// silent takes connections and says nothing, as a firewall does that lets through and drops.
func silent(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().String()
}

// An endpoint that takes connections and never answers holds up nobody: every question ends with an error, and leaves nothing behind.
func TestASilentEndpointIsGivenUp(t *testing.T) {
	safe := eventhubstest.Start(t, eventhubstest.Config{TLS: true, Namespace: "contoso.servicebus.windows.net"})
	plain := eventhubstest.Start(t, eventhubstest.Config{})
	_, port, err := net.SplitHostPort(plain.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_, nobody, err := net.SplitHostPort(silent(t))
	if err != nil {
		t.Fatal(err)
	}
	for way, c := range map[string]eventhub.Config{
		"TCP":       {ConnectionString: strings.Replace(plain.ConnectionString("audit"), port, nobody, 1)},
		"TLS":       {ConnectionString: safe.ConnectionString("audit"), Endpoint: silent(t), TLS: safe.ClientTLS()},
		"WebSocket": {ConnectionString: safe.ConnectionString("audit"), Endpoint: silent(t), TLS: safe.ClientTLS(), WebSocket: true},
	} {
		t.Run(way, func(t *testing.T) {
			s := stream(t, c.Patient(200*time.Millisecond))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			before := runtime.NumGoroutine()
			for range 5 {
				if _, err := s.Partitions(ctx); err == nil || ctx.Err() != nil {
					t.Fatalf("it has partitions: %v", err)
				}
				if _, err := s.State(ctx, 0); err == nil || ctx.Err() != nil {
					t.Fatalf("it has a state: %v", err)
				}
				c, err := s.Open(ctx, 0, nil)
				if err == nil {
					_, err = c.Next(ctx)
					c.Close(ctx)
				}
				if !errors.Is(err, eventhub.ErrSilent) || ctx.Err() != nil {
					t.Fatalf("it can be read: %v", err)
				}
			}
			for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
				if runtime.NumGoroutine() < before+5 {
					return
				}
			}
			t.Errorf("before were %d goroutines, and now %d", before, runtime.NumGoroutine())
		})
	}
}

// A link that gives nothing of what its hub has is given up; one whose hub has nothing new waits.
func TestALinkThatGivesNothingIsGivenUp(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	add(t, hub, "a")
	s := stream(t, eventhub.Config{ConnectionString: hub.ConnectionString("audit")}.Patient(100*time.Millisecond))
	c := open(t, s, nil)
	if got := read(t, c, 1); got != "a" {
		t.Errorf("read is %q", got)
	}
	heldUp(t, hub, c)
}

// heldUp waits while the hub has nothing new, and gives up when it has an event 1 that does not come.
func heldUp(t *testing.T, hub *eventhubstest.Server, c feed.Cursor) {
	t.Helper()
	quiet, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got, err := c.Next(quiet); !errors.Is(err, context.DeadlineExceeded) || quiet.Err() == nil {
		t.Errorf("a hub without anything new gives %v, %v", got, err)
	}
	hub.Throttle(eventhubstest.Throttling{Delay: time.Hour})
	add(t, hub, "new")
	if got, err := c.Next(within(t)); !errors.Is(err, eventhub.ErrHeldUp) || !strings.Contains(err.Error(), "event 1 does not come") {
		t.Errorf("a link that is held up gives %v, %v", got, err)
	}
}

// A cursor that begins at a time knows whether something is due to it.
func TestALinkThatBeginsAtATimeIsGivenUp(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	add(t, hub, "old")
	since := time.Now().Add(time.Millisecond)
	s := stream(t, eventhub.Config{ConnectionString: hub.ConnectionString("audit"), Since: since}.Patient(100*time.Millisecond))
	heldUp(t, hub, open(t, s, nil))
}

// stuck is a credential whose sign-in host does not answer.
type stuck struct{}

func (stuck) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	<-ctx.Done()
	return azcore.AccessToken{}, fmt.Errorf("ask the sign-in host: %w", ctx.Err())
}

// A sign-in host that does not answer holds up nobody.
func TestASilentSignInHostIsGivenUp(t *testing.T) {
	const name = "contoso.servicebus.windows.net"
	hub := eventhubstest.Start(t, eventhubstest.Config{TLS: true, Namespace: name})
	s := stream(t, eventhub.Config{Namespace: name, Hub: "audit", Credential: stuck{}, Endpoint: hub.Addr(), TLS: hub.ClientTLS()}.Patient(200*time.Millisecond))
	ctx := within(t)
	if _, err := s.Partitions(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("it has partitions: %v", err)
	}
	if _, err := open(t, s, nil).Next(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("it gives something: %v", err)
	}
}

// muted passes bytes on, until its connections so far fall silent without an end, as where a firewall forgets them.
type muted struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
	mute  []func()
}

func (m *muted) run() {
	for {
		c, err := m.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", m.to)
		if err != nil {
			_ = c.Close() // the other side sees it
			continue
		}
		var silent atomic.Bool
		m.mu.Lock()
		m.conns = append(m.conns, c, up)
		m.mute = append(m.mute, func() { silent.Store(true) })
		m.mu.Unlock()
		pass := func(to, from net.Conn) {
			b := make([]byte, 4096)
			for {
				n, err := from.Read(b)
				if err != nil {
					return
				}
				if !silent.Load() {
					_, _ = to.Write(b[:n]) // the reader sees its end
				}
			}
		}
		go pass(up, c)
		go pass(c, up)
	}
}

func (m *muted) fallSilent() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mute := range m.mute {
		mute()
	}
}

func (m *muted) end() {
	_ = m.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		_ = c.Close()
	}
}

// A connection that has fallen silent is asked once: the next question goes over a new one.
func TestAConnectionThatFallsSilentIsReplaced(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &muted{Listener: l, to: hub.Addr()}
	go m.run()
	t.Cleanup(m.end)
	s := stream(t, eventhub.Config{ConnectionString: strings.Replace(hub.ConnectionString("audit"), hub.Addr(), l.Addr().String(), 1)}.Patient(2*time.Second))
	for range 2 {
		eventually(t, "the state is told", func() bool { _, err := s.State(t.Context(), 0); return err == nil })
		m.fallSilent()
		if _, err := s.State(t.Context(), 0); !errors.Is(err, eventhub.ErrSilent) {
			t.Fatalf("a silent connection gives %v", err)
		}
		eventually(t, "the number of partitions is told", func() bool { _, err := s.Partitions(t.Context()); return err == nil })
	}
}

// eventually waits until something holds. A question that is not answered takes two seconds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
