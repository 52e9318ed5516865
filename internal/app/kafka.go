package app

import (
	"context"

	"noroshi/internal/bus"
)

// kafka is the Kafka of a run: the one in the process, or somebody's.
type kafka struct {
	bus      *bus.Bus
	embedded *bus.Embedded
}

func (r *Run) connect(ctx context.Context) (*kafka, error) {
	k := r.Config.Kafka
	to := &kafka{}
	c := bus.Config{Brokers: k.Brokers, Prefix: k.Prefix, Partitions: k.Partitions, TLS: k.TLS, CAFile: k.CAFile, Mechanism: k.Mechanism, User: k.User, Password: k.Password, Log: r.Log}
	var settings map[bus.Topic]map[string]string
	var err error
	if len(k.Brokers) == 0 {
		if to.embedded, err = bus.StartEmbedded(bus.EmbeddedOptions{Dir: k.Data, Prefix: k.Prefix, Partitions: k.Partitions, Cap: k.Cap, NoSync: !k.Sync, Log: r.Log}); err != nil {
			return nil, err
		}
		c, settings = to.embedded.Config(), to.embedded.TopicSettings()
	}
	if to.bus, err = bus.Connect(c); err != nil {
		to.close()
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err = to.bus.Await(within); err == nil {
		err = to.bus.Ensure(within, settings)
	}
	if err != nil {
		to.close()
		return nil, err
	}
	return to, nil
}

func (to *kafka) close() {
	if to.bus != nil {
		to.bus.Close()
	}
	if to.embedded != nil {
		to.embedded.Close()
	}
}

// sample is the records that came last, a few of each partition; none where the topic is new.
func (to *kafka) sample(ctx context.Context, partitions int) (all [][]byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, sampleWithin)
	defer cancel()
	err = to.bus.Last(ctx, bus.Events, int64(max(1, sampleRecords/partitions)), func(r bus.Record) error {
		if !isTick(&r) && !isAside(&r) {
			all = append(all, r.Value)
		}
		return nil
	})
	return all, err
}

func (to *kafka) keep(ctx context.Context, groups map[bus.Topic][]string) error {
	if to.embedded == nil {
		return to.bus.Watch(ctx, watchTick)
	}
	return to.embedded.Keep(ctx, to.bus, groups, keepTick)
}

// room waits until the log takes more records.
func (to *kafka) room(ctx context.Context) error {
	if to.embedded == nil {
		return ctx.Err()
	}
	return to.embedded.WaitRoom(ctx)
}
