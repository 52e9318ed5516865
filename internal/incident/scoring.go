package incident

import (
	"slices"
	"time"
)

// Scoring says what signs add up to: points, levels, combinations, ages. Its zero value is of no use; see Read.
type Scoring struct {
	Levels  map[Level]int // the points of each level
	Decay   time.Duration // in which the points of a sign fall to nothing, in a straight line
	Cap     int           // of the score
	Repeats Repeats
	// What multiplies the points of a sign, in percent, and what is added.
	MarkedSession int // its session is one that a sign of access has marked
	Compliant     int // its device is managed
	AllowedAdmin  int // its actor is an administrator whose work it is
	Important     int // points, where the account is a person whom others obey, or an administrator
	// Least are the points below which a sign of access marks no session.
	Least int
	// Unproved is the level that the score alone reaches where no sign says that somebody else came in.
	Unproved Level
	// Proof says which signs say so.
	Proof Part
	// NeverAlone are rules that confirm nothing, also together, where no other rule has fired.
	NeverAlone   map[string]bool
	Also         map[string][]string // rules that stand for signs of other classes, too; a marked session adds nothing to them
	Combinations []Combination
	Ages         Ages
	Containment  Containment
	Tests        []Test
}

// Repeats says what further signs of a rule add.
type Repeats struct {
	Share int // percent of their points
	Most  int // so many of them
}

// Ages say when an incident ends.
type Ages struct {
	Quiet  time.Duration // without a sign it is closed
	Most   time.Duration // it is closed, whatever comes
	Reopen time.Duration // after closing, in which a sign opens it again
}

// Containment says what must be done before an account is contained.
type Containment struct {
	Demands []string      // password, sessions, and kinds of things that came since the incident was opened
	Undone  int           // points of a sign that shows that what was done before did not help
	Before  time.Duration // before its first sign, in which entries belong to the incident
}

// Combination is signs that confirm an incident whatever its score.
type Combination struct {
	ID      string
	Text    string
	First   *Part // nil: Then suffices
	Then    Part
	Within  time.Duration // between First and Then
	Session bool          // they share a session, whatever lies between them; Within counts where their sessions cannot be compared
	Two     time.Duration // Then is two signs of different classes within this time; 0: one
	OneOf   []string      // of the two, one is of these classes
}

// Part is the signs that a part of a combination takes.
type Part struct {
	Classes []string
	Rules   []string
	Not     []string // rules that are no such signs
	Least   int      // points of the rule
}

// Test is one that the file of a scoring carries.
type Test struct {
	Name   string
	Line   int
	Alerts []Given
	Until  time.Duration
	Want   Want
}

// Given is an alert of a test.
type Given struct {
	Rule    string
	At      time.Duration
	Session string
	Actor   string
	Managed bool
	Another bool   // there is an event from a device that is not managed, too
	Closes  string // it is no alert, but what closes something
}

// Want is what a test expects of the last incident.
type Want struct {
	Level       *Level
	Score       *int
	ConfirmedBy *string
	Status      *Status
	Number      *int
}

// takes reports whether a sign is one of a part's.
func (s *Scoring) takes(p *Part, x *sign) bool {
	if x.points() == 0 || x.Points < p.Least || slices.Contains(p.Not, x.Rule) {
		return false
	}
	if slices.Contains(p.Rules, x.Rule) || slices.Contains(p.Classes, x.Class) {
		return true
	}
	return slices.ContainsFunc(s.Also[x.Rule], func(class string) bool { return slices.Contains(p.Classes, class) })
}

// level is what a score reaches.
func (s *Scoring) level(score int) (l Level) {
	for _, one := range Levels[1:] {
		if score >= s.Levels[one] {
			l = one
		}
	}
	return l
}

// least is the lower of two levels.
func least(a, b Level) Level { return Levels[min(slices.Index(Levels, a), slices.Index(Levels, b))] }
