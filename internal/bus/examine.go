package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Rights are what a user may do with topics and groups, by the names of operations: Read, Write, Create, Describe, DescribeConfigs.
type Rights struct {
	Topics map[Topic][]string
	Groups map[string][]string // without the prefix
}

// Examined is what a look at the brokers has found.
type Examined struct {
	Brokers int
	Missing []Topic  // that are not there yet
	Refused []string // settings of topics with which nothing starts, and the way out
	Doubts  []string // settings that may lose records
	Denied  []string // rights that the user lacks, such as: topic noroshi.events: Write
}

// Examine looks at the brokers, our topics and the rights that a user needs there. It changes nothing.
func (b *Bus) Examine(ctx context.Context, need Rights) (*Examined, error) {
	brokers, err := b.admin.ListBrokers(ctx)
	if err != nil {
		return nil, fmt.Errorf("list brokers: %w", err)
	}
	x := &Examined{Brokers: len(brokers)}
	var there []Topic
	for _, t := range Topics {
		found, err := b.look(ctx, b.name(t))
		if err != nil {
			return nil, fmt.Errorf("look at topic %s: %w", b.name(t), err)
		}
		switch one := found[b.name(t)]; {
		case errors.Is(one.Err, kerr.TopicAuthorizationFailed):
			x.Denied = append(x.Denied, "topic "+b.name(t)+": Describe")
		case errors.Is(one.Err, kerr.UnknownTopicOrPartition) || one.Err == nil && len(one.Partitions) == 0:
			x.Missing = append(x.Missing, t)
		case one.Err != nil:
			return nil, fmt.Errorf("look at topic %s: %w", b.name(t), one.Err)
		default:
			there = append(there, t)
			x.denied("topic "+b.name(t), need.Topics[t], one.AuthorizedOperations)
		}
	}
	if err := b.examineGroups(ctx, need, x); err != nil {
		return nil, err
	}
	problems, err := b.check(ctx, there)
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		x.Denied = append(x.Denied, "topic "+b.config.Prefix+"*: DescribeConfigs")
		return x, nil
	}
	if err != nil {
		return nil, err
	}
	for _, p := range problems {
		if p.refused {
			x.Refused = append(x.Refused, p.text)
		} else {
			x.Doubts = append(x.Doubts, p.text)
		}
	}
	return x, nil
}

func (b *Bus) examineGroups(ctx context.Context, need Rights, x *Examined) error {
	if len(need.Groups) == 0 {
		return nil
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(need.Groups)) {
		names = append(names, b.config.Prefix+name)
	}
	groups, err := b.admin.DescribeGroups(ctx, names...)
	if err != nil {
		return fmt.Errorf("look at groups: %w", err)
	}
	for _, name := range names {
		of := "group " + name
		switch one := groups[name]; {
		case errors.Is(one.Err, kerr.GroupAuthorizationFailed):
			x.Denied = append(x.Denied, of+": Read")
		case one.Err == nil:
			x.denied(of, need.Groups[strings.TrimPrefix(name, b.config.Prefix)], one.AuthorizedOperations)
		}
	}
	return nil
}

// denied notes the rights that a user lacks. A broker that tells none says nothing of them.
func (x *Examined) denied(of string, need []string, have []kmsg.ACLOperation) {
	if len(have) == 0 {
		return
	}
	for _, one := range need {
		if !slices.ContainsFunc(have, func(o kmsg.ACLOperation) bool {
			said := strings.ReplaceAll(o.String(), "_", "")
			return strings.EqualFold(said, one) || strings.EqualFold(said, "All")
		}) {
			x.Denied = append(x.Denied, of+": "+one)
		}
	}
}
