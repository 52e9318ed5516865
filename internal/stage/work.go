package stage

import "time"

// Work is what takes time.
type Work string

// What takes time.
const (
	Committing Work = "commit"
	Restoring  Work = "restore"
)

// took tells how long work has taken that began at a time.
func (s *Session) took(what Work, began time.Time) {
	if s.Took != nil {
		s.Took(what, s.Now().Sub(began))
	}
}
