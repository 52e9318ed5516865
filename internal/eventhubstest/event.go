package eventhubstest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"noroshi/internal/eventhubstest/amqp"
)

// Event is an event to append.
type Event struct {
	Body []byte
	// Properties are the application properties: strings, booleans, integers, floats, bytes and times.
	Properties map[string]any
	// PartitionKey is the annotation that readers see; it does not choose the partition here. It is a text, or, as only a faulty
	// service has it, another property.
	PartitionKey any
	// Enqueued is now where zero. The service never goes back in time; a test may.
	Enqueued time.Time
}

// encode makes of the event what a partition stores.
func (e Event) encode() (stored, error) {
	s := stored{enqueued: e.Enqueued}
	if e.PartitionKey != nil {
		v, err := property(e.PartitionKey)
		if err != nil {
			return s, fmt.Errorf("partition key: %w", err)
		}
		s.key = v
	}
	if len(e.Properties) > 0 {
		var m amqp.Map
		for _, k := range slices.Sorted(maps.Keys(e.Properties)) {
			v, err := property(e.Properties[k])
			if err != nil {
				return s, fmt.Errorf("property %s: %w", k, err)
			}
			m = append(m, amqp.Pair{Key: amqp.String(k), Value: v})
		}
		s.bare = amqp.AppendApplication(s.bare, m)
	}
	s.bare = amqp.AppendData(s.bare, e.Body)
	return s, nil
}

func property(v any) (amqp.Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return amqp.String(v), nil
	case bool:
		return amqp.Bool(v), nil
	case int:
		return amqp.Long(v), nil
	case int32:
		return amqp.Int(v), nil
	case int64:
		return amqp.Long(v), nil
	case float64:
		return amqp.Double(v), nil
	case []byte:
		return amqp.Binary(v), nil
	case time.Time:
		return amqp.Time(v), nil
	}
	return nil, fmt.Errorf("a %T cannot be sent", v)
}

// The annotations of an event and of a batch.
const (
	annotationSequence = "x-opt-sequence-number"
	annotationOffset   = "x-opt-offset"
	annotationEnqueued = "x-opt-enqueued-time"
	annotationKey      = "x-opt-partition-key"
)

// message is the event as a reader receives it: annotations, then what was sent.
func (e stored) message() []byte {
	m := amqp.Map{
		{Key: amqp.Symbol(annotationSequence), Value: amqp.Long(e.sequence)},
		{Key: amqp.Symbol(annotationOffset), Value: amqp.String(strconv.FormatInt(e.offset, 10))},
		{Key: amqp.Symbol(annotationEnqueued), Value: amqp.Time(e.enqueued)},
	}
	if e.key != nil {
		m = append(m, amqp.Pair{Key: amqp.Symbol(annotationKey), Value: e.key})
	}
	return append(amqp.AppendAnnotations(make([]byte, 0, len(e.bare)+160), m), e.bare...)
}

// batchFormat is the message format of a batch: its data sections hold encoded messages (azeventhubs/v2,
// event_data_batch.go).
const batchFormat = 0x80013700

// unpack takes apart what a producer sent.
func unpack(format uint32, raw []byte) ([]stored, error) {
	m, err := amqp.DecodeMessage(raw)
	if err != nil {
		return nil, err
	}
	key := m.Annotations.Get(annotationKey)
	if format != batchFormat {
		return []stored{{key: key, bare: m.Bare}}, nil
	}
	events := make([]stored, len(m.Data))
	for i, d := range m.Data {
		in, err := amqp.DecodeMessage(d)
		if err != nil {
			return nil, err
		}
		events[i] = stored{key: key, bare: in.Bare}
	}
	return events, nil
}
