package sinks

import (
	"context"
	"log/slog"
	"time"
)

// ResultSchema is the name and version of the JSON form of a result.
const ResultSchema = "noroshi.delivery/1"

// Outcome says what became of an alert at a sink.
type Outcome string

// The outcomes.
const (
	WasSent       Outcome = "sent"       // the destination has taken it
	WasSummarised Outcome = "summarised" // the destination has taken a summary that names it
	WasRefused    Outcome = "refused"    // the destination refused it, and it lies in the dead letters
	WasFiltered   Outcome = "filtered"   // the sink is not for it; told of drills alone
)

// Result is who was told what, when, and what was answered.
type Result struct {
	Schema   string    `json:"schema"`
	Sink     string    `json:"sink"`
	Outcome  Outcome   `json:"outcome"`
	At       time.Time `json:"at"`
	Alert    string    `json:"alert"`
	Revision int       `json:"revision"`
	Status   string    `json:"status"`
	Rule     string    `json:"rule"`
	Severity string    `json:"severity"`
	Tenant   string    `json:"tenant"`
	Account  string    `json:"account"`
	Attempts int       `json:"attempts,omitempty"` // with how many attempts
	Answer   string    `json:"answer,omitempty"`   // what the destination said
	Summary  string    `json:"summary,omitempty"`  // the id of the summary
	Ref      string    `json:"ref,omitempty"`      // by what the destination knows it, or the summary
	Drill    bool      `json:"drill,omitempty"`

	Shard []byte `json:"-"` // what the alert's place on its topic is found by
}

// note keeps a result until the queue is told.
func (r *Runner) note(i int, o Outcome, answer, ref, summary string) {
	m := &r.all[i]
	if r.Results == nil || o == WasFiltered && !m.Drill() {
		return
	}
	r.results = append(r.results, Result{Schema: ResultSchema, Sink: r.Name, Outcome: o, At: r.Env.Now().UTC(), Alert: m.ID, Revision: m.Revision, Status: m.Status,
		Rule: m.Rule, Severity: m.Severity, Tenant: m.Tenant, Account: m.Account, Attempts: r.attempts, Answer: answer, Ref: ref, Summary: summary, Drill: m.Drill(), Shard: m.Shard})
}

// tellResults stores results. Where that fails they are lost, which is told and counted: delivering again would be worse.
func (r *Runner) tellResults(ctx context.Context) {
	if len(r.results) == 0 {
		return
	}
	if err := r.Results(ctx, r.results); err != nil {
		r.lost(len(r.results))
		r.Env.Log.Warn("results of deliveries are not stored", slog.String("sink", r.Name), slog.Int("results", len(r.results)), slog.Any("err", err))
	}
	r.results = r.results[:0]
}
