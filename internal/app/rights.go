package app

import "noroshi/internal/bus"

// Rights are what the user of an instance needs on brokers, by its roles; without any it has all. docs/operating.md has them as a table.
func Rights(roles []Role) bus.Rights {
	r := &Run{Roles: roles}
	need := bus.Rights{Topics: map[bus.Topic][]string{}, Groups: map[string][]string{}}
	for _, t := range bus.Topics {
		need.Topics[t] = []string{"Create", "Describe", "DescribeConfigs"}
	}
	add := func(what string, topics ...bus.Topic) {
		for _, t := range topics {
			need.Topics[t] = append(need.Topics[t], what)
		}
	}
	add("Read", bus.Events, bus.Status)
	add("Write", bus.Alerts, bus.DeadLetters, bus.Status)
	if r.has(Ingest) {
		add("Read", bus.Checkpoints)
		add("Write", bus.Events, bus.Checkpoints)
		add("Alter", bus.Checkpoints)
	}
	if r.has(Detect) {
		if !r.has(Ingest) {
			add("Write", bus.Events)
		}
		for _, t := range []bus.Topic{bus.Signals, bus.SignalsState, bus.DetectorState} {
			add("Read", t)
			add("Write", t)
		}
		need.Groups[detectorGroup], need.Groups[signalsGroup] = []string{"Read"}, []string{"Read"}
	}
	if r.has(Deliver) {
		add("Read", bus.Alerts)
		add("Write", bus.DeliveryResults)
	}
	return need
}

// TransactionNames are how the transactional ids of an instance begin.
func TransactionNames(roles []Role) (all []bus.Topic) {
	r := &Run{Roles: roles}
	if r.has(Ingest) {
		all = append(all, "ingest")
	}
	if r.has(Detect) {
		all = append(all, detectorGroup, signalsGroup)
	}
	return all
}
