package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"

	"noroshi/internal/decode"
)

// text fills blocks from JSON text. A window of it is read into the block itself, in which the records then lie.
type text struct {
	from  *bufio.Reader
	split *splitter
	rest  []byte // of the window before
	grow  bool   // the rest is the beginning of what the window before did not hold
	err   error  // of the input
}

func (t *text) fill(b *Block) error {
	b.Data = append(b.Data, t.rest...)
	for {
		least := blockSize / 2
		if t.grow {
			least = max(least, 2*len(b.Data))
		}
		t.read(b, least)
		end := t.split.split(b, errors.Is(t.err, io.EOF))
		t.grow = !t.split.full
		t.rest = append(t.rest[:0], b.Data[end:]...)
		if t.err != nil && !errors.Is(t.err, io.EOF) && !t.split.full {
			t.damage(b)
		}
		if len(b.Records)+len(b.Bad) > 0 || t.err != nil {
			t.split.mark(b, end)
			if t.split.full {
				return nil
			}
			return t.err
		}
		b.Data = append(b.Data[:0], t.rest...)
	}
}

// read reads until the window holds so much.
func (t *text) read(b *Block, least int) {
	for t.err == nil && len(b.Data) < least {
		b.Data = slices.Grow(b.Data, blockSize+decode.Slack)
		n := 0
		n, t.err = t.from.Read(b.Data[len(b.Data) : len(b.Data)+blockSize])
		b.Data = b.Data[:len(b.Data)+n]
	}
}

// damage sets aside what an input leaves that breaks off with an error.
func (t *text) damage(b *Block) {
	if len(bytes.TrimSpace(t.rest)) > 0 {
		b.Bad = append(b.Bad, Bad{Before: len(b.Records), Line: t.split.Line, Reason: BadJSON, Detail: Damaged, Bytes: bytes.Clone(t.rest[:min(len(t.rest), MaxRecord)])})
	}
	t.rest = nil
}

// mark ends the window and puts a 0 behind each record.
func (s *splitter) mark(b *Block, end int) {
	b.Data = append(b.Data[:end], 0)
	for _, i := range s.joined {
		r := &b.Records[i]
		from := len(b.Data)
		b.Data = append(append(b.Data, b.Data[r.From:r.To]...), 0)
		r.From, r.To = uint32(from), uint32(len(b.Data)-1)
	}
	for _, to := range s.ends {
		b.Data[to] = 0
	}
}

// formatOf is how JSON text is written whose beginning is at hand: lines, to which more may be added, or one document. It is for those who
// follow a file; how the text is split does not depend on it.
func formatOf(head []byte) string {
	s := newSplitter()
	text := bytes.TrimLeft(head, " \t\r\n\x00")
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return "ndjson"
	}
	got := s.scan.value(text, 0)
	end := bytes.IndexByte(text, '\n')
	switch {
	case text[0] == '[', s.scan.members.envelope() && (end < 0 || len(bytes.TrimSpace(text[end:])) == 0):
		return "json"
	case end < 0 || s.scan.at <= end:
		return "ndjson"
	case got == broken:
		if next, _ := endOfBroken(text, 0, min(s.scan.at, len(text)), 0, false); next == end+1 {
			return "ndjson"
		}
	}
	return "json"
}
