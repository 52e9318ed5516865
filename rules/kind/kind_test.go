package kind

import (
	"bytes"
	standard "cmp"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func example() Hit {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return Hit{Rule: 7, Clauses: 5, Excused: true, Cut: true, Raised: 5, Time: at, Enqueued: at.Add(time.Second), ID: "id", Action: "x",
		Outcome: "success", Tenant: "t", Key: []string{"k", ""},
		Values: []Value{{Has: true, Text: "203.0.113.7"}, {}, {Has: true}, {Has: true, List: []string{"u", ""}}, {Has: true, Text: "203.0.113.7"}, {Has: true, List: []string{}}, {Has: true, Text: "日本"}}}
}

func packed(h *Hit) []byte {
	b, _, _ := h.Append(nil)
	return b
}

func TestAPackedStepIsTheStep(t *testing.T) {
	want := example()
	var got, held Hit
	packed, body, head := want.Append([]byte("before"))
	packed = packed[len("before"):]
	if err := got.Unpack(packed); err != nil {
		t.Fatal(err)
	}
	if b, n := got.Parts(packed); len(b) != body || n != head {
		t.Errorf("parts of %d and %d bytes, want %d and %d", len(b), n, body, head)
	}
	same := cmpopts.IgnoreUnexported(Hit{})
	if err := held.UnpackHeld(packed[:body]); err != nil {
		t.Fatal(err)
	}
	held.Tenant, held.Key = want.Tenant, want.Key
	if d := cmp.Diff(want, held, same); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, got, same); d != "" {
		t.Error(d)
	}
}

// FuzzUnpack: whatever the bytes, unpacking ends, and what it accepts packs to the same bytes again.
func FuzzUnpack(f *testing.F) {
	s := example()
	f.Add(packed(&s))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again Hit
		if s.Unpack(b) != nil {
			return
		}
		if err := again.Unpack(packed(&s)); err != nil {
			t.Fatal(err)
		}
	})
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
		if got := bytes.Compare(packed(&a), packed(&b)); got != want {
			t.Fatalf("got %d, want %d of %+v and %+v", got, want, a.Same(), b.Same())
		}
		var again Hit
		if err := again.Unpack(packed(&a)); err != nil || again.Same() != a.Same() {
			t.Fatalf("%v: %+v becomes %+v", err, a.Same(), again.Same())
		}
	}
}
