package event

import (
	"math"
	"strconv"
	"strings"
)

// Location is the text of a place on the earth, "latitude,longitude" in degrees with up to six decimals, "" where the numbers are
// none: out of range, or both 0, which Microsoft writes for a place that it does not know.
func Location(latitude, longitude float64) string {
	if !(math.Abs(latitude) <= 90 && math.Abs(longitude) <= 180) { // what is not a number neither
		return ""
	}
	lat, lon := degrees(latitude), degrees(longitude)
	if lat == "0" && lon == "0" {
		return ""
	}
	return lat + "," + lon
}

func degrees(d float64) string {
	s := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(d, 'f', 6, 64), "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// ParseLocation is the latitude and longitude that a text of Location says; ok is false of any other text.
func ParseLocation(text string) (latitude, longitude float64, ok bool) {
	lat, lon, both := strings.Cut(text, ",")
	if !both {
		return 0, 0, false
	}
	latitude, wrong := strconv.ParseFloat(lat, 64)
	longitude, alsoWrong := strconv.ParseFloat(lon, 64)
	if wrong != nil || alsoWrong != nil || Location(latitude, longitude) == "" {
		return 0, 0, false
	}
	return latitude, longitude, true
}

// Location is the latitude and longitude of a slot such as source.geo.location, in degrees; ok is false where the event has none.
func (e *Event) Location(s Slot) (latitude, longitude float64, ok bool) {
	return ParseLocation(e.Text(s))
}
