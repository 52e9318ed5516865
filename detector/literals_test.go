package detector

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"noroshi/internal/cond"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules"
)

// TestWhatRecordsGiveIsNeverDoubted: a constant that equals a value of a record, or a part of it, gives no mistake and no warning,
// whichever field has it and however it is compared.
func TestWhatRecordsGiveIsNeverDoubted(t *testing.T) {
	layout := event.NewLayout()
	cond.Prepare(layout)
	var slots []event.Slot
	for _, f := range event.Fields() {
		if slot, ok := layout.Slot(f.Name); ok && (f.Type == event.Text || f.Type == event.List) {
			slots = append(slots, slot)
		}
	}
	r := decode.NewPlan(layout, decode.Options{}).Reader()
	scope := &cond.Scope{Layout: layout}
	tried := map[string]bool{}
	random := maker{rand.New(rand.NewPCG(7, 8))}
	check := func(rec []byte) {
		if r.ReadAlone(rec, time.Unix(1767323045, 0)) != nil {
			return
		}
		for _, slot := range slots {
			d := layout.Def(slot)
			values := []string{r.Event.Text(slot)}
			if d.Type == event.List {
				values = r.Event.List(slot)
			}
			for _, v := range values {
				if v == "" || tried[d.Name+"\x00"+v] || len(v) > 1000 {
					continue
				}
				tried[d.Name+"\x00"+v] = true
				for _, source := range comparing(random, d, v) {
					_, ms := cond.Compile(source, scope)
					if d.Name == "event.action" { // an operation that is nearly a known one is asked about, and taken
						ms = slices.DeleteFunc(ms, func(m cond.Mistake) bool { return m.Warning && !m.Certain && m.Suggestion != "" })
					}
					if len(ms) > 0 {
						t.Errorf("%s of %s\n\t%s\n\t%v", d.Name, rec, source, ms)
					}
				}
			}
		}
	}
	for _, rec := range fixturesOfAllFamilies(t) {
		check(rec)
	}
	for range 3000 {
		check(random.record())
	}
	if len(tried) < 1000 {
		t.Errorf("%d values", len(tried))
	}
}

// comparing are conditions that hold for a value of a field.
func comparing(r maker, d *event.Def, v string) (all []string) {
	runes := []rune(v)
	from := r.IntN(len(runes) + 1)
	to := from + r.IntN(len(runes)-from+1)
	q := func(s string) string { return strconv.Quote(s) }
	whole, head, tail, middle := q(v), q(string(runes[:to])), q(string(runes[from:])), q(string(runes[from:to]))
	if d.Type == event.List {
		return []string{whole + " in " + d.Name, "any(" + d.Name + ", # startsWith " + head + " || # contains " + middle + ")", "any(" + d.Name + ", # in [" + whole + "] || " + whole + " == #)",
			"any(" + d.Name + ", lower(#) endsWith " + q(event.Lower(string(runes[from:]))) + " || icontains(#, " + middle + "))"}
	}
	return []string{
		d.Name + " == " + whole + " || " + whole + " != " + d.Name, d.Name + " in [" + whole + "]", d.Name + " startsWith " + head, d.Name + " endsWith " + tail, d.Name + " contains " + middle,
		"lower(" + d.Name + ") == " + q(event.Lower(v)), "iequals(" + d.Name + ", " + whole + ")", "istarts(" + d.Name + ", " + head + ") || iends(" + d.Name + ", " + tail + ")",
	}
}

// fixturesOfAllFamilies are the records of the decoder's tests and of the library's own.
func fixturesOfAllFamilies(t *testing.T) (all [][]byte) {
	t.Helper()
	files, err := filepath.Glob("../internal/decode/testdata/*/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	library, _ := rules.Load(rules.Options{Library: true})
	for _, r := range library.Rules {
		for _, x := range r.Tests {
			for i := range x.Events {
				all = append(all, x.Events[i].Record())
			}
		}
	}
	return all
}
