package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Wish is how somebody wants the topics, beside what they need to be.
type Wish struct {
	Replicas  int                     // of each topic; 0: as brokers have it
	InSync    int                     // replicas that acknowledge a write; 0: as brokers have it
	Retention map[Topic]time.Duration // of some topics, instead of the usual
}

// What is to be done about a topic.
const (
	Make   = "make"   // it is missing
	Alter  = "alter"  // a setting of it is not enough
	Refuse = "refuse" // the wish would take away from what it keeps, or what it lacks cannot be given to a topic that exists
)

// Change is something that a topic lacks.
type Change struct {
	Topic      string            `json:"topic"`
	Do         string            `json:"do"`
	Partitions int               `json:"partitions,omitempty"` // of one that is made
	Replicas   int               `json:"replicas,omitempty"`   // of one that is made; 0: as brokers have it
	Settings   map[string]string `json:"settings,omitempty"`   // that it gets
	Had        map[string]string `json:"had,omitempty"`        // what these are
	Why        string            `json:"why,omitempty"`
	of         Topic
}

// Longest is how long retention may be wished.
const Longest = 10 * 365 * day

// Kept reports whether a topic has a retention that somebody may wish.
func Kept(t Topic) bool { return retentions[t].made > 0 }

// Plan compares the topics with what they need to be and what is wished. Nothing is changed.
func (b *Bus) Plan(ctx context.Context, w Wish) (all []Change, err error) {
	err = b.patiently(ctx, func(ctx context.Context) (err error) {
		all, err = b.plan(ctx, w)
		return err
	})
	return all, err
}

func (b *Bus) plan(ctx context.Context, w Wish) (all []Change, err error) {
	for _, t := range Topics {
		found, err := b.look(ctx, b.name(t))
		if err == nil {
			err = found.Error()
		}
		one := found[b.name(t)]
		switch {
		case errors.Is(err, kerr.UnknownTopicOrPartition) || err == nil && len(one.Partitions) == 0:
			partitions, _ := b.settings(t)
			all = append(all, Change{Topic: b.name(t), Do: Make, Partitions: partitions, Replicas: w.Replicas, Settings: b.wished(t, w), of: t})
		case err != nil:
			return nil, fmt.Errorf("look at topic %s: %w", b.name(t), err)
		default:
			have, err := b.configured(ctx, t)
			if err != nil {
				return nil, err
			}
			all = append(all, b.compare(t, one, have, w)...)
		}
	}
	return all, nil
}

// wished are the settings of a topic that is made.
func (b *Bus) wished(t Topic, w Wish) map[string]string {
	_, settings := b.settings(t)
	all := maps.Clone(firstRetention(t))
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, settings)
	if d := w.Retention[t]; d > 0 {
		all["retention.ms"] = milliseconds(d)
	}
	if w.InSync > 0 {
		all["min.insync.replicas"] = strconv.Itoa(w.InSync)
	}
	return all
}

// compare gives what a topic that is there lacks.
func (b *Bus) compare(t Topic, there kadm.TopicDetail, have map[string]string, w Wish) (all []Change) {
	refuse := func(format string, values ...any) {
		all = append(all, Change{Topic: b.name(t), Do: Refuse, Why: fmt.Sprintf(format, values...), of: t})
	}
	partitions, settings := b.settings(t)
	if n := len(there.Partitions); n != partitions {
		all = append(all, Change{Topic: b.name(t), Do: Refuse, Why: b.resized(t, n, partitions).text, of: t})
	}
	if n := there.Partitions.NumReplicas(); w.Replicas > 0 && n != w.Replicas {
		refuse("topic %s has %d replicas, wished are %d: kafka-reassign-partitions.sh changes them", b.name(t), n, w.Replicas)
	}
	change := Change{Topic: b.name(t), Do: Alter, Settings: map[string]string{}, Had: map[string]string{}, of: t}
	set := func(key, value string) { change.Settings[key], change.Had[key] = value, have[key] }
	for key, want := range settings {
		if v, ok := have[key]; ok && !enough(key, v, want) {
			set(key, want)
		}
	}
	if r := retentions[t]; r.made > 0 {
		kept, unlimited := duration(have["retention.ms"])
		switch wish := w.Retention[t]; {
		case wish > 0 && (unlimited || kept > wish):
			refuse("topic %s keeps records for %s, wished are %v: what is older would be deleted at once. To do it nevertheless: %s",
				b.name(t), told(kept, unlimited), wish, b.alter(t, "retention.ms", milliseconds(wish)))
		case !unlimited && kept < cmp.Or(wish, r.least):
			set("retention.ms", milliseconds(cmp.Or(wish, r.made)))
		}
		if n, err := strconv.ParseInt(have["retention.bytes"], 10, 64); err == nil && n >= 0 && r.least > 0 {
			set("retention.bytes", "-1")
		}
	}
	if n, err := strconv.Atoi(have["min.insync.replicas"]); err == nil && w.InSync > 0 {
		switch {
		case n > w.InSync:
			refuse("topic %s has min.insync.replicas=%d, wished are %d: what is acknowledged would lie on fewer brokers. To do it nevertheless: %s",
				b.name(t), n, w.InSync, b.alter(t, "min.insync.replicas", strconv.Itoa(w.InSync)))
		case n < w.InSync && there.Partitions.NumReplicas() < w.InSync:
			refuse("topic %s has %d replicas; with min.insync.replicas=%d nothing could be written to it", b.name(t), there.Partitions.NumReplicas(), w.InSync)
		case n < w.InSync:
			set("min.insync.replicas", strconv.Itoa(w.InSync))
		}
	}
	if len(change.Settings) > 0 {
		all = append(all, change)
	}
	return all
}

// duration reads a retention in milliseconds.
func duration(ms string) (d time.Duration, unlimited bool) {
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil || n < 0 || n > Longest.Milliseconds() {
		return 0, true
	}
	return time.Duration(n) * time.Millisecond, false
}

func told(d time.Duration, unlimited bool) string {
	if unlimited {
		return "ever"
	}
	return d.String()
}

// Apply does what a plan says. done is told of each change that was made. A plan that refuses something is not begun.
func (b *Bus) Apply(ctx context.Context, all []Change, done func(*Change)) error {
	for i := range all {
		if all[i].Do == Refuse {
			return errors.New(all[i].Why)
		}
	}
	made := madeTopics{}
	var topics []Topic
	for i := range all {
		c := &all[i]
		if err := b.apply(ctx, c, made); err != nil {
			return err
		}
		if c.Do == Make {
			topics = append(topics, c.of)
		}
		done(c)
	}
	if len(topics) == 0 {
		return nil
	}
	return b.awaitTopics(ctx, made, topics...)
}

func (b *Bus) apply(ctx context.Context, c *Change, made madeTopics) error {
	if c.Do == Make {
		there, err := b.createWith(ctx, c.of, c.Partitions, cmp.Or(c.Replicas, -1), made, c.Settings)
		if err == nil && there {
			err = fmt.Errorf("topic %s was made by another meanwhile; plan again", c.Topic)
		}
		return err
	}
	var settings []kadm.AlterConfig
	for _, key := range slices.Sorted(maps.Keys(c.Settings)) {
		value := c.Settings[key]
		settings = append(settings, kadm.AlterConfig{Op: kadm.SetConfig, Name: key, Value: &value})
	}
	res, err := b.admin.AlterTopicConfigs(ctx, settings, c.Topic)
	for _, r := range res {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		return fmt.Errorf("alter topic %s: %w", c.Topic, err)
	}
	return nil
}
