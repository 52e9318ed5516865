package ingest

import "fmt"

// outcome is how the scan of a value ended.
type outcome int

const (
	whole  outcome = iota // the value ends
	short                 // the text ends before the value does
	broken                // it is not JSON
)

// expect is what may come next.
type expect int

const (
	expectValue expect = iota
	expectFirst        // a value or the end of the list
	expectName
	expectFirstName // a name or the end of the object
	expectColon
	expectComma // or the end of the object or list
)

var expected = [...]string{"a value", `a value or "]"`, "a name in quotes", `a name in quotes or "}"`, `":"`, `"," or "}"`}

// scanner finds where a JSON value ends, and what the members of an object say about it. It is strict about brackets, commas, colons
// and texts, so it stops at the first byte that does not fit; numbers and escapes are left to the decoder. Its memory is one byte
// for each open bracket.
type scanner struct {
	open    []byte // the brackets that are open
	next    expect
	at      int // behind the value, or where it breaks
	text    int // where the last text begins
	reason  string
	members members
}

// value scans the value that begins at d[from].
func (s *scanner) value(d []byte, from int) outcome {
	s.open, s.next = s.open[:0], expectValue
	return s.scan(d, from, 0)
}

// member scans the name that begins at d[from], the colon and the value behind it.
func (s *scanner) member(d []byte, from int) outcome {
	s.open, s.next = append(s.open[:0], '{'), expectName
	return s.scan(d, from, 1)
}

// scan scans until a value has ended inside so many brackets.
func (s *scanner) scan(d []byte, from, depth int) outcome {
	s.at, s.text, s.reason, s.members = from, from, "", members{}
	for {
		if s.at = skipBlanks(d, s.at); s.at >= len(d) {
			s.members.settle()
			return short
		}
		c := d[s.at]
		switch got := s.token(d, c); {
		case got == broken:
			s.members.breaks(len(s.open), c)
			return broken
		case got == short:
			s.members.settle()
			return short
		case len(s.open) == depth && s.next == expectComma:
			return whole
		}
	}
}

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func skipBlanks(d []byte, i int) int {
	for i < len(d) && blank(d[i]) {
		i++
	}
	return i
}

// token reads one token; whole means that it fits.
func (s *scanner) token(d []byte, c byte) outcome {
	value := s.next == expectValue || s.next == expectFirst
	switch {
	case c == '"' && (value || s.next == expectName || s.next == expectFirstName):
		return s.quoted(d)
	case (c == '{' || c == '[') && value:
		s.members.opens(len(s.open), c, s.at+1)
		s.open = append(s.open, c)
		s.next = expectFirst
		if c == '{' {
			s.next = expectFirstName
		}
	case c == '}' && (s.next == expectComma || s.next == expectFirstName) && s.inside('{'),
		c == ']' && (s.next == expectComma || s.next == expectFirst) && s.inside('['):
		s.open = s.open[:len(s.open)-1]
		s.members.closes(len(s.open))
		s.next = expectComma
	case c == ',' && s.next == expectComma:
		s.next = expectValue
		if s.inside('{') {
			s.next = expectName
		}
	case c == ':' && s.next == expectColon:
		s.next = expectValue
	case value && wordByte[c]:
		return s.word(d)
	default:
		return s.breaks(d, s.at)
	}
	s.at++
	return whole
}

func (s *scanner) inside(bracket byte) bool {
	return len(s.open) > 0 && s.open[len(s.open)-1] == bracket
}

// quoted reads a text, which is a name or a value. It never goes beyond its line.
func (s *scanner) quoted(d []byte) outcome {
	s.text = s.at
	for i := s.at + 1; i < len(d); i++ {
		switch d[i] {
		case '"':
			if s.next == expectName || s.next == expectFirstName {
				s.members.name(len(s.open), d[s.at+1:i])
				s.next = expectColon
			} else {
				s.members.scalar(len(s.open))
				s.next = expectComma
			}
			s.at = i + 1
			return whole
		case '\\':
			i++
		case '\n':
			s.at = i
			s.reason = "a text is not closed at the end of the line"
			return broken
		}
	}
	return short
}

// wordByte are the bytes of numbers, true, false and null.
var wordByte = func() (is [256]bool) {
	for _, c := range []byte("0123456789+-.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		is[c] = true
	}
	return is
}()

// word reads a number, true, false or null.
func (s *scanner) word(d []byte) outcome {
	i := s.at
	for i < len(d) && wordByte[d[i]] {
		i++
	}
	word := d[s.at:i]
	if c := word[0]; c != '-' && (c < '0' || c > '9') && string(word) != "true" && string(word) != "false" && string(word) != "null" {
		if i == len(d) && i-s.at < len("false") {
			return short
		}
		return s.breaks(d, s.at)
	}
	if i == len(d) {
		return short
	}
	s.members.scalar(len(s.open))
	s.at, s.next = i, expectComma
	return whole
}

// breaks notes what was expected and what was found.
func (s *scanner) breaks(d []byte, at int) outcome {
	what := expected[s.next]
	if s.next == expectComma && s.inside('[') {
		what = `"," or "]"`
	}
	s.reason = fmt.Sprintf("expected %s, found %s", what, found(d[at:]))
	return broken
}

// found names what a text begins with.
func found(d []byte) string {
	switch c := d[0]; {
	case c == 0:
		return "a NUL byte"
	case c == '\n' || c == '\r':
		return "the end of the line"
	case c == '"':
		return "a quote"
	case wordByte[c]:
		n := 0
		for n < len(d) && wordByte[d[n]] {
			n++
		}
		return fmt.Sprintf("%.20q", d[:n])
	case c < 0x20 || c >= 0x7f:
		return fmt.Sprintf("the byte 0x%02x", c)
	default:
		return `"` + string(c) + `"`
	}
}
