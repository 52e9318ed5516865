package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// edge is how much of the beginning of a file, and of the end of what has been read, is compared before reading on.
const edge = 256

// kind is how a file is read.
type kind string

// The kinds.
const (
	undecided kind = ""      // there is too little of it to tell
	inLines   kind = "lines" // as it grows
	asWhole   kind = "whole" // from its beginning each time it has changed, less what has been delivered
)

// position is how far a file has been read: the row that is stored. The names of the first eight are as old as the rows.
type position struct {
	Head    string `json:"head"`     // hash of the first bytes,
	HeadLen int    `json:"head_len"` // so many
	Offset  int64  `json:"offset"`   // lines: bytes of whole records delivered
	Line    int    `json:"line"`     // lines: whole lines among them
	Records int    `json:"records"`  // delivered
	Refused int    `json:"refused"`  // parts that are not records, delivered
	Done    bool   `json:"done"`     // whole: read to its end,
	Size    int64  `json:"size"`     // which was after so many bytes

	Kind     kind   `json:"kind,omitempty"`
	Path     string `json:"path,omitempty"`     // where it was listed,
	Real     string `json:"real,omitempty"`     // and where it was last, if elsewhere
	Tail     string `json:"tail,omitempty"`     // hash of the last bytes that were read,
	TailLen  int    `json:"tail_len,omitempty"` // so many
	First    string `json:"first,omitempty"`    // hash of the first record; "": the records are not known
	Sum      uint32 `json:"sum,omitempty"`      // of all records
	Loose    string `json:"loose,omitempty"`    // whole: hash of what was delivered of an unfinished end; not counted above
	State    state  `json:"state,omitempty"`    // lines: where that lies inside a record or a list
	Changed  int64  `json:"changed,omitempty"`  // whole: when it had been changed last
	Of       string `json:"of,omitempty"`       // it is a copy of that file so far
	Gone     bool   `json:"gone,omitempty"`     // it is not there any more, and that has been told
	Dead     bool   `json:"dead,omitempty"`     // it was deleted: a file of the same number is another
	Seen     int64  `json:"seen,omitempty"`     // when this was stored, in seconds since 1970
	Unsummed bool   `json:"unsummed,omitempty"` // read on from a row without sum
}

// state is that of ingest.Growing, as JSON.
type state string

// MarshalJSON implements json.Marshaler.
func (s state) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return []byte(s), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *state) UnmarshalJSON(b []byte) error {
	var small bytes.Buffer
	if err := json.Compact(&small, b); err != nil {
		return err
	}
	if *s = state(small.String()); *s == "null" {
		*s = ""
	}
	return nil
}

// encode is the row.
func (p position) encode() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		return nil // it has no value that could fail
	}
	return b
}

var errRow = errors.New("not the position of a file")

// parsePosition reads a row, also one of before files had kinds.
func parsePosition(row []byte) (p position, err error) {
	if err := json.Unmarshal(row, &p); err != nil {
		return position{}, fmt.Errorf("read position %.200q: %w", row, err)
	}
	if p.Kind == undecided && p.Path == "" {
		p.Kind, p.Unsummed = inLines, true
		if p.Done || p.Records > 0 || p.Refused > 0 || p.Size > 0 {
			p.Kind = asWhole
		}
	}
	sound := p.Kind == inLines || p.Kind == asWhole || p.Kind == undecided
	sound = sound && p.HeadLen >= 0 && p.HeadLen <= edge && p.TailLen >= 0 && p.TailLen <= edge
	sound = sound && p.Offset >= 0 && p.Size >= 0 && p.Line >= 0 && p.Records >= 0 && p.Refused >= 0
	if p.Kind != asWhole {
		sound = sound && int64(max(p.HeadLen, p.TailLen)) <= p.Offset
	}
	if !sound {
		return position{}, fmt.Errorf("read position %.200q: %w", row, errRow)
	}
	return p, nil
}

// keys are those of positions of files.
const keys = "file/"

func (i identity) key() string { return fmt.Sprintf("%s%d/%d", keys, i.device, i.inode) }

func parseKey(key string) (i identity, ok bool) {
	rest, ok := strings.CutPrefix(key, keys)
	if !ok {
		return i, false
	}
	n, err := fmt.Sscanf(rest, "%d/%d", &i.device, &i.inode)
	return i, n == 2 && err == nil && i.key() == key
}

// count adds a record to what has been delivered.
func (p *position) count(record []byte) {
	if p.Records == 0 && !p.Unsummed {
		p.First = hash(record)
	}
	p.Records++
	p.Sum = crc32.Update(crc32.Update(p.Sum, castagnoli, record), castagnoli, newline)
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	newline    = []byte{'\n'}
)

func hash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}
