package app

import (
	"slices"
	"strings"

	"noroshi/internal/bus"
)

// Right is what a user of the brokers may do.
type Right struct {
	Resource   string // topic, group or transactional-id
	Name       string // behind the prefix
	Beginning  bool   // all names that begin so
	Operations []string
}

var (
	sees   = []string{"Create", "Describe", "DescribeConfigs"}
	reads  = []string{"Read"}
	writes = []string{"Write"}
	both   = []string{"Read", "Write"}
)

func onTopic(t bus.Topic, operations []string) Right {
	return Right{"topic", string(t), false, operations}
}

// rights are what the user of an instance needs, by the role of the instance.
var rights = map[Role][]Right{
	Ingest: {
		onTopic(bus.Events, both), onTopic(bus.Alerts, writes), onTopic(bus.DeadLetters, writes), onTopic(bus.Status, both),
		{"topic", string(bus.Checkpoints), true, []string{"Read", "Write", "Alter"}},
		{"group", "ingest-", true, reads},
		{"transactional-id", "ingest-", true, []string{"Write", "Describe"}},
	},
	Detect: {
		onTopic(bus.Events, both), onTopic(bus.Alerts, writes), onTopic(bus.DeadLetters, writes), onTopic(bus.Status, both),
		onTopic(bus.Checkpoints, both), // what the watch of itself has told
		onTopic(bus.Signals, both), onTopic(bus.SignalsState, both), onTopic(bus.DetectorState, both),
		{"group", detectorGroup, false, reads}, {"group", signalsGroup, false, reads},
		{"transactional-id", detectorGroup + "-", true, []string{"Write", "Describe"}},
		{"transactional-id", signalsGroup + "-", true, []string{"Write", "Describe"}},
	},
	Deliver: {
		onTopic(bus.Events, reads), onTopic(bus.Alerts, both), onTopic(bus.DeadLetters, writes), onTopic(bus.Status, both), onTopic(bus.DeliveryResults, both),
		{"group", sinkGroup, true, reads},
	},
}

// Granted is what the user of an instance with some roles needs on the brokers, none: all. The names are without the prefix.
// docs/operating.md has them as a table.
func Granted(roles []Role) (all []Right) {
	all = []Right{{"topic", "", true, sees}}
	for _, role := range Roles {
		if len(roles) > 0 && !slices.Contains(roles, role) {
			continue
		}
		for _, r := range rights[role] {
			at := slices.IndexFunc(all, func(one Right) bool {
				return one.Resource == r.Resource && one.Name == r.Name && one.Beginning == r.Beginning
			})
			if at < 0 {
				all = append(all, Right{r.Resource, r.Name, r.Beginning, slices.Clone(r.Operations)})
				continue
			}
			for _, o := range r.Operations {
				if !slices.Contains(all[at].Operations, o) {
					all[at].Operations = append(all[at].Operations, o)
				}
			}
		}
	}
	return all
}

// Rights are the same by topic and group, as brokers tell what somebody may do.
func Rights(roles []Role) bus.Rights {
	need := bus.Rights{Topics: map[bus.Topic][]string{}, Groups: map[string][]string{}}
	for _, r := range Granted(roles) {
		switch {
		case r.Resource == "topic":
			for _, t := range bus.Topics {
				if r.Name == string(t) || r.Beginning && strings.HasPrefix(string(t), r.Name) {
					need.Topics[t] = append(need.Topics[t], r.Operations...)
				}
			}
		case r.Resource == "group" && !r.Beginning:
			need.Groups[r.Name] = r.Operations
		}
	}
	return need
}

// TransactionNames are how the transactional ids of an instance begin.
func TransactionNames(roles []Role) (all []bus.Topic) {
	for _, r := range Granted(roles) {
		if r.Resource == "transactional-id" {
			all = append(all, bus.Topic(strings.TrimSuffix(r.Name, "-")))
		}
	}
	return all
}
