package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Share runs do for each partition of a topic that falls to this member of the group, until the partition falls to another or
// ctx ends; do must return when its context ends, and nobody else gets the partition before. Nothing of the topic is read: the
// group shares out what its partitions stand for. A member with an instance keeps its partitions over a restart; one without
// leaves at once when it ends, and after its session of 10 s when it was killed.
func (b *Bus) Share(ctx context.Context, topic Topic, group, instance string, do func(ctx context.Context, partition int32)) error {
	s := &sharing{ctx: ctx, do: do, running: map[int32]func(){}}
	o, err := b.options()
	if err != nil {
		return fmt.Errorf("join group %s: %w", group, err)
	}
	if instance != "" {
		o = append(o, kgo.InstanceID(instance))
	}
	name := b.name(topic)
	o = append(o, kgo.ConsumerGroup(b.config.Prefix+group), kgo.ConsumeTopics(name), kgo.DisableAutoCommit(), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(session), kgo.RebalanceTimeout(rebalance), kgo.HeartbeatInterval(heartbeat),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, all map[string][]int32) { s.start(all[name]) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, all map[string][]int32) { s.stop(all[name]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, all map[string][]int32) { s.stop(all[name]) }))
	c, err := kgo.NewClient(o...)
	if err != nil {
		return fmt.Errorf("join group %s: %w", group, err)
	}
	c.PauseFetchTopics(name)
	err = s.listen(ctx, c, b.config.Log, group)
	s.stopAll()
	(&Reader{client: c}).Close()
	return err
}

// sharing are the partitions that have fallen to a member.
type sharing struct {
	ctx context.Context
	do  func(ctx context.Context, partition int32)

	mu      sync.Mutex
	ended   bool             // partitions that still fall to this member are not begun
	running map[int32]func() // stops it and waits
}

func (s *sharing) start(partitions []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range partitions {
		if s.running[p] != nil || s.ended {
			continue
		}
		ctx, cancel := context.WithCancel(s.ctx)
		done := make(chan struct{})
		s.running[p] = func() { cancel(); <-done }
		go func() {
			defer close(done)
			s.do(ctx, p)
		}()
	}
}

func (s *sharing) stop(partitions []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range partitions {
		if stop := s.running[p]; stop != nil {
			wg.Go(stop)
			delete(s.running, p)
		}
	}
	wg.Wait()
}

func (s *sharing) stopAll() {
	s.mu.Lock()
	s.ended = true
	var all []int32
	for p := range s.running {
		all = append(all, p)
	}
	s.mu.Unlock()
	s.stop(all)
}

// listen waits for ctx to end, or for a fault of the group that does not pass.
func (s *sharing) listen(ctx context.Context, c *kgo.Client, log *slog.Logger, group string) error {
	trouble := &Trouble{Log: log}
	for {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return nil
		}
		for _, e := range fetches.Errors() {
			if errors.Is(e.Err, kerr.FencedInstanceID) || errors.Is(e.Err, kerr.GroupAuthorizationFailed) || errors.Is(e.Err, kerr.TopicAuthorizationFailed) || errors.Is(e.Err, kerr.SaslAuthenticationFailed) {
				return fmt.Errorf("share group %s: %w", group, e.Err)
			}
			trouble.Again("sharing interrupted", e.Err, slog.String("group", group))
		}
		if trouble.Pause(ctx) != nil {
			return nil
		}
	}
}
