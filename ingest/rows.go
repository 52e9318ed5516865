package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"noroshi/internal/decode"
)

// The bounds of a table.
const (
	maxColumns = 2000
	maxName    = 256           // bytes of a column's name
	maxRow     = 4 * MaxRecord // a record that is doubly quoted, and the other cells
)

// layout is how a table is written.
type layout struct {
	separator byte // of cells
	end       byte // of lines: \n, also behind \r, or \r alone
}

// rows splits a table into rows and cells. It is no reader of the standard library because of what goes wrong: a quote that is not
// closed must not take the rows behind it in silence, and a row with a million cells must not take memory for them.
type rows struct {
	from *bufio.Reader
	layout
	lines int // that have been read

	raw    []byte // the row at hand as it is written
	rest   int    // where in raw the line begins that is left to the next row
	line   int    // in which the row begins
	opened int    // in which the quote opens that is open
	quoted bool   // one is
	text   []byte // the cells, one behind the other
	ends   []int  // of the first maxColumns
	count  int    // of all cells
	cells  []string
}

// next reads a row into cells, and goes over blank ones. What cannot be read comes back as bad, with the cells that are whole, and the
// next row can be read. The error is that of the input, which may come with a bad part.
func (r *rows) next() (*Bad, error) {
	for {
		bad, err := r.row()
		r.share()
		if bad != nil || err != nil || len(bytes.TrimSpace(r.raw)) > 0 {
			return bad, err
		}
	}
}

func (r *rows) row() (*Bad, error) {
	r.raw = r.raw[:copy(r.raw, r.raw[r.rest:])]
	r.text, r.ends, r.cells, r.count, r.quoted = r.text[:0], r.ends[:0], r.cells[:0], 0, false
	for from, again := 0, len(r.raw) > 0; ; from, again = len(r.raw), false {
		if !again {
			if err := r.read(); err != nil {
				r.rest = len(r.raw)
				return r.breaks(err), err
			}
		}
		if from == 0 {
			r.line = r.lines
		}
		r.rest = len(r.raw)
		if r.rest > maxRow {
			return r.bad(decode.BadSize, "the row is longer than 16 MiB; a quote may be missing"), nil
		}
		if !r.split(bytes.TrimRight(r.raw[from:], "\r\n")) {
			// All lines between the two quotes were taken for a cell's text. The one at hand is read again, as a row's beginning.
			r.rest = from
			return r.bad(decode.BadJSON, fmt.Sprintf("the quote that opens in line %d is not closed before line %d; lines %d to %d are set aside", r.opened, r.lines, r.line, r.lines-1)), nil
		}
		if !r.quoted {
			return nil, nil
		}
	}
}

// read puts one more line behind the row at hand, with its end; of a row that is too long no more than that it is.
func (r *rows) read() error {
	had := false
	for {
		part, err := r.from.ReadSlice(r.end)
		had = had || len(part) > 0
		if len(r.raw) <= maxRow {
			r.raw = append(r.raw, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && (!had || !errors.Is(err, io.EOF)):
			return err
		}
		break
	}
	r.lines++
	if r.end == '\r' {
		if next, err := r.from.Peek(1); err == nil && next[0] == '\n' {
			_, _ = r.from.Discard(1) // it has been seen
			r.raw = append(r.raw, '\n')
		}
	}
	return nil
}

// breaks is what an input leaves that ends inside a row; nil between rows.
func (r *rows) breaks(err error) *Bad {
	if len(r.raw) == 0 {
		return nil
	}
	if !r.quoted {
		r.line = r.lines + 1
	}
	if errors.Is(err, io.EOF) {
		return r.bad(decode.BadJSON, fmt.Sprintf("the quote that opens in line %d is never closed; lines %d to %d are set aside", r.opened, r.line, r.lines))
	}
	return r.bad(decode.BadJSON, Damaged)
}

// bad sets the row at hand aside.
func (r *rows) bad(reason decode.Reason, detail string) *Bad {
	return &Bad{Line: r.line, Reason: reason, Detail: detail, Bytes: bytes.Clone(r.raw[:min(r.rest, 1<<10)])}
}

// split takes the cells of a line. It reports false where a quote stands in the middle of a cell in another line than that in which
// the row begins: then one before it was not closed. In the same line such a quote is text, as sloppy writers leave it.
func (r *rows) split(line []byte) bool {
	first := r.lines == r.line
	for {
		if !r.quoted && len(line) > 0 && line[0] == '"' {
			r.quoted, r.opened, line = true, r.lines, line[1:]
		}
		if !r.quoted {
			cell, rest, more := bytes.Cut(line, []byte{r.separator})
			if !first && bytes.IndexByte(cell, '"') >= 0 {
				return false
			}
			r.text = append(r.text, cell...)
			r.close()
			if line = rest; !more {
				return true
			}
			continue
		}
		cell, rest, quote := bytes.Cut(line, []byte{'"'})
		r.text = append(r.text, cell...)
		switch line = rest; {
		case !quote:
			r.text = append(r.text, '\n')
			return true
		case len(line) > 0 && line[0] == '"':
			r.text, line = append(r.text, '"'), line[1:]
		case len(line) > 0 && line[0] == r.separator:
			r.close()
			r.quoted, line = false, line[1:]
		case len(bytes.TrimLeft(line, " \t")) == 0:
			r.close()
			r.quoted = false
			return true
		case !first:
			return false
		default:
			r.text = append(r.text, '"')
		}
	}
}

// close ends a cell. Of those behind the last column that may be there is only the number.
func (r *rows) close() {
	if r.count++; r.count > maxColumns {
		r.text = r.text[:r.ends[maxColumns-1]]
		return
	}
	r.ends = append(r.ends, len(r.text))
}

// share makes the cells' texts, with one allocation for all.
func (r *rows) share() {
	text, from := string(r.text), 0
	for _, end := range r.ends {
		r.cells = append(r.cells, text[from:end])
		from = end
	}
}
