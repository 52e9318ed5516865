package list

import (
	"math"
	"strconv"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"

	"noroshi/internal/event"
)

// What databases of different makers call the same. MaxMind and DB-IP nest, IPinfo and others have one level.
// Sources: MaxMind, GeoIP2 City, Country, ISP and Enterprise databases; DB-IP, IP to City Lite and IP to ASN Lite, MMDB format; IPinfo,
// schema of its MMDB files (Lite, Core, Plus, standard location).
var (
	countryPaths  = []string{"country.iso_code", "country_code", "country"}
	cityPaths     = []string{"city.names.en", "city"}
	regionNames   = []string{"region", "state1"}
	regionCodes   = []string{"region_code"}
	latitudes     = []string{"location.latitude", "latitude", "lat"}
	longitudes    = []string{"location.longitude", "longitude", "lng", "lon"}
	numberPaths   = []string{"autonomous_system_number", "traits.autonomous_system_number", "asn"}
	operatorPaths = []string{"autonomous_system_organization", "traits.autonomous_system_organization", "as_name", "name"}
)

// maxWords bounds a text of a database, in bytes; a longer one is no name.
const maxWords = 200

// tooFar is how far a database may say that its coordinates are off, in kilometres. Where it knows no more than a large country, it
// gives the country's middle.
const tooFar = 500

// placeOf is what a database's record says.
func placeOf(found maxminddb.Result) (p event.Place, err error) {
	if err := found.Err(); err != nil || !found.Found() {
		return p, err
	}
	var all any
	if err := found.Decode(&all); err != nil {
		return p, err
	}
	p.Country = countryOf(all)
	p.City = firstText(all, cityPaths)
	p.Regions = regionsOf(all, p.Country)
	p.Location = locationOf(all)
	if p.Number = systemOf(all); p.Number != "" {
		p.Organization = firstText(all, operatorPaths)
	}
	return p, nil
}

// at is the value at a path, or nil if there is none.
func at(v any, path string) any {
	for path != "" {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		var step string
		step, path, _ = strings.Cut(path, ".")
		v = m[step]
	}
	return v
}

// firstText is the first text at the paths, or "" if there is none.
func firstText(v any, paths []string) string {
	for _, p := range paths {
		if s, ok := at(v, p).(string); ok && len(s) <= maxWords {
			if s = legible(strings.TrimSpace(s)); s != "" {
				return s
			}
		}
	}
	return ""
}

// countryOf is the code of the country. Some makers write codes that stand for no country.
func countryOf(v any) string {
	for _, p := range countryPaths {
		s := strings.ToUpper(firstText(v, []string{p}))
		if len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && s != "ZZ" && s != "XX" {
			return s
		}
	}
	return ""
}

func regionsOf(v any, country string) (all []event.Region) {
	add := func(code, name string) {
		if code != "" && !strings.Contains(code, "-") {
			if code = country + "-" + code; country == "" {
				code = ""
			}
		}
		if code != "" || name != "" {
			all = append(all, event.Region{Code: strings.ToUpper(code), Name: name})
		}
	}
	parts, _ := at(v, "subdivisions").([]any)
	for _, part := range parts {
		add(firstText(part, []string{"iso_code"}), firstText(part, []string{"names.en"}))
	}
	if len(parts) == 0 {
		add(firstText(v, regionCodes), firstText(v, regionNames))
	}
	return all
}

func locationOf(v any) string {
	if radius, ok := number(at(v, "location.accuracy_radius")); ok && radius > tooFar {
		return ""
	}
	lat, ok := firstNumber(v, latitudes)
	lon, also := firstNumber(v, longitudes)
	if !ok || !also {
		return ""
	}
	return event.Location(lat, lon)
}

// systemOf is the number of the autonomous system; some makers write AS64500.
func systemOf(v any) string {
	for _, p := range numberPaths {
		one := at(v, p)
		if s, ok := one.(string); ok && len(s) > 2 && strings.EqualFold(s[:2], "AS") {
			one = s[2:]
		}
		if n, ok := number(one); ok && n >= 1 && n <= math.MaxUint32 && n == math.Trunc(n) {
			return strconv.FormatUint(uint64(n), 10)
		}
	}
	return ""
}

func firstNumber(v any, paths []string) (n float64, ok bool) {
	for _, p := range paths {
		if n, ok = number(at(v, p)); ok {
			return n, true
		}
	}
	return 0, false
}

// number is a number, or a text that is one.
func number(v any) (n float64, ok bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case uint64:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint16:
		return float64(v), true
	case int32:
		return float64(v), true
	case int:
		return float64(v), true
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil
	}
	return 0, false
}
