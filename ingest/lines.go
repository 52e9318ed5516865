package ingest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"noroshi/internal/decode"
)

// lines splits an input into lines. It is the fast way: a record is not looked at, only found.
type lines struct {
	from  *bufio.Reader
	rest  []byte // the beginning of a line that goes on in the next block
	line  int    // lines before rest
	skip  bool   // in a line that is too long
	audit bool
}

func (l *lines) fill(b *Block) error {
	b.Data = append(b.Data, l.rest...)
	l.rest = l.rest[:0]
	searched := 0
	var err error
	for {
		if cap(b.Data)-len(b.Data) < blockSize+decode.Slack {
			b.Data = append(make([]byte, 0, 2*cap(b.Data)+2*blockSize), b.Data...)
		}
		n := 0
		n, err = l.from.Read(b.Data[len(b.Data) : len(b.Data)+blockSize])
		b.Data = b.Data[:len(b.Data)+n]
		if err != nil || len(b.Data) >= blockSize/2 && bytes.IndexByte(b.Data[searched:], '\n') >= 0 {
			break
		}
		searched = len(b.Data)
		if len(b.Data) > MaxRecord && bytes.IndexByte(b.Data, '\n') < 0 {
			l.tooLong(b)
			searched = 0
		}
	}
	end := bytes.LastIndexByte(b.Data, '\n') + 1
	if err == io.EOF && end < len(b.Data) {
		b.Data = append(b.Data, '\n')
		end = len(b.Data)
	}
	l.rest = append(l.rest, b.Data[end:]...)
	b.Data = b.Data[:end]
	l.split(b)
	if err != nil && err != io.EOF && len(l.rest) > 0 {
		b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: l.line + 1, Reason: decode.BadJSON, Detail: "the input is damaged here", Bytes: bytes.Clone(l.rest)})
		l.rest = nil
	}
	return err
}

// tooLong forgets what has come of a line that passes the limit, once it has been named.
func (l *lines) tooLong(b *Block) {
	if !l.skip {
		l.skip = true
		b.Bad = append(b.Bad, tooLong(len(b.Records), l.line+1, b.Data))
	}
	b.Data = b.Data[:0]
}

func tooLong(before, line int, start []byte) Bad {
	return Bad{Before: before, Line: line, Reason: decode.BadSize, Detail: fmt.Sprintf("longer than %d bytes", MaxRecord), Bytes: bytes.Clone(start[:min(len(start), 1<<10)])}
}

// split finds the records of whole lines.
func (l *lines) split(b *Block) {
	for p, all := 0, len(b.Data); p < all; {
		end := p + bytes.IndexByte(b.Data[p:all], '\n')
		from, to := p, end
		p = end + 1
		l.line++
		if l.skip {
			l.skip = false
			continue
		}
		if to > from && b.Data[from] == mark[0] && bytes.HasPrefix(b.Data[from:to], mark) {
			from += len(mark)
		}
		if to > from && b.Data[to-1] == '\r' {
			to--
		}
		b.Data[to] = 0
		if to-from > MaxRecord {
			b.Bad = append(b.Bad, tooLong(len(b.Records), l.line, b.Data[from:to]))
			continue
		}
		if l.usual(b.Data[from:]) {
			b.Records = append(b.Records, Span{uint32(from), uint32(to), l.line})
			continue
		}
		if len(bytes.TrimLeft(b.Data[from:to], " \t")) == 0 {
			continue
		}
		if l.audit || b.Data[from] == '[' || envelope(b.Data[from:min(to, from+64)]) {
			l.inner(b, from, to)
			continue
		}
		b.Records = append(b.Records, Span{uint32(from), uint32(to), l.line})
	}
}

// usual reports whether a line is a record by its first bytes alone: an object whose first key is that of no envelope.
func (l *lines) usual(line []byte) bool {
	if l.audit || line[0] != '{' || line[1] != '"' {
		return false
	}
	c := line[2]
	return c != 'r' && c != 'v' && c != '@'
}

// inner splits a line that holds several records, or wraps one. They are put behind the line's block.
func (l *lines) inner(b *Block, from, to int) {
	s := inMemory(bytes.Clone(b.Data[from:to]), l.line)
	s.audit = l.audit
	var in Block
	s.all(&in)
	if len(in.Records)+len(in.Bad) == 0 { // an empty array holds nothing
		return
	}
	for _, bad := range in.Bad {
		bad.Before += len(b.Records)
		bad.Line = l.line
		b.Bad = append(b.Bad, bad)
	}
	at := len(b.Data)
	b.Data = append(b.Data, in.Data...)
	for _, r := range in.Records {
		b.Records = append(b.Records, Span{r.From + uint32(at), r.To + uint32(at), l.line})
	}
}
