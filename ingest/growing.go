package ingest

import (
	"encoding/json"
	"slices"
)

// Growing splits JSON text that still grows, such as a file that is followed.
type Growing struct {
	split   *splitter
	block   Block
	records []Raw
}

// NewGrowing makes one that begins at the start of a text. A block of records is at most so many, but for those of one list in a list.
func NewGrowing(maxRecords int) *Growing {
	g := &Growing{split: newSplitter()}
	g.split.maxRecords = maxRecords
	return g
}

// Split gives the records of a text and how much of it is done with. What is left begins a record that the text does not hold as a
// whole, or has no room among these records: it is to come again, with more text behind it. Last tells that there is no more. The text
// is used as memory; the records lie in it, and their list is good until the next call.
func (g *Growing) Split(text []byte, last bool) (records []Raw, bad []Bad, n int) {
	g.block.reset()
	g.block.Data = text
	n = g.split.split(&g.block, last)
	g.records = slices.Grow(g.records[:0], len(g.block.Records))
	for i, s := range g.block.Records {
		g.records = append(g.records, Raw{Bytes: g.block.Bytes(i), Line: s.Line})
	}
	return g.records, g.block.Bad, n
}

// Line is the number of the line in which reading goes on.
func (g *Growing) Line() int { return g.split.Line }

// State is how far the text has been read, beside the number of bytes; nil at the beginning of a line outside lists.
func (g *Growing) State() json.RawMessage {
	s := g.split.state
	if s == (state{Line: s.Line, Margin: true}) {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil // it has no value that could fail
	}
	return b
}

// Restore goes on where a state was taken; without one, at the beginning of a line.
func (g *Growing) Restore(stored json.RawMessage, line int) {
	s := state{}
	if len(stored) == 0 || json.Unmarshal(stored, &s) != nil {
		s = state{Line: line, Margin: true}
	}
	g.split.state = s
}
