package ingest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"strings"

	"noroshi/internal/decode"
)

// isExport reports whether a line is the header of a Purview audit export: CSV with a column AuditData.
func isExport(line []byte) bool {
	if len(line) == 0 || line[0] == '{' {
		return false
	}
	for c := range bytes.SplitSeq(bytes.TrimSpace(line), []byte(",")) {
		if strings.EqualFold(strings.Trim(string(c), `" `), "AuditData") {
			return true
		}
	}
	return false
}

// export splits a Purview audit export: the text of the cell AuditData is the record.
type export struct {
	from   *csv.Reader
	column int
	limit  *limited
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

func newExport(from *bufio.Reader) *export {
	e := &export{column: -1, limit: &limited{from, maxRow}}
	e.from = csv.NewReader(e.limit)
	e.from.FieldsPerRecord = -1
	e.from.ReuseRecord = true
	e.from.LazyQuotes = true
	return e
}

func (e *export) fill(b *Block) error {
	for len(b.Data) < blockSize {
		e.limit.left = maxRow
		row, err := e.from.Read()
		if err != nil {
			return err
		}
		if e.column < 0 {
			for i, name := range row {
				if strings.EqualFold(strings.TrimSpace(name), "AuditData") {
					e.column = i
				}
			}
			continue
		}
		line, _ := e.from.FieldPos(0)
		if len(row) <= e.column {
			b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: line, Reason: decode.BadJSON, Detail: "the row has no cell AuditData", Bytes: []byte(strings.Join(row, ","))})
			continue
		}
		rec := strings.TrimSpace(row[e.column])
		if len(rec) > MaxRecord {
			b.Bad = append(b.Bad, tooLong(len(b.Records), line, []byte(rec[:1<<10])))
			continue
		}
		from := len(b.Data)
		b.Data = append(append(b.Data, rec...), 0)
		b.Records = append(b.Records, Span{uint32(from), uint32(from + len(rec)), line})
	}
	return nil
}
