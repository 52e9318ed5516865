package app

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"noroshi/detector"
	"noroshi/internal/config"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/list"
)

// ruling is all that may change while a run goes on: the rules, and what they look things up in. It is immutable.
type ruling struct {
	set       *detector.Set
	directory *list.List // nil: there is none
	geography *list.Geography
	lateness  event.Lateness
	digest    string // the same for all instances that find the same; "": nothing is evaluated here
	loaded    time.Time
}

// errSilent refuses rules by which nobody would be told anything.
var errSilent = errors.New("no rule is live, so that nothing could ever be found")

// rule makes a ruling of a configuration and its rules, which only an instance has that evaluates records.
func (r *Run) rule(c *config.Config, set *detector.Set) (*ruling, error) {
	u := &ruling{set: set, directory: c.Lists["directory"], geography: c.Geography, lateness: c.Lateness, loaded: time.Now().UTC()}
	if !r.has(Detect) {
		return u, nil
	}
	if !set.Fires() {
		return nil, errSilent
	}
	u.digest = digest(c, set)
	return u, nil
}

// digest is a short text that differs where the rules, the lists, the databases of addresses or the lateness differ.
func digest(c *config.Config, set *detector.Set) string {
	h := sha256.New()
	for _, one := range set.Identity() {
		fmt.Fprintf(h, "rule %q\n", one)
	}
	for _, name := range c.Lists.Names() {
		fmt.Fprintf(h, "list %q %x\n", name, c.Lists[name].Sum())
	}
	fmt.Fprintf(h, "geography %x\n", c.Geography.Sum())
	for _, name := range sortedKeys(c.Lateness) {
		fmt.Fprintf(h, "lateness %q %v\n", name, c.Lateness[name])
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

func sortedKeys[T any](m map[string]T) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// accounts is a short text that differs where the directory does; "": there is none.
func (u *ruling) accounts() string {
	if u.directory == nil {
		return ""
	}
	return hex.EncodeToString(u.directory.Sum())[:12]
}

// sameDirectory reports whether the same accounts are resolved.
func (u *ruling) sameDirectory(was *ruling) bool {
	return u.accounts() == was.accounts()
}

// resolving are the options of what tells whom a record is about. It asks the directory as it is at the time.
func (r *Run) resolving() decode.Options {
	return decode.Options{Directory: func(tenant, name string) (upn string, ok bool) {
		d := r.ruling.Load().directory
		if d == nil {
			return "", false
		}
		return d.Resolve(tenant, name)
	}}
}
