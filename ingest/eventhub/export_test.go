package eventhub

import (
	"context"
	"net"
	"time"
)

// Over opens WebSockets over other connections than those of the network.
func (c Config) Over(wire func(ctx context.Context, network, address string) (net.Conn, error)) Config {
	c.WebSocket, c.wire = true, wire
	return c
}

// Patient waits so long for answers.
func (c Config) Patient(d time.Duration) Config {
	c.patience = d
	return c
}
