package bus

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// heedWithin is how long after the end of its context something that heeds it may take to end.
const heedWithin = 200 * time.Millisecond

// within is Within for what asks the broker in a session. The client waits for a commit or a rebalance under way before it looks at the
// context.
func within(ctx context.Context, do func() error) error { return Within(ctx, heedWithin, do) }

// Within does something that may not heed its context. It returns at the latest so long after the context has ended; what is not done
// by then is left to itself, and the error is the cause of the context's end.
func Within(ctx context.Context, heed time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	wait := time.NewTimer(heed)
	defer wait.Stop()
	select {
	case err := <-done:
		return err
	case <-wait.C:
		return context.Cause(ctx)
	}
}

// waited says what a commit has waited for until its context ended, as far as that is known.
func (f *Flow) waited(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	if members, sharing, failed := f.bus.Sharing(within, f.step.Group); failed == nil && sharing {
		return fmt.Errorf("group %s is sharing out its partitions and waits for one of its %d members, as long as the session of one lasts that was killed: %w",
			f.bus.config.Prefix+f.step.Group, members, err)
	}
	return err
}

// Sharing reports whether a group is sharing out its partitions among its members at the moment.
func (b *Bus) Sharing(ctx context.Context, group string) (members int, sharing bool, err error) {
	group = b.config.Prefix + group
	all, err := b.admin.DescribeGroups(ctx, group)
	if err != nil {
		return 0, false, fmt.Errorf("look at group %s: %w", group, err)
	}
	one := all[group]
	if one.Err != nil {
		return 0, false, fmt.Errorf("look at group %s: %w", group, one.Err)
	}
	return len(one.Members), strings.HasSuffix(one.State, "Rebalance"), nil
}
