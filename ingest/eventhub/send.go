package eventhub

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
)

// sendPatience is how long one message may take.
const sendPatience = 30 * time.Second

// Send puts one message into the hub: that of a drill. It needs the right Send, which reading does not.
func (s *Stream) Send(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	p, err := s.producer()
	if err != nil {
		return err
	}
	defer func() { _ = p.Close(context.WithoutCancel(ctx)) }() // the message is there or not
	batch, err := p.NewEventDataBatch(ctx, nil)
	if err == nil {
		err = batch.AddEventData(&azeventhubs.EventData{Body: body}, nil)
	}
	if err == nil {
		err = p.SendEventDataBatch(ctx, batch, nil)
	}
	if err != nil {
		return fmt.Errorf("send to event hub %s: %w", s.config.Hub, err)
	}
	return nil
}

func (s *Stream) producer() (*azeventhubs.ProducerClient, error) {
	c := s.config
	o := &azeventhubs.ProducerClientOptions{ApplicationID: "noroshi", CustomEndpoint: c.Endpoint, TLSConfig: c.TLS,
		RetryOptions: azeventhubs.RetryOptions{MaxRetries: 2, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 2 * time.Second}}
	if c.WebSocket {
		o.NewWebSocketConn = c.dial
	}
	if c.ConnectionString == "" {
		return azeventhubs.NewProducerClient(c.Namespace, c.Hub, hasty{c.Credential, c.patience}, o)
	}
	hub := c.Hub
	if entityPath.MatchString(c.ConnectionString) {
		hub = "" // the client refuses to be told twice
	}
	p, err := azeventhubs.NewProducerClientFromConnectionString(c.ConnectionString, hub, o)
	return p, secretless(err)
}
