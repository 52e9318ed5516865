package bus

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// askWithin is for how long a start asks again while brokers come and go.
const askWithin = time.Minute

// patiently does what a start needs of Kafka. Where a broker goes away in its midst, it is done again.
func (b *Bus) patiently(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	t := Trouble{Log: b.config.Log, Most: time.Second}
	for {
		err := do(ctx)
		if err == nil || ctx.Err() != nil || !b.passes(err) {
			return err
		}
		t.Again("a broker went away; Kafka is asked again", err)
		_ = t.Pause(ctx) // the end of ctx is seen above
	}
}

// passes reports whether a fault may pass by itself: a broker went away, or what it led moves.
func (b *Bus) passes(err error) bool {
	if _, final := b.cause(err); final {
		return false
	}
	var refused *kerr.Error
	if errors.As(err, &refused) {
		return refused.Retriable
	}
	return errors.Is(err, io.EOF) || errors.As(err, new(net.Error)) || kgo.IsRetryableBrokerErr(err)
}
