package ingest

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
)

// Foreign is an input that is not a log at all.
type Foreign struct {
	What string // it is, such as "a zip archive"
	Do   string // what to do with it; may be empty
}

func (f *Foreign) Error() string {
	text := "this is " + f.What
	if f.Do != "" {
		text += "; " + f.Do
	}
	return text + ". Expected JSON records, one a line or in a list, or a CSV export (docs/sources.md)"
}

// signatures are the first bytes of files that people have beside their logs.
var signatures = []struct {
	begins string
	what   string
	do     string
}{
	{"PK\x03\x04", "a zip archive or an Excel file", "unpack the archive, or save the sheet as CSV"},
	{"PK\x05\x06", "an empty zip archive", ""},
	{"!BDN", "an Outlook data file (PST)", "export the audit records instead"},
	{"ElfFile\x00", "a Windows event log (EVTX)", ""},
	{"%PDF-", "a PDF document", ""},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file, such as XLS or MSG", "save the sheet as CSV"},
	{"PAR1", "a Parquet file", "convert it to JSON lines"},
	{"Obj\x01", "an Avro file", "convert it to JSON lines"},
	{"SQLite format 3\x00", "an SQLite database", "export its rows as CSV or JSON"},
	{"BZh", "a file compressed with bzip2", "unpack it first"},
	{"\xfd7zXZ\x00", "a file compressed with xz", "unpack it first"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"},
	{"Rar!\x1a\x07", "a RAR archive", "unpack it first"},
	{"\x04\x22\x4d\x18", "a file compressed with lz4", "unpack it first"},
	{"MDMP", "a crash dump", ""},
	{"\x7fELF", "a program", ""},
	{"\x89PNG\r\n", "a picture", ""},
	{"\xff\xd8\xff", "a picture", ""},
}

const (
	tarMark = "ustar"
	tarAt   = 257
)

// foreign tells what an input is that begins with head and is not a log; nil where it may be one.
func foreign(head []byte) *Foreign {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.begins)) {
			return &Foreign{What: s.what, Do: s.do}
		}
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, mark), " \t\r\n\x00")
	start := bytes.ToLower(text[:min(len(text), len("<!doctype html"))])
	switch {
	case len(head) > tarAt && bytes.HasPrefix(head[tarAt:], []byte(tarMark)):
		return &Foreign{What: "a tar archive", Do: "unpack it first"}
	case wide32(head):
		return &Foreign{What: "text in UTF-32", Do: "save it as UTF-8"}
	case wide(head):
		return &Foreign{What: "text in UTF-16 without a byte order mark", Do: "save it as UTF-8"}
	case holdsObject(text):
		return nil
	case bytes.HasPrefix(start, []byte("<!doctype html")), bytes.HasPrefix(start, []byte("<html")):
		return &Foreign{What: "a web page", Do: "it may be a sign-in page that was saved in the place of an export"}
	case bytes.HasPrefix(start, []byte("<?xml")):
		return &Foreign{What: "an XML document"}
	case binary(text):
		return &Foreign{What: "binary data"}
	case formatList(text):
		return &Foreign{What: "text as PowerShell's Format-List writes it", Do: "export with ConvertTo-Json -Depth 20, or with Export-Csv"}
	case otherTable(text):
		return &Foreign{What: "a table, but none of its columns is " + strings.Join(headings[:len(headings)-1], ", ") + " or " + headings[len(headings)-1],
			Do: "export the records as JSON, or with such a column and a line of names"}
	}
	return nil
}

// formatList reports whether the first lines are names and values with colons between that stand alone.
func formatList(text []byte) bool {
	for range 3 {
		line, rest, more := bytes.Cut(text, []byte("\n"))
		name, _, ok := bytes.Cut(line, []byte(" : "))
		if name = bytes.TrimRight(name, " "); !ok || !more || len(name) == 0 || bytes.ContainsAny(name, " \t,;:<>") {
			return false
		}
		text = rest
	}
	return true
}

// otherTable reports whether a text, which is no table that can be read, is one by its first two lines: both have as many cells, at
// least three.
func otherTable(text []byte) bool {
	if _, known := layoutOf(text); known || len(text) == 0 || text[0] == '{' || text[0] == '[' || text[0] == '<' {
		return false
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	for _, c := range []byte(",;\t") {
		if n := cellsIn(first, c); n >= 3 && n == cellsIn(second, c) {
			return true
		}
	}
	return false
}

// cellsIn is the number of cells of a line.
func cellsIn(line []byte, separator byte) int {
	n, quoted := 1, false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			n++
		}
	}
	return n
}

// holdsObject reports whether a line begins with an object that has members, or with a list of such.
func holdsObject(text []byte) bool {
	for len(text) > 0 {
		if object := bytes.TrimLeft(text, "[ \t"); len(object) > 0 && object[0] == '{' {
			if name := skipBlanks(object, 1); name < len(object) && object[name] == '"' {
				return true
			}
		}
		n := bytes.IndexByte(text, '\n')
		if n < 0 {
			return false
		}
		text = bytes.TrimLeft(text[n+1:], " \t\r\x00\ufeff")
	}
	return false
}

// wide reports whether every other byte of a text is NUL, and no more of them, as far as is looked.
func wide(head []byte) bool {
	head = head[:min(len(head), 64)&^1]
	if len(head) < 4 {
		return false
	}
	var nul [2]int
	for i, c := range head {
		if c == 0 {
			nul[i%2]++
		}
	}
	half := len(head) / 2
	return nul[0] == half && nul[1] == 0 || nul[1] == half && nul[0] == 0
}

// wide32 reports whether a text begins with the byte order mark of UTF-32, or has three NUL bytes of four.
func wide32(head []byte) bool {
	if bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}) || bytes.HasPrefix(head, []byte{0, 0, 0xfe, 0xff}) {
		return true
	}
	head = head[:min(len(head), 64)&^3]
	var filled [4]int
	for i, c := range head {
		if c != 0 {
			filled[i%4]++
		}
	}
	all := len(head) / 4
	return all > 1 && (filled == [4]int{0: all} || filled == [4]int{3: all})
}

// binary reports whether many bytes are such as no text has. NUL bytes are no sign: logs have holes of them.
func binary(text []byte) bool {
	text = text[:min(len(text), 4<<10)]
	odd := 0
	for _, c := range text {
		if c > 0 && c < 0x20 && !blank(c) && c != 0x1b {
			odd++
		}
	}
	return odd > len(text)/20
}

// refuse tells what the input is, where it is not a log.
func (in *Input) refuse() error {
	head, err := in.from.Peek(peekSize)
	if errors.Is(err, syscall.EISDIR) {
		return &Foreign{What: "a folder", Do: "name the files in it"}
	}
	if f := foreign(head); f != nil {
		return f
	}
	return nil
}
