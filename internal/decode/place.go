package decode

import (
	"strconv"
	"strings"

	"noroshi/internal/event"
)

// Where the client is, and whose network that is. What the record says comes first. A database of the operator adds what the record
// leaves out, and only where it says the same as the record of everything that both could tell: the record's country never stands
// beside the city that a database has for another one.

// byAddress are the fields that databases tell, too: how, given what the record says.
var byAddress = map[string]func(r *Reader, recorded string) string{
	"source.geo.country_iso_code": func(r *Reader, recorded string) string { return first(recorded, r.added().Country) },
	"source.geo.region_name": func(r *Reader, recorded string) string {
		if recorded == "" {
			if region := r.added().Region(""); region != nil {
				return region.Name
			}
		}
		return recorded
	},
	"source.geo.region_iso_code": func(r *Reader, _ string) string {
		if region := r.added().Region(r.recorded(r.plan.region)); region != nil {
			return region.Code
		}
		return ""
	},
	"source.geo.city_name": func(r *Reader, recorded string) string { return first(recorded, r.added().City) },
	"source.geo.location":  func(r *Reader, recorded string) string { return first(location(r, recorded), r.added().Location) },
	"source.as.number":     func(r *Reader, recorded string) string { return first(asNumber(recorded), r.looked().Number) },
	"source.as.organization.name": func(r *Reader, recorded string) string {
		if recorded == "" && r.ownNetwork() {
			return r.looked().Organization
		}
		return recorded
	},
	"source.geo.database": func(r *Reader, _ string) string {
		place, _ := r.databases()
		return place
	},
	"source.as.database": func(r *Reader, _ string) string {
		_, network := r.databases()
		return network
	},
}

// maxPlaces is how many addresses a reader remembers the places of.
const maxPlaces = 4096

var nowhere event.Place

// looked is what databases tell of the client's address.
func (r *Reader) looked() *event.Place {
	if r.atAddress != nil {
		return r.atAddress
	}
	r.atAddress = &nowhere
	if ip := r.Event.Text(event.SourceIP); ip != "" && r.plan.options.Place != nil {
		p, ok := r.remembered[ip]
		if !ok {
			if len(r.remembered) >= maxPlaces || r.remembered == nil {
				r.remembered = map[string]*event.Place{}
			}
			found := r.plan.options.Place(ip)
			p = &found
			r.remembered[strings.Clone(ip)] = p
		}
		r.atAddress = p
	}
	return r.atAddress
}

// added is what databases tell of the client's place, nothing where the record says otherwise.
func (r *Reader) added() *event.Place {
	if r.addition == nil {
		r.addition = r.looked()
		if !r.confirms(r.addition) {
			r.addition = &nowhere
		}
	}
	return r.addition
}

// confirms reports whether a place is the one that the record tells, as far as it does. Coordinates are believed to be those of the
// city beside them, and without a city they could be anywhere.
func (r *Reader) confirms(p *event.Place) bool {
	country, region, city := r.recorded(event.SourceCountry), r.recorded(r.plan.region), r.recorded(r.plan.city)
	return (country == "" || country == p.Country) && (region == "" || p.Region(region) != nil) &&
		(city == "" || strings.EqualFold(city, p.City)) && (city != "" || location(r, "") == "")
}

// ownNetwork reports whether the network that a database tells is the record's.
func (r *Reader) ownNetwork() bool {
	n := asNumber(r.recorded(event.SourceASN))
	return n == "" || n == r.looked().Number
}

// asNumber is the number of an autonomous system that the record tells. No network has 0, which stands for an unknown one.
// Source: RFC 7607.
func asNumber(recorded string) string {
	if recorded == "0" {
		return ""
	}
	return recorded
}

// recorded is what the record itself says of a field, or a record around it.
func (r *Reader) recorded(s event.Slot) string {
	o := &r.view.slots[s]
	text := r.fed(o)
	if text == "" && o.told != 0 {
		text = r.surroundingText(s, o.told)
	}
	return text
}

// databases are those that have told something of the place and of the network that the record does not say itself, "" where it needed
// none.
func (r *Reader) databases() (place, network string) {
	p := r.added()
	adds := func(s event.Slot, text string) bool { return text != "" && r.recorded(s) == "" }
	if adds(event.SourceCountry, p.Country) || len(p.Regions) > 0 || adds(r.plan.city, p.City) || p.Location != "" && location(r, "") == "" {
		place = p.From
	}
	if k := r.looked(); k.Number != "" && asNumber(r.recorded(event.SourceASN)) == "" || k.Organization != "" && r.recorded(r.plan.operator) == "" && r.ownNetwork() {
		network = k.NumberFrom
	}
	return place, network
}

// location is the first pair of coordinates that is a place. Of the field's paths the first half are those of latitudes, the others
// in the same order those of longitudes.
func location(r *Reader, _ string) string {
	feeds := r.view.slots[r.plan.location].feeds
	half := len(feeds) / 2
	for i := range half {
		lat, wrong := strconv.ParseFloat(strings.TrimSpace(r.scalar(feeds[i])), 64)
		lon, alsoWrong := strconv.ParseFloat(strings.TrimSpace(r.scalar(feeds[half+i])), 64)
		if wrong != nil || alsoWrong != nil {
			continue
		}
		if at := event.Location(lat, lon); at != "" {
			return at
		}
	}
	return ""
}
