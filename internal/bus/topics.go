package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
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
	if slices.Contains(states, t) {
		m["cleanup.policy"] = "compact"
		m["retention.ms"] = "-1"
		return b.config.Partitions, m
	}
	m["cleanup.policy"] = "delete"
	if t == Status {
		return 1, m
	}
	return b.config.Partitions, m
}

// Topics are all topics.
var Topics = []Topic{Events, Alerts, DeadLetters, Checkpoints, Status, DetectorState, Signals, SignalsState, DeliveryResults}

// Own reports whether a topic is one of ours, also one of the positions of a stream.
func Own(t Topic) bool {
	return slices.Contains(Topics, t) || strings.HasPrefix(string(t), string(Checkpoints)+".")
}

// retention is how long a topic's records are kept. A record that is deleted before its reader has come to it is lost.
type retention struct {
	made  time.Duration // of a topic that we make
	least time.Duration // less is refused; 0: anything goes
	bytes int64         // a limit in bytes is refused under so many for each partition
	lost  string        // what happens to a reader that is late
}

const day = 24 * time.Hour

// retentions are those of the topics in which nothing may be deleted unread. Dead letters hold personal data.
var retentions = map[Topic]retention{
	Events:          {7 * day, day, 1 << 30, "what the detector has not read by then is never evaluated"},
	Alerts:          {30 * day, 3 * day, 64 << 20, "alerts that a sink could not deliver by then are lost"},
	Signals:         {3 * day, day, 64 << 20, "what rules whose key is not the account have not read by then counts for nothing"},
	DeadLetters:     {keepLetters, day, 16 << 20, "dead letters that nobody has looked at by then are lost"},
	DeliveryResults: {made: keepLetters},
	Status:          {made: time.Hour},
}

// stateFirst lets compaction begin soon: it leaves out the segment that is written. What was taken away stays known for a day, which is
// longer than anybody reads the topic.
var stateFirst = map[string]string{"retention.bytes": "-1", "segment.ms": "600000", "segment.bytes": "33554432",
	"min.cleanable.dirty.ratio": "0.2", "delete.retention.ms": "86400000"}

// firstRetention is what topics that are made get beside their settings; whoever runs Kafka may change it.
func firstRetention(t Topic) map[string]string {
	if slices.Contains(states, t) {
		return stateFirst
	}
	r, ok := retentions[t]
	if !ok {
		return nil
	}
	m := map[string]string{"retention.ms": milliseconds(r.made), "retention.bytes": "-1"}
	if t == Status {
		m["segment.ms"] = milliseconds(r.made)
	}
	return m
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Ensure makes the topics that are missing, waits until they can be used, and checks those that are there. With more, topics
// that are made get these settings too.
func (b *Bus) Ensure(ctx context.Context, more map[Topic]map[string]string) error {
	return b.patiently(ctx, func(ctx context.Context) error { return b.ensure(ctx, more) })
}

func (b *Bus) ensure(ctx context.Context, more map[Topic]map[string]string) error {
	var there []Topic
	made := madeTopics{}
	for _, t := range Topics {
		partitions, configs := b.settings(t)
		found, err := b.create(ctx, t, partitions, made, firstRetention(t), configs, more[t])
		if err != nil {
			return err
		}
		if found {
			there = append(there, t)
		}
	}
	// Another instance may just have made them: brokers know them a little later.
	if err := b.awaitTopics(ctx, made, Topics...); err != nil {
		return err
	}
	problems, err := b.checkAnswered(ctx, there)
	if err != nil {
		return err
	}
	var refused error
	for _, p := range problems {
		if p.refused {
			refused = errors.Join(refused, errors.New(p.text))
			continue
		}
		b.config.Log.Warn("topic may lose records", slog.String("topic", p.topic), slog.String("problem", p.text))
	}
	return refused
}

// lagWithin is how long a broker may not know a topic that another one knows.
const lagWithin = 15 * time.Second

// checkAnswered is check for topics that a broker has just said to be there. Where another one does not know them yet, it is asked again.
func (b *Bus) checkAnswered(ctx context.Context, topics []Topic) (all []problem, err error) {
	late := time.After(lagWithin)
	for {
		all, err = b.check(ctx, topics)
		if err != nil || !slices.ContainsFunc(all, func(p problem) bool { return p.gone }) {
			return all, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("look at topics: %w", ctx.Err())
		case <-late:
			return all, nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Watch looks at the topics now and then, until ctx ends: somebody may change them while they are used. What is wrong is told each
// time, with what to do.
func (b *Bus) Watch(ctx context.Context, every time.Duration) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		within, cancel := context.WithTimeout(ctx, every)
		problems, err := b.check(within, Topics)
		cancel()
		if err != nil {
			b.config.Log.Debug("topics not looked at", slog.Any("err", err)) // that Kafka does not answer is told elsewhere
			continue
		}
		b.problems.Store(int64(len(problems)))
		for _, p := range problems {
			b.config.Log.Error("a topic is not as it should be", slog.String("topic", p.topic), slog.String("problem", p.text))
		}
	}
}

// Problems is how many settings of topics are not as they should be, as the last look of Watch has found.
func (b *Bus) Problems() int64 { return b.problems.Load() }

// create makes a topic and keeps its id, or says that it is there.
func (b *Bus) create(ctx context.Context, t Topic, partitions int, made madeTopics, settings ...map[string]string) (there bool, err error) {
	return b.createWith(ctx, t, partitions, -1, made, settings...)
}

// createWith is create with so many replicas, -1: as brokers have it.
func (b *Bus) createWith(ctx context.Context, t Topic, partitions, replicas int, made madeTopics, settings ...map[string]string) (there bool, err error) {
	all := map[string]*string{}
	for _, m := range settings {
		for k, v := range m {
			all[k] = &v
		}
	}
	res, err := b.admin.CreateTopic(ctx, int32(partitions), int16(replicas), all, b.name(t))
	if err == nil {
		err = res.Err
	}
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("create topic %s: %w", b.name(t), err)
	}
	if res.ID != (kadm.TopicID{}) {
		made[b.name(t)] = res.ID
	}
	return false, nil
}

// madeTopics are the ids of topics that were just made, by name, as far as brokers tell them.
type madeTopics map[string]kadm.TopicID

// is reports whether a broker speaks of the topic that was made, and not of one of its name that was deleted before.
func (m madeTopics) is(t kadm.TopicDetail) bool {
	id, ok := m[t.Topic]
	return !ok || id == t.ID
}

// problem is a setting of a topic that is not as it should be. Its text says what to do.
type problem struct {
	topic   string
	text    string
	refused bool // we do not start with it
	gone    bool // a broker does not know the topic
}

// check compares topics that are there with what they should be.
func (b *Bus) check(ctx context.Context, topics []Topic) (all []problem, err error) {
	for _, t := range topics {
		partitions, want := b.settings(t)
		found, err := b.look(ctx, b.name(t))
		if err == nil {
			err = found.Error()
		}
		if errors.Is(err, kerr.UnknownTopicOrPartition) || err == nil && len(found[b.name(t)].Partitions) == 0 {
			all = append(all, b.deleted(t))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look at topic %s: %w", b.name(t), err)
		}
		if n := len(found[b.name(t)].Partitions); n != partitions {
			all = append(all, b.resized(t, n, partitions))
		}
		have, err := b.configured(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if v, ok := have[k]; ok && !enough(k, v, want[k]) {
				text := fmt.Sprintf("topic %s has %s=%s, expected %s: %s", b.name(t), k, v, want[k], b.alter(t, k, want[k]))
				all = append(all, problem{b.name(t), text, true, false})
			}
		}
		all = append(all, b.checkRetention(t, have)...)
	}
	return all, nil
}

// deleted is a topic that is gone.
func (b *Bus) deleted(t Topic) problem {
	gone := "what it held is gone"
	if slices.Contains(states, t) {
		gone = "what rules remember is gone, so that they begin anew"
	}
	return problem{b.name(t), fmt.Sprintf("topic %s was deleted, and %s: restart noroshi to make it again", b.name(t), gone), true, true}
}

// resized is a topic with another number of partitions. Records of an account lie in one, found by the number.
func (b *Bus) resized(t Topic, have, want int) problem {
	text := fmt.Sprintf("topic %s has %d partitions, expected %d as kafka.partitions says; the number cannot change later, because records of an account must stay in order.", b.name(t), have, want)
	switch {
	case t == Checkpoints || t == Status:
		text += " Stop all instances, delete the topic and start again; files are then read again from their start."
	case slices.Contains(states, t):
		text += " Stop all instances, delete the topic and start again; rules that remember then begin anew."
	case have < want:
		text += fmt.Sprintf(" Set kafka.partitions to %d, or give all of noroshi's topics %d partitions.", have, want)
	default:
		text += fmt.Sprintf(" Either give all of noroshi's topics %[1]d partitions and set kafka.partitions to %[1]d (records of one account may then come out of order once),"+
			" or stop all instances when everything has been read, delete the topic and start again.", have)
	}
	return problem{b.name(t), text, true, false}
}

// checkRetention looks for records that are deleted before they have been read.
func (b *Bus) checkRetention(t Topic, have map[string]string) (all []problem) {
	r := retentions[t]
	if r.least == 0 {
		return nil
	}
	if ms, err := strconv.ParseInt(have["retention.ms"], 10, 64); err == nil && ms >= 0 && ms < r.least.Milliseconds() {
		kept := time.Duration(ms) * time.Millisecond
		text := fmt.Sprintf("topic %s keeps records for %v (retention.ms=%d): %s; expected at least %v: %s", b.name(t), kept, ms, r.lost, r.least, b.alter(t, "retention.ms", milliseconds(r.made)))
		all = append(all, problem{b.name(t), text, true, false})
	}
	if n, err := strconv.ParseInt(have["retention.bytes"], 10, 64); err == nil && n >= 0 {
		text := fmt.Sprintf("topic %s keeps %d bytes of a partition (retention.bytes), however old they are: %s; expected no limit: %s", b.name(t), n, r.lost, b.alter(t, "retention.bytes", "-1"))
		all = append(all, problem{b.name(t), text, n < r.bytes, false})
	}
	return all
}

// alter is the command that changes a setting.
func (b *Bus) alter(t Topic, key, value string) string {
	return fmt.Sprintf("`kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config %s=%s`", b.name(t), key, value)
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

// look asks brokers what topics there are of some names. The client's own answers, which it keeps for some seconds, would tell of a topic
// that was deleted or made anew since; asking for rights passes them by.
func (b *Bus) look(ctx context.Context, names ...string) (kadm.TopicDetails, error) {
	return b.admin.ListTopics(kadm.WithAuthorizedOps(ctx), names...)
}

// awaitTopics waits until brokers know the topics that were made, and every partition has a leader.
func (b *Bus) awaitTopics(ctx context.Context, made madeTopics, topics ...Topic) error {
	var names []string
	for _, t := range topics {
		names = append(names, b.name(t))
	}
	for {
		found, err := b.look(ctx, names...)
		if err != nil {
			return fmt.Errorf("wait for topics: %w", err)
		}
		ready := len(found) == len(names)
		for _, t := range found {
			ready = ready && t.Err == nil && len(t.Partitions) > 0 && made.is(t)
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
