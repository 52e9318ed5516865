package replay

import (
	"fmt"
	"time"

	"noroshi/internal/decode"
	"noroshi/internal/diag"
	"noroshi/rules"
)

// Unreadable are the records of the tests of rules that would be no events: what a test of them would say, told without running it.
func Unreadable(set *rules.Set, o decode.Options) (all []diag.Problem) {
	b := &builder{reader: decode.NewPlan(set.Scope.Layout, o).Reader()}
	for _, r := range set.Own() {
		for i := range r.Tests {
			t := &r.Tests[i]
			before := len(all)
			for k := range t.Events {
				if why := b.unreadable(&t.Events[k]); why != "" {
					all = append(all, problem(r, t.Events[k].Line, why))
				}
			}
			if _, err := b.records(t); err != nil && len(all) == before {
				all = append(all, problem(r, t.Line, err.Error()))
			}
		}
	}
	return all
}

func problem(r *rules.Rule, line int, message string) diag.Problem {
	return diag.Problem{File: r.File, Line: line, Column: 1, Code: "tests", Level: diag.Error, Message: message}
}

// unreadable says why a record of a test is no event, as its base has it or with what is other in it; "" where it is one.
func (b *builder) unreadable(e *rules.Event) string {
	of := "the record"
	if e.Sample != "" {
		of = "the sample " + e.Sample
	}
	if err := b.reader.ReadAlone(e.Base, time.Time{}); err != nil {
		return fmt.Sprintf("%s cannot be read: %v", of, err)
	}
	if err := b.reader.ReadAlone(e.Record(), time.Time{}); err != nil {
		return fmt.Sprintf("%s cannot be read with what set, each and unset make of it: %v", of, err)
	}
	return ""
}
