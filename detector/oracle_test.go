package detector

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/diag"
	"noroshi/rules"
)

// The oracle evaluates every rule on every record, over nested maps that encoding/json makes, by walking the condition. It
// shares the field table with the engine, and neither projector, layout, index, native conditions, expr nor laziness.

// condition is a condition as a tree.
type condition struct {
	op    string // and, or, not, has, true, ==, !=, in, startsWith, endsWith, contains, >
	field string
	fold  bool
	texts []string
	kids  []condition
}

// source is the condition as an author writes it.
func (c condition) source() string {
	switch c.op {
	case "and", "or":
		return "(" + c.kids[0].source() + map[string]string{"and": " && ", "or": " || "}[c.op] + c.kids[1].source() + ")"
	case "not":
		return "!(" + c.kids[0].source() + ")"
	case "has":
		return "has(" + c.field + ")"
	case "true":
		return c.field
	case ">":
		return c.field + " > " + c.texts[0]
	case "in":
		f := c.field
		if c.fold {
			f = "lower(" + f + ")"
		}
		return f + " in [" + strings.Join(quoted(c.texts), ", ") + "]"
	}
	if c.fold {
		return map[string]string{"==": "iequals", "startsWith": "istarts", "endsWith": "iends", "contains": "icontains"}[c.op] + "(" + c.field + ", " + strconv.Quote(c.texts[0]) + ")"
	}
	return c.field + " " + c.op + " " + strconv.Quote(c.texts[0])
}

func quoted(all []string) (out []string) {
	for _, s := range all {
		out = append(out, strconv.Quote(s))
	}
	return out
}

// flat is a field's name as the layout has it.
func flat(field string) string {
	if strings.HasPrefix(field, "raw") {
		return field
	}
	return strings.NewReplacer(`["`, "[", `"]`, "]").Replace(field)
}

func (c condition) holds(n naive) bool {
	switch c.op {
	case "and":
		return c.kids[0].holds(n) && c.kids[1].holds(n)
	case "or":
		return c.kids[0].holds(n) || c.kids[1].holds(n)
	case "not":
		return !c.kids[0].holds(n)
	case "!=":
		c.op = "=="
		return !c.holds(n)
	}
	s, has := n.text(flat(c.field))
	switch c.op {
	case "has":
		return has
	case "true":
		return s == "true"
	case ">":
		v, _ := strconv.ParseFloat(s, 64)
		w, _ := strconv.ParseFloat(c.texts[0], 64)
		return v > w
	}
	if c.fold {
		s = strings.ToLower(s)
	}
	for _, t := range c.texts {
		if c.fold && c.op != "in" {
			t = strings.ToLower(t)
		}
		switch c.op {
		case "==", "in":
			if s == t {
				return true
			}
		case "startsWith":
			if strings.HasPrefix(s, t) {
				return true
			}
		case "endsWith":
			if strings.HasSuffix(s, t) {
				return true
			}
		case "contains":
			if strings.Contains(s, t) {
				return true
			}
		}
	}
	return false
}

// load makes a detector of conditions.
func load(t testing.TB, all []condition, sample [][]byte) *Set {
	t.Helper()
	dir := t.TempDir()
	for i, c := range all {
		text := fmt.Sprintf("id: rule-%d\ntitle: Rule\nseverity: low\nwhen: %s\n", i, "'"+strings.ReplaceAll(c.source(), "'", "''")+"'")
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.yaml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	return New(rs, Options{Sample: sample})
}

// differ compares engine and oracle on one record and counts the pairs that hold.
func differ(t *testing.T, w *Worker, all []condition, rec []byte) (held int) {
	t.Helper()
	n, ok := newNaive(rec)
	err := w.ReadAlone(rec, time.Unix(0, 0))
	if ok != (err == nil) {
		t.Fatalf("%s: encoding/json says %v, the reader %v", rec, ok, err)
	}
	if !ok {
		return 0
	}
	hits := w.Hits()
	for i, c := range all {
		got, want := slices.Contains(hits, int32(i)), c.holds(n)
		if got != want {
			t.Fatalf("engine says %v, oracle %v: %s\n%s", got, want, c.source(), rec)
		}
		if want {
			held++
		}
	}
	return held
}

// TestOracle compares more than 100,000 pairs of rule and record, with and without a sample.
func TestOracle(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(1, 2))}
	pairs, held := 0, 0
	for round := range 6 {
		all := shippedTrees()
		for range 200 {
			all = append(all, m.condition(3))
		}
		var sample [][]byte
		if round%2 == 0 {
			for range 100 {
				sample = append(sample, m.record())
			}
		}
		w := load(t, all, sample).Worker()
		for range 100 {
			held += differ(t, w, all, m.record())
			pairs += len(all)
		}
	}
	t.Logf("%d pairs of rule and record, %d hold, 0 differences", pairs, held)
	if pairs < 100_000 || held < pairs/100 {
		t.Errorf("%d of %d pairs hold: too few to prove anything", held, pairs)
	}
}

// FuzzOracle compares conditions and records made from the fuzzer's seeds.
func FuzzOracle(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		m := maker{rand.New(rand.NewPCG(a, b))}
		all := shippedTrees()
		for range 20 {
			all = append(all, m.condition(4))
		}
		w := load(t, all, [][]byte{m.record()}).Worker()
		for range 10 {
			differ(t, w, all, m.record())
		}
	})
}
