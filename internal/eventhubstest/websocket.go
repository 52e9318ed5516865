package eventhubstest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// webSocketPath is where the service takes AMQP over WebSocket (azeventhubs/v2, internal/namespace.go).
const webSocketPath = "/$servicebus/websocket"

// subprotocols are those of the binding (OASIS AMQP WebSocket Binding, section 2.1) and of its draft, which
// @azure/event-hubs asks for.
var subprotocols = []string{"amqp", "AMQPWSB10"}

// headersWithin is how long an HTTP client may take for its headers.
const headersWithin = 10 * time.Second

// WebSocketURL is where AMQP is spoken over WebSocket, on the address of Addr.
func (s *Server) WebSocketURL() string {
	if s.cert == nil {
		return "ws://" + s.Addr() + webSocketPath
	}
	return "wss://" + s.Addr() + webSocketPath
}

// peeked is a connection whose first bytes were looked at. It closes once, and tells.
type peeked struct {
	net.Conn
	in     *bufio.Reader
	once   sync.Once
	closed chan struct{}
}

func peek(c net.Conn) *peeked {
	return &peeked{Conn: c, in: bufio.NewReader(c), closed: make(chan struct{})}
}

func (p *peeked) Read(b []byte) (int, error) { return p.in.Read(b) }

func (p *peeked) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Conn.Close()
}

// isHTTP tells it from AMQP by the method, or false where the client says nothing.
func (p *peeked) isHTTP() bool {
	b, err := p.in.Peek(4)
	return err == nil && string(b) == "GET "
}

// once is a listener for one connection. Its second Accept waits until that one is closed or taken over.
type once struct {
	conn  *peeked
	given bool
	taken chan struct{}
}

func (o *once) Accept() (net.Conn, error) {
	if !o.given {
		o.given = true
		return o.conn, nil
	}
	select {
	case <-o.conn.closed:
	case <-o.taken:
	}
	return nil, net.ErrClosed
}

func (o *once) Close() error   { return nil }
func (o *once) Addr() net.Addr { return o.conn.LocalAddr() }

// upgrade answers HTTP and returns the stream inside of the WebSocket, nil where the client wanted something else.
func upgrade(ctx context.Context, p *peeked) net.Conn {
	var stream net.Conn
	l := &once{conn: p, taken: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+webSocketPath, func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: subprotocols})
		if err != nil { // the client has been told
			return
		}
		if ws.Subprotocol() == "" {
			_ = ws.Close(websocket.StatusPolicyViolation, "the subprotocol is amqp")
			return
		}
		stream = websocket.NetConn(ctx, ws, websocket.MessageBinary)
		close(l.taken)
	})
	h := &http.Server{Handler: mux, ReadHeaderTimeout: headersWithin}
	h.SetKeepAlivesEnabled(false)
	_ = h.Serve(l) // always net.ErrClosed
	select {
	case <-l.taken:
		return stream
	default:
		return nil
	}
}
