// Package kafkatest gives tests a Kafka of their own.
package kafkatest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"noroshi/internal/bus"
)

// Start starts the embedded Kafka in a folder of the test's, with its topics, and ends it with the test.
func Start(t testing.TB, partitions int) *bus.Bus {
	t.Helper()
	return StartIn(t, t.TempDir(), partitions)
}

// StartIn is Start in a folder that may hold the data of an earlier one.
func StartIn(t testing.TB, dir string, partitions int) *bus.Bus {
	t.Helper()
	e, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: dir, Prefix: "test.", Partitions: partitions, Cap: 1 << 30, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	b, err := bus.Connect(e.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := b.Ensure(ctx, e.TopicSettings()); err != nil {
		t.Fatal(err)
	}
	return b
}
