package eventhubstest

import (
	"hash/fnv"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"noroshi/internal/eventhubstest/amqp"
)

// hub is an event hub at work.
type hub struct {
	name    string
	created time.Time
	groups  map[string]bool // in lower case
	parts   []*partition
	turn    atomic.Uint32 // counts the sends without partition or key
}

func newHub(c Hub, now time.Time) *hub {
	h := &hub{name: c.Name, created: now, groups: map[string]bool{"$default": true}}
	for _, g := range c.Groups {
		h.groups[strings.ToLower(g)] = true
	}
	for i := range c.Partitions {
		h.parts = append(h.parts, newPartition(strconv.Itoa(i), &c))
	}
	return h
}

// partition is nil where there is none of that id.
func (h *hub) partition(id string) *partition {
	for _, p := range h.parts {
		if p.id == id {
			return p
		}
	}
	return nil
}

// choose is the partition of a send that names none: by the key where there is one, else one after the other. Equal keys
// meet, as in the service; which partition they meet in is this package's choice.
func (h *hub) choose(key amqp.Value) *partition {
	n := uint32(len(h.parts))
	if key == nil {
		return h.parts[(h.turn.Add(1)-1)%n]
	}
	f := fnv.New32a()
	_, _ = f.Write([]byte(amqp.Text(key))) // a hash never fails
	return h.parts[f.Sum32()%n]
}

// properties answers a READ of the event hub (azeventhubs/v2, mgmt.go: the factor must be there).
func (h *hub) properties() amqp.Map {
	ids := make(amqp.Strings, len(h.parts))
	for i, p := range h.parts {
		ids[i] = p.id
	}
	return amqp.Map{
		{Key: amqp.String("name"), Value: amqp.String(h.name)},
		{Key: amqp.String("type"), Value: amqp.String(typeHub)},
		{Key: amqp.String("created_at"), Value: amqp.Time(h.created)},
		{Key: amqp.String("partition_count"), Value: amqp.Int(len(ids))},
		{Key: amqp.String("partition_ids"), Value: ids},
		{Key: amqp.String("georeplication_factor"), Value: amqp.Int(1)},
	}
}
