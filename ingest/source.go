package ingest

import (
	"bytes"
	"context"
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

// Split splits a message: most are an envelope, some one record or several. A record's own bytes are unchanged. Bounds are
// MaxRecord and MaxRecords.
func Split(message []byte) (records [][]byte, bad []Bad) {
	message = bytes.TrimRight(bytes.TrimLeft(bytes.TrimPrefix(message, mark), " \t\r\n"), " \t\r\n")
	switch {
	case len(message) == 0:
		return nil, nil
	case message[0] != '[' && !envelope(message) && bytes.IndexByte(message, '\n') < 0 && !bytes.Contains(message, []byte(`"AuditData"`)):
		if len(message) > MaxRecord {
			return nil, []Bad{tooLong(0, 1, message)}
		}
		return [][]byte{message}, nil
	}
	var b Block
	inMemory(message, 1).all(&b)
	for i := range b.Records {
		records = append(records, b.Bytes(i))
	}
	return records, b.Bad
}
