package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"noroshi/internal/diag"
)

// maxPlaces is how many places are told of each reason why input cannot be read.
const maxPlaces = 5

// faults tells what of the input cannot be read: of each reason the first places, and at the end how many more there are.
type faults struct {
	out    io.Writer
	counts map[string]int
	order  []string // reasons, as they came first
	untold []untold // in the order of the input
}

// untold are places of an input that are counted alone.
type untold struct {
	reason, input string
	places        int
}

func newFaults(out io.Writer) *faults { return &faults{out: out, counts: map[string]int{}} }

// add tells a place, if it is one of the first.
func (f *faults) add(input string, line int, reason, detail string) {
	if f.counts[reason] == 0 {
		f.order = append(f.order, reason)
	}
	if f.counts[reason]++; f.counts[reason] <= maxPlaces {
		fmt.Fprintf(f.out, "%s:%d: %s: %s\n", diag.EscapeLine(input), line, diag.EscapeLine(reason), diag.EscapeLine(detail))
		return
	}
	f.count(input, reason)
}

// count counts a place that is not told. Inputs come one after the other, so what is counted of this one stands last.
func (f *faults) count(input, reason string) {
	for i := len(f.untold) - 1; i >= 0 && f.untold[i].input == input; i-- {
		if f.untold[i].reason == reason {
			f.untold[i].places++
			return
		}
	}
	f.untold = append(f.untold, untold{reason: reason, input: input, places: 1})
}

// end tells how many places have not been told.
func (f *faults) end() {
	for _, reason := range f.order {
		for _, u := range f.untold {
			if u.reason == reason {
				fmt.Fprintf(f.out, "%s: %s: %d more\n", diag.EscapeLine(u.input), diag.EscapeLine(reason), u.places)
			}
		}
	}
}

// tally is what became of the records of a command's input.
type tally struct {
	records, events int
	unknown         int      // records of no known kind
	keys            []string // names of the members of the first of them
	unread          error    // why inputs cannot be read, or not to their end
}

// tell tells that there is nothing, or nothing that rules can match. Where an input cannot be read, or no record, it returns
// the failure.
func (t tally) tell(out io.Writer) error {
	err := t.unread
	switch {
	case t.records == 0 && err == nil:
		fmt.Fprintln(out, "the input holds no records")
	case t.records > 0 && t.events == 0:
		err = errors.Join(err, fmt.Errorf("nothing in the input can be read; expected %s", expected))
	case t.unknown > 0:
		fmt.Fprintln(out, ofNoKnownKind(t.unknown, t.records, t.keys))
	}
	if err != nil {
		return failed{err}
	}
	return nil
}

// expected is what commands read.
const expected = `JSON objects (one a line, in an array, in {"records":[…]} or in {"value":[…]}) or a table (CSV) of audit, sign-in or message trace records`

// ofNoKnownKind tells how many records are of no known kind, and what they look like.
func ofNoKnownKind(n, of int, keys []string) string {
	verb := "are"
	if n == 1 {
		verb = "is"
	}
	named := "no keys"
	if len(keys) > 0 {
		named = "keys: " + diag.EscapeLine(strings.Join(keys, ", "))
	}
	return fmt.Sprintf("%d of %s %s of no known kind; no rule can match (%s)", n, plural(of, "record"), verb, named)
}
