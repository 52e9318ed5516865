package event

import (
	"slices"
	"strings"
	"testing"
)

// TestAnIdentityHashesTheSameEverywhere: state holds these numbers, so they never change.
func TestAnIdentityHashesTheSameEverywhere(t *testing.T) {
	rows := []struct {
		id   Identity
		want uint64
	}{
		{Identity{}, 0x9ef9324af79f4deb},
		{Identity{ID: "a-1", Time: 1767323045000000000, Action: "New-InboxRule"}, 0xc434b2d4e241e247},
		{Identity{ID: "7d1f8e53-24a1-4e0b-8f0c-2f3b7f0c9a11", Time: -1, Action: "UserLoginFailed", Outcome: "failure"}, 0x9e4d0e5ae2b3339e},
	}
	for _, r := range rows {
		if got := r.id.Hash("t-1"); got != r.want {
			t.Errorf("%+v: got %#x, want %#x", r.id, got, r.want)
		}
	}
}

// TestIdentitiesKeepTheirPartsApart: no two of many that differ in one part, or in where one ends, share hash or anchor.
func TestIdentitiesKeepTheirPartsApart(t *testing.T) {
	texts := []string{"", "\x00", "a", "b", "aa", "ab", "a\x00", strings.Repeat("a", 8), strings.Repeat("a", 9), strings.Repeat("a", 16)}
	hashes, anchors := map[uint64]bool{}, map[string]bool{}
	n := 0
	for _, id := range texts {
		for _, action := range texts {
			for _, outcome := range texts {
				for _, at := range []int64{-1, 0, 1, 1 << 62} {
					i := Identity{ID: id, Action: action, Outcome: outcome, Time: at}
					n++
					anchors[strings.Join(i.Anchor(), "\xff")] = true
					for _, tenant := range texts[:4] {
						hashes[i.Hash(tenant)] = true
					}
				}
			}
		}
	}
	if len(anchors) != n || len(hashes) != 4*n {
		t.Errorf("%d identities have %d anchors; with 4 tenants they have %d hashes", n, len(anchors), len(hashes))
	}
	if a := (Identity{ID: "i", Time: 5, Action: "A", Outcome: "success"}).Anchor(); !slices.Equal(a, []string{"i", "5", "A", "success"}) {
		t.Errorf("the anchor is %q", a)
	}
}
