package kind

import (
	"bytes"
	standard "cmp"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
)

func example() Hit {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return Hit{Rule: 7, Time: at, Enqueued: at.Add(time.Second), ID: "id", Tenant: "t", Account: "a", Action: "x", Outcome: "success", Dataset: "d", Actor: alert.Actor{Name: "n", Kind: "user", ID: "i"},
		Target: "g", Source: alert.Source{IP: "203.0.113.7", Country: "NL", ASN: 64500}, Session: "s", App: "p", Destinations: []string{"u", ""}, Key: []string{"k"}, Summary: "日本", Facts: []byte(`{"a":1}`), Respond: []alert.Remedy{{ID: "i", Text: "t", Command: "c"}}, Cut: true}
}

func TestAPackedStepIsTheStep(t *testing.T) {
	want := example()
	var got Hit
	if err := got.Unpack(want.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// FuzzUnpack: whatever the bytes, unpacking ends, and what it accepts packs to the same bytes again.
func FuzzUnpack(f *testing.F) {
	s := example()
	f.Add(s.Append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again Hit
		if s.Unpack(b) != nil {
			return
		}
		if err := again.Unpack(s.Append(nil)); err != nil {
			t.Fatal(err)
		}
	})
}

// TestMatchIsKnownByTheIdentity: one id may stand on several records; what else they say makes no other finding.
func TestMatchIsKnownByTheIdentity(t *testing.T) {
	anchor := func(change func(*Hit)) []string {
		s := example()
		change(&s)
		fs := Match{}.Apply(&s, nil)
		if len(fs) != 1 {
			t.Fatalf("%d findings", len(fs))
		}
		return fs[0].Anchor
	}
	one := anchor(func(*Hit) {})
	for name, change := range map[string]func(*Hit){
		"id": func(s *Hit) { s.ID += "x" }, "time": func(s *Hit) { s.Time = s.Time.Add(time.Nanosecond) },
		"action": func(s *Hit) { s.Action += "x" }, "outcome": func(s *Hit) { s.Outcome = "" },
	} {
		if cmp.Equal(anchor(change), one) {
			t.Errorf("another %s is the same finding", name)
		}
	}
	same := anchor(func(s *Hit) { s.Dataset, s.Summary, s.Source.IP, s.Rule = "x", "x", "x", 9 })
	if d := cmp.Diff(same, one); d != "" {
		t.Error(d)
	}
}

// TestPackedStepsSortAsEventsDo: by time, then id, action and outcome by their bytes, whatever their lengths.
func TestPackedStepsSortAsEventsDo(t *testing.T) {
	texts := []string{"", "\x00", "\x00\x00", "\x00a", "A", "a", "a\x00", "a\x00b", "ab", "b", "\xff"}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func() Hit {
		s := example()
		s.Time = time.Unix(0, int64(r.IntN(3)-1)*1e9).UTC()
		s.ID, s.Action, s.Outcome = texts[r.IntN(len(texts))], texts[r.IntN(len(texts))], texts[r.IntN(len(texts))]
		return s
	}
	for range 20_000 {
		a, b := pick(), pick()
		want := standard.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID), strings.Compare(a.Action, b.Action), strings.Compare(a.Outcome, b.Outcome))
		if got := bytes.Compare(a.Append(nil), b.Append(nil)); got != want {
			t.Fatalf("got %d, want %d of %+v and %+v", got, want, a.Same(), b.Same())
		}
		var again Hit
		if err := again.Unpack(a.Append(nil)); err != nil || again.Same() != a.Same() {
			t.Fatalf("%v: %+v becomes %+v", err, a.Same(), again.Same())
		}
	}
}

// TestAClonedHitIsItsOwn: the bytes that a hit was unpacked from are used again.
func TestAClonedHitIsItsOwn(t *testing.T) {
	want := example()
	packed := want.Append(nil)
	var s Hit
	if err := s.Unpack(packed); err != nil {
		t.Fatal(err)
	}
	got := s.Clone()
	clear(packed)
	if d := cmp.Diff(&want, got); d != "" {
		t.Error(d)
	}
}
