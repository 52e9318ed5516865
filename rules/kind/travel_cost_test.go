package kind

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/state"
)

// roaming are sign-ins of one account, each from other coordinates.
type roaming struct {
	name string
	at   func(i int) (time.Duration, string, float64, float64) // time, city, latitude and longitude
}

const roamers = 1000

var roamings = []roaming{
	{"all over the world", func(i int) (time.Duration, string, float64, float64) {
		return time.Duration(i) * time.Second, fmt.Sprint(i), float64(i%160 - 80), float64(i*7%340) - 170
	}},
	{"two cities", func(i int) (time.Duration, string, float64, float64) {
		return time.Duration(i) * time.Second, fmt.Sprint(i % 2), float64(i) / roamers, float64(i % 2 * 100)
	}},
	{"near, but for one", func(i int) (time.Duration, string, float64, float64) {
		return time.Duration(i) * time.Second, fmt.Sprint(i % 2), float64(i) / roamers, float64(max(0, 1-i) * 100)
	}},
	{"slowly", func(i int) (time.Duration, string, float64, float64) {
		return time.Duration(i) * 30 * time.Second, fmt.Sprint(i), 0, float64(i) / roamers * 20
	}},
	{"backwards", func(i int) (time.Duration, string, float64, float64) {
		return time.Duration(roamers-i) * time.Second, fmt.Sprint(i), float64(i%160 - 80), float64(i*7%340) - 170
	}},
	{"at one time", func(i int) (time.Duration, string, float64, float64) {
		return 0, fmt.Sprint(i), float64(i%160 - 80), float64(i*7%340) - 170
	}},
	{"city by city", func(i int) (time.Duration, string, float64, float64) {
		return time.Duration(i) * time.Second, fmt.Sprint(i / 100), float64(i/100) / 100, float64(max(0, 1-i%100) * 50)
	}},
}

// TestAnAccountWithThousandsOfPlacesIsQuick: each hit is read once, each event is compared with each place once, and again only while
// few have been told.
func TestAnAccountWithThousandsOfPlacesIsQuick(t *testing.T) {
	for _, r := range roamings {
		t.Run(r.name, func(t *testing.T) {
			j := &journeys{km: 500, kmh: 900, chord: chordOf(500)}
			m := &travelled{days: map[string][]int32{}, Window: state.NewWindow(&state.Spec{Pairs: j, Within: int64(12 * time.Hour), Repeat: day,
				Anchor: identity, Value: valueBy(whereHash)})}
			m.Own = m
			told := 0
			c := &state.Context{Now: 1, Live: true, Keep: day, Counts: &state.Counts{}, Tell: func(*state.Finding) { told++ }}
			start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
			for i := range roamers {
				after, city, lat, lon := r.at(i)
				h := Hit{Time: start.Add(after), ID: fmt.Sprint(i), Values: make([]Value, len(placeFields))}
				h.Values[placeLocation] = Value{Has: true, Text: fmt.Sprintf("%f,%f", lat, lon)}
				h.Values[placeCity] = Value{Has: true, Text: city}
				packed, body, head := h.Append(nil)
				m.Add(c, &h, state.Entry{Time: h.Time.UnixNano(), Packed: packed[:body], Head: int32(head)})
			}
			t.Logf("%d were told, %d hits read, %d spots compared", told, m.unpacked, m.compared)
			if m.unpacked > roamers {
				t.Errorf("%d hits were read for %d events", m.unpacked, roamers)
			}
			if most := 4 * roamers * roamers; m.compared > most {
				t.Errorf("%d spots were compared, more than %d", m.compared, most)
			}
		})
	}
}
