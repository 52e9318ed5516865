package app

import (
	"context"
	"errors"
	"time"

	"noroshi/detector"
	"noroshi/internal/admin"
	"noroshi/internal/diag"
)

// What becomes of files that are read again.
const (
	TakenOver = "taken over"  // the rules are others now
	Same      = "same"        // they are those of before
	Refused   = "refused"     // something is wrong in the files; the rules of before stay
	NotYet    = "not yet"     // the files changed while they were read; they are read when they rest
	Never     = "unavailable" // this instance reads nothing again
)

// Reloaded is what has become of files that were read again.
type Reloaded struct {
	Result   string         `json:"result"`
	RuleSet  string         `json:"rule_set,omitempty"` // the digest of the rules that are evaluated now
	Changes  []RuleChange   `json:"changes,omitempty"`
	Problems []diag.Problem `json:"problems,omitempty"`       // that keep the rules of before; the first ones
	Total    int            `json:"problems_total,omitempty"` // how many there are
	Restart  []string       `json:"restart_needed,omitempty"` // keys of the configuration that are read at the start alone and have changed
}

// RuleChange is what has become of a rule.
type RuleChange struct {
	Rule   string `json:"rule"`
	Change string `json:"change"`
	Memory string `json:"memory,omitempty"` // what becomes of it: kept, begins anew, dropped
}

// reloaded is what was read without an error.
func (r *Run) reloaded(result string, changes []detector.Change) Reloaded {
	set := r.ruleSet()
	to := Reloaded{Result: result, RuleSet: set.Digest, Restart: set.Restart}
	for _, c := range changes {
		to.Changes = append(to.Changes, RuleChange{c.Rule, c.What, memoryOf(&c)})
	}
	return to
}

// refused is what could not be taken over.
func (r *Run) refused(all []diag.Problem) Reloaded {
	to := Reloaded{Result: Refused, RuleSet: r.ruling.Load().digest, Total: len(all)}
	for _, p := range all[:min(len(all), maxListed)] {
		p.Message, p.Suggestion = r.Config.Secrets.Hide(p.Message), r.Config.Secrets.Hide(p.Suggestion)
		to.Problems = append(to.Problems, p)
	}
	return to
}

// memoryOf says what becomes of the memory of a rule that has changed, "" where it has none.
func memoryOf(c *detector.Change) string {
	switch {
	case !c.Remembers, c.What == detector.Added:
		return ""
	case c.What == detector.Removed:
		return "dropped"
	case !c.Kept:
		return "begins anew"
	}
	return "kept"
}

// asked waits for the answer to a request to read files again. It has room for one.
type asked chan Reloaded

func (a asked) answer(with Reloaded) {
	if a != nil {
		a <- with
	}
}

// errNotTaken says that the files were not taken over.
var errNotTaken = errors.New("the files are not taken over")

// reload has the files read again, as SIGHUP has.
func (r *Run) reload(ctx context.Context) (any, error) {
	if r.Read == nil || r.prepared.running.Load() == nil {
		return Reloaded{Result: Never}, errNotTaken
	}
	wait := make(asked, 1)
	select {
	case r.reloads.asked <- wait:
	case <-ctx.Done():
		return Reloaded{Result: NotYet}, ctx.Err()
	}
	select {
	case got := <-wait:
		if got.Result == TakenOver || got.Result == Same {
			return got, nil
		}
		return got, errNotTaken
	case <-ctx.Done():
		return Reloaded{Result: NotYet}, ctx.Err()
	}
}

// operators is the listener for those who operate the instance, nil without one.
func (r *Run) operators() *admin.Server {
	c := &r.Config.Admin
	if c.Listen == "" && c.Probes == "" {
		return nil
	}
	return &admin.Server{Listen: c.Listen, Probes: c.Probes, Token: c.Token, CertFile: c.CertFile, KeyFile: c.KeyFile, ClientCAFile: c.ClientCAFile,
		Live:  r.live,
		Ready: func() error { return r.ready(time.Now()) },
		Health: func() (any, bool) {
			h := HealthOf(r.last.Load(), time.Now().UTC())
			h.Instance = instance()
			return h, h.Condition != Failing
		},
		Metrics: r.telemetry.Prometheus(), Reload: r.reload, Now: time.Now, Log: r.Log}
}
