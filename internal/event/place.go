package event

import "strings"

// Place is what a database knows of an address: where it lies and whose network it is in. What it does not know is "".
type Place struct {
	Country  string   // ISO 3166-1 alpha-2
	Regions  []Region // the widest first
	City     string
	Location string // as Location writes it
	From     string // the database that tells these

	Number       string // of the autonomous system
	Organization string // that runs it
	NumberFrom   string // the database that tells these
}

// Region is a part of a country.
type Region struct {
	Code string // ISO 3166-2
	Name string
}

// Region is the region of that name or code, case aside, nil where the place lies in none such; without a name it is the smallest.
func (p *Place) Region(name string) *Region {
	for i := len(p.Regions) - 1; i >= 0; i-- {
		r := &p.Regions[i]
		_, part, _ := strings.Cut(r.Code, "-")
		if name == "" || strings.EqualFold(name, r.Name) || r.Code != "" && (strings.EqualFold(name, r.Code) || strings.EqualFold(name, part)) {
			return r
		}
	}
	return nil
}
