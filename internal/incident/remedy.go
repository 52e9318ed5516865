package incident

import "noroshi/internal/cond"

// The phases of remediation, in the guide's order.
const (
	Preserve = "preserve" // nothing is recorded afterwards
	Contain  = "contain"  // what takes minutes and throws an intruder out
	BySign   = "sign"     // what was found is undone
	Prevent  = "prevent"
)

// Phases are the phases of remediation, in their order.
var Phases = []string{Preserve, Contain, BySign, Prevent}

// Always is what a step is for that every incident has.
const Always = "always"

// Remedy is a step of remediation as it is written.
type Remedy struct {
	ID      string
	Guide   []string
	Phase   string
	For     []string // the kinds of things that an incident must hold to have it, or always
	Shown   string   // the demand that it meets, beside things that are gone
	Connect string   // the command that connects first
	Link    string   // into the portal
	Tenant  bool     // it changes the whole tenant
	Text    *cond.Template
	Local   *cond.Template // the text in Japanese; nil: there is none
	Command *cond.Template
	At      int // the line of the file where it is written
}
