package kind

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
)

func example() Step {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return Step{Rule: 7, Time: at, Enqueued: at.Add(time.Second), ID: "id", Tenant: "t", Account: "a", Action: "x", Dataset: "d", Actor: alert.Actor{Name: "n", Kind: "user", ID: "i"},
		Target: "g", Source: alert.Source{IP: "203.0.113.7", Country: "NL", ASN: 64500}, Session: "s", App: "p", Destinations: []string{"u", ""}, Key: []string{"k"}, Summary: "日本", Facts: []byte(`{"a":1}`), Respond: []alert.Step{{ID: "i", Text: "t", Command: "c"}}, Cut: true}
}

func TestAPackedStepIsTheStep(t *testing.T) {
	want := example()
	var got Step
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
		var s, again Step
		if s.Unpack(b) != nil {
			return
		}
		if err := again.Unpack(s.Append(nil)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMatchIsKnownByIDAndTime(t *testing.T) {
	a, b := example(), example()
	b.Time = b.Time.Add(time.Nanosecond)
	one, two := Match{}.Apply(&a, nil), Match{}.Apply(&b, nil)
	if len(one) != 1 || cmp.Equal(one[0].Anchor, two[0].Anchor) {
		t.Errorf("anchors %v and %v", one, two)
	}
}
