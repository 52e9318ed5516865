package detector

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/rules"
)

// ruleSet is the set of some rule files, given by their texts.
func ruleSet(tb testing.TB, texts ...string) *Set {
	tb.Helper()
	dir := tb.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("rule-%d.yaml", i)), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if diag.Errors(ps) > 0 {
		tb.Fatal(ps[0].Format())
	}
	return New(rs, Options{})
}

// feeding gives records to a worker and what they satisfy to a memory. Its buffer is used again for every record, as live and in
// replays.
type feeding struct {
	tb     testing.TB
	worker *Worker
	memory *Memory
	take   func(*alert.Alert)
	buffer []byte
}

func feed(tb testing.TB, set *Set, o MemoryOptions, take func(*alert.Alert)) *feeding {
	w := set.Worker()
	w.Packing = Together
	return &feeding{tb: tb, worker: w, memory: set.Memory(o), take: take}
}

// record takes a record; the clock stands still.
func (f *feeding) record(rec string) {
	f.read(rec)
	f.apply()
}

// next takes a record that comes in order: the clock moves to it.
func (f *feeding) next(rec string) {
	f.read(rec)
	f.memory.Advance(f.worker.Reader().Time(), f.take)
	f.apply()
}

func (f *feeding) read(rec string) {
	f.tb.Helper()
	if err := f.worker.ReadAlone([]byte(rec), time.Time{}); err != nil {
		f.tb.Fatal(err)
	}
}

func (f *feeding) apply() {
	f.buffer = f.worker.Match(f.buffer[:0])
	EachHit(f.buffer, func(packed []byte) {
		if err := f.memory.Apply(packed, f.take); err != nil {
			f.tb.Fatal(err)
		}
	})
}
