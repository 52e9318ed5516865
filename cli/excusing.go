package cli

import (
	"context"
	"slices"

	"noroshi/detector"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// tuned are the rules as a configuration has them, for the tests of its exceptions; nil where it has no exceptions. Problems are those of
// the configuration: rules have been checked before.
func (f *pathFlags) tuned(s Streams, args []string, c *config.Config) (*rules.Set, []diag.Problem) {
	if c.Exceptions == nil {
		return nil, nil
	}
	set, ps := rules.Load(rules.Options{Paths: slices.Concat(args, f.dirs, c.Rules), Library: !f.noLibrary, Untested: true, Lists: c.Lists,
		Now: s.Now(), Tuning: tuning(c, f.doc)})
	return set, slices.DeleteFunc(ps, func(p diag.Problem) bool { return p.File != f.doc.Name })
}

// exceptions runs those tests of the configuration's exceptions that are chosen.
func (t *proving) exceptions(ctx context.Context, set *rules.Set, chosen func(rule, test string) bool) error {
	set.AllLive()
	for _, x := range set.Excused {
		if err := t.exception(ctx, set, x, chosen); err != nil {
			return err
		}
	}
	return nil
}

// exception runs tests of one. Where all have passed and none of them needs the exception, that is a failure of its own.
func (t *proving) exception(ctx context.Context, set *rules.Set, x *rules.Excused, chosen func(rule, test string) bool) error {
	p := replay.NewExcusing(set, x, detector.Options{Decode: t.decode})
	ran, bad, needed := 0, t.bad, false
	for i := range x.Tests {
		if !chosen(x.Name(), x.Tests[i].Name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		from := t.now()
		v, needs := p.Prove(ctx, &x.Tests[i])
		v.Took = t.now().Sub(from)
		ran, needed = ran+1, needed || needs
		if err := t.take(ctx, nil, v); err != nil {
			return err
		}
	}
	if ran > 0 {
		t.excused++
	}
	if ran < len(x.Tests) || needed || t.bad > bad {
		return nil
	}
	return t.take(ctx, nil, replay.Unneeded(x))
}
