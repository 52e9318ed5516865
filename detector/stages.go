package detector

import (
	"crypto/sha256"
	"slices"

	"noroshi/rules"
)

// Stage says where hits are applied when the records of a live stream lie in partitions. Records of an account lie in one, so that a
// rule whose key holds the account needs no more than the memory of that partition. Hits of other rules travel: each to the partition
// where its key lies.
type Stage uint8

// The stages.
const (
	Whole  Stage = iota // one memory applies all hits
	First               // rules whose keys hold the account, and that look at alerts of such rules alone
	Second              // other rules
)

// has reports whether a stage applies the hits of a rule.
func (s Stage) has(r *rule) bool { return s == Whole || (s == Second) == r.travels }

// known is what a rule is known by outside of the set.
type known struct{ id, version string }

// share finds out which rules are applied in the second stage.
func (s *Set) share() {
	for _, r := range s.rules {
		r.travels = r.Kind.Memory != nil && !r.Kind.Local()
	}
	for range levels { // who looks at alerts that are told there is told there, too
		for _, of := range s.rules {
			for _, l := range of.lookers {
				by := s.rules[l.rule]
				by.travels = by.travels || of.travels
			}
		}
	}
	for range levels {
		for _, of := range s.rules {
			for _, l := range of.lookers {
				if by := s.rules[l.rule]; of.travels {
					by.crossings = min(max(by.crossings, of.crossings+1), MaxCrossings)
				}
			}
		}
	}
	var names []string
	for i, r := range s.rules {
		if !r.travels {
			continue
		}
		if s.known == nil {
			s.known = map[known]int32{}
		}
		s.known[known{r.ID, r.version}] = int32(i)
		names = append(names, string(joined(nil, []string{r.ID, r.version})))
	}
	slices.Sort(names)
	sum := sha256.Sum256(joined(nil, names))
	copy(s.digest[:], sum[:])
}

// MaxCrossings is how often an alert and what is found of it cross at most from one partition of the second stage to another.
const MaxCrossings = rules.MaxDeep

// Crossings is how often alerts, and what is found of them, cross from one partition of the second stage to another; see MemoryOptions.
func (s *Set) Crossings() (most int) {
	for _, r := range s.rules {
		most = max(most, r.crossings)
	}
	return most
}

// Travels reports whether hits of rules of the set travel to a second stage.
func (s *Set) Travels() bool { return len(s.known) > 0 }
