package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"noroshi/internal/decode"
)

// TestWhatIsNoLogSaysWhatItIs, also inside a compressed file.
func TestWhatIsNoLogSaysWhatItIs(t *testing.T) {
	tar := make([]byte, 1024)
	copy(tar, "audit.json")
	copy(tar[tarAt:], "ustar\x00")
	for text, what := range map[string]string{
		"PK\x03\x04\x14\x00": "zip", "!BDN\x00": "PST", "ElfFile\x00\x00": "EVTX", "%PDF-1.7\n{\"a\":1}\n": "PDF", "PAR1\x15\x00": "Parquet", "SQLite format 3\x00": "SQLite",
		"BZh91AY": "bzip2", "\xfd7zXZ\x00": "xz", "7z\xbc\xaf\x27\x1c": "7z", string(tar): "tar", "\n<!DOCTYPE html><html>\n<script>\n{ a }</script>": "web page", "<html lang=\"en\">": "web page",
		"{\x00\"\x00a\x00\"\x00:\x001\x00}\x00": "UTF-16", "\x00{\x00\"\x00a\x00\"": "UTF-16", "\x01\x02\x03\x04\x05\x06\x0e\x0f text": "binary",
	} {
		for _, form := range []string{text, gz(text)} {
			_, err := Open("x", strings.NewReader(form))
			var f *Foreign
			if !errors.As(err, &f) || !strings.Contains(f.What, what) || !strings.HasPrefix(err.Error(), "open x: this is ") || !strings.Contains(err.Error(), "Expected JSON records") {
				t.Errorf("%.20q: %v", text, err)
			}
		}
	}
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := Open("x", dir); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder: %v", err)
	}
}

// TestWhatMayBeALogIsRead, whatever its first line holds.
func TestWhatMayBeALogIsRead(t *testing.T) {
	for _, garbage := range []string{"", "\n", "<html>", "<?xml version=\"1.0\"?>", "\x01\x02\x03\x04\x05", "a PK\x03\x04", "\x8a\xbf\x8e\x9a", "\x00\x00\x00", strings.Repeat("\x00", 100_000)} {
		got, _, err := all(t, strings.NewReader(garbage+"\n{\"a\":1}\n"))
		if err != nil || len(got) != 1 || !strings.HasSuffix(got[0], `:{"a":1}`) {
			t.Errorf("behind %.20q: %q, %v", garbage, got, err)
		}
	}
}

// parts reads an input to its end and gives what is bad in it, in full.
func parts(t testing.TB, text string) (records []string, bad []Bad) {
	t.Helper()
	in, err := Open("x", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for b := (Block{}); ; {
		more, err := in.Next(&b)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return records, bad
		}
		for i, s := range b.Records {
			records = append(records, fmt.Sprintf("%d:%s", s.Line, b.Bytes(i)))
		}
		bad = append(bad, b.Bad...)
	}
}

// TestAHoleOfNULBytesTakesNothingWithIt, wherever it lies between records and however long it is.
func TestAHoleOfNULBytesTakesNothingWithIt(t *testing.T) {
	for _, size := range []int{1, 1000, blockSize, 20 << 20} {
		nul := strings.Repeat("\x00", size)
		for name, text := range map[string]string{
			"first": nul + "{\"a\":1}\n{\"b\":2}\n", "behind a mark": "\ufeff" + nul + "{\"a\":1}\n{\"b\":2}\n", "between": "{\"a\":1}\n" + nul + "{\"b\":2}\n", "a line of its own": "{\"a\":1}\n" + nul + "\n{\"b\":2}\n",
			"last": "{\"a\":1}\n{\"b\":2}\n" + nul, "behind a record": "{\"a\":1}" + nul + "\n{\"b\":2}\n", "in a list": "[{\"a\":1}," + nul + "{\"b\":2}]", "before a list": nul + "[{\"a\":1},{\"b\":2}]\n",
			"in an envelope": "{\"records\":[{\"a\":1},{\"b\":2}]" + nul + "}",
		} {
			got, bad := parts(t, text)
			if name == "in an envelope" && size > 1<<20 {
				continue // it is too long to be looked at as a whole
			}
			if len(got) != 2 || !strings.HasSuffix(got[0], `:{"a":1}`) || !strings.HasSuffix(got[1], `:{"b":2}`) {
				t.Errorf("%d bytes %s: %q", size, name, got)
			}
			if len(bad) != 1 || bad[0].Reason != BadNUL || len(bad[0].Bytes) > 0 || size > 1 && !strings.Contains(bad[0].Detail, fmt.Sprintf(" %d NUL bytes", size)) {
				t.Errorf("%d bytes %s: %.300q", size, name, fmt.Sprint(bad))
			}
		}
	}
	if got, bad := parts(t, "{\"a\":\"x\x00\x00\"}\n{\"b\":2}\n"); len(got) != 2 || len(bad) != 0 {
		t.Errorf("in a record, which is for the decoder to refuse: %q, %v", got, bad)
	}
}

// TestBytesThatAreNotUTF8GoOnUnchanged: of two rows that differ there none is made the other.
func TestBytesThatAreNotUTF8GoOnUnchanged(t *testing.T) {
	for _, text := range []string{"{\"a\":\"j\xfcrgen\"}\n", "[{\"a\":\"j\xfcrgen\"}]", "{\"records\":[{\"a\":\"j\xfcrgen\"}]}", "{\"a\":\"j\xfcrgen\"} \n"} {
		got, bad := parts(t, text)
		if len(got) != 1 || got[0] != "1:{\"a\":\"j\xfcrgen\"}" || len(bad) > 0 {
			t.Errorf("%q: %q, %v", text, got, bad)
		}
	}
	got, _ := parts(t, "Operation,x\na,\"j\xfcr\"\"\"\na,j\xf6r\"\na,\xff\xfe\na,é\xc3\n")
	want := "2:{\"Operation\":\"a\",\"x\":\"j\xfcr\\\"\"} 3:{\"Operation\":\"a\",\"x\":\"j\xf6r\\\"\"} 4:{\"Operation\":\"a\",\"x\":\"\xff\xfe\"} 5:{\"Operation\":\"a\",\"x\":\"é\xc3\"}"
	if strings.Join(got, " ") != want {
		t.Errorf("got %q", got)
	}
}

// TestBadPartsSayWhatWasExpected, what was found, and where; and nothing of what is set aside is missing.
func TestBadPartsSayWhatWasExpected(t *testing.T) {
	for text, want := range map[string]Bad{
		"nonsense\n":                       {Line: 1, Detail: `expected "{", found "nonsense"`, Bytes: []byte("nonsense")},
		"{\"a\":1\n{\"b\":2}\n":            {Line: 1, Detail: `expected "," or "}", found "{" in line 2`, Bytes: []byte(`{"a":1`)},
		"{\"a\":\"x\n{\"b\":2}\n":          {Line: 1, Detail: "a text is not closed at the end of the line at byte 7", Bytes: []byte(`{"a":"x`)},
		"{\"a\":\n{\"b\":2}\n{\"c\":3}\n":  {Line: 1, Detail: `expected "," or "}", found "{" in line 3`, Bytes: []byte(`{"a":`)},
		"[{\"b\":2},\n17]\n":               {Line: 2, Detail: `expected "{", found "17"`, Bytes: []byte("17")},
		"[{\"b\":2},\n":                    {Line: 2, Detail: "the list that opens in line 1 is not closed at the end of the input"},
		"{\"b\":2}\n{\"a\":{\n":            {Line: 2, Detail: "it is not closed at the end of the input", Bytes: []byte(`{"a":{`)},
		"[{\"a\" 1},{\"b\":2}]":            {Line: 1, Detail: `expected ":", found "1" at byte 5`, Bytes: []byte(`{"a" 1}`)},
		"[[[[":                             {Line: 1, Detail: "it is not closed at the end of the input", Bytes: []byte("[[[")},
		"[\n[[17,":                         {Line: 2, Detail: "it is not closed at the end of the input", Bytes: []byte("[[17,")},
		"{\"a\":1}}\n{\"b\":2}, x\n":       {Line: 2, Detail: `expected "{", found "x"`, Bytes: []byte("x")},
		"[{\"a\":tru},{\"b\":2}]":          {Line: 1, Detail: `expected a value, found "tru" at byte 5`, Bytes: []byte(`{"a":tru}`)},
		"[{\"a\":\x01},{\"b\":2}]":         {Line: 1, Detail: `expected a value, found the byte 0x01 at byte 5`, Bytes: []byte("{\"a\":\x01}")},
		"{\n \"a\": 1\n \"b\": 2\n}\n{}\n": {Line: 1, Detail: `expected "," or "}", found a quote in line 3`, Bytes: []byte("{\n \"a\": 1\n \"b\": 2\n}")},
	} {
		_, bad := parts(t, text)
		if len(bad) != 1 || bad[0].Line != want.Line || strings.TrimPrefix(bad[0].Detail, "not a JSON object: ") != want.Detail || !bytes.Equal(bad[0].Bytes, want.Bytes) || bad[0].Reason != decode.BadJSON {
			t.Errorf("%q: %+v", text, bad)
		}
	}
}
