package cli

import (
	"hash/fnv"
	"io"
	"os"
	"testing"
	"time"

	"noroshi/internal/diag"
	"noroshi/rules"
)

// sampled is how many changes stand for one that is tried, where not all are.
const sampled = 16

// TestShippedRulesAreProved: their tests notice at least 95 of 100 changes of the rules. Every change is tried where NOROSHI_SOAK is set,
// else a sample, the same one each time for the same rules.
func TestShippedRulesAreProved(t *testing.T) {
	if testing.Short() {
		t.Skip("this takes some seconds")
	}
	set, ps := rules.Load(rules.Options{Library: true, Named: true, Now: time.Now()})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps)
	}
	set.AllLive()
	m := &mutating{proving: &proving{out: &logged{t}, now: time.Now, set: set}}
	if os.Getenv("NOROSHI_SOAK") == "" {
		m.tried = func(c *changed) bool {
			h := fnv.New32a()
			io.WriteString(h, c.Rule+c.Change)
			return h.Sum32()%sampled == 0
		}
	}
	if err := m.run(t.Context(), func(_, _ string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	t.Log(m.sum())
	if m.changes == 0 || !m.enough() {
		t.Errorf("too few changes of the shipped rules are noticed by their tests; noroshi test --mutate names the others")
	}
}

// logged writes lines to the log of a test.
type logged struct{ t *testing.T }

func (l *logged) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}
