package ingest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"noroshi/internal/decode"
)

// One of these columns makes a first line the header of a table: AuditData that of a Purview export, the others those of rows
// which say what was done: exports of Log Analytics and of advanced hunting, and message trace.
const auditData = "AuditData"

var telling = []string{auditData, "Operation", "OperationName", "ActivityDisplayName", "ActionType", "UserPrincipalName", "NetworkMessageId", "AlertId", "RequestUri", "MessageTraceId"}

// isTable reports whether a text begins with the header of a table: CSV with a column that is telling.
func isTable(text []byte) bool {
	for {
		line, rest, more := bytes.Cut(text, []byte("\n"))
		if len(line) == 0 || line[0] == '{' || line[0] == '[' {
			return false
		}
		if typeLine(line) && more {
			text = rest
			continue
		}
		for c := range bytes.SplitSeq(bytes.TrimSpace(line), []byte(",")) {
			for _, t := range telling {
				if strings.EqualFold(strings.Trim(string(c), `" `), t) {
					return true
				}
			}
		}
		return false
	}
}

// typeLine reports whether a line is what older PowerShell writes above the header.
func typeLine(line []byte) bool { return bytes.HasPrefix(line, []byte("#TYPE ")) }

// table splits CSV. In a table with a column AuditData the text of that cell is the record. In another, a row is: a JSON object
// of its cells under the names of their columns.
type table struct {
	from    *csv.Reader
	limit   *limited
	columns []column // nil before the header
	audit   int      // the column AuditData, -1 where there is none
	object  bytes.Buffer
	had     map[string]bool // names that the row at hand has given
}

// column is how the cells of a column become members.
type column struct {
	name string // "" where they do not
	utc  bool   // they are times as the Azure portal writes them
}

// limited ends a cell that never ends: no row may be longer than a record that is doubly quoted, and its other cells.
type limited struct {
	from *bufio.Reader
	left int
}

var errRow = errors.New("a row is longer than 16 MiB; a quote may be missing")

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errRow
	}
	n, err := l.from.Read(p[:min(len(p), 64<<10)])
	l.left -= n
	return n, err
}

const maxRow = 4 * MaxRecord

func newTable(from *bufio.Reader) *table {
	t := &table{limit: &limited{from, maxRow}, audit: -1, had: map[string]bool{}}
	t.from = csv.NewReader(t.limit)
	t.from.FieldsPerRecord = -1
	t.from.ReuseRecord = true
	t.from.LazyQuotes = true
	return t
}

func (t *table) fill(b *Block) error {
	for len(b.Data) < blockSize && len(b.Bad) < maxBad {
		t.limit.left = maxRow
		row, err := t.from.Read()
		if err != nil {
			return err
		}
		if t.columns == nil {
			t.header(row)
			continue
		}
		line, _ := t.from.FieldPos(0)
		if t.audit >= len(row) {
			b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: line, Reason: decode.BadJSON, Detail: "the row has no cell AuditData", Bytes: []byte(short(strings.Join(row, ",")))})
			continue
		}
		from := len(b.Data)
		if t.audit >= 0 {
			b.Data = append(b.Data, strings.TrimSpace(row[t.audit])...)
		} else {
			b.Data = append(b.Data, t.members(row)...)
		}
		if size := len(b.Data) - from; size > MaxRecord {
			b.Bad = append(b.Bad, tooLong(len(b.Records), line, bytes.Clone(b.Data[from:from+1<<10])))
			b.Data = b.Data[:from]
			continue
		}
		b.Records = append(b.Records, Span{uint32(from), uint32(len(b.Data)), line})
		b.Data = append(b.Data, 0)
	}
	return nil
}

// header reads the names of the columns. Log Analytics has some columns twice: X_dynamic and X_string hold what X is elsewhere, one
// of them in each row, and X_ repeats X.
func (t *table) header(row []string) {
	if typeLine([]byte(row[0])) {
		return
	}
	names := map[string]bool{}
	t.columns = make([]column, len(row))
	for i, cell := range row {
		name := strings.TrimSpace(cell)
		if strings.EqualFold(name, auditData) {
			t.audit = i
		}
		name, t.columns[i].utc = strings.CutSuffix(name, " [UTC]")
		t.columns[i].name, names[name] = name, true
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
func (t *table) members(row []string) []byte {
	o := &t.object
	o.Reset()
	clear(t.had)
	o.WriteByte('{')
	for i, cell := range row {
		if cell == "" || i >= len(t.columns) || t.columns[i].name == "" || t.had[t.columns[i].name] {
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
		quote(o, cell)
	}
	o.WriteByte('}')
	return o.Bytes()
}

// short is what a piece that is no record shows of itself.
func short(s string) string { return s[:min(len(s), 1<<10)] }

func quote(to *bytes.Buffer, s string) {
	text, _ := json.Marshal(s) // of a string it cannot fail
	to.Write(text)
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
