package eventhub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/coder/websocket"
)

// refusal is the error of a proxy that opens no tunnel. Its own words may repeat the password.
func refusal(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return fmt.Errorf("the proxy answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
}

// dial opens a WebSocket with the protocol amqp, through the proxy where there is one.
func (c Config) dial(ctx context.Context, args azeventhubs.WebSocketConnParams) (net.Conn, error) {
	proxy := http.ProxyFromEnvironment
	if c.Proxy != "" {
		u, err := url.Parse(c.Proxy)
		if err != nil {
			return nil, errors.New("the proxy is no address such as http://proxy.example.com:3128") // the error shows its password
		}
		proxy = http.ProxyURL(u)
	}
	transport := &http.Transport{Proxy: proxy, TLSClientConfig: c.TLS, DialContext: c.wire, TLSHandshakeTimeout: c.patience, ResponseHeaderTimeout: c.patience, OnProxyConnectResponse: refusal}
	if c.Endpoint != "" {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, c.Endpoint)
		}
	}
	ws, _, err := websocket.Dial(ctx, args.Host, &websocket.DialOptions{Subprotocols: []string{"amqp"}, HTTPClient: &http.Client{Transport: transport}}) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, fmt.Errorf("open WebSocket: %w", err)
	}
	ws.SetReadLimit(-1) // AMQP bounds its frames
	return websocket.NetConn(context.WithoutCancel(ctx), ws, websocket.MessageBinary), nil
}
