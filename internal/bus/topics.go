package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// settings are how our topics are made, and what is checked at every start.
func (b *Bus) settings(t Topic) (partitions int, configs map[string]string) {
	m := map[string]string{"max.message.bytes": strconv.Itoa(maxMessage)}
	if t == Checkpoints {
		m["cleanup.policy"] = "compact"
		m["retention.ms"] = "-1"
		return 1, m
	}
	m["cleanup.policy"] = "delete"
	if t == Status {
		return 1, m
	}
	return b.config.Partitions, m
}

// Topics are all topics.
var Topics = []Topic{Events, Alerts, DeadLetters, Checkpoints, Status}

// Ensure makes the topics that are missing, waits until they can be used, and checks those that are there. With more, topics
// that are made get these settings too.
func (b *Bus) Ensure(ctx context.Context, more map[Topic]map[string]string) error {
	for _, t := range Topics {
		partitions, configs := b.settings(t)
		switch there, err := b.create(ctx, t, partitions, firstRetention[t], configs, more[t]); {
		case err != nil:
			return err
		case there:
			if err := b.check(ctx, t, partitions, configs); err != nil {
				return err
			}
		}
	}
	return b.awaitTopics(ctx, Topics...)
}

// firstRetention is how long records are kept in topics that are made; whoever runs Kafka may change it. Dead letters hold
// personal data.
var firstRetention = map[Topic]map[string]string{
	DeadLetters: {"retention.ms": strconv.FormatInt(keepLetters.Milliseconds(), 10)},
	Status:      {"retention.ms": strconv.FormatInt(time.Hour.Milliseconds(), 10), "segment.ms": strconv.FormatInt(time.Hour.Milliseconds(), 10)},
}

// create makes a topic, or says that it is there.
func (b *Bus) create(ctx context.Context, t Topic, partitions int, settings ...map[string]string) (there bool, err error) {
	made := map[string]*string{}
	for _, m := range settings {
		for k, v := range m {
			made[k] = &v
		}
	}
	res, err := b.admin.CreateTopic(ctx, int32(partitions), -1, made, b.name(t))
	if err == nil {
		err = res.Err
	}
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("create topic %s: %w", b.name(t), err)
	}
	return false, nil
}

// check compares a topic that is there with what it should be.
func (b *Bus) check(ctx context.Context, t Topic, partitions int, want map[string]string) error {
	found, err := b.admin.ListTopics(ctx, b.name(t))
	if err != nil {
		return fmt.Errorf("look at topic %s: %w", b.name(t), err)
	}
	if n := len(found[b.name(t)].Partitions); n != partitions {
		return fmt.Errorf("topic %s has %d partitions, the configuration says %d; the number is for life: records of an account must stay in order", b.name(t), n, partitions)
	}
	have, err := b.configured(ctx, t)
	if err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := have[k]; ok && !enough(k, v, want[k]) {
			return fmt.Errorf("topic %s has %s=%s; wanted is %s", b.name(t), k, v, want[k])
		}
	}
	return nil
}

// configured are the settings of a topic.
func (b *Bus) configured(ctx context.Context, t Topic) (map[string]string, error) {
	all, err := b.admin.DescribeTopicConfigs(ctx, b.name(t))
	if err != nil {
		return nil, fmt.Errorf("look at topic %s: %w", b.name(t), err)
	}
	have := map[string]string{}
	for _, r := range all {
		for _, c := range r.Configs {
			have[c.Key] = c.MaybeValue()
		}
	}
	return have, nil
}

func enough(key, have, want string) bool {
	if key == "max.message.bytes" {
		h, err1 := strconv.Atoi(have)
		w, err2 := strconv.Atoi(want)
		return err1 == nil && err2 == nil && h >= w
	}
	return have == want
}

// awaitTopics waits until every partition has a leader.
func (b *Bus) awaitTopics(ctx context.Context, topics ...Topic) error {
	var names []string
	for _, t := range topics {
		names = append(names, b.name(t))
	}
	for {
		found, err := b.admin.ListTopics(ctx, names...)
		if err != nil {
			return fmt.Errorf("wait for topics: %w", err)
		}
		ready := len(found) == len(names)
		for _, t := range found {
			ready = ready && t.Err == nil
			for _, p := range t.Partitions {
				ready = ready && p.Err == nil && p.Leader >= 0
			}
		}
		if ready {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for topics: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
