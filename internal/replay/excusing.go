package replay

import (
	"context"

	"noroshi/detector"
	"noroshi/rules"
)

// Excusing runs the tests of an exception of the configuration, with all that the configuration says of rules.
type Excusing struct {
	set           *rules.Set
	of            *rules.Excused
	with, without *proving
}

// NewExcusing makes it. Only rules that the exception is for take part, and those whose alerts they look at.
func NewExcusing(set *rules.Set, x *rules.Excused, o detector.Options) *Excusing {
	few := set.Excusing(x)
	e := &Excusing{set: few, of: x}
	set.Compiling(func() { e.with, e.without = newProving(few, o), newProving(few.Without(x), o) })
	return e
}

// Prove runs a test. The exception is needed where the test fails without it.
func (e *Excusing) Prove(ctx context.Context, t *rules.Test) (v Verdict, needed bool) {
	v = e.prove(ctx, e.with, t)
	return v, v.Pass && !e.prove(ctx, e.without, t).Pass
}

func (e *Excusing) prove(ctx context.Context, p *proving, t *rules.Test) Verdict {
	v := Verdict{Rule: e.of.Name(), Test: t.Name, File: e.of.File, Line: t.Line}
	if err := p.prove(ctx, e.counts, t, &v); err != nil {
		v.Why = err.Error()
	}
	v.Pass = v.Why == ""
	return v
}

func (e *Excusing) counts(rule string) bool { return e.of.Means(e.set.Find(rule)) }

// Unneeded is the verdict on an exception that none of its tests needs.
func Unneeded(x *rules.Excused) Verdict {
	return Verdict{Rule: x.Name(), Test: "a test needs the exception", File: x.File, Line: x.Line,
		Why: "its tests pass without the exception, too: none of them shows what it is for"}
}
