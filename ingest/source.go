package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// Raw is one record's own bytes and where they lay.
type Raw struct {
	Bytes []byte
	File  string
	Line  int
}

// Refused is a piece of a source that is no record, for the dead letters.
type Refused struct {
	Bad
	File string
}

// Batch is what a source hands over: records, what is none, and the position after them.
type Batch struct {
	Records  []Raw
	Refused  []Refused
	Key      string // of the position
	Position []byte // JSON
}

// Deliver stores a batch. When it returns nil all of it is stored; until then it may be delivered again. It blocks while there
// is no room. It is called from one goroutine of the source.
type Deliver func(ctx context.Context, b Batch) error

// Source is where records come from.
type Source interface {
	// Run delivers until the source has ended or ctx does. Position gives the position stored last under a key, nil where there
	// is none; what lies before it has been stored.
	Run(ctx context.Context, position func(key string) []byte, deliver Deliver) error
}

// SplitLine splits a line: most are one record, some an envelope of several.
func SplitLine(line []byte) (records [][]byte, bad []Bad) {
	line = bytes.TrimPrefix(bytes.TrimRight(line, "\r\n"), mark)
	switch {
	case len(bytes.TrimLeft(line, " \t")) == 0:
		return nil, nil
	case len(line) > MaxRecord && !envelope(line):
		return nil, []Bad{tooLong(0, 1, line)}
	case line[0] != '[' && !envelope(line) && !bytes.Contains(line, []byte(`"AuditData"`)):
		return [][]byte{line}, nil
	}
	v := &values{from: bufio.NewReader(bytes.NewReader(line)), line: 1, audit: true}
	var b Block
	for {
		err := v.fill(&b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: 1, Detail: err.Error()})
			break
		}
	}
	for i := range b.Records {
		records = append(records, b.Bytes(i))
	}
	return records, b.Bad
}
