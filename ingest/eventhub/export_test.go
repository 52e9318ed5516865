package eventhub

import (
	"context"
	"net"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Through lets an identity ask by another way than the network.
func (i Identity) Through(t policy.Transporter) Identity {
	i.transport = t
	return i
}

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
