//go:build unix

package bus_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// What a plan finds on an Apache Kafka, and what becomes of it.
func TestPlan(t *testing.T) {
	broker := kafkatest.Apache(t)
	b := connected(t, broker.Config("planned.", 3))
	plan := func(t *testing.T, w bus.Wish) []bus.Change {
		t.Helper()
		all, err := b.Plan(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	apply := func(t *testing.T, all []bus.Change) (done []string) {
		t.Helper()
		if err := b.Apply(t.Context(), all, func(c *bus.Change) { done = append(done, c.Topic) }); err != nil {
			t.Fatal(err)
		}
		return done
	}
	t.Run("all are made, and a run has no objection", func(t *testing.T) {
		all := plan(t, bus.Wish{Retention: map[bus.Topic]time.Duration{bus.Events: 14 * 24 * time.Hour}})
		if len(all) != len(bus.Topics) || all[0].Do != bus.Make || all[0].Topic != "planned.events" || all[0].Partitions != 3 || all[0].Settings["retention.ms"] != "1209600000" {
			t.Fatalf("the plan is %+v", all)
		}
		if done := apply(t, all); len(done) != len(bus.Topics) {
			t.Errorf("made are %v", done)
		}
		if err := b.Ensure(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if all := plan(t, bus.Wish{}); len(all) > 0 {
			t.Errorf("then a plan finds %+v", all)
		}
	})
	t.Run("what is not enough is mended", func(t *testing.T) {
		for _, change := range []func(context.Context) error{
			func(ctx context.Context) error { return b.Set(ctx, bus.Alerts, "max.message.bytes", "1024") },
			func(ctx context.Context) error { return b.Set(ctx, bus.DeadLetters, "retention.ms", "1000") },
			func(ctx context.Context) error { return b.Set(ctx, bus.Signals, "retention.bytes", "1000000") },
			func(ctx context.Context) error { return b.Set(ctx, bus.DetectorState, "cleanup.policy", "delete") },
		} {
			if err := change(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]map[string]string{}
		all := plan(t, bus.Wish{})
		for _, c := range all {
			got[c.Topic+" "+c.Do] = c.Settings
		}
		want := map[string]map[string]string{"planned.alerts alter": {"max.message.bytes": "8388608"}, "planned.dead-letters alter": {"retention.ms": "1209600000"},
			"planned.signals alter": {"retention.bytes": "-1"}, "planned.detector-state alter": {"cleanup.policy": "compact"}}
		if d := cmp.Diff(got, want); d != "" {
			t.Fatal(d)
		}
		apply(t, all)
		if err := b.Ensure(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if all := plan(t, bus.Wish{}); len(all) > 0 {
			t.Errorf("then a plan finds %+v", all)
		}
	})
	t.Run("nothing that is kept is shortened", func(t *testing.T) {
		if err := b.Set(t.Context(), bus.Status, "min.insync.replicas", "2"); err != nil {
			t.Fatal(err)
		}
		more := connected(t, broker.Config("planned.", 6))
		for _, c := range []struct {
			name string
			b    *bus.Bus
			wish bus.Wish
			says string
		}{
			{"a shorter retention", b, bus.Wish{Retention: map[bus.Topic]time.Duration{bus.Events: 7 * 24 * time.Hour}}, "planned.events keeps records for 336h0m0s, wished are 168h0m0s"},
			{"more partitions", more, bus.Wish{}, "planned.events has 3 partitions, expected 6"},
			{"fewer replicas in sync", b, bus.Wish{InSync: 1}, "planned.status has min.insync.replicas=2, wished are 1"},
			{"more replicas in sync than there are", b, bus.Wish{InSync: 3}, "planned.events has 1 replicas; with min.insync.replicas=3 nothing could be written"},
			{"more replicas", b, bus.Wish{Replicas: 3}, "planned.events has 1 replicas, wished are 3: kafka-reassign-partitions.sh"},
		} {
			t.Run(c.name, func(t *testing.T) {
				all, err := c.b.Plan(t.Context(), c.wish)
				if err != nil {
					t.Fatal(err)
				}
				found := false
				for _, one := range all {
					found = found || one.Do == bus.Refuse && strings.Contains(one.Why, c.says)
				}
				if !found {
					t.Errorf("nothing says %q: %+v", c.says, all)
				}
				if err := c.b.Apply(t.Context(), all, func(c *bus.Change) { t.Errorf("%s is changed", c.Topic) }); err == nil {
					t.Error("it is done")
				}
			})
		}
	})
	t.Run("a longer retention stays", func(t *testing.T) {
		if err := b.Set(t.Context(), bus.Status, "min.insync.replicas", "1"); err != nil {
			t.Fatal(err)
		}
		if all := plan(t, bus.Wish{Retention: map[bus.Topic]time.Duration{bus.Events: 14 * 24 * time.Hour}}); len(all) > 0 {
			t.Errorf("the plan is %+v", all)
		}
		all := plan(t, bus.Wish{Retention: map[bus.Topic]time.Duration{bus.Events: 20 * 24 * time.Hour}})
		if len(all) != 1 || all[0].Settings["retention.ms"] != "1728000000" || all[0].Had["retention.ms"] != "1209600000" {
			t.Errorf("the plan is %+v", all)
		}
	})
}
