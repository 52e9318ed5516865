package eventhub_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"noroshi/ingest/eventhub"
	"noroshi/internal/eventhubstest"
)

// proxy tunnels CONNECT requests to one address, whatever they ask for, and counts them.
func proxy(t *testing.T, to, wanted string) (url string, tunnels *atomic.Int64) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	tunnels = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				from := bufio.NewReader(c)
				req, err := http.ReadRequest(from)
				if err != nil || req.Method != http.MethodConnect || req.Host != wanted {
					t.Errorf("the proxy is asked for %v, %v", req, err)
					return
				}
				hub, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
				if err != nil {
					t.Error(err)
					return
				}
				defer hub.Close()
				tunnels.Add(1)
				_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
				go func() { _, _ = io.Copy(hub, from) }()
				_, _ = io.Copy(c, hub)
			}()
		}
	}()
	return "http://" + l.Addr().String(), tunnels
}

func TestAProxy(t *testing.T) {
	const name = "contoso.servicebus.windows.net"
	hub := eventhubstest.Start(t, eventhubstest.Config{TLS: true, Namespace: name})
	add(t, hub, "a")
	url, tunnels := proxy(t, hub.Addr(), name+":443")
	s := stream(t, eventhub.Config{ConnectionString: hub.ConnectionString("audit"), TLS: hub.ClientTLS(), WebSocket: true, Proxy: url})
	if got := read(t, open(t, s, nil), 1); got != "a" || tunnels.Load() == 0 {
		t.Errorf("read is %q through %d tunnels", got, tunnels.Load())
	}
}
