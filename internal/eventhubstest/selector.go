package eventhubstest

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// selector is the filter by which clients say where to begin (azeventhubs/v2, start_position.go).
var selector = regexp.MustCompile(`^amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time) (>=?) '([^']*)'$`)

// start turns a filter into the first sequence number to deliver. Without a filter, and at '@latest', it is that of the
// event to come; '-1' is before the first one.
func (p *partition) start(filter string, now time.Time) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire(now)
	if filter == "" {
		return p.next.sequence, nil
	}
	m := selector.FindStringSubmatch(filter)
	if m == nil {
		return 0, fmt.Errorf("the filter %q is not known", filter)
	}
	what, inclusive, text := m[1], m[2] == ">=", m[3]
	if text == "@latest" {
		return p.next.sequence, nil
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the filter %q: %w", filter, err)
	}
	for _, e := range p.events {
		if v := e.position(what); v > at || v == at && inclusive {
			return e.sequence, nil
		}
	}
	if what == "sequence-number" { // events before it that are still to come do not pass the filter
		if !inclusive {
			at++
		}
		return max(p.next.sequence, at), nil
	}
	return p.next.sequence, nil
}

// position is the event's place by one of the three measures of a filter.
func (e stored) position(what string) int64 {
	switch what {
	case "offset":
		return e.offset
	case "enqueued-time":
		return e.enqueued.UnixMilli()
	}
	return e.sequence
}
