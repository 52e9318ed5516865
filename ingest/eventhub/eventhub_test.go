package eventhub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"noroshi/ingest/eventhub"
	"noroshi/ingest/feed"
	"noroshi/internal/eventhubstest"
)

func stream(t *testing.T, c eventhub.Config) *eventhub.Stream {
	t.Helper()
	c.Now = time.Now
	s, err := eventhub.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, s *eventhub.Stream, after *feed.Position) feed.Cursor {
	t.Helper()
	c, err := s.Open(within(t), 0, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// read takes n messages and gives their bodies.
func read(t *testing.T, c feed.Cursor, n int) string {
	t.Helper()
	var all []string
	for len(all) < n {
		got, err := c.Next(within(t))
		if err != nil {
			t.Fatalf("after %d messages: %v", len(all), err)
		}
		for _, m := range got {
			if m.Enqueued.IsZero() || m.Offset == "" {
				t.Errorf("message %d has no time or offset: %+v", m.Sequence, m.Position)
			}
			all = append(all, string(m.Body))
		}
	}
	return strings.Join(all, " ")
}

func add(t *testing.T, hub *eventhubstest.Server, bodies ...string) {
	t.Helper()
	for _, b := range bodies {
		if _, err := hub.Append("audit", "0", eventhubstest.Event{Body: []byte(b)}); err != nil {
			t.Fatal(err)
		}
	}
}

// token is a credential of which the namespace knows the tokens.
type token struct{ hub *eventhubstest.Server }

func (c token) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 || o.Scopes[0] != "https://eventhubs.azure.net//.default" {
		return azcore.AccessToken{}, fmt.Errorf("asked is for %v", o.Scopes)
	}
	until := time.Now().Add(time.Hour)
	return azcore.AccessToken{Token: c.hub.Token(until), ExpiresOn: until}, nil
}

// Every way to a namespace gives the same messages.
func TestTheWaysToANamespace(t *testing.T) {
	const name = "contoso.servicebus.windows.net"
	plain := eventhubstest.Start(t, eventhubstest.Config{})
	safe := eventhubstest.Start(t, eventhubstest.Config{TLS: true, Namespace: name})
	for _, hub := range []*eventhubstest.Server{plain, safe} {
		add(t, hub, "a", "b", "c")
	}
	for way, c := range map[string]eventhub.Config{
		"TCP":                   {ConnectionString: plain.ConnectionString("audit")},
		"hub beside the string": {ConnectionString: plain.ConnectionString(""), Hub: "audit"},
		"TLS":                   {ConnectionString: safe.ConnectionString("audit"), Endpoint: safe.Addr(), TLS: safe.ClientTLS()},
		"WebSocket":             {ConnectionString: safe.ConnectionString("audit"), Endpoint: safe.Addr(), TLS: safe.ClientTLS(), WebSocket: true},
		"TLS, a token":          {Namespace: name, Hub: "audit", Credential: token{safe}, Endpoint: safe.Addr(), TLS: safe.ClientTLS()},
		"WebSocket, a token":    {Namespace: name, Hub: "audit", Credential: token{safe}, Endpoint: safe.Addr(), TLS: safe.ClientTLS(), WebSocket: true},
	} {
		t.Run(way, func(t *testing.T) {
			s := stream(t, c)
			if n, err := s.Partitions(within(t)); n != 4 || err != nil {
				t.Errorf("%d partitions, %v", n, err)
			}
			if state, err := s.State(within(t), 0); state != (feed.State{First: 0, Last: 2}) || err != nil {
				t.Errorf("the state is %+v, %v", state, err)
			}
			if state, err := s.State(within(t), 1); state.Last >= state.First || err != nil {
				t.Errorf("the state of an empty partition is %+v, %v", state, err)
			}
			if got := read(t, open(t, s, nil), 3); got != "a b c" {
				t.Errorf("read is %q", got)
			}
		})
	}
}

func TestWhereReadingBegins(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for i, b := range []string{"old", "at noon", "new"} {
		if _, err := hub.Append("audit", "0", eventhubstest.Event{Body: []byte(b), Enqueued: noon.Add(time.Duration(i-1) * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	c := eventhub.Config{ConnectionString: hub.ConnectionString("audit")}
	timed := c
	timed.Since = noon
	for name, one := range map[string]struct {
		from  eventhub.Config
		after *feed.Position
		want  string
	}{
		"earliest":         {c, nil, "old at noon new"},
		"a time":           {timed, nil, "at noon new"},
		"a position":       {timed, &feed.Position{Sequence: 1}, "new"},
		"before the first": {timed, &feed.Position{Sequence: -1}, "old at noon new"},
	} {
		if got := read(t, open(t, stream(t, one.from), one.after), len(strings.Fields(strings.ReplaceAll(one.want, "at noon", "noon")))); got != one.want {
			t.Errorf("%s: read is %q", name, got)
		}
	}
}

func TestANewerReaderTakesThePartition(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	add(t, hub, "a")
	s := stream(t, eventhub.Config{ConnectionString: hub.ConnectionString("audit")})
	older := open(t, s, nil)
	read(t, older, 1)
	newer := open(t, s, nil)
	read(t, newer, 1)
	if _, err := older.Next(within(t)); !errors.Is(err, feed.ErrLost) {
		t.Errorf("the older reader is told %v", err)
	}
	add(t, hub, "b")
	if got := read(t, newer, 1); got != "b" {
		t.Errorf("the newer reads %q", got)
	}
}

// What somebody must change is told apart from what passes, and no key is told.
func TestWhatIsDenied(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	add(t, hub, "a")
	right := hub.ConnectionString("audit")
	wrong := strings.Replace(right, "SharedAccessKey=", "SharedAccessKey=QUJD", 1)
	for name, c := range map[string]eventhub.Config{
		"a wrong key":         {ConnectionString: wrong},
		"no such hub":         {ConnectionString: hub.ConnectionString(""), Hub: "nowhere"},
		"no such group":       {ConnectionString: right, Group: "nobody"},
		"a group's right key": {ConnectionString: strings.Replace(right, "RootManage", "Other", 1)},
	} {
		s := stream(t, c)
		c, err := s.Open(within(t), 0, nil)
		if err == nil {
			_, err = c.Next(within(t))
			c.Close(context.Background())
		}
		if !errors.Is(err, feed.ErrDenied) || strings.Contains(err.Error(), "SharedAccessKey=") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]eventhub.Config{"a wrong key": {ConnectionString: wrong}, "no such hub": {ConnectionString: hub.ConnectionString(""), Hub: "nowhere"}} {
		if _, err := stream(t, c).Partitions(within(t)); !errors.Is(err, feed.ErrDenied) {
			t.Errorf("%s at the start: %v", name, err)
		}
	}
	// The numbers of an address are no answer.
	silent := strings.Replace(right, "UseDevelopmentEmulator=true", "", 1)
	if _, err := stream(t, eventhub.Config{ConnectionString: silent, Endpoint: "127.0.0.1:40401"}).Partitions(within(t)); err == nil || errors.Is(err, feed.ErrDenied) {
		t.Errorf("where nobody listens: %v", err)
	}
	for name, c := range map[string]eventhub.Config{
		"no string":      {ConnectionString: "SharedAccessKey=hush"},
		"half a string":  {ConnectionString: "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKey=hush", Hub: "audit"},
		"no hub":         {ConnectionString: hub.ConnectionString("")},
		"another hub":    {ConnectionString: right, Hub: "other"},
		"no credential":  {Namespace: "contoso.servicebus.windows.net", Hub: "audit"},
		"nothing at all": {},
	} {
		c.Now = time.Now
		if _, err := eventhub.New(c); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// After cuts, detaches and refusals the cursor says that it ended, as what passes by itself, and another one goes on; a link that is
// slow goes on itself. Nothing is lost or doubled.
func TestFaultsThatPass(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	s := stream(t, eventhub.Config{ConnectionString: hub.ConnectionString("audit")})
	c := open(t, s, nil)
	for i, fault := range []func(){
		func() {}, func() { hub.Cut() }, func() { hub.Detach("audit", "0", eventhubstest.DetachForced) }, func() { hub.RefuseLinks(eventhubstest.Busy); hub.Cut() },
		func() { hub.Throttle(eventhubstest.Throttling{Delay: 20 * time.Millisecond}) },
	} {
		fault()
		add(t, hub, fmt.Sprint(i))
		got, err := c.Next(within(t))
		for err != nil {
			if errors.Is(err, feed.ErrDenied) || errors.Is(err, feed.ErrLost) || t.Context().Err() != nil {
				t.Fatalf("fault %d: %v", i, err)
			}
			c = open(t, s, &feed.Position{Sequence: int64(i - 1)})
			got, err = c.Next(within(t))
		}
		if len(got) != 1 || string(got[0].Body) != fmt.Sprint(i) {
			t.Errorf("after fault %d read is %v", i, got)
		}
	}
}

// What lies ready is bounded by messages, in all partitions together: at 1 MiB each, by 1 GiB.
func TestPrefetchIsBounded(t *testing.T) {
	for _, one := range []struct{ partitions, bound int64 }{{1, 200}, {32, 32}, {200, 16}} {
		hub := eventhubstest.Start(t, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Name: "audit", Partitions: int(one.partitions)}}})
		all := make([]eventhubstest.Event, 1000)
		for i := range all {
			all[i].Body = []byte("x")
		}
		if _, err := hub.Append("audit", "0", all...); err != nil {
			t.Fatal(err)
		}
		s := stream(t, eventhub.Config{ConnectionString: hub.ConnectionString("audit")})
		if _, err := s.Partitions(within(t)); err != nil {
			t.Fatal(err)
		}
		c := open(t, s, nil)
		taken, ahead := int64(0), int64(0)
		for range 5 {
			got, err := c.Next(within(t))
			if err != nil {
				t.Fatal(err)
			}
			taken += int64(len(got))
			sent, err := hub.Delivered("audit", "0")
			if err != nil {
				t.Fatal(err)
			}
			ahead = max(ahead, sent-taken)
		}
		if ahead > one.bound {
			t.Errorf("of %d partitions: %d messages lay ready", one.partitions, ahead)
		}
	}
}
