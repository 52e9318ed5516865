package event

import (
	"math"
	"testing"
)

func TestLocationIsAPlaceOnTheEarthOrNothing(t *testing.T) {
	for _, c := range []struct {
		name     string
		lat, lon float64
		want     string
	}{
		{"a city", 52.3676, 4.9041, "52.3676,4.9041"},
		{"south and west", -34.6037, -58.3816, "-34.6037,-58.3816"},
		{"unknown", 0, 0, ""},
		{"unknown once it is rounded", 0.0000001, -0.0000001, ""},
		{"on the equator", 0, 32.5, "0,32.5"},
		{"on the meridian of Greenwich", 51.5, 0, "51.5,0"},
		{"just south of the equator", -0.0000001, 32, "0,32"},
		{"a pole", 90, -180, "90,-180"},
		{"beyond the pole", 90.1, 10, ""},
		{"beyond the date line", 10, 180.5, ""},
		{"no number", math.NaN(), 10, ""},
		{"endless", 10, math.Inf(1), ""},
		{"more decimals than anybody needs", 52.37180709838867, 4.9, "52.371807,4.9"},
	} {
		got := Location(c.lat, c.lon)
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		lat, lon, ok := ParseLocation(got)
		if ok != (c.want != "") || ok && (math.Abs(lat-c.lat) > 1e-6 || math.Abs(lon-c.lon) > 1e-6) {
			t.Errorf("%s: %q is read as %v, %v, %v", c.name, got, lat, lon, ok)
		}
	}
	for _, text := range []string{"", ",", "52", "52,", "52,4,1", "a,b", "NaN,1", "91,0", "0,0", "52;4"} {
		if _, _, ok := ParseLocation(text); ok {
			t.Errorf("%q is a place", text)
		}
	}
}
