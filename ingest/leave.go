package ingest

import "bytes"

// tellHole tells of NUL bytes that have been gone over.
func (s *splitter) tellHole(b *Block) {
	if s.nuls > 0 {
		b.Bad = append(b.Bad, hole(len(b.Records), s.nulLine, s.nuls))
		s.nuls = 0
	}
}

// skipNULs goes over NUL bytes: a file that was truncated while its writer went on at its old place begins with them.
func (s *splitter) skipNULs(d []byte, p int) int {
	n := len(d[p:]) - len(bytes.TrimLeft(d[p:], "\x00"))
	if s.nuls == 0 {
		s.nulLine = s.line
	}
	s.nuls += int64(n)
	return p + n
}

// long is how far a value has been read that is left out.
type long struct {
	depth   int
	quoted  bool
	escaped bool
	back    place // where reading goes on behind it
}

// leaveOut names what begins at p and is longer than a record may be, and goes over it: over the line, or the value.
func (s *splitter) leaveOut(b *Block, p int, line bool) int {
	if !s.room(b) {
		return p
	}
	b.Bad = append(b.Bad, tooLong(len(b.Records), s.line, b.Data[p:]))
	s.long = long{back: s.at}
	s.at = inLongValue
	if line {
		s.at = inLongLine
	}
	return s.step(b, p, false)
}

// skipLine goes over what is left of a line.
func (s *splitter) skipLine(d []byte, p int) int {
	end := bytes.IndexByte(d[p:], '\n')
	if end < 0 {
		return len(d)
	}
	s.at = s.long.back
	return p + end
}

// skipValue goes over what is left of a value. Texts end with their line.
func (s *splitter) skipValue(d []byte, p int) int {
	l, i := &s.long, p
	for ; i < len(d); i++ {
		switch c := d[i]; {
		case l.escaped:
			l.escaped = false
		case c == '\\':
			l.escaped = l.quoted
		case c == '"':
			l.quoted = !l.quoted
		case c == '\n':
			l.quoted = false
		case l.quoted:
		case c == '{' || c == '[':
			l.depth++
		case c == '}' || c == ']':
			l.depth--
		}
		if l.depth <= 0 && !l.quoted && !wordByte[d[i]] {
			s.at, s.mid = l.back, true
			i++
			break
		}
	}
	return s.pass(d, p, i)
}
