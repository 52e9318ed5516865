package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"noroshi/ingest"
)

// peek is how much of a file is looked at to tell how it is read.
const peek = 64 << 10

var (
	mark   = []byte("\ufeff")
	gzip   = []byte{0x1f, 0x8b}
	zstd   = []byte{0x28, 0xb5, 0x2f, 0xfd}
	little = []byte{0xff, 0xfe} // UTF-16
	big    = []byte{0xfe, 0xff}
)

// decide tells how a file is read, by its content alone. A file is undecided while it is empty, or holds less than its first line,
// or only some of the bytes that tell a format.
func decide(h handle, size int64, e ending) (kind, error) {
	head, err := piece(h, 0, int(min(size, peek)))
	if err != nil || len(head) == 0 {
		return undecided, err
	}
	for _, m := range [][]byte{gzip, zstd, little, big} {
		switch {
		case bytes.HasPrefix(head, m):
			return asWhole, nil
		case bytes.HasPrefix(m, head) && !e.settled:
			return undecided, nil
		}
	}
	if bytes.HasPrefix(mark, head) && !e.settled {
		return undecided, nil
	}
	from := int64(0)
	if head[0] == 0 {
		if from, err = behindHole(h, 0, size); err != nil || from == size {
			return undecided, err
		}
		if head, err = piece(h, from, int(min(size-from, peek))); err != nil {
			return undecided, err
		}
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, mark), blank)
	if len(text) == 0 {
		return undecided, nil
	}
	return decideText(head, text, from+int64(len(head)) == size && !e.settled), nil
}

const blank = " \t\r\n"

// decideText tells how a text is read; more says that its first line may still grow.
func decideText(head, text []byte, more bool) kind {
	line, _, ended := bytes.Cut(text, []byte("\n"))
	switch first := text[0]; {
	case (first == '{' || first == '[') && json.Valid(line): // one record a line, or one list of records
		return inLines
	case first == '{' || first == '[':
	case bytes.IndexByte(text, '\r') >= 0:
		ended = true
	}
	if !ended && more {
		return undecided
	}
	if format(head) == "ndjson" {
		return inLines
	}
	return asWhole
}

func format(head []byte) string {
	in, err := ingest.Open("", bytes.NewReader(head))
	if err != nil {
		return "unknown"
	}
	return in.Format()
}

// rewritten reports whether a file of lines that was rewritten is one list of records now, which may begin with those it had.
func rewritten(h handle, size int64) (bool, error) {
	head, err := piece(h, 0, int(min(size, peek)))
	return len(head) > 0 && format(head) == "json", err
}

// behindHole is where a run of NUL bytes ends, as they are where a file was cut while its writer went on at its old place.
func behindHole(h handle, from, end int64) (int64, error) {
	b := make([]byte, min(1<<20, end-from))
	for from < end {
		n, err := h.ReadAt(b[:min(int64(len(b)), end-from)], from)
		hole := 0
		for hole < n && b[hole] == 0 {
			hole++
		}
		from += int64(hole)
		switch {
		case hole < n:
			return from, nil
		case errors.Is(err, io.EOF):
			return end, nil
		case err != nil:
			return 0, damaged(err)
		}
	}
	return end, nil
}
