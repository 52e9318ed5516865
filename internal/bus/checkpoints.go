package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// CheckpointsOf is the topic that holds how far a stream from outside has been read. Its partition n is that of the stream's
// partition n, for the positions and for the consumer group that shares the partitions out.
func CheckpointsOf(stream string) Topic {
	return Checkpoints + "." + Topic(strings.Map(legal, stream))
}

// legal puts a hyphen in the place of what Kafka takes in no name.
func legal(c rune) rune {
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' {
		return c
	}
	return '-'
}

// checkpointSettings are those of checkpoint topics. Compaction keeps the newest position; that old ones may also be deleted is
// for the embedded broker, which compacts at boot alone.
var checkpointSettings = map[string]string{"cleanup.policy": "compact,delete", "retention.ms": "-1", "retention.bytes": "-1", "segment.ms": "600000", "segment.bytes": "16777216",
	"min.cleanable.dirty.ratio": "0.1"}

// EnsureCheckpoints makes the topic of a stream with so many partitions. One that has fewer, because the stream has grown,
// gets more. One that has more is refused: its stream is another one now, and its positions say nothing of this one.
func (b *Bus) EnsureCheckpoints(ctx context.Context, t Topic, partitions int) error {
	return b.patiently(ctx, func(ctx context.Context) error { return b.ensureCheckpoints(ctx, t, partitions) })
}

func (b *Bus) ensureCheckpoints(ctx context.Context, t Topic, partitions int) error {
	made := madeTopics{}
	there, err := b.create(ctx, t, partitions, made, checkpointSettings)
	if err != nil {
		return err
	}
	if there {
		if err := b.checkKept(ctx, t); err != nil {
			return err
		}
		have, err := b.Partitions(ctx, t)
		if err != nil {
			return err
		}
		if have > partitions {
			return &Shrunk{b.name(t), have, partitions}
		}
		if have < partitions {
			if err := b.grow(ctx, t, have, partitions); err != nil {
				return err
			}
		}
	}
	return b.awaitTopics(ctx, made, t)
}

// grownWithin is how long brokers may take to know that a topic has more partitions.
const grownWithin = 30 * time.Second

// grow gives a topic more partitions, and waits until brokers know it. Where Kafka refuses the number, another instance may just have
// given them.
func (b *Bus) grow(ctx context.Context, t Topic, have, partitions int) error {
	res, err := b.admin.UpdatePartitions(ctx, partitions, b.name(t))
	if err == nil {
		err = res.Error()
	}
	if err == nil || errors.Is(err, kerr.InvalidPartitions) {
		within, cancel := context.WithTimeout(ctx, grownWithin)
		defer cancel()
		for within.Err() == nil {
			if now, err := b.Partitions(within, t); err == nil && now >= partitions {
				return nil
			}
			select {
			case <-within.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
		err = cmp.Or(err, within.Err())
	}
	return fmt.Errorf("topic %s has %d partitions and its stream has %d; Kafka does not give it more: "+
		"give them by `kafka-topics.sh --alter --topic %[1]s --partitions %[3]d`: %w", b.name(t), have, partitions, err)
}

// Checkpoint is the position of a partition committed last, as far as readers see now; nil if nothing has been committed. A Transactor's
// is the one to go on from.
func (b *Bus) Checkpoint(ctx context.Context, t Topic, partition int32) ([]byte, error) {
	first, last, err := b.Bounds(ctx, t, partition)
	if err != nil {
		return nil, err
	}
	return b.checkpoint(ctx, t, partition, first, last+1)
}

// checkpoint is the newest position that lies between a partition's first record and an end.
func (b *Bus) checkpoint(ctx context.Context, t Topic, partition int32, first, end int64) (value []byte, err error) {
	// Between positions lie marks of transactions and fences: a few records back is one, as a rule.
	for back := int64(16); first < end; back *= 8 {
		from := max(first, end-back)
		s := span{b, t, map[int32]kgo.Offset{partition: kgo.NewOffset().At(from)}, map[int32]int64{partition: end}}
		err := s.read(ctx, func(r Record) error {
			if string(r.Key) != fenceKey && !strings.HasPrefix(string(r.Key), rowPrefix) {
				value = r.Value
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read checkpoint: %w", err)
		}
		if value != nil || from == first {
			break
		}
	}
	return value, nil
}

// checkKept refuses a topic, made by somebody else, in which positions would be deleted with time.
func (b *Bus) checkKept(ctx context.Context, t Topic) error {
	have, err := b.configured(ctx, t)
	if err != nil {
		return err
	}
	policy, ok := have["cleanup.policy"]
	switch {
	case ok && !strings.Contains(policy, "compact"):
		return fmt.Errorf("topic %s has cleanup.policy=%s, expected compact: the positions of a quiet stream would be deleted", b.name(t), policy)
	case ok && strings.Contains(policy, "delete") && have["retention.ms"] != "-1":
		return fmt.Errorf("topic %s has cleanup.policy=%s and retention.ms=%s, expected retention.ms=-1: the positions of a quiet stream would be deleted", b.name(t), policy, have["retention.ms"])
	}
	return nil
}

// Shrunk is a stream that has fewer partitions than the topic of its positions.
type Shrunk struct {
	Topic     string
	Have, Now int
}

func (e *Shrunk) Error() string {
	return fmt.Sprintf("topic %s has %d partitions and its stream has %d: the stream was made anew, and the positions belong to the old one; end all instances, delete the topic and start again to read the new stream from its start position, or give the source another name", e.Topic, e.Have, e.Now)
}

// partitioner puts records of checkpoint topics, of state and signals where they say, and all others by their key, as every writer does.
type partitioner struct {
	checkpoints   string   // how names of checkpoint topics begin
	placed        []string // topics
	manual, keyed kgo.Partitioner
}

// uniform is what stands in the client by default: records of a key lie together, those without a key are spread.
const uniformBytes = 64 << 10

func (b *Bus) partitioner() kgo.Partitioner {
	if b.config.Foreign {
		return kgo.UniformBytesPartitioner(uniformBytes, true, true, nil)
	}
	p := partitioner{checkpoints: b.name(Checkpoints) + "."}
	for _, t := range Topics {
		if t.placed() {
			p.placed = append(p.placed, b.name(t))
		}
	}
	p.manual, p.keyed = kgo.ManualPartitioner(), kgo.UniformBytesPartitioner(uniformBytes, true, true, nil)
	return p
}

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if slices.Contains(p.placed, topic) || strings.HasPrefix(topic, p.checkpoints) {
		return p.manual.ForTopic(topic)
	}
	return p.keyed.ForTopic(topic)
}

// shorten deletes what lies before an offset of a checkpoint topic.
func (b *Bus) shorten(ctx context.Context, t Topic, partition int32, before int64) error {
	low := kadm.Offsets{}
	low.AddOffset(b.name(t), partition, before, -1)
	return b.deleteBefore(ctx, low)
}
