package bus

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// MakeTopic makes a topic of one partition as somebody else would.
func (b *Bus) MakeTopic(ctx context.Context, t Topic, settings map[string]string) error {
	_, err := b.create(ctx, t, 1, madeTopics{}, settings)
	return err
}

// Grow gives a topic more partitions, as somebody else would.
func (b *Bus) Grow(ctx context.Context, t Topic, partitions int) error {
	res, err := b.admin.UpdatePartitions(ctx, partitions, b.name(t))
	if err == nil {
		err = res.Error()
	}
	return err
}

// Set changes a setting of a topic.
func (b *Bus) Set(ctx context.Context, t Topic, key, value string) error {
	res, err := b.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: key, Value: &value}}, b.name(t))
	if err != nil {
		return err
	}
	return res[0].Err
}

// Delete deletes a topic.
func (b *Bus) Delete(ctx context.Context, t Topic) error {
	_, err := b.admin.DeleteTopic(ctx, b.name(t))
	return err
}

// Wait makes the transactions of writers that have died last so long. It is called before there are any.
func (b *Bus) Wait(d time.Duration) { b.patience = d }

// Patiently is what a start does until Kafka has answered.
func Patiently(ctx context.Context, do func(ctx context.Context) error) error {
	b := &Bus{config: Config{Log: slog.New(slog.DiscardHandler)}}
	return b.patiently(ctx, do)
}
