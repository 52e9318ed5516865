package ingest

import "bytes"

// tellHole tells of NUL bytes that have been gone over.
func (s *splitter) tellHole(b *Block) {
	if s.NULs > 0 {
		b.Bad = append(b.Bad, hole(len(b.Records), s.NULLine, s.NULs))
		s.NULs = 0
	}
}

// skipNULs goes over NUL bytes: a file that was truncated while its writer went on at its old place begins with them.
func (s *splitter) skipNULs(d []byte, p int) int {
	n := len(d[p:]) - len(bytes.TrimLeft(d[p:], "\x00"))
	if s.NULs == 0 {
		s.NULLine = s.Line
	}
	s.NULs += int64(n)
	return p + n
}

// long is how far a value has been read that is left out.
type long struct {
	Depth   int   `json:"depth,omitempty"`
	Quoted  bool  `json:"quoted,omitempty"`
	Escaped bool  `json:"escaped,omitempty"`
	Back    where `json:"back,omitempty"` // where reading goes on behind it
}

// leaveOut names what begins at p and is longer than a record may be, and goes over it: over the line, or the value.
func (s *splitter) leaveOut(b *Block, p int, line bool) int {
	if !s.room(b) {
		return p
	}
	b.Bad = append(b.Bad, tooLong(len(b.Records), s.Line, b.Data[p:]))
	s.Long = long{Back: s.At}
	s.At = inLongValue
	if line {
		s.At = inLongLine
	}
	return s.step(b, p, false)
}

// skipLine goes over what is left of a line.
func (s *splitter) skipLine(d []byte, p int) int {
	end := bytes.IndexByte(d[p:], '\n')
	if end < 0 {
		return len(d)
	}
	s.At = s.Long.Back
	return p + end
}

// skipValue goes over what is left of a value. Texts end with their line.
func (s *splitter) skipValue(d []byte, p int) int {
	l, i := &s.Long, p
	for ; i < len(d); i++ {
		switch c := d[i]; {
		case l.Escaped:
			l.Escaped = false
		case c == '\\':
			l.Escaped = l.Quoted
		case c == '"':
			l.Quoted = !l.Quoted
		case c == '\n':
			l.Quoted = false
		case l.Quoted:
		case c == '{' || c == '[':
			l.Depth++
		case c == '}' || c == ']':
			l.Depth--
		}
		if l.Depth <= 0 && !l.Quoted && !wordByte[d[i]] {
			s.At, s.Mid = l.Back, true
			i++
			break
		}
	}
	return s.pass(d, p, i)
}
