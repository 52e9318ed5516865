package file

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"noroshi/ingest"
)

// replayed reads a text as replay does.
func replayed(t *testing.T, text string) (records, refused []string) {
	t.Helper()
	in, err := ingest.Open("x", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for b := (ingest.Block{}); ; {
		more, err := in.Next(&b)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return records, refused
		}
		for i := range b.Records {
			records = append(records, string(b.Bytes(i)))
		}
		for _, one := range b.Bad {
			refused = append(refused, fmt.Sprintf("%d:%s", one.Line, one.Reason))
		}
	}
}

// TestAFileThatGrowsIsReadAsAWhole: in whatever parts it comes, and wherever the source is started again, it gives what replay reads of it.
func TestAFileThatGrowsIsReadAsAWhole(t *testing.T) {
	parts := []string{
		"{\"n\":1}\n", "{\"n\":2}\r\n", "[{\"n\":3},{\"n\":4}]\n", "{\"count\":2,\"records\":[{\"n\":5},{\"n\":6}],\"next\":null}\n", "{\n  \"n\": 7,\n  \"x\": {}\n}\n", "[\n  {\"n\":8},\n  {\"n\":9}\n]\n",
		"{\n  \"value\": [\n    {\"n\":10}\n  ],\n  \"x\": 1\n}\n", "\x00\x00\x00\x00{\"n\":11}\n", "nonsense\n", "{\"n\":12\n", "{\"n\":\"13\n", "[{\"n\":14},{\"n\":15,{\"n\":16}]\n", "\n\n", "\ufeff{\"n\":17}\n", "null\n",
	}
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		text := "{\"cut\":1\n{\"n\":0}\n"
		for range rnd.IntN(12) {
			text += parts[rnd.IntN(len(parts))]
		}
		records, refused := replayed(t, text)
		path := filepath.Join(t.TempDir(), "a")
		d := newDesk(t)
		follow := rnd.IntN(4) > 0
		s := source(t, true, path)
		add(t, path, text[:14])
		for rest := text[14:]; rest != "" && follow; {
			round(t, s, d)
			n := 1 + rnd.IntN(min(len(rest), 40))
			add(t, path, rest[:n])
			rest = rest[n:]
			if rnd.IntN(3) == 0 {
				s = source(t, true, path)
			}
		}
		if !follow {
			add(t, path, text[14:])
		}
		round(t, source(t, false, path), d)
		if got, want := strings.Join(d.records, " "), strings.Join(records, " "); got != want {
			t.Fatalf("seed %d: got\n%s, want\n%s, of\n%s", seed, got, want, text)
		}
		if got, want := fmt.Sprint(d.refused), fmt.Sprint(refused); got != want {
			t.Fatalf("seed %d: refused %s, want %s, of\n%s", seed, got, want, text)
		}
	}
}

// TestABrokenFirstLineTakesNoOtherWithIt, and a file that begins with a hole of NUL bytes is read behind it.
func TestABrokenFirstLineTakesNoOtherWithIt(t *testing.T) {
	for name, one := range map[string]struct{ first, refused string }{
		"without its brace": {"{\"a\":1\n", "[1:json]"}, "cut in a text": {"{\"a\":\"x\n", "[1:json]"}, "cut behind a colon": {"{\"a\":\n", "[1:json]"}, "garbage": {"x\n", "[1:json]"}, "a hole": {strings.Repeat("\x00", 9<<20), "[1:nul]"},
	} {
		var text strings.Builder
		for i := range 5000 {
			fmt.Fprintf(&text, "{\"n\":%d}\n", i)
		}
		path := filepath.Join(t.TempDir(), "a")
		add(t, path, one.first+text.String())
		d := newDesk(t)
		s := source(t, true, path)
		round(t, s, d)
		add(t, path, "{\"n\":5000}\n")
		round(t, s, d)
		if len(d.records) != 5001 || d.records[0] != `{"n":0}` || fmt.Sprint(d.refused) != one.refused {
			t.Errorf("%s: %d records, refused %v", name, len(d.records), d.refused)
		}
	}
}
