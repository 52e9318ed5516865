package feed

import (
	"context"
	"time"

	"noroshi/internal/bus"
)

// Carry carries one partition until ctx ends, whoever else does.
func (f *Feed) Carry(ctx context.Context, partition int32) {
	f.Quick()
	f.carry(ctx, context.WithoutCancel(ctx), partition)
}

// CarryAgain is Carry, which waits so long after each fault.
func (f *Feed) CarryAgain(ctx context.Context, partition int32, pause time.Duration) {
	f.Quick()
	f.pauses.first, f.pauses.most = pause, pause
	f.carry(ctx, context.WithoutCancel(ctx), partition)
}

// Quick makes all pauses short.
func (f *Feed) Quick() {
	f.pauses = &pauses{first: 10 * time.Millisecond, most: 100 * time.Millisecond, lost: 100 * time.Millisecond, denied: 100 * time.Millisecond, look: time.Second, grown: 20 * time.Millisecond}
}

// Abandon makes transactions of which some are abandoned when they are complete, as by a process that dies.
func (f *Feed) Abandon(die func() bool) {
	topic := bus.CheckpointsOf(f.Stream.Name())
	f.begin = func(ctx context.Context, partition int32) (transactor, error) {
		t, err := f.Bus.Transactor(ctx, topic, partition, f.AtLeastOnce)
		if err != nil {
			return nil, err
		}
		return &mortal{Transactor: t, die: die}, nil
	}
}

type mortal struct {
	*bus.Transactor
	die  func() bool
	dead bool
}

type died struct{}

func (died) Error() string { return "died in a transaction" }

func (m *mortal) Commit(ctx context.Context) error {
	if m.dead = m.die(); m.dead {
		return died{}
	}
	return m.Transactor.Commit(ctx)
}

// Close of a dead one gives up nothing.
func (m *mortal) Close(ctx context.Context) {
	if m.dead {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		ctx = ended
	}
	m.Transactor.Close(ctx)
}
