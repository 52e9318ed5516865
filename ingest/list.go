package ingest

import (
	"bytes"
	"fmt"
)

// list reads on in a list of records.
func (s *splitter) list(b *Block, p int, last bool) int {
	switch c := b.Data[p]; {
	case blank(c), c == ',':
		return s.pass(b.Data, p, p+1)
	case c == mark[0]:
		return s.markOr(s.scalar, b, p, last)
	case c == ']':
		return s.close(b, p, last)
	case c == '[' && s.Damaged && s.Margin && s.Indent == 0: // another list: the end of this one is missing
		s.At = atTop
		return s.step(b, p, last)
	case !s.room(b):
		return p
	case c == '}':
		return s.strayBrace(b, p, last)
	case c == '{':
		return s.element(b, p, last)
	}
	return s.scalar(b, p, last)
}

// element reads an object in a list.
func (s *splitter) element(b *Block, p int, last bool) int {
	d := b.Data
	switch got := s.scan.value(d, p); {
	case got == whole:
		to := s.scan.at
		if s.scan.members.envelope() {
			s.nested(b, p, s.scan.members.list)
		} else {
			s.keep(b, p, to, s.Line)
		}
		return s.pass(d, p, to)
	case got == short && wait(d, p, last):
		return p
	case got == short && !last:
		return s.leaveOut(b, p, false)
	default:
		return s.brokenElement(b, p, got, last)
	}
}

// nested reads the records of an envelope that is itself an element of a list. It is whole; envelopes in it are not opened.
func (s *splitter) nested(b *Block, from, i int) {
	d := b.Data
	line := s.Line + bytes.Count(d[from:i], []byte{'\n'})
	for d[i] != ']' {
		if d[i] == ',' || blank(d[i]) {
			if d[i] == '\n' {
				line++
			}
			i++
			continue
		}
		s.scan.value(d, i) // is whole, for what it lies in is
		s.keep(b, i, s.scan.at, line)
		line += bytes.Count(d[i:s.scan.at], []byte{'\n'})
		i = s.scan.at
	}
}

// scalar reads an element of a list that is not an object.
func (s *splitter) scalar(b *Block, p int, last bool) int {
	d := b.Data
	got := s.scan.value(d, p)
	at := min(s.scan.at, len(d))
	behind := skipBlanks(d, at)
	switch {
	case got == short && wait(d, p, last), got == whole && behind == len(d) && wait(d, p, last):
		return p
	case got == short && !last:
		return s.leaveOut(b, p, false)
	case got == whole && (behind == len(d) || d[behind] == ',' || d[behind] == ']'):
		return s.bad(b, p, at, `expected "{", found `+found(d[p:at]))
	case got == whole:
		got, s.scan.at, s.scan.reason = broken, behind, `expected "," or "]", found `+found(d[behind:])
	case d[p] == '"':
		to, ok := textOverLines(d, p)
		switch {
		case ok:
			return s.bad(b, p, to, s.why(d, p, got))
		case to == len(d) && wait(d, p, last):
			return p
		}
	}
	return s.brokenElement(b, p, got, last)
}

// textOverLines is the end of an element that is a text with the ends of lines in it: behind the next quote, where the list goes on
// with an object there, or ends. It is len(d) where the text at hand does not tell.
func textOverLines(d []byte, from int) (to int, ok bool) {
	for i := from + 1; i < len(d); i++ {
		switch d[i] {
		case '\\':
			i++
		case '"':
			behind := skipBlanks(d, i+1)
			if behind < len(d) && d[behind] == ']' {
				return i + 1, true
			}
			next := skipBlanks(d, behind+1)
			if behind == len(d) || next >= len(d) {
				return len(d), false
			}
			return i + 1, d[behind] == ',' && d[next] == '{'
		}
	}
	return len(d), false
}

// close reads the end of a list. In a list with a broken element the bracket may belong to that: then what follows does not fit.
func (s *splitter) close(b *Block, p int, last bool) int {
	next, known := behindOf(b.Data, p+1, last)
	if !known && wait(b.Data, p, last) {
		return p
	}
	if fits := next == '\n' || s.Wraps && (next == ',' || next == '}'); s.Damaged && !fits {
		if !s.room(b) {
			return p
		}
		return s.bad(b, p, p+1, "a bracket too many")
	}
	s.pass(b.Data, p, p+1)
	s.At, s.Mid = atTop, true
	if s.Wraps {
		s.At = behindList
	}
	return p + 1
}

// behindOf is the next byte in the line; the end of the input ends a line.
func behindOf(d []byte, i int, last bool) (c byte, known bool) {
	for i < len(d) && blank(d[i]) && d[i] != '\n' {
		i++
	}
	if i < len(d) {
		return d[i], true
	}
	return '\n', last
}

// strayBrace reads a brace that stands in a list in the place of an element. At the end of a line it is that of an envelope whose list
// is not closed.
func (s *splitter) strayBrace(b *Block, p int, last bool) int {
	next, known := behindOf(b.Data, p+1, last)
	switch {
	case !known && wait(b.Data, p, last):
		return p
	case s.Wraps && next == '\n':
		s.bad(b, p, p+1, `expected "]" before the end of the envelope, found "}"`)
		s.At, s.Mid = atTop, true
		return p + 1
	}
	s.Damaged = true
	return s.bad(b, p, p+1, "a bracket too many")
}

// behind reads on among the members behind the records of an envelope.
func (s *splitter) behind(b *Block, p int, last bool) int {
	d := b.Data
	switch {
	case blank(d[p]) || d[p] == ',':
		return s.pass(d, p, p+1)
	case d[p] == '}':
		return s.leaveEnvelope(d, p, last)
	case !s.room(b):
		return p
	case (d[p] == '{' || d[p] == '[') && s.Margin && s.Indent == 0:
		b.Bad = append(b.Bad, notJSON(len(b.Records), s.Line, fmt.Sprintf("the envelope of the list that opens in line %d is not closed", s.Opened), nil))
		s.At = atTop
		return s.step(b, p, last)
	}
	got := s.scan.member(d, p)
	m := &s.scan.members
	switch {
	case got == short && wait(d, p, last):
		return p
	case m.list > 0 && m.filled:
		return s.enter(d, p, m.list, true) // one more
	case got == whole:
		return s.pass(d, p, s.scan.at)
	case got == short && !last:
		return s.leaveOut(b, p, false)
	}
	to, ok := endOfBroken(d, p, min(s.scan.at, len(d)), s.Indent, last)
	if !ok && wait(d, p, last) {
		return p
	}
	s.At, s.Mid = atTop, true
	return s.bad(b, p, to, s.why(d, p, got))
}

// leaveEnvelope reads the end of an envelope. In one with a broken element the brace may belong to that: then more elements follow.
func (s *splitter) leaveEnvelope(d []byte, p int, last bool) int {
	next, known := behindOf(d, p+1, last)
	if !known && wait(d, p, last) {
		return p
	}
	s.pass(d, p, p+1)
	s.At, s.Mid = atTop, true
	if s.Damaged && next == ',' {
		s.At = inList
	}
	return p + 1
}
