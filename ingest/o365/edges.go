package o365

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

	"noroshi/ingest"
)

// unzipped is an answer's content, whatever its headers say of it: by its first bytes it is gzip or not.
func unzipped(from io.Reader) (io.Reader, error) {
	r := bufio.NewReaderSize(from, 64<<10)
	if head, _ := r.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return r, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("its gzip header is damaged: %w", err)
	}
	return z, nil
}

// edges sees the last byte of a text that is not blank, and ends a text that is too long.
type edges struct {
	from   io.Reader
	most   int64
	read   int64
	last   byte
	passed bool
}

// Read implements io.Reader.
func (e *edges) Read(p []byte) (int, error) {
	n, err := e.from.Read(p)
	if e.read += int64(n); e.read > e.most {
		e.passed = true
		return 0, io.EOF
	}
	if text := bytes.TrimRight(p[:n], " \t\r\n"); len(text) > 0 {
		e.last = text[len(text)-1]
	}
	return n, err
}

// open opens a list of records.
func (e *edges) open() (*ingest.Input, error) {
	r := bufio.NewReaderSize(e, 64<<10)
	for {
		c, err := r.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: it is empty", errUnreadable)
		case err != nil:
			return nil, err
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xef || c == 0xbb || c == 0xbf:
			continue
		case c != '[':
			head, _ := r.Peek(20)
			if c == '<' {
				return nil, fmt.Errorf("%w: expected \"[\", found a web page; look for a proxy between here and the API", errUnreadable)
			}
			return nil, fmt.Errorf("%w: expected \"[\", found %.40q", errUnreadable, append([]byte{c}, head...))
		}
		if err := r.UnreadByte(); err != nil {
			return nil, err
		}
		in, err := ingest.Open("the blob", r)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUnreadable, err)
		}
		return in, nil
	}
}
