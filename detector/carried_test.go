package detector

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
	"noroshi/rules"
)

const severalFindings = `id: several
title: Several findings in a tenant
severity: high
kind: correlation
of: [counting]
by: []
within: 1d
count: 2
`

// TestAlertsCarriedToAnotherMemory: a memory that has the other key finds what one memory finds for both rules. Hits that come twice
// change nothing, nor does an earlier revision behind a later one.
func TestAlertsCarriedToAnotherMemory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"counting.yaml": fmt.Sprintf(counting, "Rule", "low", "Send", "1h", 2), "several.yaml": severalFindings} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rs, _ := rules.Load(rules.Options{Paths: []string{dir}})
	set := New(rs, Options{})
	w := set.Worker()
	var hits [][]byte
	for i, account := range []string{"a", "a", "b", "b", "a", "a", "a"} {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:%02d","Id":"%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"%s@contoso.example"}`, i, i, account)
		if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
		EachHit(w.Match(nil), func(packed []byte) { hits = append(hits, slices.Clone(packed)) })
	}
	apply := func(m *Memory, hits [][]byte, take func(*alert.Alert)) {
		for _, packed := range hits {
			if err := m.Apply(packed, take); err != nil {
				t.Fatal(err)
			}
		}
	}
	var one, other, carried [][]byte
	keep := func(to *[][]byte) func(*alert.Alert) {
		return func(a *alert.Alert) {
			if a.Rule.ID == "several" {
				*to = append(*to, a.AppendJSON(nil))
			}
		}
	}
	apply(set.Memory(MemoryOptions{Live: true}), hits, keep(&one))
	apply(set.Memory(MemoryOptions{Live: true, Send: func(packed []byte) bool {
		carried = append(carried, slices.Clone(packed))
		return true
	}}), hits, keep(&other))
	if len(other) > 0 || len(carried) < 3 {
		t.Fatalf("%d alerts where the hits are carried away, %d hits", len(other), len(carried))
	}
	again := set.Memory(MemoryOptions{Live: true})
	apply(again, carried, keep(&other))
	if d := cmp.Diff(one, other); d != "" || len(one) == 0 {
		t.Errorf("%d alerts: %s", len(one), d)
	}
	apply(again, carried, keep(&other))
	if len(other) != len(one) {
		t.Errorf("what comes again is told again: %s", other[len(other)-1])
	}
}
