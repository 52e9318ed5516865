package ingest

import "bytes"

// lines reads lines that are one object each, which is the fast way: such a line is not looked at, only found. It gives where the first
// line begins that may be something else.
func (s *splitter) lines(b *Block, p int, last bool) int {
	d := b.Data
	for p < len(d) && d[p] == '{' {
		n := bytes.IndexByte(d[p:], '\n')
		if n < 0 {
			break
		}
		end := p + n
		to := end
		if d[to-1] == '\r' {
			to--
		}
		if d[to-1] != '}' || !beginsRecord(d[p:to]) && s.listed(d, p, to) {
			break
		}
		switch next := end + 1; {
		case next < len(d) && d[next] == '{':
		case next == len(d) && !last, next < len(d) && goesOn(d[next:], last):
			return p
		}
		if s.maxRecords > 0 && !s.room(b) {
			break
		}
		if to-p > MaxRecord {
			b.Bad = append(b.Bad, tooLong(len(b.Records), s.Line, d[p:to]))
		} else {
			d[to] = 0
			b.Records = append(b.Records, Span{uint32(p), uint32(to), s.Line})
		}
		s.Line++
		s.Indent, s.Margin = 0, true
		p = end + 1
	}
	return p
}

// goesOn reports whether a line goes on with an object of the line before, as far as its beginning tells.
func goesOn(line []byte, last bool) bool {
	line = bytes.TrimLeft(line, " \t")
	if len(line) == 0 {
		return !last
	}
	return bytes.IndexByte([]byte(`}],":`), line[0]) >= 0
}

// beginsRecord reports whether the first members of an object, all of them plain texts, say what was done and when: then it is a record
// itself, whatever lists it has. Those of the unified audit log do, and need no search for lists.
func beginsRecord(object []byte) bool {
	var own marks
	for i := 1; i < len(object) && object[i] == '"'; i++ {
		name, behind := plainText(object, i+1)
		if behind < 0 || behind+1 >= len(object) || object[behind] != ':' || object[behind+1] != '"' {
			return false
		}
		switch string(name) {
		case "Operation", "Operations", "operationName", "activityDisplayName":
			own.action = true
		case "CreationTime", "CreationDate", "createdDateTime", "activityDateTime", "TimeGenerated":
			own.date = true
		}
		if _, i = plainText(object, behind+2); i < 0 || i >= len(object) || object[i] != ',' {
			return false
		}
		if own.action && own.date {
			return true
		}
	}
	return false
}

// plainText is the text from d[from] to the next quote, and the place behind that; the place is negative where the quote may be escaped.
func plainText(d []byte, from int) (text []byte, behind int) {
	n := bytes.IndexByte(d[from:], '"')
	if n < 0 || n > 0 && d[from+n-1] == '\\' {
		return nil, -1
	}
	return d[from : from+n], from + n + 1
}

// listed reports whether somewhere in a line a list may be named records or value.
func (s *splitter) listed(d []byte, from, to int) bool {
	for {
		if s.bracket < from {
			s.bracket = nextBracket(d, from)
		}
		if s.bracket >= to {
			return false
		}
		if namesRecords(d[from:s.bracket]) {
			return true
		}
		s.bracket = nextBracket(d, s.bracket+1)
	}
}

func nextBracket(d []byte, from int) int {
	if n := bytes.IndexByte(d[from:], '['); n >= 0 {
		return from + n
	}
	return len(d)
}

// namesRecords reports whether a text ends with the name records or value, in whatever case, and a colon.
func namesRecords(text []byte) bool {
	i := len(text) - 1
	for i > 0 && blank(text[i]) {
		i--
	}
	if i < len(`"value":`) || text[i] != ':' {
		return false
	}
	for i--; i > 0 && blank(text[i]); {
		i--
	}
	if text[i] != '"' {
		return false
	}
	text = text[:i]
	switch text[i-1] | 0x20 {
	case 'e':
		return endsIn(text, `"value`)
	case 's':
		return endsIn(text, `"records`)
	}
	return false
}

func endsIn(text []byte, name string) bool {
	return len(text) > len(name) && bytes.EqualFold(text[len(text)-len(name):], []byte(name))
}
