package kind

// Match fires for every event for which the condition holds. It keeps nothing.
type Match struct{}

// Name implements Kind.
func (Match) Name() string { return "match" }

// New implements Kind.
func (Match) New() Memory { return Match{} }

// Apply implements Memory: the anchor is the event's identity, since one id can stand on several records.
func (Match) Apply(s *Step, to []Finding) []Finding {
	return append(to, Finding{Anchor: s.Same().Anchor(), First: s.Time, Last: s.Time, Count: 1, Steps: []*Step{s}})
}
