package ingest

import "context"

// Raw is one record's own bytes and where they lay.
type Raw struct {
	Bytes []byte
	File  string
	Line  int
}

// Refused is a part of a source that is not a record, for the dead letters.
type Refused struct {
	Bad
	File string
}

// Batch is what a source hands over: records, what is not a record, and the position after them.
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
	// Run delivers until the source has ended or ctx does. Stored are the positions stored last, by their keys; what lies before
	// them has been stored. The source keeps the map.
	Run(ctx context.Context, stored map[string][]byte, deliver Deliver) error
}
