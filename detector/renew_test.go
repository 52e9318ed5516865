package detector

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/state"
	"noroshi/rules"
)

// setOf is a set of rules, each behind its id.
func setOf(t *testing.T, texts ...string) *Set {
	t.Helper()
	return New(rulesOf(t, texts...), Options{})
}

func rulesOf(t *testing.T, texts ...string) *rules.Set {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	return rs
}

// sending is a memory and what it has told, while its set changes.
type sending struct {
	t    *testing.T
	set  *Set
	m    *Memory
	sent int
	told []string
}

func (s *sending) send(n int) {
	s.t.Helper()
	w := s.set.Worker()
	for range n {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:%02d","Id":"a-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, s.sent, s.sent)
		s.sent++
		if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
			s.t.Fatal(err)
		}
		EachHit(w.Match(nil), func(packed []byte) {
			if err := s.m.Apply(packed, func(a *alert.Alert) { s.told = append(s.told, a.Rule.ID) }); err != nil {
				s.t.Fatal(err)
			}
		})
	}
}

// become gives the memory to another set. It tells how many keys no rule needs any more.
func (s *sending) become(set *Set) (gone int) {
	s.t.Helper()
	s.m.Changes(func(Row) {})
	m, err := set.Renew(s.m, s.m.options, func(key []byte) {
		if !s.set.Knows(key) || set.Knows(key) {
			s.t.Errorf("the key of %s is gone; the rule was there: %t, is there: %t", VersionOf(key), s.set.Knows(key), set.Knows(key))
		}
		gone++
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.set, s.m = set, m
	return gone
}

func count(id, title, severity, operation, within string, count int) string {
	return strings.Replace(fmt.Sprintf(counting, title, severity, operation, within, count), "id: counting", "id: "+id, 1)
}

// TestMemoryGoesOnInAnotherSet: in the running process a rule that is half full goes on where its texts and numbers change or where its
// neighbours do, and begins anew where it looks at something else.
func TestMemoryGoesOnInAnotherSet(t *testing.T) {
	first := count("half", "A", "low", "Send", "10m", 5)
	for name, c := range map[string]struct {
		then  []string
		gone  int
		tells int // the event at which it fires
		since []Change
	}{
		"the same":          {[]string{first}, 0, 5, nil},
		"another title":     {[]string{count("half", "B", "high", "Send", "10m", 5)}, 0, 5, []Change{{Rule: "half", What: Changed, Remembers: true, Kept: true}}},
		"a smaller count":   {[]string{count("half", "A", "low", "Send", "10m", 4)}, 0, 4, []Change{{Rule: "half", What: Changed, Remembers: true, Kept: true}}},
		"a longer time":     {[]string{count("half", "A", "low", "Send", "1h", 5)}, 0, 5, []Change{{"half", Changed, true, true, 50 * time.Minute}}},
		"another condition": {[]string{count("half", "A", "low", `Send" && event.id != "x`, "10m", 5)}, 1, 8, []Change{{Rule: "half", What: Changed, Remembers: true}}},
		"a rule before it": {[]string{count("a-first", "A", "low", "Create", "10m", 5), first}, 0, 5,
			[]Change{{Rule: "a-first", What: Added, Remembers: true}}},
		"another rule": {[]string{count("other", "A", "low", "Send", "10m", 5)}, 1, 0,
			[]Change{{Rule: "other", What: Added, Remembers: true}, {Rule: "half", What: Removed, Remembers: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			was, is := setOf(t, first), setOf(t, c.then...)
			if diff := cmp.Diff(is.Since(was), c.since); diff != "" {
				t.Error(diff)
			}
			s := &sending{t: t, set: was, m: was.Memory(MemoryOptions{Live: true, Stored: true})}
			s.send(3)
			if gone := s.become(is); gone != c.gone {
				t.Errorf("%d keys are gone, not %d", gone, c.gone)
			}
			at := 0
			for range 10 {
				s.send(1)
				if at == 0 && slices.Contains(s.told, "half") {
					at = s.sent
				}
			}
			if at != c.tells {
				t.Errorf("it fires at event %d, not at %d", at, c.tells)
			}
		})
	}
}

// TestAnExceptionOfTheConfigurationKeepsMemory: it is told as a change of the rule, and a rule that is half full goes on.
func TestAnExceptionOfTheConfigurationKeepsMemory(t *testing.T) {
	text := count("half", "A", "low", "Send", "10m", 5)
	was := setOf(t, text)
	set := rulesOf(t, text)
	when, ms := cond.Compile(`account == "nobody@contoso.example" && source.geo.database == "" && raw.Some.Path == "x"`, set.Scope)
	if when == nil {
		t.Fatal(ms)
	}
	set.Rules[0].Unless = append(set.Rules[0].Unless, rules.Exception{When: when, Outside: true})
	is := New(set, Options{})
	if diff := cmp.Diff(is.Since(was), []Change{{Rule: "half", What: Changed, Remembers: true, Kept: true}}); diff != "" {
		t.Error(diff)
	}
	if is.Identity()[0] == was.Identity()[0] {
		t.Error("instances with and without the exception say that they find the same")
	}
}

// TestRowsAreTheSameWhetherASetIsRenewedOrRestored: after a change of rules the memory writes what it would have written if the process had
// been started anew.
func TestRowsAreTheSameWhetherASetIsRenewedOrRestored(t *testing.T) {
	var all []string
	for i, text := range remembering {
		all = append(all, fmt.Sprintf("id: rule-%d\ntitle: A rule\nseverity: low\n%s\n", i, text))
	}
	was := setOf(t, all...)
	renamed := slices.Clone(all)
	for i := range renamed {
		if i%2 == 0 {
			renamed[i] = strings.Replace(renamed[i], "A rule", "Another title", 1)
		}
	}
	slices.Reverse(renamed)
	is := setOf(t, renamed...)
	s := &sending{t: t, set: was, m: was.Memory(MemoryOptions{Live: true, Stored: true})}
	s.send(20)
	restored := is.Memory(MemoryOptions{Live: true, Stored: true})
	s.m.Rows(func(r Row) {
		if err := restored.Load(r); err != nil {
			t.Fatal(err)
		}
	})
	if gone := s.become(is); gone != 0 {
		t.Errorf("%d keys are gone", gone)
	}
	rows := func(m *Memory) map[string]string {
		all := map[string]string{}
		m.Rows(func(r Row) { all[string(r.Key)] = string(r.Value) })
		return all
	}
	if got, want := rows(s.m), rows(restored); len(got) < len(remembering)-1 || !cmp.Equal(got, want) {
		t.Errorf("%d rows, %d", len(got), len(want))
	}
	s.m.Changes(func(r Row) { t.Errorf("%s is written again, though nothing of it has changed", VersionOf(r.Key)) })
}

// TestWhatIsHeldIsToldWithoutAClock: also of a tenant of which no source has shown a time, as after a restart, each kind tells how far
// it is, at the earliest and the latest time there is.
func TestWhatIsHeldIsToldWithoutAClock(t *testing.T) {
	var texts []string
	for i, text := range remembering {
		texts = append(texts, fmt.Sprintf("id: rule-%d\ntitle: A rule\nseverity: low\n%s\n", i, text))
	}
	set := setOf(t, texts...)
	s := &sending{t: t, set: set, m: set.Memory(MemoryOptions{Live: true, Stored: true})}
	s.send(20)
	restored := set.Memory(MemoryOptions{Live: true, Stored: true})
	s.m.Rows(func(r Row) {
		if err := restored.Load(r); err != nil {
			t.Fatal(err)
		}
	})
	for _, now := range []int64{math.MinInt64, 0, math.MaxInt64} {
		told := 0
		restored.Standings("taro@contoso.example", AtEvents, now, MoreComes, func(x *Standing) {
			told++
			x.Whole()
		})
		if now == math.MinInt64 && told < 4 {
			t.Errorf("%d rules tell what they hold", told)
		}
	}
}

// TestRowsGoOnBehindAnotherSet: what is added to rows fits them where a rule says something else now and the clock has taken something away.
func TestRowsGoOnBehindAnotherSet(t *testing.T) {
	for name, title := range map[string]string{"the same": "A", "another title": "B"} {
		t.Run(name, func(t *testing.T) {
			rows := map[string][]byte{}
			s := &sending{t: t, set: setOf(t, count("many", "A", "low", "Send", "5s", 1000)+"repeat: 1m\n"), sent: 40}
			s.m = s.set.Memory(MemoryOptions{Live: true, Stored: true})
			store := func() {
				s.m.Changes(func(r Row) {
					switch r.Form {
					case state.Whole:
						rows[string(r.Key)] = bytes.Clone(r.Value)
					case state.Added:
						rows[string(r.Key)] = append(rows[string(r.Key)], r.Value...)
					case state.Gone:
						delete(rows, string(r.Key))
					}
				})
			}
			s.send(17)
			store()
			s.m.Advance(time.Date(2026, 1, 2, 3, 5, 30, 0, time.UTC), func(*alert.Alert) {})
			store()
			s.become(setOf(t, count("many", title, "low", "Send", "5s", 1000)+"repeat: 1m\n"))
			s.send(2)
			store()
			again := s.set.Memory(MemoryOptions{Live: true})
			for key, row := range rows {
				if err := again.Load(Row{Key: []byte(key), Value: row}); err != nil {
					t.Fatal(err)
				}
			}
			again.Advance(time.Date(2026, 1, 2, 3, 5, 30, 0, time.UTC), func(*alert.Alert) {})
			kept := func(m *Memory) (all map[string]string) {
				all = map[string]string{}
				m.Rows(func(r Row) { all[string(r.Key)] = string(r.Value) })
				return all
			}
			if len(rows) != 1 {
				t.Errorf("%d rows", len(rows))
			}
			if diff := cmp.Diff(kept(s.m), kept(again)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
