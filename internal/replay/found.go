package replay

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/state"
)

// found is an alert on its way out: as a value, or as JSON because it had to wait for its turn.
type found struct {
	rule int32 // its number in the rule set
	id   string
	at   time.Time
	// revision is that in which an alert was told; given out it may be another one.
	revision int
	value    *alert.Alert // nil: it is JSON
	json     []byte
}

// byTime is a time whose bytes sort as times do. What a rule finds missing has the time when it was found, long after the event that
// speaks for it.
func byTime(at time.Time) uint64 { return uint64(state.Nanoseconds(at)) ^ 1<<63 }

// appendFound packs the alert that a memory told last: its place among the others, which ends with the number of its rule, what is asked
// of each, and the alert as JSON.
func appendFound(to []byte, a *alert.Alert, revision int, m *detector.Memory) []byte {
	from := len(to)
	to = append(binary.BigEndian.AppendUint64(to, byTime(a.Time)), m.Order()...)
	n := len(to) - from
	to = binary.AppendUvarint(state.AppendBytes(to, a.ID), uint64(revision))
	to = a.AppendJSON(to)
	return binary.BigEndian.AppendUint32(to, uint32(n))
}

// readFound reads what appendFound has packed. It shares the memory of the bytes.
func readFound(packed []byte) *found {
	end := len(packed) - 4
	n := binary.BigEndian.Uint32(packed[end:])
	f := state.Read(packed[n:end])
	one := &found{rule: int32(binary.BigEndian.Uint32(packed[n-4:])), id: f.Text(), at: time.Unix(0, int64(binary.BigEndian.Uint64(packed)^1<<63)).UTC()}
	if one.rule < foundActivity {
		one.revision = int(f.Uint())
	}
	one.json = packed[end-f.Len() : end]
	return one
}

// appendJSON appends the alert as JSON.
func (f *found) appendJSON(to []byte) []byte {
	if f.value != nil {
		return f.value.AppendJSON(to)
	}
	return append(to, f.json...)
}

// alert is the alert as a value.
func (f *found) alert() (*alert.Alert, error) {
	if f.value != nil {
		return f.value, nil
	}
	var a alert.Alert
	if err := json.Unmarshal(f.json, &a); err != nil {
		return nil, fmt.Errorf("read alert: %w", err)
	}
	return &a, nil
}
