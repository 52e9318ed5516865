package ingest

import "bytes"

// Where something is broken, no more is set aside than that, and reading goes on at the next place at which a record makes sense:
//
//   - at the next line that begins with a bracket and is not indented deeper than the line in which the broken value begins. So a line
//     that was cut does not take the lines behind it, and the objects inside a broken one are not taken for records;
//   - in a list also within the line: brackets are counted on as if the one bracket, comma or quote were there that is missing, until the
//     broken element ends.

// brokenObject sets aside an object outside lists that is broken.
func (s *splitter) brokenObject(b *Block, p int, got outcome, last bool) int {
	d := b.Data
	to, ok := endOfBroken(d, p, min(s.scan.at, len(d)), s.Indent, last)
	if !ok && wait(d, p, last) {
		return p
	}
	return s.bad(b, p, to, s.why(d, p, got))
}

// brokenElement sets aside an element of a list that is broken.
func (s *splitter) brokenElement(b *Block, p int, got outcome, last bool) int {
	d := b.Data
	why := s.why(d, p, got)
	line, ok := nextElement(d, p, s.Indent, last)
	to, found := s.scan.endOfElement(d[:line], p, last || line < len(d))
	if !found && !ok && wait(d, p, last) {
		return p
	}
	s.Damaged, s.Cut = true, last && to == len(d)
	if to == line && line < len(d) && s.Line == s.Opened {
		if _, deep := lineBegins(d[line:]); deep == 0 { // a line with a list in it was cut; the next one is not of that list
			s.At = atTop
		}
	}
	return s.bad(b, p, max(to, p+1), why)
}

// endOfBroken is where reading goes on behind an object that begins at from and breaks at at: see above. Lines behind that place that go
// on as an object does belong to it.
func endOfBroken(d []byte, from, at, indent int, last bool) (to int, ok bool) {
	for q := from; ; {
		n := bytes.IndexByte(d[q:], '\n')
		if n < 0 {
			return len(d), last
		}
		q += n + 1
		c, deep := lineBegins(d[q:])
		switch {
		case c == ' ' && !last:
			return len(d), false
		case deep > indent || c == '\n':
		case c == '{' || c == '[':
			return q, true
		case q > at && bytes.IndexByte([]byte(`}],":`), c) < 0:
			return q, true
		}
	}
}

// nextElement is the next line at which an element of a list may begin, behind one that begins at from, or the list end.
func nextElement(d []byte, from, indent int, last bool) (line int, ok bool) {
	for q := from; ; {
		n := bytes.IndexByte(d[q:], '\n')
		if n < 0 {
			return len(d), last
		}
		q += n + 1
		c, deep := lineBegins(d[q:])
		switch {
		case c == ' ' && !last:
			return len(d), false
		case (c == '{' || c == '[') && deep <= indent, (c == '}' || c == ']') && deep < indent:
			return q, true
		}
	}
}

// lineBegins is the first byte of a line that is no blank, and how many blanks stand before it; a blank where the text ends.
func lineBegins(line []byte) (c byte, deep int) {
	for deep < len(line) && (line[deep] == ' ' || line[deep] == '\t' || line[deep] == '\r') {
		deep++
	}
	if deep == len(line) {
		return ' ', deep
	}
	return line[deep], deep
}

// endOfElement goes on where the scan of an element broke that begins at from, to the end of that element. Last tells that no more text
// comes.
func (s *scanner) endOfElement(d []byte, from int, last bool) (to int, found bool) {
	depth := len(s.open)
	open := swallowed(d, s.text, s.at) // the quote at the end of the last text begins another one
	if to, found = s.endInText(d, s.text, s.at); found {
		return to, true
	}
	before := lastByte(d[from:min(s.at, len(d))]) // before the token at hand
	first := byte(0)                              // before the text that was the last token
	if before == '"' {
		first = lastByte(d[from:s.text])
	}
	for i := s.at; i < len(d); {
		c, at := d[i], i
		i++
		switch {
		case blank(c):
			continue
		case c == '"':
			first = before
			if i, found = behindText(d, i); !found {
				return len(d), false
			}
			if open = swallowed(d, at, i); open {
				if to, found = s.endInText(d, at, i); found {
					return to, true
				}
			}
		case c == '{' && before != ':' && s.inside('{'), c == ']':
			s.popTo('[')
			if len(s.open) == 0 {
				return at, true
			}
			if c == '{' {
				s.open = append(s.open, c)
			} else {
				s.pop()
			}
		case c == '{' || c == '[':
			s.open = append(s.open, c)
		case c == '}':
			s.popTo('{')
			if s.pop(); len(s.open) == 0 {
				return i, true
			}
		case c == ':' && !s.inside('{'):
			if first != '[' {
				s.popTo('{')
			}
			if !s.inside('{') {
				s.open = append(s.open, '{')
			}
		case c == ',' && len(s.open) == 0:
			return at, true
		case c != ',' && c != ':':
			if i, found = behindWord(d, at, last); open && found {
				i, found = behindText(d, at)
			}
			if !found {
				return len(d), false
			}
			open = false
			if bytes.IndexByte(d[at:i], '\\') >= 0 { // it is inside a text, and so were the brackets before it
				s.open = s.open[:min(len(s.open), depth)]
			}
			c = d[i-1]
		}
		before = c
	}
	return len(d), false
}

func (s *scanner) pop() { s.open = s.open[:max(0, len(s.open)-1)] }

// popTo closes brackets until one of a kind is the innermost.
func (s *scanner) popTo(bracket byte) {
	for len(s.open) > 0 && !s.inside(bracket) {
		s.pop()
	}
}

func lastByte(d []byte) byte {
	d = bytes.TrimRight(d, " \t\r\n")
	if len(d) == 0 {
		return 0
	}
	return d[len(d)-1]
}

// behindText is where a text ends that has begun before i: behind its quote, or with its line.
func behindText(d []byte, i int) (end int, found bool) {
	for ; i < len(d); i++ {
		switch d[i] {
		case '"':
			return i + 1, true
		case '\\':
			i++
		case '\n':
			return i, true
		}
	}
	return len(d), false
}

// behindWord is where something ends that is not JSON. If a text closes with the next quote, this is its end, and its beginning is missing.
func behindWord(d []byte, from int, last bool) (end int, found bool) {
	end = from + 1
	for end < len(d) && bytes.IndexByte([]byte(`",:{}[]`+"\n\\"), d[end]) < 0 {
		end++
	}
	quote, closed := behindText(d, end)
	if closed && d[quote-1] == '"' && bytes.IndexByte([]byte("{[,:"), lastByte(d[from:quote-1])) < 0 {
		return quote, true
	}
	return end, closed || last
}

// swallowed reports whether what was taken for a text, d[from:to], is one whose closing quote is missing: the quote at its end then opens
// the next text, and follows what comes before one.
func swallowed(d []byte, from, to int) bool {
	return to <= len(d) && to-from >= 2 && d[to-1] == '"' && bytes.IndexByte([]byte("{[,:"), lastByte(d[from+1:to-1])) >= 0
}

// endInText counts the brackets in such a text. It gives where the element ends if it ends there.
func (s *scanner) endInText(d []byte, from, to int) (end int, found bool) {
	if !swallowed(d, from, to) {
		return 0, false
	}
	before := byte(0)
	for i := from + 1; i < to-1; i++ {
		c := d[i]
		opening := bytes.IndexByte([]byte("{[,:"), before) >= 0
		switch {
		case blank(c):
			continue
		case c == '\\':
			i++
		case (c == '{' || c == '[') && opening:
			s.open = append(s.open, c)
		case c == '}' && !opening:
			s.popTo('{')
			if s.pop(); len(s.open) == 0 {
				return i + 1, true
			}
		case c == ']' && !opening && bytes.IndexByte(s.open, '[') >= 0:
			s.popTo('[')
			s.pop()
		}
		before = c
	}
	return 0, false
}
