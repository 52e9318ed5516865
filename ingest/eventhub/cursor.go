package eventhub

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"noroshi/ingest/feed"
)

// cursor reads one partition over a connection of its own.
type cursor struct {
	stream    *Stream
	partition int32
	client    *azeventhubs.ConsumerClient
	link      *azeventhubs.PartitionClient
	last      int64     // sequence number given last, that of the position before, else -1
	since     time.Time // when it begins where there is no position
	broken    error     // what Next gives from now on
}

// Next waits for one message, then takes those that lie ready.
func (c *cursor) Next(ctx context.Context) (all []feed.Message, err error) {
	if c.broken != nil {
		return nil, c.broken
	}
	got, err := c.first(ctx)
	switch {
	case err != nil && strings.Contains(err.Error(), unconvertible):
		all, err = c.unreadable(ctx, err)
	case err == nil:
		all = c.drain(ctx, got)
	}
	if err != nil {
		return nil, err
	}
	c.last = all[len(all)-1].Sequence
	return all, nil
}

// first waits for one message. The client waits for ever, also for an endpoint that has taken its connection and says nothing. So it
// is stopped now and then, and the hub is asked for what it has: what it has had the time before must have come since.
func (c *cursor) first(ctx context.Context) ([]*azeventhubs.ReceivedEventData, error) {
	for due := int64(-1); ; {
		wait, cancel := context.WithTimeout(ctx, c.stream.config.patience)
		got, err := c.link.ReceiveEvents(wait, 1, nil)
		stopped := wait.Err() != nil
		cancel()
		switch {
		case err == nil:
			return got, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !stopped:
			return nil, fault(err)
		case due > c.last:
			return nil, fmt.Errorf("event %d does not come: %w", due, ErrHeldUp)
		}
		p, err := c.stream.properties(ctx, c.partition)
		if err != nil {
			return nil, err
		}
		if !p.IsEmpty && (c.last >= 0 || !p.LastEnqueuedOn.Before(c.since)) {
			due = p.LastEnqueuedSequenceNumber
		}
	}
}

// unconvertible is in the text of the client's error about an event whose annotations are not of the types that the service
// gives them.
const unconvertible = "cannot be converted to"

// unreadable is the message that comes next where the client cannot read it. The client would ask for it for ever: reading goes
// on behind it with another.
func (c *cursor) unreadable(ctx context.Context, cause error) ([]feed.Message, error) {
	if c.last < 0 && !c.since.IsZero() { // it is not known which it is
		return nil, fmt.Errorf("the first event since %s cannot be read; begin at another time: %w", c.since.UTC().Format(time.RFC3339), cause)
	}
	s, err := c.stream.State(ctx, c.partition)
	if err != nil {
		return nil, err
	}
	at := max(c.last+1, s.First)
	c.broken = fmt.Errorf("begin again behind event %d: %w", at, cause)
	return []feed.Message{{Position: feed.Position{Sequence: at}, Fault: cause}}, nil
}

// drain takes what lies ready beside the first. What the client cannot read is left out, and shows as a gap.
func (c *cursor) drain(ctx context.Context, got []*azeventhubs.ReceivedEventData) []feed.Message {
	all, size := take(nil, 0, got)
	for past := ended(ctx); len(all) < feed.MaxMessages && size < feed.MaxBytes; {
		more, _ := c.link.ReceiveEvents(past, min(drain, feed.MaxMessages-len(all)), nil) // it ends at once
		if len(more) == 0 {
			break
		}
		all, size = take(all, size, more)
	}
	return all
}

// ended is a context with which a receive gives what lies ready and waits for nothing.
func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func take(all []feed.Message, size int, got []*azeventhubs.ReceivedEventData) ([]feed.Message, int) {
	for _, e := range got {
		m := feed.Message{Position: feed.Position{Sequence: e.SequenceNumber, Offset: e.Offset}, Body: body(e)}
		if e.EnqueuedTime != nil {
			m.Enqueued = e.EnqueuedTime.UTC()
		}
		all, size = append(all, m), size+len(m.Body)
	}
	return all, size
}

// body is the message's body. One of several data sections is theirs together; one that is a value is that value where it is
// bytes or text.
func body(e *azeventhubs.ReceivedEventData) []byte {
	if e.Body != nil || e.RawAMQPMessage == nil {
		return e.Body
	}
	var all []byte
	for _, d := range e.RawAMQPMessage.Body.Data {
		all = append(all, d...)
	}
	switch v := e.RawAMQPMessage.Body.Value.(type) {
	case []byte:
		all = v
	case string:
		all = []byte(v)
	}
	return all
}

// Close ends the link and its connection.
func (c *cursor) Close(ctx context.Context) {
	_ = c.link.Close(ctx) // the connection takes it along
	_ = c.client.Close(ctx)
}
