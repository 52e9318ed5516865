package detector

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
)

const sprayed = `id: spray
title: One address tries many accounts
severity: high
kind: threshold
when: auth.result == "wrong_credential"
by: [source.ip]
within: 1h
distinct: {of: account, least: 2}
`

const anywhere = `id: anywhere
title: Many in a tenant
severity: low
kind: threshold
when: auth.result == "wrong_credential"
by: []
within: 1h
count: 2
`

const ownGuesses = `id: guessing
title: Many wrong passwords
severity: low
kind: threshold
when: auth.result == "wrong_credential"
within: 1h
count: 2
`

const overBoth = `id: both
title: Both
severity: high
kind: correlation
of: [guessing, spray]
by: [account]
within: 1d
count: 2
`

func wrongPassword(n int, account, ip string) string {
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second).Format(time.RFC3339)
	return fmt.Sprintf(`{"time":"%[1]s","category":"SignInLogs","tenantId":"t-1","properties":{"id":"f-%[2]d","createdDateTime":"%[1]s",`+
		`"userPrincipalName":"%[3]s","userId":"u","ipAddress":"%[4]s","status":{"errorCode":50126}}}`, at, n, account, ip)
}

// signalsOf are the signals of one record, by partition.
func signalsOf(t testing.TB, set *Set, g *Signals, at Place, rec string) (all map[int32][][]byte, here int) {
	t.Helper()
	w := set.Worker()
	if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
		t.Fatal(err)
	}
	EachHit(w.Match(nil), func(packed []byte) {
		if !g.Take(packed) {
			here++
		}
	})
	all = map[int32][][]byte{}
	g.Flush(at, func(to int32, signal []byte) { all[to] = append(all[to], signal) })
	return all, here
}

// TestStagesOfRules: a rule is applied in the second stage where its key lacks the account, and where it looks at alerts of such a rule.
func TestStagesOfRules(t *testing.T) {
	const each = "id: each\ntitle: Each\nseverity: low\nwhen: auth.result == \"wrong_credential\"\nby: [source.ip]\n"
	set := ruleSet(t, sprayed, ownGuesses, overBoth, each)
	got := map[string]bool{}
	for _, r := range set.rules {
		got[r.ID] = r.travels
	}
	if d := cmp.Diff(map[string]bool{"spray": true, "guessing": false, "both": true, "each": false}, got); d != "" {
		t.Error(d)
	}
	if alone := ruleSet(t, ownGuesses, each); alone.Travels() || !set.Travels() {
		t.Errorf("signals of these rules: %v, of those with spray: %v", alone.Travels(), set.Travels())
	}
}

// TestKeysLieWhereTheyAlwaysLay: the partition of a key must not change, whatever else does.
func TestKeysLieWhereTheyAlwaysLay(t *testing.T) {
	var got []int32
	for _, key := range [][]string{{}, {""}, {"203.0.113.7"}, {"a", "b"}, {"ab", ""}, {"", "ab"}} {
		got = append(got, KeyPartition("t-1", "spray", key, 12), KeyPartition("t-2", "spray", key, 5))
	}
	if want := []int32{8, 1, 7, 1, 6, 4, 1, 1, 0, 4, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("the keys lie in %v, want %v", got, want)
	}
	var spread [12]int
	for i := range 12_000 {
		spread[KeyPartition("t-1", "spray", []string{fmt.Sprintf("203.0.113.%d", i)}, 12)]++
	}
	if slices.Min(spread[:]) < 800 {
		t.Errorf("12,000 keys lie as %v", spread)
	}
}

// TestSignalIsOneForEachPartition: what a record satisfies of rules that travel is one signal for each partition, and says where it is from.
func TestSignalIsOneForEachPartition(t *testing.T) {
	set := ruleSet(t, sprayed, ownGuesses, anywhere)
	g := set.Signals(Upstream{UpEvents, 3}, 1)
	at := Place{Offset: 77, Written: 5000}
	all, here := signalsOf(t, set, g, at, wrongPassword(1, "a@contoso.example", "203.0.113.7"))
	if here != 1 || len(all[0]) != 1 {
		t.Fatalf("%d hits stay, %d signals", here, len(all[0]))
	}
	s, err := set.Signal(all[0][0])
	if err != nil || len(s.Hits) != 2 || s.From != (Upstream{UpEvents, 3}) || s.At != at || s.Digest != set.digest || s.Unknown != nil {
		t.Fatalf("%v, %+v", err, s)
	}
	if want := "0165" + "03" + "4e" + "00" + hex.EncodeToString([]byte{0x90, 0x4e}); !strings.HasPrefix(hex.EncodeToString(all[0][0]), want) {
		t.Errorf("the signal begins with %x, want %s", all[0][0][:8], want)
	}
	var alerts []string
	m := set.Memory(MemoryOptions{Stage: Second})
	other, _ := signalsOf(t, set, g, at, wrongPassword(2, "b@contoso.example", "203.0.113.7"))
	again, err := set.Signal(other[0][0])
	if err != nil {
		t.Fatal(err)
	}
	for _, packed := range append(s.Hits, again.Hits...) {
		if err := m.Apply(packed, func(a *alert.Alert) { alerts = append(alerts, a.Rule.ID) }); err != nil {
			t.Fatal(err)
		}
	}
	m.End(time.Unix(0, 0), func(a *alert.Alert) { alerts = append(alerts, a.Rule.ID) })
	if slices.Sort(alerts); !slices.Equal(alerts, []string{"anywhere", "spray"}) {
		t.Errorf("the second stage tells %v", alerts)
	}
	if none, _ := signalsOf(t, set, g, at, `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Send","RecordType":2,"OrganizationId":"t-1"}`); len(none) > 0 {
		t.Errorf("a record that satisfies nothing gives %d signals", len(none))
	}
}

// TestLongSignalsAreParted: what would be too long for Kafka is several signals, and none of them is passed over as a repeat of another.
func TestLongSignalsAreParted(t *testing.T) {
	var texts []string
	for i := range 40 {
		texts = append(texts, fmt.Sprintf("id: rule-%d\ntitle: Rule\nseverity: low\nkind: threshold\nwhen: event.action == \"Send\"\nfacts: [raw.Long%d]\nby: []\nwithin: 1h\ncount: 2\n", i, i))
	}
	set := ruleSet(t, texts...)
	long := ""
	for i := range 40 {
		long += fmt.Sprintf(`,"Long%d":"%d%s"`, i, i, strings.Repeat("x", 100_000))
	}
	g := set.Signals(Upstream{UpEvents, 0}, 1)
	rec := `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Send","RecordType":2,"OrganizationId":"t-1"` + long + "}"
	w := set.Worker()
	if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
		t.Fatal(err)
	}
	for range 4 { // each hit carries 8 KiB at most of a text
		EachHit(w.Match(nil), func(packed []byte) { g.Take(packed) })
	}
	var all [][]byte
	g.Flush(Place{Offset: 9, Written: 1}, func(_ int32, signal []byte) { all = append(all, signal) })
	hits := 0
	var passed Applied
	for i, b := range all {
		s, err := set.Signal(b)
		if err != nil || s.At.Part != i || len(b) > SignalMost+1<<12 {
			t.Fatalf("%v, part %d of %d bytes is %+v", err, i, len(b), s.At)
		}
		if passed.Pass(s) {
			t.Errorf("part %d is taken for a repeat", i)
		}
		hits += len(s.Hits)
	}
	if len(all) < 2 || hits != 160 {
		t.Errorf("%d signals with %d hits", len(all), hits)
	}
}

// TestRepeatsOfSignalsArePassedOver: at least once, what was applied comes again. What lies at the same place and is something else is
// applied.
func TestRepeatsOfSignalsArePassedOver(t *testing.T) {
	signal := func(offset int64, part int, written int64, digest byte) *Signal {
		return &Signal{At: Place{offset, part, written}, Digest: [8]byte{digest}}
	}
	var a Applied
	for _, c := range []struct {
		name string
		s    *Signal
		want bool
	}{
		{"the first", signal(10, 0, 100, 1), false},
		{"its second part", signal(10, 1, 100, 1), false},
		{"the next", signal(12, 0, 99, 1), false},
		{"the first again", signal(10, 0, 100, 1), true},
		{"the next again", signal(12, 0, 99, 1), true},
		{"of a clock", signal(-1, 0, 99, 1), false},
		{"by other rules", signal(10, 0, 100, 2), false},
		{"by other rules again", signal(10, 0, 100, 2), true},
		{"another record at this offset", signal(2, 0, 500, 2), false},
		{"behind it", signal(3, 0, 501, 2), false},
	} {
		row := a.Append(nil)
		a = Applied{}
		if err := a.Load(row); err != nil {
			t.Fatal(err)
		}
		if got := a.Pass(c.s); got != c.want {
			t.Errorf("%s is passed over: %v", c.name, got)
		}
	}
}

const quietSource = `id: gone-quiet
title: Nothing comes
severity: low
kind: silence
by: [event.dataset]
longer: 1h
`

// TestASourceThatSpeaksTravelsOnce: of a cell of silence the first event alone travels, and one in front of it.
func TestASourceThatSpeaksTravelsOnce(t *testing.T) {
	set := ruleSet(t, quietSource)
	g := set.Signals(Upstream{UpEvents, 0}, 4)
	travels := func(n int) bool {
		all, _ := signalsOf(t, set, g, Place{}, wrongPassword(n, "a@contoso.example", "203.0.113.7"))
		return len(all) > 0
	}
	var got []bool
	for _, n := range []int{20, 21, 30, 20, 10, 15, 179, 180, 181, 11} { // a cell is three minutes
		got = append(got, travels(n))
	}
	if want := []bool{true, false, false, false, true, false, false, true, false, false}; !slices.Equal(got, want) {
		t.Errorf("these travel: %v, want %v", got, want)
	}
}

// TestSignalsOfOtherVersionsAreUnknown: a rule is known by its id and version, wherever it stands in the set.
func TestSignalsOfOtherVersionsAreUnknown(t *testing.T) {
	was := ruleSet(t, sprayed, anywhere)
	now := ruleSet(t, ownGuesses, strings.ReplaceAll(anywhere, "by: []", "by: [user.id]"), strings.ReplaceAll(sprayed, "least: 2", "least: 3"))
	all, _ := signalsOf(t, was, was.Signals(Upstream{UpEvents, 0}, 1), Place{}, wrongPassword(1, "a@contoso.example", "203.0.113.7"))
	s, err := now.Signal(all[0][0])
	if err != nil || len(s.Hits) != 1 || len(s.Unknown) != 1 {
		t.Fatalf("%v, %+v", err, s)
	}
	for name := range s.Unknown {
		if !strings.HasPrefix(name, "anywhere ") {
			t.Errorf("unknown is %q", name)
		}
	}
	if err := now.Memory(MemoryOptions{Stage: Second}).Apply(s.Hits[0], func(*alert.Alert) {}); err != nil {
		t.Error(err)
	}
	newer := slices.Clone(all[0][0])
	newer[0]++
	if _, err := now.Signal(newer); !errors.Is(err, ErrSignalFormat) {
		t.Errorf("a newer format: %v", err)
	}
}

// FuzzSignal: whatever a signal holds, its hits can be applied, or it is refused.
func FuzzSignal(f *testing.F) {
	set := ruleSet(f, sprayed, anywhere, quietSource, ownGuesses, overBoth)
	g := set.Signals(Upstream{UpEvents, 0}, 1)
	m := set.Memory(MemoryOptions{Stage: First, Live: true, Send: g.Take})
	w := set.Worker()
	for n := range 4 {
		if err := w.ReadAlone([]byte(wrongPassword(n, "a@contoso.example", "203.0.113.7")), time.Time{}); err != nil {
			f.Fatal(err)
		}
		EachHit(w.Match(nil), func(packed []byte) {
			if !g.Take(packed) {
				_ = m.Apply(packed, func(*alert.Alert) {})
			}
		})
		g.Flush(Place{Offset: int64(n), Written: 1}, func(_ int32, signal []byte) { f.Add(signal) })
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := set.Signal(b)
		if err != nil {
			return
		}
		m := set.Memory(MemoryOptions{Stage: Second, Live: true, Stored: true})
		for _, packed := range s.Hits {
			if err := m.Apply(packed, func(a *alert.Alert) { a.AppendJSON(nil) }); err != nil {
				t.Fatal(err)
			}
		}
		m.End(time.Unix(0, 1<<62), func(a *alert.Alert) { a.AppendJSON(nil) })
		m.Changes(func(Row) {})
	})
}
