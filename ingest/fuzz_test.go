package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzOpen reads any bytes: reading ends, records lie in the text in order, what is bad is told, and nothing depends on how much of the
// text is at hand at a time.
func FuzzOpen(f *testing.F) {
	for seed := range uint64(8) {
		text := newText(seed).text.String()
		f.Add([]byte(text), byte(seed))
		f.Add([]byte(text[:len(text)*2/3]), byte(seed))
	}
	for _, s := range []string{"{\"a\":1\n{\"b\":2}\n", "\x00\x00{\"a\":1}\x00\n", "[{\"a\":1},{\"b\":2,{\"c\":3}]", "{\"count\":1,\"value\":[{}],\"records\":[null,{}]}", "{\"value\":[\n{\"a\n{}\n]", "{\"a\":[\n{}\n,", "[[{}]]}", "{\"value\":[\"a\":1}]}", "[{\"a\":\"b\\"} {
		f.Add([]byte(s), byte(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, size byte) {
		in, err := Open("x", bytes.NewReader(text))
		if err != nil || in.Format() == "csv" {
			return
		}
		records, bad, err := all(t, bytes.NewReader(text))
		if err != nil {
			return // compressed, and damaged
		}
		if len(records)+len(bad) > len(text)+1 {
			t.Fatalf("%d records and %d bad parts of %d bytes", len(records), len(bad), len(text))
		}
		if slow, slowBad, _ := all(t, iotest.OneByteReader(bytes.NewReader(text))); !slices.Equal(records, slow) || !slices.Equal(bad, slowBad) {
			t.Fatalf("byte by byte: %q, %q, and not %q, %q", slow, slowBad, records, bad)
		}
		if bytes.HasPrefix(text, []byte{0x1f, 0x8b}) || bytes.HasPrefix(text, []byte{0x28, 0xb5, 0x2f, 0xfd}) || bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
			return
		}
		at := 0
		for _, r := range without(records) {
			n := bytes.Index(text[at:], []byte(r))
			if n < 0 {
				t.Fatalf("%q is not in the text behind byte %d", r, at)
			}
			at += n + len(r)
		}
		if grown, grownBad := grow(text, 1+int(size)); !slices.Equal(records, grown) || !slices.Equal(bad, grownBad) {
			t.Fatalf("growing by %d bytes: %q, %q, and not %q, %q", 1+int(size), grown, grownBad, records, bad)
		}
	})
}

// grow reads a text that grows by so many bytes, and is read on from its stored state each time.
func grow(text []byte, step int) (records, bad []string) {
	var state json.RawMessage
	line, from := 1, 0
	for to := min(step, len(text)); ; to = min(to+step, len(text)) {
		g := NewGrowing(0)
		g.Restore(state, line)
		rs, bs, n := g.Split(bytes.Clone(text[from:to]), to == len(text))
		for _, r := range rs {
			records = append(records, fmt.Sprintf("%d:%s", r.Line, r.Bytes))
		}
		for _, one := range bs {
			bad = append(bad, fmt.Sprintf("%d:%s", one.Line, one.Reason))
		}
		from += n
		state, line = g.State(), g.Line()
		if to == len(text) && (from == to || n == 0) {
			return records, bad
		}
	}
}

// TestAnyBytesAreReadToTheirEnd is FuzzOpen on texts with many damages at once.
func TestAnyBytesAreReadToTheirEnd(t *testing.T) {
	rounds := 2000
	if os.Getenv("NOROSHI_SOAK") != "" {
		rounds = 60_000
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for i := range rounds {
		text := []byte(newText(uint64(i)).text.String())
		for range rnd.IntN(12) {
			if len(text) == 0 {
				break
			}
			at := rnd.IntN(len(text))
			switch rnd.IntN(3) {
			case 0:
				text = slices.Delete(text, at, min(len(text), at+1+rnd.IntN(20)))
			case 1:
				text = slices.Insert(text, at, "{}[]\",:\\\n\x00 \xffx1"[rnd.IntN(14)])
			default:
				text[at] = "{}[]\",:\\\n\x00 \xffx1"[rnd.IntN(14)]
			}
		}
		records, bad, err := all(t, bytes.NewReader(text))
		slow, slowBad, _ := all(t, iotest.OneByteReader(bytes.NewReader(text)))
		grown, grownBad := grow(text, 1+rnd.IntN(60))
		var f *Foreign
		if errors.As(err, &f) {
			continue
		}
		if err != nil || !slices.Equal(records, slow) || !slices.Equal(bad, slowBad) {
			t.Fatalf("%d: %v, %q\nbyte by byte %q, %q\nat once %q, %q", i, err, text, slow, slowBad, records, bad)
		}
		if text = bytes.TrimPrefix(text, mark); !slices.Equal(records, grown) || !slices.Equal(bad, grownBad) {
			t.Fatalf("%d: %q\ngrowing %q, %q\nat once %q, %q", i, text, grown, grownBad, records, bad)
		}
	}
}

// TestAnEnvelopeOfAnyLengthIsHandedOn in bounded memory: a page of many MiB in one line, with its list in the middle.
func TestAnEnvelopeOfAnyLengthIsHandedOn(t *testing.T) {
	const n = 40_000
	record := `{"x":"` + strings.Repeat("x", 1000) + `"}`
	page := `{"@odata.context":"c","value":[` + strings.Repeat(record+",", n-1) + record + `],"@odata.nextLink":"` + strings.Repeat("n", 1000) + `"}`
	in, err := Open("page", iotest.HalfReader(strings.NewReader(page+"\n{\"a\":1}\n")))
	if err != nil {
		t.Fatal(err)
	}
	got, most := 0, 0
	for b := (Block{}); ; {
		more, err := in.Next(&b)
		if err != nil || len(b.Bad) > 0 {
			t.Fatal(err, b.Bad)
		}
		if !more {
			break
		}
		got += len(b.Records)
		most = max(most, cap(b.Data))
	}
	if got != n+1 || most > 32<<20 {
		t.Errorf("%d of %d records, %d MiB", got, n+1, most>>20)
	}
}
