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
	directory *list.List // nil if the configuration names no directory
	geography *list.Geography
	lateness  event.Lateness
	lookUps   map[string]string // what the rules look things up in, each with what tells whether it is the same
	digest    string            // the same for all instances that find the same; "": nothing is evaluated here
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
	u.lookUps = lookUps(c)
	u.digest = digest(u.lookUps, set)
	return u, nil
}

// digest is a short text that differs where the rules, the lists, the databases of addresses or the lateness differ.
func digest(lookUps map[string]string, set *detector.Set) string {
	h := sha256.New()
	for _, one := range set.Identity() {
		fmt.Fprintf(h, "rule %q\n", one)
	}
	for _, name := range sortedKeys(lookUps) {
		fmt.Fprintf(h, "%q %s\n", name, lookUps[name])
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// lookUps gives the lists, the databases of addresses and the lateness of each dataset, by the names that the log tells.
func lookUps(c *config.Config) map[string]string {
	all := map[string]string{"geography": hex.EncodeToString(c.Geography.Sum())}
	for _, name := range c.Lists.Names() {
		all["list "+name] = hex.EncodeToString(c.Lists[name].Sum())
	}
	for name, late := range c.Lateness {
		all["lateness of "+name] = fmt.Sprint(late)
	}
	return all
}

func sortedKeys[T any](m map[string]T) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// accounts is a digest of the directory, "" without one.
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
