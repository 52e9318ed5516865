package ingest

import (
	"bytes"
	"fmt"
)

// The bounds of a message.
const (
	MaxRecords = 10_000 // records
	maxBad     = 100    // parts that are not records
)

// Split splits a message, which lies in memory: most are an envelope, some one record or several. A record's own bytes are unchanged. What
// passes the bounds is one bad part, in a form that can be split again.
func Split(message []byte) (records [][]byte, bad []Bad) {
	message = bytes.TrimRight(bytes.TrimLeft(bytes.TrimPrefix(message, mark), " \t\r\n"), " \t\r\n")
	s := newSplitter()
	if s.alone(message) {
		return [][]byte{message}, nil
	}
	s.maxRecords, s.maxBad = MaxRecords, maxBad
	b := Block{Data: bytes.Clone(message)}
	end := s.split(&b, true)
	if end < len(message) {
		s.tooMany(&b, message[end:])
	}
	s.mark(&b, end)
	for i := range b.Records {
		records = append(records, b.Bytes(i))
	}
	return records, b.Bad
}

// alone reports whether a message is one record in one line.
func (s *splitter) alone(message []byte) bool {
	n := len(message)
	return n > 0 && n <= MaxRecord && message[0] == '{' && message[n-1] == '}' && bytes.IndexByte(message, '\n') < 0 && !s.listed(message, 0, n)
}

// tooMany sets what is left of a message aside as one part.
func (s *splitter) tooMany(b *Block, rest []byte) {
	detail := fmt.Sprintf("more than %d records in one message", MaxRecords)
	if len(b.Records) < MaxRecords {
		detail = fmt.Sprintf("more than %d parts of one message are not records", maxBad)
	}
	open := ""
	switch {
	case s.At == inList && s.Wraps:
		open = `{"records":[`
	case s.At == inList:
		open = "["
	}
	part := append([]byte(open), rest...)
	b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: s.Line, Reason: BadCount, Detail: detail, Bytes: part[:min(len(part), MaxRecord)]})
}
