package kind

import (
	"math"

	"noroshi/internal/event"
	"noroshi/internal/state"
)

// spots are where the entries of a window were. They are read out of the packed hits once, when an entry from somewhere else is there.
type spots struct {
	byValue  map[uint64]*spot // by state.Entry.Value
	sites    map[string]*site // by their names
	question uint64           // counts what has been asked
	unpacked int              // hits that were read for it
	compared int              // spots that were compared
}

// spot are coordinates of a place.
type spot struct {
	*site
	lat, lon float64 // in degrees
	cos      float64 // of the latitude
	unit     [3]float64
	asked    uint64 // the question that was asked about it last

	// On a route: the entry that was there last, and the spots of the place before and behind.
	route        uint64
	last         int
	older, newer *spot
}

// site is a place.
type site struct {
	name  string
	asked uint64
}

// spot is where an entry was.
func (s *spots) spot(e *state.Entry) *spot {
	if at, have := e.Made().(*spot); have {
		return at
	}
	at := s.byValue[e.Value]
	if at == nil {
		at = s.read(e)
		if s.byValue == nil {
			s.byValue = map[uint64]*spot{}
		}
		s.byValue[e.Value] = at
	}
	e.Make(at)
	return at
}

// read reads where an entry was; what cannot be read is far from nothing.
func (s *spots) read(e *state.Entry) *spot {
	s.unpacked++
	at := &spot{lat: math.NaN(), lon: math.NaN()}
	var h Hit
	if h.UnpackHeld(e.Packed) == nil {
		at.lat, at.lon, _ = event.ParseLocation(h.at(placeLocation).Text)
	}
	at.site = s.site(place(&h))
	lat, lon := at.lat*radian, at.lon*radian
	at.cos = math.Cos(lat)
	at.unit = [3]float64{at.cos * math.Cos(lon), at.cos * math.Sin(lon), math.Sin(lat)}
	return at
}

// site is the place of a name.
func (s *spots) site(name string) *site {
	at := s.sites[name]
	if at == nil {
		at = &site{name: name}
		if s.sites == nil {
			s.sites = map[string]*site{}
		}
		s.sites[name] = at
	}
	return at
}

// tidy forgets the spots in which none of the entries was, once they are more than those.
func (s *spots) tidy(all []state.Entry) {
	if len(s.byValue) <= 2*len(all)+fewSpots {
		return
	}
	s.byValue, s.sites = map[uint64]*spot{}, map[string]*site{}
	for i := range all {
		if at, have := all[i].Made().(*spot); have {
			s.byValue[all[i].Value], s.sites[at.name] = at, at.site
		}
	}
}

// fewSpots are not worth to be forgotten.
const fewSpots = 16

// between are two places in sorted order.
func between(a, b *site) state.Place { return state.Place{min(a.name, b.name), max(a.name, b.name)} }

const (
	radian      = math.Pi / 180
	earthRadius = 6371.0088 // km, the mean of IUGG
)

// chord is the square of how far apart spots are through the globe, whose radius is 1. It needs no look at angles.
func (a *spot) chord(b *spot) float64 {
	x, y, z := a.unit[0]-b.unit[0], a.unit[1]-b.unit[1], a.unit[2]-b.unit[2]
	return x*x + y*y + z*z
}

// chordOf is the chord below which spots are surely nearer than a distance in kilometres.
func chordOf(km float64) float64 {
	straight := 2 * math.Sin(min(km/earthRadius, math.Pi)/2)
	return straight * straight * (1 - 1e-9) // what is rounded must not decide
}

// distance is how far apart spots are, in kilometres, by the haversine formula.
func (a *spot) distance(b *spot) float64 {
	u, v := math.Sin((b.lat-a.lat)*radian/2), math.Sin((b.lon-a.lon)*radian/2)
	h := u*u + a.cos*b.cos*v*v
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}

// route are the spots of two places, those first where somebody was last.
type route struct {
	number uint64
	sites  [2]*site
	newest [2]*spot
}

// route begins a walk between two places.
func (s *spots) route(two state.Place) *route {
	s.question++
	return &route{number: s.question, sites: [2]*site{s.site(two[0]), s.site(two[1])}}
}

// side says which of the two places a spot belongs to; -1: neither.
func (r *route) side(at *spot) int {
	switch at.site {
	case r.sites[0]:
		return 0
	case r.sites[1]:
		return 1
	}
	return -1
}

// pass notes that an entry was in a spot. Entries come in order.
func (r *route) pass(at *spot, i int) {
	side := r.side(at)
	if side < 0 {
		return
	}
	switch {
	case r.newest[side] == at:
		at.last = i
		return
	case at.route == r.number: // it goes to the front
		at.newer.older = at.older
		if at.older != nil {
			at.older.newer = at.newer
		}
	}
	at.route, at.last, at.older, at.newer = r.number, i, r.newest[side], nil
	if at.older != nil {
		at.older.newer = at
	}
	r.newest[side] = at
}

// across is the spot of the other place where somebody was last; nil: nobody, or the spot is of neither place.
func (r *route) across(at *spot) *spot {
	switch side := r.side(at); {
	case side < 0:
		return nil
	case r.sites[0] == r.sites[1]:
		return r.newest[0]
	default:
		return r.newest[1-side]
	}
}
