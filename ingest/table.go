package ingest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"noroshi/internal/decode"
)

// One of these columns makes a first line the header of a table: AuditData that of a Purview export, the others those of rows
// which say what was done: exports of Log Analytics and of advanced hunting, and message trace, and those in which another collector
// has a record (_raw, message, event.original). Which of them a row is of is for
// the decoder to tell.
const auditData = "AuditData"

var headings = []string{auditData, "Operation", "OperationName", "ActivityDisplayName", "ActionType", "UserPrincipalName", "NetworkMessageId", "AlertId", "RequestUri", "MessageTraceId", "_raw", "message", "event.original"}

// layoutOf is how the table that a text begins with is written; false where it is not a table. Only the header is looked at: the
// separator is the comma where that gives a heading, else one that does and that the header has alone.
func layoutOf(text []byte) (layout, bool) {
	if len(text) == 0 || text[0] == '{' || text[0] == '[' {
		return layout{}, false
	}
	end, separators := endOf(text), []byte(",;\t")
	for {
		line, rest, _ := bytes.Cut(text, []byte{end})
		given, ok := preamble(line)
		if !ok && len(bytes.TrimSpace(line)) > 0 || len(text) == 0 {
			break
		}
		if text = rest; given != 0 {
			separators = []byte{given}
		}
	}
	for _, c := range separators {
		l := layout{c, end}
		r := rows{from: bufio.NewReader(bytes.NewReader(text)), layout: l}
		_, _ = r.next() // of a header that is cut off here, or breaks, what there is of it tells
		if slices.ContainsFunc(r.cells, heading) && (len(separators) == 1 || c == ',' || alone(r.raw, c)) {
			return l, true
		}
	}
	return layout{}, false
}

// endOf is what ends the lines of a text: \r where the first that stands outside quotes has no \n behind it.
func endOf(text []byte) byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	quoted := false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\r' && !quoted:
			return '\r'
		}
	}
	return '\n'
}

func heading(cell string) bool {
	cell = strings.TrimSpace(cell)
	return slices.ContainsFunc(headings, func(h string) bool { return strings.EqualFold(cell, h) })
}

// alone reports whether a header has no other separator outside quotes.
func alone(header []byte, separator byte) bool {
	quoted := false
	for _, c := range header {
		switch {
		case c == '"':
			quoted = !quoted
		case !quoted && c != separator && (c == ',' || c == ';' || c == '\t'):
			return false
		}
	}
	return true
}

// preamble reports whether a line is one of those that may stand above the header: what older PowerShell writes, and what tells
// Excel the separator, which it gives.
func preamble(line []byte) (separator byte, ok bool) {
	if bytes.HasPrefix(line, []byte("#TYPE ")) {
		return 0, true
	}
	line = bytes.Trim(bytes.TrimRight(line, "\r\n"), `"`)
	if len(line) == len("sep=;") && strings.EqualFold(string(line[:4]), "sep=") && bytes.IndexByte([]byte(",;\t|"), line[4]) >= 0 {
		return line[4], true
	}
	return 0, false
}

// table splits CSV. In a table with a column AuditData the text of that cell is the record, where it is whole. Else, and in other
// tables, a row is: a JSON object of its cells under the names of their columns.
type table struct {
	rows    rows
	columns []column // nil before the header
	audit   int      // the number of the column AuditData; -1 in a table without it
	object  bytes.Buffer
	had     map[string]bool // names that the row at hand has given
}

// column is how the cells of a column become members.
type column struct {
	name string // "" where they do not
	utc  bool   // they are times as the Azure portal writes them,
	zone string // of a zone that nobody tells; else ""
}

func newTable(from *bufio.Reader, l layout) *table {
	return &table{rows: rows{from: from, layout: l}, audit: -1, had: map[string]bool{}}
}

func (t *table) fill(b *Block) error {
	for len(b.Data) < blockSize && len(b.Bad) < maxBad {
		bad, err := t.rows.next()
		if bad != nil {
			t.set(b, bad)
			if t.columns == nil && err == nil {
				return io.EOF // nothing tells what the cells are
			}
		}
		switch {
		case err != nil:
			return err
		case bad != nil:
		case t.columns == nil:
			t.header(b)
		case t.audit >= len(t.rows.cells):
			t.set(b, t.rows.bad(decode.BadJSON, "the row has no cell AuditData"))
		default:
			t.record(b)
		}
	}
	return nil
}

// set puts what is set aside into the block.
func (t *table) set(b *Block, bad *Bad) {
	bad.Before = len(b.Records)
	b.Bad = append(b.Bad, *bad)
}

// record puts the row's record into the block.
func (t *table) record(b *Block) {
	from := len(b.Data)
	if t.audit >= 0 && wholeObject(t.rows.cells[t.audit]) {
		b.Data = append(b.Data, strings.TrimSpace(t.rows.cells[t.audit])...)
	} else {
		b.Data = append(b.Data, t.members()...)
	}
	if size := len(b.Data) - from; size > MaxRecord {
		b.Bad = append(b.Bad, tooLong(len(b.Records), t.rows.line, b.Data[from:]))
		b.Data = b.Data[:from]
		return
	}
	b.Records = append(b.Records, Span{uint32(from), uint32(len(b.Data)), t.rows.line})
	b.Data = append(b.Data, 0)
}

// wholeObject reports whether a cell's text begins and ends as one object does. Excel cuts cells off at 32,767 characters.
func wholeObject(cell string) bool {
	cell = strings.TrimSpace(cell)
	if cell == "" || cell[0] != '{' || cell[len(cell)-1] != '}' {
		return false
	}
	depth := 0
	for i := 0; i < len(cell); i++ {
		switch cell[i] {
		case '"':
			for i++; i < len(cell) && cell[i] != '"'; i++ {
				if cell[i] == '\\' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			depth--
		}
	}
	return depth == 0
}

// header reads the names of the columns. Log Analytics has some columns twice: X_dynamic and X_string hold what X is elsewhere, one
// of them in each row, and X_ repeats X.
func (t *table) header(b *Block) {
	if _, ok := preamble(t.rows.raw); ok {
		return
	}
	names, long, first := map[string]bool{}, 0, 0
	t.columns = make([]column, len(t.rows.cells))
	for i, cell := range t.rows.cells {
		name := strings.TrimSpace(cell)
		if len(name) > maxName {
			if long++; long == 1 {
				first = i + 1
			}
			continue
		}
		if strings.EqualFold(name, auditData) {
			t.audit = i
		}
		name, t.columns[i].utc = strings.CutSuffix(name, " [UTC]")
		if base, local := strings.CutSuffix(name, localTime); local {
			name, t.columns[i].zone = base, localTime
		}
		t.columns[i].name, names[name] = name, true
	}
	if n := t.rows.count; n > maxColumns {
		t.set(b, t.rows.bad(decode.BadSize, fmt.Sprintf("the table has %d columns; those behind the first %d are left out", n, maxColumns)))
	}
	switch {
	case long == 1:
		t.set(b, t.rows.bad(decode.BadSize, fmt.Sprintf("the name of column %d is longer than %d bytes; the column is left out", first, maxName)))
	case long > 1:
		t.set(b, t.rows.bad(decode.BadSize, fmt.Sprintf("the names of %d columns, the first of them column %d, are longer than %d bytes; these are left out", long, first, maxName)))
	}
	for i := range t.columns {
		c := &t.columns[i]
		for _, suffix := range [...]string{"_dynamic", "_string", "_"} {
			if base, ok := strings.CutSuffix(c.name, suffix); ok && base != "" && (suffix != "_" || names[base]) {
				c.name = base
				break
			}
		}
	}
}

// members makes the JSON object of a row: texts, of which the decoder opens what it knows to be objects. Empty cells are left out;
// of columns of one name the first that has a cell counts.
func (t *table) members() []byte {
	o := &t.object
	o.Reset()
	clear(t.had)
	o.WriteByte('{')
	for i, cell := range t.rows.cells {
		if cell == "" && i != t.audit || i >= len(t.columns) || t.columns[i].name == "" || t.had[t.columns[i].name] {
			continue
		}
		t.had[t.columns[i].name] = true
		if o.Len() > 1 {
			o.WriteByte(',')
		}
		quote(o, t.columns[i].name)
		o.WriteByte(':')
		if t.columns[i].utc {
			cell = portalTime(cell)
		}
		if zone := t.columns[i].zone; zone != "" {
			cell = "? " + cell + zone // cannot be read
		}
		quote(o, cell)
	}
	o.WriteByte('}')
	return o.Bytes()
}

// localTime ends the name of a column of times that the portal writes in the reader's own zone, which it does not name.
const localTime = " [Local Time]"

// quote writes a JSON text. Bytes that are not UTF-8 stay as they are, for the decoder to read: two rows that differ stay two.
func quote(to *bytes.Buffer, s string) {
	to.WriteByte('"')
	for len(s) > 0 {
		n := 0
		for n < len(s) {
			r, size := utf8.DecodeRuneInString(s[n:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		text, _ := json.Marshal(s[:n]) // of a string it cannot fail
		to.Write(text[1 : len(text)-1])
		if n < len(s) {
			to.WriteByte(s[n])
			n++
		}
		s = s[n:]
	}
	to.WriteByte('"')
}

// portalTime is a time as the Azure portal writes it for English (United States), under a name that ends with [UTC], in RFC 3339.
// Days and months in the order of other places are made unreadable, so that nobody takes one for the other.
func portalTime(s string) string {
	for _, layout := range [...]string{"1/2/2006, 3:04:05.000 PM", "1/2/2006, 3:04:05 PM"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.Format(time.RFC3339Nano)
		}
	}
	if strings.Contains(s, "/") {
		return "? " + s
	}
	return s
}
