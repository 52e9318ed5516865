package ingest

import (
	"bytes"
	"fmt"
)

// where in the text the splitter stands.
type where int

const (
	atTop       where = iota // outside lists and envelopes
	inList                   // of records
	behindList               // of an envelope: the members behind its records
	inLongLine               // which is left out
	inLongValue              // which is left out
)

// state is how far a splitter has come. It can be stored, to go on at the same byte.
type state struct {
	At      where `json:"at"`
	Wraps   bool  `json:"wraps,omitempty"`   // the list is a member of an envelope
	Damaged bool  `json:"damaged,omitempty"` // an element of the list was broken,
	Cut     bool  `json:"cut,omitempty"`     // by the end of the input
	Opened  int   `json:"opened,omitempty"`  // the line in which the list opens
	Mid     bool  `json:"mid,omitempty"`     // the line at hand has had a value
	Line    int   `json:"line"`              // at hand, from 1
	Indent  int   `json:"indent,omitempty"`  // of that line, in bytes
	Margin  bool  `json:"margin,omitempty"`  // only blanks have come of it
	NULs    int64 `json:"nuls,omitempty"`    // of the hole at hand
	NULLine int   `json:"nul_line,omitempty"`
	Long    long  `json:"long,omitzero"`
}

// splitter finds the records of JSON text: objects one a line or over several lines, lists of them, and envelopes, in any mixture. It
// looks at one window of the text after the other. What does not end in a window is looked at again with more of the text, so each
// part of the text is read the same wherever it lies.
type splitter struct {
	state
	scan       scanner
	maxRecords int   // of a block; 0 is no bound
	maxBad     int   // of a block
	full       bool  // the block has reached one of them
	open       bool  // the text has ended within a list
	bracket    int   // the next [ of the window
	ends       []int // of records, to be marked
	joined     []int // records whose end is the beginning of the next one
}

func newSplitter() *splitter {
	return &splitter{state: state{Line: 1, Margin: true}, maxBad: maxBadBlock}
}

// maxBadBlock is how many parts of a block may be bad.
const maxBadBlock = 1000

// split puts the records of a window into its block and gives where in it reading goes on: at its end, or before what does not end in
// it or has no room in the block. Last tells that no more text comes.
func (s *splitter) split(b *Block, last bool) int {
	s.bracket, s.full, s.ends, s.joined = -1, false, s.ends[:0], s.joined[:0]
	p := 0
	for p < len(b.Data) {
		if b.Data[p] != 0 {
			s.tellHole(b)
		}
		next := s.step(b, p, last)
		if next == p {
			break
		}
		p = next
	}
	if last && p == len(b.Data) {
		s.finish(b)
	}
	return p
}

// step reads on at p, by at least one byte. It gives p where more of the text, or another block, is needed.
func (s *splitter) step(b *Block, p int, last bool) int {
	if b.Data[p] == 0 && (s.At == atTop || s.At == inList || s.At == behindList) {
		return s.skipNULs(b.Data, p)
	}
	switch s.At {
	case inList:
		return s.list(b, p, last)
	case behindList:
		return s.behind(b, p, last)
	case inLongLine:
		return s.skipLine(b.Data, p)
	case inLongValue:
		return s.skipValue(b.Data, p)
	}
	if !s.Mid {
		if next := s.lines(b, p, last); next > p || s.full {
			return next
		}
	}
	switch c := b.Data[p]; {
	case blank(c), c == ',' && s.Mid:
		return s.pass(b.Data, p, p+1)
	case c == '[':
		return s.array(b, p, last)
	case c == '{':
		return s.object(b, p, last)
	case c == mark[0]:
		return s.markOr(s.garbage, b, p, last)
	}
	return s.garbage(b, p, last)
}

// pass goes over d[from:to] and keeps the number and the indentation of the line.
func (s *splitter) pass(d []byte, from, to int) int {
	if n := bytes.Count(d[from:to], []byte{'\n'}); n > 0 {
		s.Line += n
		s.Indent, s.Margin, s.Mid = 0, true, false
		from += bytes.LastIndexByte(d[from:to], '\n') + 1
	}
	for ; from < to && s.Margin; from++ {
		if s.Margin = d[from] == ' ' || d[from] == '\t'; s.Margin {
			s.Indent++
		}
	}
	return to
}

// markOr goes over a byte order mark; anything else is read by other.
func (s *splitter) markOr(other func(*Block, int, bool) int, b *Block, p int, last bool) int {
	switch rest := b.Data[p:]; {
	case bytes.HasPrefix(rest, mark):
		return p + len(mark)
	case !last && bytes.HasPrefix(mark, rest):
		return p
	}
	return other(b, p, last)
}

// wait reports whether more of the text is to be waited for, which a record may still fill.
func wait(d []byte, p int, last bool) bool { return !last && len(d)-p <= MaxRecord }

// room reports whether the block has room for one more.
func (s *splitter) room(b *Block) bool {
	s.full = s.maxRecords > 0 && len(b.Records) >= s.maxRecords || len(b.Bad) >= s.maxBad
	return !s.full
}

// keep takes d[from:to] as a record.
func (s *splitter) keep(b *Block, from, to, line int) {
	if to-from > MaxRecord {
		b.Bad = append(b.Bad, tooLong(len(b.Records), line, b.Data[from:to]))
		return
	}
	if n := len(b.Records); n > 0 && int(b.Records[n-1].To) == from {
		s.joined = append(s.joined, n-1)
		s.ends = s.ends[:len(s.ends)-1]
	}
	s.ends = append(s.ends, to)
	b.Records = append(b.Records, Span{uint32(from), uint32(to), line})
}

// bad sets b.Data[from:to] aside and goes on behind it.
func (s *splitter) bad(b *Block, from, to int, detail string) int {
	b.Bad = append(b.Bad, notJSON(len(b.Records), s.Line, detail, bytes.TrimRight(b.Data[from:to], " \t\r\n")))
	return s.pass(b.Data, from, to)
}

// why tells what is wrong with the value at from that the scanner has left.
func (s *splitter) why(d []byte, from int, got outcome) string {
	if got == short {
		return "it is not closed at the end of the input"
	}
	at := min(s.scan.at, len(d))
	if n := bytes.Count(d[from:at], []byte{'\n'}); n > 0 {
		return fmt.Sprintf("%s in line %d", s.scan.reason, s.Line+n)
	}
	return fmt.Sprintf("%s at byte %d", s.scan.reason, at-from)
}

// object reads an object that stands outside lists. A line that begins and ends as an object does is a record, or an envelope.
func (s *splitter) object(b *Block, p int, last bool) int {
	d := b.Data
	if !s.room(b) {
		return p
	}
	end := bytes.IndexByte(d[p:], '\n')
	if end < 0 && wait(d, p, last) {
		return p
	}
	line := d[p:]
	if end >= 0 {
		line = d[p : p+end]
	}
	line = bytes.TrimRight(line, " \t\r")
	closed := !s.Mid && (end >= 0 || last) && line[len(line)-1] == '}'
	got := s.scan.value(d, p)
	at := min(s.scan.at, len(d)) - p // within the value
	switch {
	case got == short && wait(d, p, last):
		return p
	case s.scan.members.envelope() && (got == whole || s.scan.members.filled):
		return s.enter(d, p, s.scan.members.list, true)
	case closed && at < len(line), got == whole && at == len(line):
		s.keep(b, p, p+len(line), s.Line) // the decoder tells what is wrong with it
		at = len(line)
	case got == whole:
		s.keep(b, p, p+at, s.Line)
	case got == short && !last:
		return s.leaveOut(b, p, end < 0)
	default:
		return s.brokenObject(b, p, got, last)
	}
	s.pass(d, p, p+at)
	s.Mid = true
	return p + at
}

// enter goes into a list whose first element is looked for at from.
func (s *splitter) enter(d []byte, p, from int, wraps bool) int {
	s.pass(d, p, from)
	s.At, s.Wraps, s.Damaged, s.Opened = inList, wraps, false, s.Line
	return from
}

// array goes into a list, where what follows its bracket can be an element of one.
func (s *splitter) array(b *Block, p int, last bool) int {
	d := b.Data
	i := skipBlanks(d, p+1)
	switch {
	case i == len(d) && wait(d, p, last):
		return p
	case i == len(d) || bytes.IndexByte([]byte(`{]["`), d[i]) >= 0:
		return s.enter(d, p, p+1, false)
	}
	got := s.scan.value(d, i)
	behind := skipBlanks(d, s.scan.at)
	switch {
	case got == short && wait(d, p, last), got == whole && behind == len(d) && wait(d, p, last):
		return p
	case got == whole && behind < len(d) && (d[behind] == ',' || d[behind] == ']'):
		return s.enter(d, p, p+1, false)
	}
	return s.garbage(b, p, last)
}

// garbage sets the rest of a line aside.
func (s *splitter) garbage(b *Block, p int, last bool) int {
	if !s.room(b) {
		return p
	}
	end := bytes.IndexByte(b.Data[p:], '\n')
	switch {
	case end >= 0:
		end += p
	case wait(b.Data, p, last):
		return p
	case !last:
		return s.leaveOut(b, p, true)
	default:
		end = len(b.Data)
	}
	return s.bad(b, p, end, `expected "{", found `+found(b.Data[p:end]))
}

// finish tells what the end of the text leaves open.
func (s *splitter) finish(b *Block) {
	s.tellHole(b)
	if s.At != inList && s.At != behindList {
		return
	}
	s.open = true
	if !s.Cut {
		b.Bad = append(b.Bad, notJSON(len(b.Records), s.Line, fmt.Sprintf("the list that opens in line %d is not closed at the end of the input", s.Opened), nil))
	}
	s.At = atTop
}
