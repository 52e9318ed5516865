package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"noroshi/detector"
	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Held is what is stored of the memory of one key of one rule.
type Held struct {
	detector.RowKey
	Topic     bus.Topic
	Partition int32
	Bytes     int   // of the packed memory
	Err       error // why it cannot be read

	key, memory []byte
}

// Own reports whether it is not the memory of a rule, but the clock.
func (h *Held) Own() bool { return len(h.key) > 0 && h.key[0] == 0 }

// stateTopics are where memory is stored.
var stateTopics = []bus.Topic{bus.DetectorState, bus.SignalsState}

// EachHeld gives what is stored of all memory, in the order of the partitions. What a running instance has not stored yet is not there.
func EachHeld(ctx context.Context, b *bus.Bus, each func(*Held) error) error {
	for _, topic := range stateTopics {
		all, err := b.Rows(ctx, topic)
		if errors.Is(err, bus.ErrNoTopic) && topic == bus.SignalsState {
			continue // an earlier version has left the data
		}
		if err != nil {
			return err
		}
		for _, p := range slices.Sorted(maps.Keys(all)) {
			var log state.Changelog
			var failed error
			log.Load(all[p], func(key, memory []byte, err error) {
				h := &Held{Topic: topic, Partition: p, Bytes: len(memory), Err: err, key: key, memory: memory}
				if !h.Own() {
					var bad error
					h.RowKey, bad = detector.ReadRowKey(key)
					h.Err = errors.Join(h.Err, bad)
				}
				failed = errors.Join(failed, each(h))
			})
			if failed != nil {
				return failed
			}
		}
	}
	return nil
}

// Holding is what rules remember as it is stored, to be looked into.
type Holding struct {
	Unknown    int // keys of rules that the set lacks, or that look at something else in it
	Unreadable int
	First      error // why the first of the unreadable cannot be read

	all []*holding
}

// holding is the memory of one partition, and where its keys lie.
type holding struct {
	memory *detector.Memory
	clocks *clock.Clocks
	held   map[string]*Held // by rule, tenant and key
}

func whose(rule, tenant string, key []string) string {
	return fmt.Sprintf("%q %q %q", rule, tenant, key)
}

// ReadHolding reads the memory that is stored of a set's rules.
func ReadHolding(ctx context.Context, b *bus.Bus, set *detector.Set, lateness event.Lateness) (*Holding, error) {
	h := &Holding{}
	type place struct {
		topic     bus.Topic
		partition int32
	}
	all := map[place]*holding{}
	err := EachHeld(ctx, b, func(one *Held) error {
		at := place{one.Topic, one.Partition}
		to := all[at]
		if to == nil {
			clocks := clock.New()
			to = &holding{set.Memory(detector.MemoryOptions{Live: true, Lateness: lateness, Clocks: clocks}), clocks, map[string]*Held{}}
			all[at], h.all = to, append(h.all, to)
		}
		err := one.Err
		if err == nil {
			err = to.load(one)
		}
		one.memory = nil
		switch {
		case errors.Is(err, detector.ErrVersion):
			h.Unknown++
		case err != nil:
			if h.Unreadable++; h.First == nil {
				h.First = fmt.Errorf("partition %d of %s: %w", one.Partition, one.Topic, err)
			}
		}
		return nil
	})
	return h, err
}

// load takes what is stored of a key.
func (to *holding) load(one *Held) error {
	if !one.Own() {
		to.held[whose(one.Rule, one.Tenant, one.Key)] = one
		return to.memory.Load(detector.Row{Key: one.key, Value: one.memory})
	}
	if err := to.clocks.Load(one.key, one.memory); err != nil && one.Topic == bus.DetectorState && string(one.key) != keyProgress {
		return err
	}
	return nil // in signals-state it may be how far the signals of a partition have come
}

// Newest is the time of the newest event that is held of an account; zero if none is.
func (h *Holding) Newest(account string) (t time.Time) {
	for _, one := range h.all {
		if n := one.memory.Newest(account); n > math.MinInt64 && time.Unix(0, n).After(t) {
			t = time.Unix(0, n).UTC()
		}
	}
	return t
}

// Standings gives how far the rules that remember are from firing for an account at a time, see detector.Memory.Standings, and where
// that lies.
func (h *Holding) Standings(account string, at time.Time, each func(*detector.Standing, *Held)) {
	for _, one := range h.all {
		for _, looks := range []detector.Looks{detector.AtEvents, detector.AtAlerts} {
			one.memory.Standings(account, looks, state.Nanoseconds(at), detector.MoreComes, func(s *detector.Standing) {
				each(s, one.held[whose(s.Rule.ID, s.Tenant, s.Key)])
			})
		}
	}
}
