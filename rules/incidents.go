package rules

import (
	"errors"
	"io/fs"
	"os"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/incident"
	"noroshi/internal/strictyaml"
	"noroshi/rules/library"
)

const incidentsFile = "incidents.yaml"

// Incidents reads what alerts add up to: from a file, or, without a name, from the shipped library. The rules that it names must be some of
// those given; nil: nobody looks.
func Incidents(file string, known []string) (*incident.Scoring, []diag.Problem) {
	name, in := file, os.ReadFile
	if file == "" {
		name = inside(shippedHome.name, incidentsFile)
		in = func(string) ([]byte, error) { return fs.ReadFile(library.Files, incidentsFile) }
	}
	data, err := in(file)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, []diag.Problem{{File: name, Code: "read", Level: diag.Error, Message: "cannot be read: " + err.Error()}}
	}
	d := strictyaml.Parse(name, data)
	s := incident.ReadScoring(d, known)
	diag.Sort(d.Problems)
	return s, d.Problems
}

// IncidentsIn is the file in a folder that is a library which says what alerts add up to, "" where there is none.
func IncidentsIn(folder string) string {
	for _, name := range []string{remediationFile, incidentsFile} {
		if info, err := os.Stat(inside(folder, name)); err != nil || !info.Mode().IsRegular() {
			return ""
		}
	}
	return inside(folder, incidentsFile)
}

// Ids are the ids of the rules.
func (s *Set) Ids() (all []string) {
	for _, r := range s.Rules {
		all = append(all, r.ID)
	}
	return all
}

// Told is what alerts say of a rule, as far as incidents ask for it.
func (s *Set) Told(id string) (alert.Rule, bool) {
	r := s.Find(id)
	if r == nil {
		return alert.Rule{}, false
	}
	return alert.Rule{ID: r.ID, Title: r.Title, Class: r.Class, Points: r.Points}, true
}
