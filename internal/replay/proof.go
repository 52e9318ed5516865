package replay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/decode"
	"noroshi/internal/list"
	"noroshi/rules"
)

// Verdict is what became of one of a rule's tests.
type Verdict struct {
	Rule        string       `json:"rule"`
	Test        string       `json:"test"`
	File        string       `json:"file"`
	Line        int          `json:"line"`
	Pass        bool         `json:"pass"`
	Why         string       `json:"why,omitempty"`
	Count       int          `json:"alerts"`
	Differences []Difference `json:"differences,omitempty"`

	Took time.Duration `json:"-"`
}

// Prover runs the tests of a rule.
type Prover struct {
	rules   *rules.Set
	rule    *rules.Rule
	options detector.Options
	common  *proving // of tests without lists of their own; nil until there is one
}

// proving runs tests that have the same lists.
type proving struct {
	set     *detector.Set
	worker  *detector.Worker
	builder *builder
}

func newProving(set *rules.Set, o detector.Options) *proving {
	d := detector.New(set, o)
	p := &proving{set: d, worker: d.Worker()}
	p.builder = &builder{reader: p.worker.Reader()}
	return p
}

// NewProver makes what runs the tests of a rule. Beside it only those rules of the set take part whose alerts it looks at.
func NewProver(set *rules.Set, r *rules.Rule, o detector.Options) *Prover {
	return &Prover{rules: set, rule: r, options: o}
}

// with is what runs a test, with the test's lists in the place of others.
func (p *Prover) with(t *rules.Test) (w *proving, err error) {
	if len(t.Lists) == 0 && p.common != nil {
		return p.common, nil
	}
	p.rules.Compiling(func() {
		var set *rules.Set
		var r *rules.Rule
		if set, r, err = p.rules.Under(p.rule, t); err == nil {
			o := p.options
			o.Decode = under(o.Decode, t)
			w = newProving(set.Looking(r), o)
		}
	})
	if err == nil && len(t.Lists) == 0 {
		p.common = w
	}
	return w, err
}

// under is how records are read in a test: by its directory, where it has one.
func under(o decode.Options, t *rules.Test) decode.Options {
	if people := t.Lists[list.Directory]; people != nil {
		o.Directory = people.Resolve
	}
	return o
}

// Prove runs a test of the rule: its records through the detector as a replay does, the alerts of this rule against what the test
// wants.
func (p *Prover) Prove(ctx context.Context, t *rules.Test) Verdict {
	v := Verdict{Rule: p.rule.ID, Test: t.Name, File: p.rule.File, Line: t.Line}
	with, err := p.with(t)
	if err == nil {
		err = with.prove(ctx, p.counts, t, &v)
	}
	if err != nil {
		v.Why = err.Error()
	}
	v.Pass = v.Why == ""
	return v
}

// counts reports whether the alerts of a rule are those that tests want.
func (p *Prover) counts(rule string) bool { return rule == p.rule.ID }

// prove holds the alerts that records give against those that a test wants, in each order that it asks for.
func (p *proving) prove(ctx context.Context, counts func(rule string) bool, t *rules.Test, v *Verdict) error {
	records, err := p.builder.records(t)
	if err != nil {
		return err
	}
	have, err := p.findings(ctx, counts, t, records, inOrder)
	if err != nil {
		return err
	}
	v.Count = len(have)
	if v.Differences = differences(t.Want, have); len(v.Differences) > 0 {
		v.Why = summary(len(t.Want), len(have), v.Differences)
		return nil
	}
	for i, again := range orders(t.Arrive, records) {
		late, err := p.findings(ctx, counts, t, again, asTheyCome)
		if err != nil {
			return err
		}
		if v.Differences = same(have, late); len(v.Differences) > 0 {
			v.Why = fmt.Sprintf("in order %d of arrival, %s", i+1, summary(len(have), len(late), v.Differences))
			return nil
		}
	}
	return nil
}

// order says in which order records are applied.
type order uint8

// The orders.
const (
	inOrder    order = iota // of their times
	asTheyCome              // of the input
)

// findings are the alerts for records that count, as JSON values.
func (p *proving) findings(ctx context.Context, counts func(rule string) bool, t *rules.Test, records [][]byte, by order) (all []any, err error) {
	var bad error
	run := Replay{Set: p.set, Workers: 1, reused: []*detector.Worker{p.worker}, AsArrived: by == asTheyCome, Until: t.Until, Alert: func(a *alert.Alert) error {
		if !counts(a.Rule.ID) {
			return nil
		}
		var v any
		if err := json.Unmarshal(a.AppendJSON(nil), &v); err != nil {
			return fmt.Errorf("read alert %s: %w", a.ID, err)
		}
		all = append(all, v)
		return nil
	}, Fault: func(f Fault) {
		if f.Reason != decode.ReasonEncoding && f.Reason != decode.ReasonInside {
			bad = cmp.Or(bad, fmt.Errorf("event %d cannot be read: %s", f.Line, f.Detail))
		}
	}}
	if _, err = run.Run(ctx, []Input{{Name: "test", From: bytes.NewReader(bytes.Join(records, []byte("\n")))}}); err == nil {
		err = bad
	}
	return all, err
}

// Shuffles is how many orders a test's records come in that asks for them.
const Shuffles = 20

// orders are the orders in which records come beside their own.
func orders(a rules.Arrive, records [][]byte) (all [][][]byte) {
	if a.Doubled {
		records = slices.Concat(records, records)
	}
	switch {
	case a.Shuffled:
		for i := range uint64(Shuffles) {
			one := slices.Clone(records)
			rand.New(rand.NewPCG(i, Shuffles)).Shuffle(len(one), func(i, j int) { one[i], one[j] = one[j], one[i] })
			all = append(all, one)
		}
	case a.Doubled:
		all = append(all, records)
	}
	return all
}

// builder makes the records of tests.
type builder struct{ reader *decode.Reader }

// records are those of a test, in its order. All but whole ones get a time and an id of their own.
func (b *builder) records(t *rules.Test) (all [][]byte, err error) {
	at, last := t.Start, t.Start
	for i := range t.Events {
		e := &t.Events[i]
		if e.At != nil {
			at = t.Start.Add(*e.At)
		}
		given := e.At != nil || e.Times > 1 || !e.Whole
		for n := range e.Times {
			if n > 0 {
				at = at.Add(e.Every)
			}
			s := stamp{id: e.ID, number: len(all) + 1, nth: n + 1, of: e}
			if given {
				s.at = at
			}
			rec, err := b.record(s)
			if err != nil {
				return nil, fmt.Errorf("event %d (%s) %w", len(all)+1, placeOf(e), err)
			}
			all = append(all, rec)
		}
		if !given && b.reader.ReadAlone(e.Base, time.Time{}) == nil {
			at = b.reader.Time()
		}
		if at.After(last) {
			last = at
		}
	}
	if !t.Until.IsZero() && t.Until.Before(last) {
		return nil, fmt.Errorf("until is %s, before the last event at %s", decode.FormatTime(t.Until), decode.FormatTime(last))
	}
	return all, nil
}

// placeOf says where a record of a test stands.
func placeOf(e *rules.Event) string {
	line := fmt.Sprintf("line %d", e.Line)
	if e.Sample != "" {
		line += ", " + e.Sample
	}
	return line
}
