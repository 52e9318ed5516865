package ingest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"noroshi/internal/decode"
)

// values splits JSON values that follow each other, arrays of them and envelopes. Its memory does not grow with the input.
type values struct {
	from   *bufio.Reader
	line   int
	audit  bool
	inside int    // arrays of records that are open: 0 or 1
	wraps  bool   // that array is a member of an envelope
	buf    []byte // the value being read, at most MaxRecord and a little
	over   bool   // it is longer than that
	gather bool   // white space belongs to the value

	whole []byte        // the input where it lies in memory
	left  *bytes.Reader // of it, behind what from has read
	at    int           // where in it the value being read begins
}

// The bounds of a message, which lies in memory.
const (
	MaxRecords = 10_000 // records of one message
	maxBad     = 100    // pieces of one message that are no records
)

// inMemory splits a message, or a line.
func inMemory(whole []byte, line int) *values {
	left := bytes.NewReader(whole)
	return &values{from: bufio.NewReader(left), line: line, audit: true, whole: whole, left: left}
}

// all splits the whole of a message. What passes the bounds, or comes behind a place where the JSON breaks, is one piece that is
// no record, with all its bytes that fit.
func (v *values) all(b *Block) {
	for {
		v.at = len(v.whole) - v.left.Len() - v.from.Buffered()
		switch err := v.next(b); {
		case errors.Is(err, errBreak), errors.Is(err, io.EOF) && (v.inside > 0 || len(v.buf) > 0):
			v.broken(b)
			return
		case err != nil:
			return
		case len(b.Records) >= MaxRecords:
			v.leave(b, BadCount, fmt.Sprintf("more than %d records in one message", MaxRecords))
			return
		case len(b.Bad) >= maxBad:
			v.leave(b, BadCount, fmt.Sprintf("more than %d pieces of one message are no records", maxBad))
			return
		}
	}
}

// BadCount is the reason of what passes the bounds of a message.
const BadCount decode.Reason = "count"

// leave sets what is left aside as one piece, in a form that can be split again. Nothing is done where nothing is left.
func (v *values) leave(b *Block, reason decode.Reason, detail string) {
	rest := v.whole[len(v.whole)-v.left.Len()-v.from.Buffered():]
	rest = bytes.TrimLeft(rest, ", \t\r\n")
	open := ""
	switch {
	case v.wraps:
		open = `{"records":[`
	case v.inside > 0:
		open = "["
	}
	if len(rest) == 0 || rest[0] == ']' || rest[0] == '}' {
		return
	}
	piece := append([]byte(open), rest...)
	b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: v.line, Reason: reason, Detail: detail, Bytes: piece[:min(len(piece), MaxRecord)]})
}

// errBreak is where the input stops being JSON.
var errBreak = errors.New("no JSON from here on")

func (v *values) fill(b *Block) error {
	for len(b.Data) < blockSize && len(b.Bad) < maxBad {
		if err := v.next(b); err != nil {
			if errors.Is(err, errBreak) {
				v.broken(b)
				return io.EOF
			}
			if errors.Is(err, io.EOF) && (v.inside > 0 || len(v.buf) > 0) {
				v.broken(b)
			}
			return err
		}
	}
	return nil
}

func (v *values) broken(b *Block) {
	piece := v.buf[:min(len(v.buf), 1<<10)]
	if v.whole != nil {
		piece = v.whole[v.at:min(len(v.whole), v.at+MaxRecord)]
	}
	b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: v.line, Reason: decode.BadJSON, Detail: "the JSON breaks off here", Bytes: bytes.Clone(piece)})
	v.buf, v.inside = nil, 0
}

// next reads one value, or goes into or out of an array.
func (v *values) next(b *Block) error {
	v.buf, v.over = v.buf[:0], false
	c, err := v.blank()
	if err != nil {
		return err
	}
	switch {
	case c == '[' && v.inside == 0:
		v.inside = 1
		return nil
	case c == ']' && v.inside > 0:
		v.inside = 0
		if v.wraps {
			v.wraps = false
			return v.rest()
		}
		return nil
	case c == ',' && v.inside > 0:
		return nil
	case c == '{' && v.inside == 0:
		return v.object(b, v.line)
	}
	line := v.line
	if err := v.value(c, 0); err != nil {
		return err
	}
	v.keep(b, line)
	return nil
}

// blank is the next byte that is no white space.
func (v *values) blank() (byte, error) {
	for {
		c, err := v.from.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n', ' ', '\t', '\r':
			if c == '\n' {
				v.line++
			}
			if v.gather {
				v.put(c)
			}
		case 0xef: // a byte order mark between values
			if rest, err := v.from.Peek(2); err == nil && bytes.Equal(rest, mark[1:]) {
				_, _ = v.from.Discard(2)
				continue
			}
			return c, nil
		default:
			return c, nil
		}
	}
}

// object reads a record, or goes into an envelope: an object whose first member, OData's own apart, is an array records or value.
func (v *values) object(b *Block, line int) error {
	v.put('{')
	v.gather = true
	defer func() { v.gather = false }()
	first := true
	for {
		c, err := v.blank()
		if err != nil {
			return err
		}
		switch {
		case c == '}':
			v.put(c)
			v.keep(b, line)
			return nil
		case c == ',':
			v.put(c)
			continue
		case c != '"':
			return errBreak
		}
		at := len(v.buf)
		if err := v.value(c, 1); err != nil {
			return err
		}
		key := string(v.buf[min(at, len(v.buf)):])
		if c, err = v.blank(); err != nil {
			return err
		}
		if c != ':' {
			return errBreak
		}
		v.put(c)
		if c, err = v.blank(); err != nil {
			return err
		}
		if first && c == '[' && (key == `"records"` || key == `"value"`) {
			v.inside, v.wraps, v.buf = 1, true, v.buf[:0]
			return nil
		}
		if !bytes.HasPrefix([]byte(key), []byte(`"@odata.`)) {
			first = false
		}
		if err := v.value(c, 1); err != nil {
			return err
		}
	}
}

// rest goes over the members after an envelope's records.
func (v *values) rest() error {
	for {
		c, err := v.blank()
		if err != nil {
			return err
		}
		if c == '}' {
			v.buf = v.buf[:0]
			return nil
		}
		v.buf, v.over = v.buf[:0], false
		if c == ',' || c == ':' {
			continue
		}
		if err := v.value(c, 1); err != nil {
			return err
		}
	}
}

func (v *values) put(c byte) {
	if len(v.buf) > MaxRecord {
		v.over = true
		return
	}
	v.buf = append(v.buf, c)
}

// value reads a value whose first byte is c into the buffer, strict about texts and brackets alone: the projector checks the rest.
func (v *values) value(c byte, depth int) error {
	start := depth
	for {
		v.put(c)
		switch c {
		case '"':
			if err := v.text(); err != nil {
				return err
			}
		case '{', '[':
			depth++ // the projector has a bound
		case '}', ']':
			if depth--; depth < start {
				return errBreak
			}
		case '\n':
			v.line++
		}
		if depth == start && (c == '"' || c == '}' || c == ']') {
			return nil
		}
		if depth == start {
			if next, err := v.from.Peek(1); err != nil || bytes.IndexByte([]byte(",]} \t\r\n:"), next[0]) >= 0 {
				return nil
			}
		}
		var err error
		if c, err = v.from.ReadByte(); err != nil {
			return err
		}
	}
}

// text reads the rest of a text.
func (v *values) text() error {
	for {
		c, err := v.from.ReadByte()
		if err != nil {
			return err
		}
		v.put(c)
		switch c {
		case '"':
			return nil
		case '\\':
			if c, err = v.from.ReadByte(); err != nil {
				return err
			}
			v.put(c)
		case '\n':
			v.line++
		}
	}
}

// keep puts the value read into the block.
func (v *values) keep(b *Block, line int) {
	rec := v.buf
	switch {
	case v.over || len(rec) > MaxRecord:
		b.Bad = append(b.Bad, tooLong(len(b.Records), line, rec))
		v.buf = v.buf[:0]
		return
	case len(rec) == 0 || rec[0] != '{':
		b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: line, Reason: decode.BadJSON, Detail: fmt.Sprintf("%.40q is no object", rec), Bytes: bytes.Clone(rec[:min(len(rec), 1<<10)])})
		v.buf = v.buf[:0]
		return
	}
	if v.audit {
		rec = unwrap(rec)
	}
	from := len(b.Data)
	b.Data = append(append(b.Data, rec...), 0)
	b.Records = append(b.Records, Span{uint32(from), uint32(from + len(rec)), line})
	v.buf = v.buf[:0]
}

// unwrap is the record in the member AuditData, JSON in text, of a row that Search-UnifiedAuditLog gives.
func unwrap(row []byte) []byte {
	var r struct{ AuditData *string }
	if json.Unmarshal(row, &r) != nil || r.AuditData == nil || !bytes.HasPrefix(bytes.TrimSpace([]byte(*r.AuditData)), []byte("{")) {
		return row
	}
	return []byte(*r.AuditData)
}
