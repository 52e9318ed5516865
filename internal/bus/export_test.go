package bus

import "context"

// MakeTopic makes a topic of one partition as somebody else would.
func (b *Bus) MakeTopic(ctx context.Context, t Topic, settings map[string]string) error {
	_, err := b.create(ctx, t, 1, settings)
	return err
}
