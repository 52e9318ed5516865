package kind

// Match fires for every event for which the condition holds. It keeps nothing.
type Match struct{}

// Name implements Kind.
func (Match) Name() string { return "match" }

// New implements Kind.
func (Match) New() Memory { return Match{} }

// Apply implements Memory: the anchor is the event's identity, since one id can stand on several records.
func (Match) Apply(h *Hit, to []Finding) []Finding {
	return append(to, Finding{Anchor: h.Same().Anchor(), First: h.Time, Last: h.Time, Count: 1, Hits: []*Hit{h}})
}
