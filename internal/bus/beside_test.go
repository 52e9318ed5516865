package bus_test

import (
	"fmt"
	"maps"
	"testing"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// Rows beside the positions are committed with them, outlive their writer, are written again before the log grows, and never stand for a
// position.
func TestRowsLieBesideThePositions(t *testing.T) {
	b := kafkatest.Start(t, 2)
	if err := b.EnsureCheckpoints(t.Context(), hub, 1); err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{}
	const rounds, each = 12, 1000
	for round := range rounds {
		tx := transactor(t, b, 0)
		position, err := tx.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if round > 0 && string(position) != fmt.Sprint("at ", round-1) {
			t.Fatalf("round %d: the position is %q", round, position)
		}
		have, err := tx.Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !maps.EqualFunc(have, want, func(a, b []byte) bool { return string(a) == string(b) }) {
			t.Fatalf("round %d: %d rows, expected %d", round, len(have), len(want))
		}
		var rows []bus.Record
		for i := range each {
			key, value := fmt.Sprint(i), fmt.Append(nil, round)
			if i%10 == round { // forgotten
				value = nil
			}
			if want[key] = value; value == nil {
				delete(want, key)
			}
			rows = append(rows, bus.Record{Key: []byte(key), Value: value})
		}
		if err := tx.Stage(t.Context(), nil, bus.Record{Key: []byte("position"), Value: fmt.Append(nil, "at ", round)}, rows...); err != nil {
			t.Fatal(err)
		}
		commit(t, tx)
		lost := []bus.Record{{Key: []byte("0"), Value: []byte("never committed")}}
		if err := tx.Stage(t.Context(), nil, bus.Record{Key: []byte("position"), Value: []byte("never committed")}, lost...); err != nil {
			t.Fatal(err)
		}
		tx.Close(t.Context())
	}
	first, last, err := b.Bounds(t.Context(), hub, 0)
	if err != nil || first == 0 || last-first > 6*each {
		t.Errorf("the log goes from %d to %d: %v", first, last, err)
	}
}
