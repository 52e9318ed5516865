package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// envelopeOf is a message of so many bytes at least, in records of 1 KB.
func envelopeOf(size int) (message string, records int) {
	var all []string
	for n := 0; n < size; n += 1000 {
		all = append(all, fmt.Sprintf(`{"n":%d,"x":"%s"}`, len(all), strings.Repeat("x", 980)))
	}
	return `{"records":[` + strings.Join(all, ",") + `]}`, len(all)
}

func TestMessagesOfAllSizes(t *testing.T) {
	for _, size := range []int{1, 255 << 10, 256 << 10, 257 << 10, 1 << 20, 3 << 20} {
		message, n := envelopeOf(size)
		records, bad := Split([]byte(message))
		if len(records) != n || len(bad) != 0 {
			t.Errorf("of %d bytes: %d of %d records, %d bad", len(message), len(records), n, len(bad))
		}
		for i, r := range records {
			if !strings.HasPrefix(string(r), fmt.Sprintf(`{"n":%d,`, i)) {
				t.Fatalf("record %d is %.40s", i, r)
			}
		}
		// The same as a line of a file.
		got, _, err := all(t, strings.NewReader("{\"a\":1}\n"+message+"\n"))
		if err != nil || len(got) != n+1 {
			t.Errorf("of %d bytes in a line: %d of %d records, %v", len(message), len(got), n, err)
		}
	}
}

// TestNothingElseIsLost: what is wrong in a message is set aside with its bytes, and all of the rest that can be told apart is kept.
func TestNothingElseIsLost(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)
	long := `{"x":"` + strings.Repeat("x", MaxRecord) + `"}`
	for _, one := range []struct {
		name, message string
		want, bad     []string
	}{
		{"a record that nests deep is left to the decoder", `{"records":[{"a":1},` + deep + `,{"c":1}]}`, []string{`{"a":1}`, deep, `{"c":1}`}, nil},
		{"a quote too many", `{"records":[{"a":1},{"b":"x"y"},{"c":1}]}`, []string{`{"a":1}`, `{"c":1}`}, []string{`{"b":"x"y"}`}},
		{"a stray brace", `{"records":[{"a":1}},{"c":1}]}`, []string{`{"a":1}`, `{"c":1}`}, []string{`}`}},
		{"a message that breaks off", `{"records":[{"a":1},{"b":`, []string{`{"a":1}`}, []string{`,{"b":`}},
		{"one that is too long among others", `[{"a":1},` + long + `,{"c":1}]`, []string{`{"a":1}`, `{"c":1}`}, []string{long[:1<<10]}},
		{"white space in front", " \r\n{\"records\":[{\"a\":1}]}\n", []string{`{"a":1}`}, nil},
		{"several records without an envelope", "{\"a\":1}\n{\n\"b\":1}\n", []string{`{"a":1}`, "{\n\"b\":1}"}, nil},
		{"no JSON", `hello`, nil, []string{`hello`}},
	} {
		records, bad := Split([]byte(one.message))
		var got, pieces []string
		for _, r := range records {
			got = append(got, string(r))
		}
		for _, b := range bad {
			pieces = append(pieces, strings.TrimLeft(string(b.Bytes), ","))
		}
		for i := range one.bad {
			one.bad[i] = strings.TrimLeft(one.bad[i], ",")
		}
		if !slices.Equal(got, one.want) || !slices.Equal(pieces, one.bad) {
			t.Errorf("%s: %.200q, bad %.200q", one.name, got, pieces)
		}
	}
}

// TestAMessageIsBounded: of many records, and of many pieces that are none, the rest is one piece, which can be split again.
func TestAMessageIsBounded(t *testing.T) {
	for name, one := range map[string]struct {
		open, item string
		n          int
	}{
		"records": {`{"records":[`, `{"a":1}`, 2*MaxRecords + 5}, "records of an array": {"[", `{"a":1}`, MaxRecords + 1}, "no records": {"[", "17", 5 * maxBad}, "exactly": {"[", `{"a":1}`, MaxRecords},
	} {
		message := one.open + strings.Repeat(one.item+",", one.n-1) + one.item + "]"
		if one.open != "[" {
			message += "}"
		}
		total := 0
		for rest := []byte(message); rest != nil; {
			records, bad := Split(rest)
			if len(records) > MaxRecords || len(bad) > maxBad+1 {
				t.Fatalf("%s: %d records and %d pieces", name, len(records), len(bad))
			}
			total += len(records) + len(bad)
			rest = nil
			if n := len(bad); n > 0 && bad[n-1].Reason == BadCount {
				rest, total = bad[n-1].Bytes, total-1
			}
		}
		if total != one.n {
			t.Errorf("%s: %d of %d", name, total, one.n)
		}
	}
}

// TestBadRowsAreBounded: a block holds only so many pieces that are no records, each no longer than what is shown of it.
func TestBadRowsAreBounded(t *testing.T) {
	in, err := Open("rows", strings.NewReader("Id,AuditData\n"+strings.Repeat("x", 1<<20)+"\n"+strings.Repeat("aaaaaaaa\n", 5000)))
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	bad := 0
	for {
		more, err := in.Next(&b)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		if len(b.Bad) > maxBad {
			t.Fatalf("%d in one block", len(b.Bad))
		}
		for _, one := range b.Bad {
			if bad++; len(one.Bytes) > 1<<10 {
				t.Fatalf("%d bytes of one", len(one.Bytes))
			}
		}
	}
	if bad != 5001 {
		t.Errorf("%d bad rows", bad)
	}
}
