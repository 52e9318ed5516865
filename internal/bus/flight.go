package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// flight is records on their way to the brokers: some are sent while others are still being made. It belongs to one goroutine.
type flight struct {
	bus    *Bus
	client *kgo.Client
	sent   []*kgo.Record
	under  atomic.Int64 // way: those that are not answered, and one for the goroutine that sends
	landed chan struct{}
	bad    kgo.ProduceResults // the client answers for one record after the other
}

func (b *Bus) flight(c *kgo.Client) *flight {
	f := &flight{bus: b, client: c, landed: make(chan struct{})}
	f.under.Store(1)
	return f
}

// send begins to send records. It waits where too much is under way.
func (f *flight) send(ctx context.Context, out []*kgo.Record) {
	f.sent = append(f.sent, out...)
	f.under.Add(int64(len(out)))
	answered := func(r *kgo.Record, err error) {
		if err != nil {
			f.bad = append(f.bad, kgo.ProduceResult{Record: r, Err: err})
		}
		f.less()
	}
	for _, r := range out {
		f.client.Produce(ctx, r, answered)
	}
}

func (f *flight) less() {
	if f.under.Add(-1) == 0 {
		close(f.landed)
	}
}

// land returns once all records are acknowledged, or with ctx: then the flight is left to itself. The client would wait for the answer
// to what it has sent, however long that takes, so that it never sends a record twice.
func (f *flight) land(ctx context.Context) error {
	f.less()
	select {
	case <-f.landed:
	case <-ctx.Done():
		if len(f.sent) > 0 {
			return fmt.Errorf("write to %s: %w", f.sent[0].Topic, context.Cause(ctx))
		}
	}
	return f.apart(ctx, f.outcome())
}

// apart sends those again that were refused together, in halves: what is sent together is taken or refused together. What is then
// still refused is too large alone.
func (f *flight) apart(ctx context.Context, err error) error {
	var together *TooLarge
	if !errors.As(err, &together) || len(together.Records) == 1 {
		return err
	}
	alone := &TooLarge{Cause: together.Cause}
	half := len(together.Records) / 2
	for _, part := range [][]int{together.Records[:half], together.Records[half:]} {
		again := make([]*kgo.Record, len(part))
		for i, n := range part {
			again[i] = f.sent[n]
		}
		var still *TooLarge
		switch err := f.bus.produce(ctx, f.client, again); {
		case errors.As(err, &still):
			for _, n := range still.Records {
				alone.Records = append(alone.Records, part[n])
			}
		case err != nil:
			return err
		}
	}
	if len(alone.Records) == 0 {
		return nil
	}
	return alone
}

// outcome tells what went wrong.
func (f *flight) outcome() error {
	f.forget()
	large := &TooLarge{}
	for _, r := range f.bad {
		switch {
		case errors.Is(r.Err, kerr.MessageTooLarge), errors.Is(r.Err, kerr.RecordListTooLarge):
			large.Records, large.Cause = append(large.Records, slices.Index(f.sent, r.Record)), r.Err
		case errors.Is(r.Err, kerr.UnknownServerError):
			return fmt.Errorf("write to %s: %w", r.Record.Topic, f.bus.config.disk.explain(r.Err))
		case f.bus.config.Foreign && (errors.Is(r.Err, kerr.UnknownTopicOrPartition) || errors.Is(r.Err, kerr.UnknownTopicID)):
			return fmt.Errorf("write to %s: there is no such topic, or this user does not see it: %w", r.Record.Topic, r.Err)
		default:
			return fmt.Errorf("write to %s: %w", r.Record.Topic, explained(r.Err))
		}
	}
	f.bus.config.disk.well()
	if large.Cause == nil {
		return nil
	}
	slices.Sort(large.Records)
	return large
}

// forget has the client ask again for topics that are gone: it would take one that was made again for the old one for ever.
func (f *flight) forget() {
	for _, r := range f.bad {
		if errors.Is(r.Err, kerr.UnknownTopicID) || errors.Is(r.Err, kerr.UnknownTopicOrPartition) {
			f.client.PurgeTopicsFromProducing(r.Record.Topic)
			return
		}
	}
}

// outgoing are records as the client takes them.
func (b *Bus) outgoing(records ...Record) []*kgo.Record {
	all, out := make([]kgo.Record, len(records)), make([]*kgo.Record, len(records))
	var topic Topic
	name := ""
	for i := range records {
		r := &records[i]
		if r.Topic != topic {
			topic, name = r.Topic, b.name(r.Topic)
		}
		all[i] = kgo.Record{Topic: name, Key: r.Key, Value: r.Value, Headers: r.Headers, Partition: r.Partition}
		out[i] = &all[i]
	}
	return out
}

// produce sends records and returns once they are acknowledged, or with ctx.
func (b *Bus) produce(ctx context.Context, c *kgo.Client, out []*kgo.Record) error {
	f := b.flight(c)
	f.send(ctx, out)
	return f.land(ctx)
}
