package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/detector"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/telemetry"
)

// Reading is what was read of the configuration and of the files that it names.
type Reading struct {
	Config   *config.Config
	Compile  func(sample [][]byte) *detector.Set // where there is no error among the problems
	Problems []diag.Problem
}

// reloads are how rules have been read since the start.
type reloads struct {
	reads   atomic.Int64  // times that files were read
	missing chan struct{} // somebody waits for a version of a rule
	asked   chan asked

	mu       sync.Mutex
	taken    int64 // times that rules were taken over
	failed   int64 // times that they were not, because of what is in the files
	fault    string
	since    time.Time // when the fault came
	restart  []string  // keys of the configuration that a restart would change
	restless bool      // it has been told that files do not rest
	inForce  map[stageNumber]*ruling
}

// stageNumber is 0 for the stage that reads events, 1 for the one that reads signals.
type stageNumber uint8

// turned notes the rules that a stage evaluates by.
func (s *reloads) turned(stage stageNumber, to *ruling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inForce == nil {
		s.inForce = map[stageNumber]*ruling{}
	}
	s.inForce[stage] = to
}

// counted is how often rules were taken over by all stages: a stage goes on with those of before until its next commit.
func (s *reloads) counted(now *ruling) int64 {
	for _, u := range s.inForce {
		if u != now {
			return max(0, s.taken-1)
		}
	}
	return s.taken
}

// RuleSetSum is which rules are evaluated, and what has become of those that were read later.
type RuleSetSum struct {
	Digest string `json:"digest,omitempty"` // of rules, lists, databases of addresses and lateness: the same for instances that find the same
	// Accounts is the digest of the directory, by which ingest tells whom a record is about; "" without a directory.
	Accounts string    `json:"directory_digest,omitempty"`
	Loaded   time.Time `json:"loaded"`
	Reloads  int64     `json:"reloads"`                  // times that others were taken over by all stages
	Failed   int64     `json:"failed_reloads"`           // times that others could not be
	Fault    string    `json:"reload_error,omitempty"`   // why those that are there now cannot be,
	Since    time.Time `json:"failing_since,omitzero"`   // and since when
	Restart  []string  `json:"restart_needed,omitempty"` // keys of the configuration that have changed and are read at the start alone
	// Others are the instances that have had other rules for longer than a minute, so many.
	Others    []string `json:"differ,omitempty"`
	Different int64    `json:"differ_count,omitempty"`
	roles     []Role
}

// keepReading reads rules again when files change, when somebody asks for it with a signal, and when there is memory of rules that are not
// there, until ctx ends.
func (r *Run) keepReading(ctx context.Context, k *kafka) {
	if r.Read == nil {
		return
	}
	w := &watcher{}
	w.took(r.Config.Files, r.Began)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	beat := r.hearts.heart("reading files")
	defer beat.stops()
	for {
		beat.turns()
		why, by := "", asked(nil)
		select {
		case <-ctx.Done():
			return
		case <-r.Hangup:
			why = "a signal"
		case by = <-r.reloads.asked:
			why = "a request"
		case <-r.reloads.missing:
			why = "memory of rules that are not there"
		case <-tick.C:
			if w.due(time.Now()) {
				why = "files have changed"
			}
			r.restless(w)
		}
		if why != "" {
			by.answer(r.readAgain(ctx, k, w, why))
		}
	}
}

// restless tells of files that do not rest, once.
func (r *Run) restless(w *watcher) {
	s := &r.reloads
	s.mu.Lock()
	defer s.mu.Unlock()
	long := !w.changed.IsZero() && time.Since(w.changed) > restWithin
	if long && !s.restless {
		r.Log.Warn("files of rules or of the configuration change all the time; they are read when they rest", slog.Time("since", w.changed))
	}
	s.restless = long
}

// readAgain reads the files again, and takes the rules over when there is nothing wrong in any of them.
func (r *Run) readAgain(ctx context.Context, k *kafka, w *watcher, why string) Reloaded {
	defer r.reloads.reads.Add(1)
	r.Manager.Reloading("files are read again: " + why)
	defer func() { r.Manager.Ready(r.doing()) }()
	began := time.Now()
	before, _ := imprintOf(w.files, false)
	got := r.Read()
	if after, _ := imprintOf(w.files, false); after != before {
		r.Log.Info("files change while they are read; they are read again when they rest", slog.String("because", why))
		w.read = looked{}
		return Reloaded{Result: NotYet}
	}
	r.Config.Secrets.Include(got.Config.Secrets)
	w.took(slices.Concat(r.Config.Files, got.Config.Files), began)
	if n := diag.Errors(got.Problems); n > 0 {
		return r.refuse(ctx, why, got.Problems)
	}
	sample, err := k.sample(ctx, r.Config.Kafka.Partitions)
	if err != nil {
		r.Log.Debug("no sample of records for the rules", slog.Any("err", err))
	}
	next, err := r.rule(got.Config, got.Compile(sample))
	if err != nil {
		return r.refuse(ctx, why, []diag.Problem{{File: got.Config.Files[0], Code: "silent", Level: diag.Error, Message: err.Error()}})
	}
	if next.digest != r.ruling.Load().digest {
		r.tellProblems(ctx, slog.LevelWarn, "rules are loaded again in spite of this", got.Problems)
	}
	r.needsRestart(got.Config.Differs(r.Config))
	return r.takeOver(next, why)
}

// maxListed is how many problems of files the log tells one by one.
const maxListed = 20

// refuse tells what is wrong in the files. The rules stay.
func (r *Run) refuse(ctx context.Context, why string, all []diag.Problem) Reloaded {
	all = slices.DeleteFunc(slices.Clone(all), func(p diag.Problem) bool { return p.Level != diag.Error })
	s := &r.reloads
	s.mu.Lock()
	if s.failed++; s.fault == "" {
		s.since = time.Now().UTC()
	}
	s.fault = r.shown(all[0].Error())
	if n := len(all) - 1; n > 0 {
		s.fault += fmt.Sprintf(" (and %d more)", n)
	}
	s.mu.Unlock()
	r.tellProblems(ctx, slog.LevelError, "this keeps the rules from being loaded again", all)
	r.Log.Error("rules not loaded again; those of before stay", slog.String("because", why), slog.Int("errors", len(all)),
		slog.String("rule_set", r.ruling.Load().digest))
	return r.refused(all)
}

// tellProblems tells the first of many problems.
func (r *Run) tellProblems(ctx context.Context, level slog.Level, message string, all []diag.Problem) {
	for _, p := range all[:min(len(all), maxListed)] {
		r.Log.Log(ctx, level, message, slog.String("problem", r.Config.Secrets.Hide(p.Error())))
	}
}

// needsRestart tells of keys that have changed and are read at the start alone.
func (r *Run) needsRestart(keys []string) {
	s := &r.reloads
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(keys) > 0 && !slices.Equal(keys, s.restart) {
		r.Log.Warn("restart needed for: " + strings.Join(keys, ", ") + "; until then these keys of the configuration stay as they were at the start")
	}
	s.restart = keys
}

// takeOver lets rules take the place of those of before.
func (r *Run) takeOver(next *ruling, why string) Reloaded {
	was := r.ruling.Load()
	s := &r.reloads
	s.mu.Lock()
	recovered := s.fault != ""
	s.fault, s.since = "", time.Time{}
	same := next.digest == was.digest && next.sameDirectory(was)
	if !same {
		s.taken++
	}
	s.mu.Unlock()
	if same {
		if recovered {
			r.Log.Info("files are in order again; the rules are those of before", slog.String("because", why))
		} else {
			r.Log.Info("files were read again; the rules are those of before", slog.String("because", why))
		}
		return r.reloaded(Same, nil)
	}
	r.ruling.Store(next)
	r.Log.Info("rules loaded again", slog.String("because", why), slog.Int("rules", len(next.set.Rules())), slog.String("rule_set", next.digest),
		slog.String("before", was.digest))
	changes := next.set.Since(was.set)
	for _, c := range changes {
		r.tellChange(c, next.loaded)
	}
	r.tellLookUps(was.lookUps, next.lookUps)
	if !next.sameDirectory(was) {
		r.Log.Info("the directory has changed; accounts are resolved by it from now on")
	}
	return r.reloaded(TakenOver, changes)
}

// tellLookUps tells what has changed of that which the rules look things up in.
func (r *Run) tellLookUps(was, next map[string]string) {
	all := maps.Clone(was)
	maps.Copy(all, next)
	for _, name := range sortedKeys(all) {
		before, had := was[name]
		after, has := next[name]
		change := detector.Changed
		switch {
		case before == after && had == has:
			continue
		case !had:
			change = detector.Added
		case !has:
			change = detector.Removed
		}
		r.Log.Info("what rules look things up in has changed", slog.String("what", name), slog.String("change", change))
	}
}

// tellChange tells what becomes of a rule.
func (r *Run) tellChange(c detector.Change, at time.Time) {
	attrs := []any{slog.String("rule", c.Rule), slog.String("change", c.What)}
	switch {
	case !c.Remembers, c.What == detector.Added:
	case c.What == detector.Removed:
		attrs = append(attrs, slog.String("memory", "dropped"))
	case !c.Kept:
		attrs = append(attrs, slog.String("memory", "begins anew"))
	case c.Longer > 0:
		attrs = append(attrs, slog.String("memory", "kept"), slog.Time("whole_from", at.Add(c.Longer)))
	default:
		attrs = append(attrs, slog.String("memory", "kept"))
	}
	r.Log.Info("rule changed", attrs...)
}

// ruleSet is what the status says of the rules.
func (r *Run) ruleSet() RuleSetSum {
	u, s, others := r.ruling.Load(), &r.reloads, r.others()
	s.mu.Lock()
	defer s.mu.Unlock()
	return RuleSetSum{Others: others, Different: int64(len(others)), Digest: u.digest, Accounts: u.accounts(), Loaded: u.loaded,
		Reloads: s.counted(u), Failed: s.failed, Fault: s.fault, Since: s.since, Restart: slices.Clone(s.restart)}
}

var reloadNumbers = []number[RuleSetSum]{
	{telemetry.RulesReloaded, func(s *RuleSetSum) *int64 { return &s.Reloads }},
	{telemetry.RulesRefused, func(s *RuleSetSum) *int64 { return &s.Failed }},
	{telemetry.RulesDiffer, func(s *RuleSetSum) *int64 { return &s.Different }},
}
