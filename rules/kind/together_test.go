package kind

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestHitsTogetherAreHits: what memory holds of each hit of a record, what it looks at and whose it is are the same whether the hits were
// packed together or alone.
func TestHitsTogetherAreHits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "a", "ab", "abc", "abcd", "taro@contoso.example", "198.51.100.7", "x\x00y"}
	const carried = 70
	reader := NewTogether(carried)
	for n := range 2000 {
		all := make([]Value, carried) // those of the record
		for i := range all {
			switch r.IntN(4) {
			case 0:
				all[i] = Value{Has: true, List: []string{texts[r.IntN(len(texts))], texts[r.IntN(len(texts))]}}
			case 1:
				all[i] = Value{Has: true, Text: texts[r.IntN(len(texts))]}
			case 2:
				all[i] = Value{Has: true, Text: fmt.Sprint("text ", r.IntN(9))}
			}
		}
		record := Hit{Time: time.Unix(0, int64(n)*1e9).UTC(), ID: texts[r.IntN(len(texts))], Action: "Send", Tenant: "t-1"}
		if n%2 == 0 {
			record.Enqueued = time.Unix(int64(n), 5).UTC()
		}
		packed, hits, numbers := someTogether(r, &record, all, texts)
		if !IsTogether(packed) {
			t.Fatal("not together")
		}
		var got Hit
		if err := reader.Read(packed, &got); err != nil {
			t.Fatal(err)
		}
		for i, want := range hits {
			if more, err := reader.Next(); err != nil || !more {
				t.Fatalf("hit %d: %v, %v", i, more, err)
			}
			alone, body, head := want.Append(nil)
			if IsTogether(alone) {
				t.Fatal("one hit is together")
			}
			reader.Look(numbers[i])
			if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Hit{}), cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("hit %d:\n%s", i, d)
			}
			if held := reader.Held(numbers[i]); !bytes.Equal(held, alone[:body]) || !bytes.Equal(reader.Head(), alone[:head]) {
				t.Fatalf("hit %d is held as\n%x, want\n%x", i, held, alone[:body])
			}
		}
		if more, err := reader.Next(); more || err != nil {
			t.Fatalf("behind the last hit: %v, %v", more, err)
		}
		for cut := range packed { // nothing of it is read beyond its end
			if reader.Read(packed[:cut], &got) == nil {
				for more := true; more; {
					more, _ = reader.Next()
				}
			}
		}
	}
}

// someTogether are some hits of a record, packed together, and the numbers of each one's values.
func someTogether(r *rand.Rand, record *Hit, all []Value, texts []string) (packed []byte, hits []Hit, numbers [][]int32) {
	var given []int
	common := *record
	for i, v := range all {
		if v.Has {
			given, common.Values = append(given, i), append(common.Values, v)
		}
	}
	packed = common.AppendTogether(nil, len(given))
	for i, number := range given {
		packed = common.AppendCommon(packed, i, number)
	}
	for range 1 + r.IntN(4) {
		h := *record
		h.Rule, h.Clauses, h.Excused, h.Raised = r.Int32N(1000), uint8(r.UintN(256)), r.IntN(2) == 0, uint8(r.IntN(5))
		for range r.IntN(3) {
			h.Key = append(h.Key, texts[r.IntN(len(texts))])
		}
		var of []int32
		for range r.IntN(20) {
			k := int32(r.IntN(len(all)))
			of, h.Values = append(of, k), append(h.Values, all[k])
		}
		own := h
		own.Values = common.Values
		packed = own.AppendRule(packed)
		hits, numbers = append(hits, h), append(numbers, of)
	}
	return packed, hits, slices.Clip(numbers)
}
