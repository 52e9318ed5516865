package ingest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/decode"
)

// pieces reads a table to its end: records, and what is none, with its detail.
func pieces(t testing.TB, from io.Reader) (records []string, bad []Bad) {
	t.Helper()
	in, err := Open("table", from)
	if err != nil {
		t.Fatal(err)
	}
	if in.Format() != "csv" {
		t.Fatalf("it is read as %s", in.Format())
	}
	var b Block
	for {
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

// TestAQuoteThatIsNotClosedSwallowsNothingInSilence: the rows that it takes are one piece, with its place; those before and, where
// another quote shows that it was one too many, those behind it are read.
func TestAQuoteThatIsNotClosedSwallowsNothingInSilence(t *testing.T) {
	for _, one := range []struct {
		name, text    string
		want          []string
		line          int
		detail, bytes string
	}{
		{"to the end", "Operation,x\na,1\nb,\"2\nc,3\nd,4\n", []string{`2:{"Operation":"a","x":"1"}`}, 3, "the quote that opens in line 3 is never closed; lines 3 to 5 are set aside", "b,\"2\nc,3\nd,4\n"},
		{"in the last row", "Operation,x\na,1\nb,\"2", []string{`2:{"Operation":"a","x":"1"}`}, 3, "the quote that opens in line 3 is never closed; lines 3 to 3 are set aside", `b,"2`},
		{"behind a doubled one", "Operation,x\na,1\nb,\"2\"\"\nc,3\n", []string{`2:{"Operation":"a","x":"1"}`}, 3, "the quote that opens in line 3 is never closed; lines 3 to 4 are set aside", "b,\"2\"\"\nc,3\n"},
		{"in an export", "AuditData,x\n\"{\"\"a\"\":1}\",2\n\"{\"\"b\"\":1},2\n\"\"c\"\"", []string{`2:{"a":1}`}, 3, "the quote that opens in line 3 is never closed; lines 3 to 4 are set aside", "\"{\"\"b\"\":1},2\n\"\"c\"\""},
		{"before a row with quotes", "Operation,x\na,\"1\nb,2\nc,\"3\nd\"\ne,5\n", []string{`4:{"Operation":"c","x":"3\nd"}`, `6:{"Operation":"e","x":"5"}`}, 2, "the quote that opens in line 2 is not closed before line 4; lines 2 to 3 are set aside", "a,\"1\nb,2\n"},
		{"before a cell that begins with a separator", "Operation,x\na,\"1\nc,\",3\"\n", []string{`3:{"Operation":"c","x":",3"}`}, 2, "the quote that opens in line 2 is not closed before line 3; lines 2 to 2 are set aside", "a,\"1\n"},
	} {
		t.Run(one.name, func(t *testing.T) {
			for _, from := range []io.Reader{strings.NewReader(one.text), iotest.OneByteReader(strings.NewReader(one.text))} {
				got, bad := pieces(t, from)
				want := []Bad{{Before: before(one.want, one.line), Line: one.line, Reason: decode.BadJSON, Detail: one.detail, Bytes: []byte(one.bytes)}}
				if d := cmp.Diff(one.want, got) + cmp.Diff(want, bad); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// before is how many of the records stand before a line.
func before(records []string, line int) (n int) {
	for _, r := range records {
		var at int
		if _, err := fmt.Sscanf(r, "%d:", &at); err == nil && at < line {
			n++
		}
	}
	return n
}

// TestQuotesThatAreText: what sloppy writers leave is read, as long as it stays in its line.
func TestQuotesThatAreText(t *testing.T) {
	got, bad := pieces(t, strings.NewReader("Operation,x\na,5\" pipe\nb,\"say \"hi\" there\"\nc,\"blank behind\" \nd,\"\"\ne,\"1\n2\"\n"))
	want := []string{`2:{"Operation":"a","x":"5\" pipe"}`, `3:{"Operation":"b","x":"say \"hi\" there"}`, `4:{"Operation":"c","x":"blank behind"}`, `5:{"Operation":"d"}`, `6:{"Operation":"e","x":"1\n2"}`}
	if d := cmp.Diff(want, got); d != "" || len(bad) > 0 {
		t.Error(d, bad)
	}
}

// TestAHeaderThatBreaksIsNamed: without names its rows are nothing.
func TestAHeaderThatBreaksIsNamed(t *testing.T) {
	got, bad := pieces(t, strings.NewReader("Operation,\"x\na,1\nb,2\n"))
	if len(got) > 0 || len(bad) != 1 || bad[0].Line != 1 || !strings.Contains(bad[0].Detail, "never closed") {
		t.Errorf("%q, %+v", got, bad)
	}
}

// TestLinesThatEndInACarriageReturnAlone, as programs of old Macs and some of today's write them.
func TestLinesThatEndInACarriageReturnAlone(t *testing.T) {
	for text, want := range map[string][]string{
		"Operation,x\ra,1\rb,\"2\r3\"\rc,4":           {`2:{"Operation":"a","x":"1"}`, `3:{"Operation":"b","x":"2\n3"}`, `5:{"Operation":"c","x":"4"}`},
		"#TYPE a.b\rx,Operation\r\r1,a\r":             {`4:{"x":"1","Operation":"a"}`},
		"AuditData,x\r\"{\"\"a\"\":\n1}\",2\r":        {"2:{\"a\":\n1}"},
		"Operation,x\ra,1\r\nb,2\r":                   {`2:{"Operation":"a","x":"1"}`, `3:{"Operation":"b","x":"2"}`},
		"Operation,x\r\r\na,1\r\r\n":                  {`2:{"Operation":"a","x":"1"}`}, // ends that were made twice
		"Operation,x\r\na,1\r2\r\n":                   {`2:{"Operation":"a","x":"1\r2"}`},
		"Operation,\"x\ry\"\r\na,1\nb,2\n":            {`2:{"Operation":"a","x\ry":"1"}`, `3:{"Operation":"b","x\ry":"2"}`}, // inside quotes it ends no line
		"sep=;\rOperation;x\ra;1\rb;\"2\"\r":          {`3:{"Operation":"a","x":"1"}`, `4:{"Operation":"b","x":"2"}`},
		"Operation\r" + strings.Repeat("a\r", 3):      {`2:{"Operation":"a"}`, `3:{"Operation":"a"}`, `4:{"Operation":"a"}`},
		"\r\rOperation,x\ra,1\r":                      {`4:{"Operation":"a","x":"1"}`},
		"Operation,x\r" + strings.Repeat("y", 70_000): {`2:{"Operation":"` + strings.Repeat("y", 70_000) + `"}`},
	} {
		for _, from := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			got, bad := pieces(t, from)
			if d := cmp.Diff(want, got); d != "" || len(bad) > 0 {
				t.Errorf("%.60q: %s %v", text, d, bad)
			}
		}
	}
}

// TestSeparatorsThatTheHeaderTells: Excel separates by ; where the comma is that of numbers, and by tab in its Unicode text.
func TestSeparatorsThatTheHeaderTells(t *testing.T) {
	want := []string{`{"Operation":"a","x":"1,2","y":"3;4\t"}`}
	for _, text := range []string{
		"Operation;x;y\na;1,2;\"3;4\t\"\n", "Operation\tx\ty\na\t1,2\t\"3;4\t\"\n", "Operation,x,y\na,\"1,2\",3;4\t\n",
		"sep=;\r\nOperation;x;y\r\na;1,2;\"3;4\t\"\r\n", "\"sep=;\"\nOperation;x;y\na;1,2;\"3;4\t\"\n", "SEP=\t\nOperation\tx\ty\na\t1,2\t\"3;4\t\"\n", "sep=|\nOperation|x|y\na|1,2|3;4\t\n", "sep=,\nOperation,x,y\na,\"1,2\",3;4\t\n",
		"\"Operation\";\"x\";\"y\"\n\"a\";\"1,2\";\"3;4\t\"\n", utf16("Operation\tx\ty\na\t1,2\t\"3;4\t\"\n"), "\ufeffsep=;\nOperation;x;y\na;1,2;\"3;4\t\"\n",
	} {
		got, bad := pieces(t, strings.NewReader(text))
		for i := range got {
			_, got[i], _ = strings.Cut(got[i], ":")
		}
		if d := cmp.Diff(want, got); d != "" || len(bad) > 0 {
			t.Errorf("%q: %s %v", text, d, bad)
		}
	}
}

// TestTablesSeparatedByCommaAreNeverMistaken, whatever their names hold; where the header does not say clearly, it is no table.
func TestTablesSeparatedByCommaAreNeverMistaken(t *testing.T) {
	for header, want := range map[string]byte{
		"Operation,x": ',', "x,Operation": ',', "Operation": ',', "a;b;c,Operation": ',', "Operation,a;UserPrincipalName;b": ',', "Operation,a\tActionType\tb": ',',
		"a;b;c;d;e;f,ActionType": ',', `"x;Operation;y",Operation`: ',', `"a;b",Operation,"c;d"`: ',', `"a,b";Operation`: ';', "a;Operation": ';', "Operation;\"x\ty\"": ';', "a\tOperation": '\t',
		"x,a;Operation;b": 0, "x,a\tOperation\tb": 0, "x;a\tOperation\tb": 0, "a,b;Operation": 0, `"x;Operation;y",z`: 0, "a|Operation": 0, "sep=;\nOperation,x": 0, "sep=a\nOperation,x": 0, "sep=;": 0, "hello; world": 0, "{\"a\":1};Operation": 0,
	} {
		l, ok := layoutOf([]byte(header + "\n1,2;3\t4\n"))
		if ok != (want != 0) || ok && l.separator != want {
			t.Errorf("%q is separated by %q, %v", header, l.separator, ok)
		}
	}
}

// TestColumnsAreBounded, in number and in the length of their names; what passes is told once, and the rest read.
func TestColumnsAreBounded(t *testing.T) {
	wide := func(n int) string {
		var b strings.Builder
		b.WriteString("Operation")
		for i := 2; i <= n; i++ {
			fmt.Fprintf(&b, ",c%d", i)
		}
		return b.String() + "\na" + strings.Repeat(",1", n-1) + "\n"
	}
	long := strings.Repeat("é", 128)
	for _, one := range []struct {
		name, text string
		members    int
		detail     string
	}{
		{"2,000 columns", wide(2000), 2000, ""},
		{"2,001", wide(2001), 2000, "the table has 2001 columns; those behind the first 2000 are left out"},
		{"very many", wide(300_000), 2000, "the table has 300000 columns; those behind the first 2000 are left out"},
		{"a name of 256 bytes", "Operation," + long + "\na,1\n", 2, ""},
		{"of 257", "Operation," + long + "x,y\na,1,2\n", 2, "the name of column 2 is longer than 256 bytes; the column is left out"},
		{"several", "Operation," + long + "x,y," + long + "z\na,1,2,3\n", 2, "the names of 2 columns, the first of them column 2, are longer than 256 bytes; these are left out"},
	} {
		t.Run(one.name, func(t *testing.T) {
			got, bad := pieces(t, strings.NewReader(one.text))
			if len(got) != 1 || strings.Count(got[0], `":"`) != one.members {
				t.Errorf("%d records, %.80q", len(got), got)
			}
			var details []string
			for _, b := range bad {
				if details = append(details, b.Detail); b.Line != 1 || b.Reason != decode.BadSize || len(b.Bytes) > 1<<10 || b.Before != 0 {
					t.Errorf("%+v", b)
				}
			}
			if one.detail == "" && len(details) > 0 || one.detail != "" && !slices.Equal(details, []string{one.detail}) {
				t.Errorf("%q", details)
			}
		})
	}
}

// TestARowThatIsTooLongIsNamedAndTheNextOneRead: a quote that is never closed in a large file does not end it.
func TestARowThatIsTooLongIsNamedAndTheNextOneRead(t *testing.T) {
	line := strings.Repeat("x", 1<<20) + ",y\n"
	for name, text := range map[string]string{"a quote": "Operation,x\na,1\nb,\"" + strings.Repeat(line, 17) + "c,3\n", "a line": "Operation,x\na,1\nb," + strings.Repeat("x", 17<<20) + "\nc,3\n"} {
		got, bad := pieces(t, strings.NewReader(text))
		if len(bad) != 1 || bad[0].Line != 3 || bad[0].Reason != decode.BadSize || bad[0].Before != 1 || len(bad[0].Bytes) != 1<<10 {
			t.Errorf("%s: %d bad", name, len(bad))
		}
		if n := len(got); n < 2 || got[0] != `2:{"Operation":"a","x":"1"}` || !strings.HasSuffix(got[n-1], `:{"Operation":"c","x":"3"}`) {
			t.Errorf("%s: %d records", name, n)
		}
	}
}

// TestADamagedTableNamesTheRowAtWhichItBreaks, beside the error.
func TestADamagedTableNamesTheRowAtWhichItBreaks(t *testing.T) {
	in, err := Open("table", io.MultiReader(strings.NewReader("Operation,x\na,1\nb,2"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	more, err := in.Next(&b)
	if !more || err != nil || len(b.Records) != 1 || len(b.Bad) != 1 || b.Bad[0].Line != 3 || string(b.Bad[0].Bytes) != "b,2" {
		t.Errorf("%v, %v, %d records, %+v", more, err, len(b.Records), b.Bad)
	}
	if more, err := in.Next(&b); more || err == nil {
		t.Errorf("%v, %v", more, err)
	}
}

// TestRowsAgreeWithTheStandardLibrary on tables as it writes them, whatever their cells hold.
func TestRowsAgreeWithTheStandardLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "é", " ", "\"", "\"\"", ",", ";", "\t", "\n", "\r\n", "x\ry", "{\"a\":1}", ""}
	for range 5000 {
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		l := layout{",;\t"[rnd.IntN(3)], '\n'}
		w.Comma, w.UseCRLF = rune(l.separator), rnd.IntN(2) == 0
		for range 1 + rnd.IntN(6) {
			row := []string{"first"} // a row of one empty cell is a blank line
			for range rnd.IntN(5) {
				cell := ""
				for range rnd.IntN(4) {
					cell += parts[rnd.IntN(len(parts))]
				}
				row = append(row, cell)
			}
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		from := csv.NewReader(bytes.NewReader(text.Bytes()))
		from.Comma, from.FieldsPerRecord, from.LazyQuotes = w.Comma, -1, true
		want, err := from.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		r := rows{from: bufio.NewReader(bytes.NewReader(text.Bytes())), layout: l}
		for i := range want {
			if bad, err := r.next(); bad != nil || err != nil || !slices.Equal(r.cells, want[i]) {
				t.Fatalf("%q: row %d is %q, %v, %v; wanted is %q", text.Bytes(), i, r.cells, bad, err, want[i])
			}
		}
		if bad, err := r.next(); bad != nil || !errors.Is(err, io.EOF) {
			t.Fatalf("%q: behind the rows are %q, %v, %v", text.Bytes(), r.cells, bad, err)
		}
	}
}

// FuzzRows reads any bytes to their end: each call gives a row, a piece that is none, or the end.
func FuzzRows(f *testing.F) {
	for _, s := range []string{"Operation,x\na,\"1\n2\"\n", "a;\"b\"\"c\"\r\n\"", "a\r\"b\rc", ",,,\n\n \n\"\"\n"} {
		f.Add([]byte(s), byte(';'), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, separator byte, end bool) {
		if separator == '"' || separator == '\n' || separator == '\r' {
			return
		}
		l := layout{separator, '\r'}
		if end {
			l.end = '\n'
		}
		r := rows{from: bufio.NewReader(bytes.NewReader(text)), layout: l}
		for range len(text) + 1 {
			bad, err := r.next()
			if bad != nil && (len(bad.Bytes) == 0 || bad.Line < 1 || bad.Detail == "") {
				t.Fatalf("%q: %+v", text, bad)
			}
			if err != nil {
				return
			}
			if bad == nil && len(r.cells) == 0 || r.line < 1 || r.line > r.lines {
				t.Fatalf("%q: the row in line %d of %d is %q", text, r.line, r.lines, r.cells)
			}
		}
		t.Fatalf("%q: no end", text)
	})
}
