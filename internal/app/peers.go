package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"noroshi/internal/bus"
)

// peers are the other instances of this Kafka, as their last reports say.
type peers struct {
	mu     sync.Mutex
	looked time.Time
	all    map[string]Status    // that run; of each the last report
	differ map[string]time.Time // those that have other rules, and since when
	told   bool

	lacking     time.Time // since when a role is nobody's
	toldLacking bool
}

const (
	peersEvery   = 15 * time.Second
	peersWithin  = 5 * time.Second
	differLong   = time.Minute // rules are changed on one instance after the other
	reportsEach  = int64(2 * staleAfter / reportEvery)
	reportsLeast = 64
)

// instance names this process among the instances.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// lookAround reads what the other instances have reported lately. The embedded Kafka has one instance.
func (r *Run) lookAround(ctx context.Context, k *kafka) {
	if k.embedded != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, peersWithin)
	defer cancel()
	p := &r.peers
	p.mu.Lock()
	most := max(reportsLeast, reportsEach*int64(len(p.all)+2))
	p.mu.Unlock()
	all := map[string]Status{}
	err := k.bus.Last(ctx, bus.Status, most, func(rec bus.Record) error {
		var s Status
		if err := json.Unmarshal(rec.Value, &s); err == nil { // else it is of another version
			all[s.Instance] = s
		}
		return nil
	})
	if err != nil {
		r.Log.Debug("other instances are not known", slog.Any("err", err))
		return
	}
	now := time.Now()
	delete(all, instance())
	maps.DeleteFunc(all, func(_ string, s Status) bool { return s.Ended || s.Stale(now) })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.looked = all, now
	p.compare(r.ruleSetNow(), now)
	r.tellPeers(now)
	p.tellRoles(r.roles(), r.Log, now)
}

// compare notes which instances have other rules, or another directory.
func (p *peers) compare(own RuleSetSum, now time.Time) {
	was := p.differ
	p.differ = map[string]time.Time{}
	for name, s := range p.all {
		if !own.differs(&s) {
			continue
		}
		p.differ[name] = now
		if since, known := was[name]; known {
			p.differ[name] = since
		}
	}
}

// differs reports whether another instance finds something else. One that only delivers finds nothing, and one that only ingests asks the
// directory alone.
func (s *RuleSetSum) differs(from *Status) bool {
	if s.Digest != "" && from.RuleSet.Digest != "" {
		return s.Digest != from.RuleSet.Digest
	}
	resolves := func(all []Role) bool { return slices.Contains(all, Ingest) || slices.Contains(all, Detect) }
	return resolves(s.roles) && resolves(from.Roles) && s.Accounts != from.RuleSet.Accounts
}

// ruleSetNow is what is compared with other instances.
func (r *Run) ruleSetNow() RuleSetSum {
	u := r.ruling.Load()
	return RuleSetSum{Digest: u.digest, Accounts: u.accounts(), roles: r.roles()}
}

// long are the instances that have had other rules for so long that nobody is changing them any more.
func (p *peers) long(now time.Time) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(p.differ)) {
		if now.Sub(p.differ[name]) >= differLong {
			all = append(all, name)
		}
	}
	return all
}

// tellPeers tells of instances that have other rules, once, and when it is over.
func (r *Run) tellPeers(now time.Time) {
	p := &r.peers
	others := p.long(now)
	switch {
	case len(others) > 0 && !p.told:
		r.Log.Warn("instances have different rules for longer than a minute: what is found depends on which of them an account falls to",
			slog.String("rule_set", r.ruling.Load().digest), slog.Any("differ", others))
	case len(p.differ) == 0 && p.told:
		r.Log.Info("instances have the same rules again", slog.String("rule_set", r.ruling.Load().digest))
	}
	p.told = len(others) > 0 || p.told && len(p.differ) > 0
}

// others are the instances that have other rules for longer than a minute.
func (r *Run) others() []string {
	p := &r.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.long(time.Now())
}

// changing reports whether an instance that runs has other rules.
func (r *Run) changing() bool {
	p := &r.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	p.compare(r.ruleSetNow(), time.Now())
	return len(p.differ) > 0
}
