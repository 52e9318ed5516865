package o365

import "context"

// largeBlob is how many bytes of a blob are carried while others carry theirs. One content type at a time goes on with a larger one: what is
// carried is held several times over on its way to the topic.
const largeBlob = 4 << 20

// turn waits until no other content type goes on with a large blob, where this one is large; with something in hand it does not wait.
func (c *cursor) turn(ctx context.Context, b *blob, inHand bool) (free bool, err error) {
	if b.given < largeBlob || c.large {
		return true, nil
	}
	select {
	case c.stream.large <- struct{}{}:
		c.large = true
		return true, nil
	default:
	}
	if inHand {
		return false, nil
	}
	select {
	case c.stream.large <- struct{}{}:
		c.large = true
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// release lets others go on with a large blob.
func (c *cursor) release() {
	if c.large {
		<-c.stream.large
		c.large = false
	}
}
