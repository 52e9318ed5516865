package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"noroshi/ingest"
)

// lines goes over the records of a file that grows, from a position on.
type lines struct {
	s    *Source
	file *file
	from handle
	end  int64 // how far
	size int64 // of a chunk
	ending
	after func(*lines) bool // called after each record instead of handing it over; false ends the reading

	text       *ingest.Growing
	at         position
	head, tail []byte // up to at
}

// lines is a reading from where a file was left.
func (s *Source) lines(f *file, h handle, e ending) *lines {
	r := &lines{s: s, file: f, from: h, end: f.stat.size, size: batchBytes, ending: e, at: f.at, head: bytes.Clone(f.head), tail: bytes.Clone(f.tail), text: ingest.NewGrowing(batchRecords)}
	r.text.Restore(json.RawMessage(f.at.State), f.at.Line+1)
	return r
}

// survey is a reading from the beginning that hands nothing over. It stops at each record, for which the text ahead is looked through:
// so it begins with small chunks.
func (s *Source) survey(f *file, h handle, after func(*lines) bool) *lines {
	return &lines{s: s, file: f, from: h, end: f.stat.size, size: peek, after: after, at: position{Kind: inLines}, text: ingest.NewGrowing(1)}
}

// readLines delivers the records that have come, and tells whether something unfinished was left.
func (s *Source) readLines(ctx context.Context, f *file, h handle, e ending) (waiting bool, err error) {
	return s.lines(f, h, e).run(ctx)
}

// errEnough ends a reading.
var errEnough = errors.New("enough has been read")

func (r *lines) run(ctx context.Context) (waiting bool, err error) {
	for r.at.Offset < r.end {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		chunk, all, err := r.chunk()
		if err != nil {
			return false, damaged(err)
		}
		from := r.at.Offset
		if err := r.take(ctx, chunk, all); err != nil {
			return false, err
		}
		if all {
			break
		}
		if r.at.Offset == from {
			if r.size *= 2; r.size > 2*batchBytes {
				return false, fmt.Errorf("no record ends in %d bytes", len(chunk)) // it is bounded
			}
		}
	}
	return r.at.Offset < r.end, nil
}

// chunk reads on. All tells that it goes to the end of what is there; NUL bytes at the end are not yet:
// something may still be written into their place.
func (r *lines) chunk() (b []byte, all bool, err error) {
	n := min(r.size, r.end-r.at.Offset)
	if int64(cap(r.s.buf)) < n {
		r.s.buf = make([]byte, n)
	}
	b, err = r.s.buf[:n], nil
	if got, err := r.from.ReadAt(b, r.at.Offset); int64(got) < n {
		if errors.Is(err, io.EOF) {
			err = errChanged
		}
		return nil, false, err
	}
	end := r.at.Offset + n
	if b[n-1] == 0 && !r.last {
		if end, err = behindHole(r.from, end, r.end); end == r.end {
			b = bytes.TrimRight(b, "\x00")
		}
	}
	return b, end == r.end, err
}

// take hands over the records that are whole, in batches.
func (r *lines) take(ctx context.Context, chunk []byte, all bool) error {
	raw := append(r.s.raw[:0], chunk...) // to split it changes it
	r.s.raw = raw
	for {
		records, bad, n := r.text.Split(chunk, all && r.last)
		if n == 0 && len(records)+len(bad) == 0 {
			if !all || len(chunk) == 0 || r.text.State() != nil || !whole(chunk) {
				return nil
			}
			records, bad, n = r.text.Split(chunk, true)
			r.text.Restore(nil, r.text.Line()) // its end is still to come
		}
		b, name := ingest.Batch{Records: records}, r.file.name()
		for i, rec := range records {
			records[i].File = name
			r.at.count(rec.Bytes)
		}
		for _, one := range bad {
			b.Refused = append(b.Refused, ingest.Refused{Bad: one, File: name})
		}
		r.at.Refused += len(bad)
		r.advance(raw[:n])
		chunk, raw = chunk[n:], raw[n:]
		if err := r.give(ctx, b); err != nil {
			return err
		}
	}
}

// whole reports whether a line without its end holds whole objects: what can come behind them is nothing of theirs.
func whole(line []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(line, mark), blank)
	return len(text) > 0 && (text[0] == '{' || text[0] == '[') && json.Valid(text)
}

// advance moves the position over bytes.
func (r *lines) advance(b []byte) {
	r.at.Offset += int64(len(b))
	r.at.Line, r.at.State = r.text.Line()-1, state(r.text.State())
	r.head = append(r.head, b[:min(len(b), edge-len(r.head))]...)
	if len(b) >= edge {
		r.tail = r.tail[:0]
	}
	r.tail = append(r.tail, b[max(0, len(b)-edge):]...)
	r.tail = r.tail[max(0, len(r.tail)-edge):]
}

// give hands over what has been read, if what lay before it is still there: then it is of the same file.
func (r *lines) give(ctx context.Context, b ingest.Batch) error {
	if r.after != nil {
		if !r.after(r) {
			return errEnough
		}
		return nil
	}
	same, err := r.file.intact(r.from)
	if err == nil && !same {
		err = errChanged
	}
	if err != nil {
		return err
	}
	err = r.s.store(ctx, r.file, b, r.at, bytes.Clone(r.head), bytes.Clone(r.tail))
	r.at = r.file.at
	return err
}
