// Package kafkatest gives tests a Kafka of their own: the embedded one, or an Apache Kafka.
package kafkatest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"noroshi/internal/bus"
)

// prefix begins the names of topics.
const prefix = "test."

const topicsWithin = 30 * time.Second

// Start starts the embedded Kafka in a folder of the test's, with its topics, and ends it with the test.
func Start(t testing.TB, partitions int) *bus.Bus {
	t.Helper()
	return StartIn(t, t.TempDir(), partitions)
}

// StartIn is Start in a folder that may hold the data of an earlier one.
func StartIn(t testing.TB, dir string, partitions int) *bus.Bus {
	t.Helper()
	e, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: dir, Prefix: prefix, Partitions: partitions, Cap: 1 << 30, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return connect(t, e.Config(), e.TopicSettings())
}

// StartApache starts an Apache Kafka with its topics.
func StartApache(t testing.TB, partitions int) *bus.Bus {
	t.Helper()
	return connect(t, Apache(t).Config(prefix, partitions), nil)
}

// Each runs a test on the embedded Kafka and on an Apache Kafka.
func Each(t *testing.T, partitions int, do func(t *testing.T, b *bus.Bus)) {
	t.Run("embedded", func(t *testing.T) { do(t, Start(t, partitions)) })
	t.Run("apache", func(t *testing.T) { do(t, StartApache(t, partitions)) })
}

func connect(t testing.TB, c bus.Config, settings map[bus.Topic]map[string]string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	ctx, cancel := context.WithTimeout(context.Background(), topicsWithin)
	defer cancel()
	if err := b.Ensure(ctx, settings); err != nil {
		t.Fatal(err)
	}
	return b
}
