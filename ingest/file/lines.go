package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"noroshi/ingest"
	"noroshi/internal/decode"
)

// reasonHole is that of a hole of NUL bytes.
const reasonHole decode.Reason = "nul"

// lines goes over the lines of a file from a position on.
type lines struct {
	s    *Source
	file *file
	from handle
	end  int64 // how far
	ending
	silent bool              // nothing is handed over
	after  func(*lines) bool // called after each line; false ends the reading

	at         position
	head, tail []byte // up to at, less pending
	pending    []byte // read since, of one chunk
	batch      ingest.Batch
	size       int
}

func (s *Source) lines(f *file, h handle, e ending) *lines {
	return &lines{s: s, file: f, from: h, end: f.stat.size, ending: e, at: f.at, head: bytes.Clone(f.head), tail: bytes.Clone(f.tail)}
}

// readLines delivers the lines that have come, and tells whether an unfinished one was left.
func (s *Source) readLines(ctx context.Context, f *file, h handle, e ending) (waiting bool, err error) {
	r := s.lines(f, h, e)
	waiting, err = r.run(ctx)
	if err == nil {
		err = r.flush(ctx)
	}
	return waiting, err
}

// errEnough ends a reading.
var errEnough = errors.New("enough has been read")

func (r *lines) run(ctx context.Context) (waiting bool, err error) {
	for r.at.Offset < r.end {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		chunk, err := r.chunk()
		if err != nil {
			return false, damaged(err)
		}
		n, err := r.step(ctx, chunk)
		if err != nil || n == 0 {
			return true, err
		}
		if err := r.flush(ctx); err != nil { // the next chunk comes into the same memory
			return false, err
		}
	}
	return false, nil
}

// chunk reads up to the end, or so much that a line ends in it, or more than a record may have.
func (r *lines) chunk() (b []byte, err error) {
	for size := int64(batchBytes); ; size *= 2 {
		n := min(size, r.end-r.at.Offset)
		if int64(cap(r.s.buf)) < n {
			r.s.buf = make([]byte, n)
		}
		got, err := r.from.ReadAt(r.s.buf[:n], r.at.Offset)
		if errors.Is(err, io.EOF) && int64(got) < n {
			return nil, errChanged
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		b = r.s.buf[:n]
		if r.at.Offset+n == r.end || bytes.IndexByte(b, '\n') >= 0 || n > ingest.MaxRecord {
			return b, nil
		}
	}
}

// step takes what can be taken of a chunk, and tells how much that was.
func (r *lines) step(ctx context.Context, chunk []byte) (n int, err error) {
	if n := holeLen(chunk); n > 0 && !r.at.Open && !r.at.Skip {
		return r.hole(chunk, n)
	}
	n = bytes.LastIndexByte(chunk, '\n') + 1
	if n > 0 {
		return n, r.take(ctx, chunk[:n])
	}
	all := r.at.Offset+int64(len(chunk)) == r.end
	switch {
	case all && r.last, all && whole(chunk):
		return len(chunk), r.take(ctx, chunk)
	case all && len(chunk) <= ingest.MaxRecord:
		return 0, nil
	}
	r.tooLong(chunk)
	return len(chunk), nil
}

// whole reports whether a line without its end holds whole objects: what can come behind them is nothing of theirs.
func whole(line []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(line, mark), " \t\r")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[') && json.Valid(text)
}

// behindHole is where a run of NUL bytes ends.
func behindHole(h handle, from, end int64) (int64, error) {
	b := make([]byte, min(1<<20, end-from))
	for from < end {
		n, err := h.ReadAt(b[:min(int64(len(b)), end-from)], from)
		hole := holeLen(b[:n])
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

func holeLen(b []byte) (n int) {
	for n < len(b) && b[n] == 0 {
		n++
	}
	return n
}

// hole goes over a run of NUL bytes, as it is where a file was cut while its writer went on at its old place. At the end of a file
// something may still be written into it.
func (r *lines) hole(chunk []byte, n int) (int, error) {
	if n == len(chunk) && !r.last {
		behind, err := behindHole(r.from, r.at.Offset+int64(n), r.end)
		if err != nil || behind == r.end {
			return 0, err
		}
	}
	if !r.at.Hole {
		r.refuse(ingest.Bad{Line: r.at.Line + 1, Reason: reasonHole, Detail: "a hole of NUL bytes; reading goes on behind it"})
	}
	r.at.Hole = n == len(chunk)
	r.advance(chunk[:n])
	return n, nil
}

func (r *lines) refuse(bad ingest.Bad) {
	r.at.Refused++
	if !r.silent {
		r.batch.Refused = append(r.batch.Refused, ingest.Refused{Bad: bad, File: r.file.name()})
	}
}

// tooLong names a line that passes the limit, once, and goes over what there is of it.
func (r *lines) tooLong(chunk []byte) {
	if !r.at.Skip {
		detail := fmt.Sprintf("longer than %d bytes", ingest.MaxRecord)
		r.refuse(ingest.Bad{Line: r.at.Line + 1, Reason: decode.BadSize, Detail: detail, Bytes: bytes.Clone(chunk[:min(len(chunk), 1<<10)])})
	}
	r.at.Skip = true
	r.advance(chunk)
}

// advance moves the position over bytes.
func (r *lines) advance(b []byte) {
	r.at.Offset += int64(len(b))
	if len(r.pending) == 0 {
		r.pending = b
		return
	}
	r.pending = r.pending[:len(r.pending)+len(b)] // they lie behind each other
}

// take reads lines, of which the last may have no end.
func (r *lines) take(ctx context.Context, all []byte) error {
	for len(all) > 0 {
		n := bytes.IndexByte(all, '\n') + 1
		ended := n > 0
		if !ended {
			n = len(all)
		}
		r.line(all[:n], ended)
		all = all[n:]
		if r.after != nil && !r.after(r) {
			return errEnough
		}
		if len(r.batch.Records) >= batchRecords || r.size >= batchBytes {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *lines) line(b []byte, ended bool) {
	if !r.at.Open {
		r.at.Line++
	}
	skip := r.at.Skip
	r.at.Open, r.at.Skip, r.at.Hole = !ended, skip && !ended, false
	r.advance(b)
	r.size += len(b)
	if skip {
		return
	}
	records, bad := ingest.Split(b)
	for _, rec := range records {
		r.at.count(rec)
		if !r.silent {
			r.batch.Records = append(r.batch.Records, ingest.Raw{Bytes: rec, File: r.file.name(), Line: r.at.Line})
		}
	}
	for _, one := range bad {
		one.Line = r.at.Line
		r.refuse(one)
	}
}

// absorb makes head and tail those of the position.
func (r *lines) absorb() {
	r.head = append(r.head, r.pending[:min(len(r.pending), edge-len(r.head))]...)
	if len(r.pending) >= edge {
		r.tail = r.tail[:0]
	}
	r.tail = append(r.tail, r.pending[max(0, len(r.pending)-edge):]...)
	r.tail = r.tail[max(0, len(r.tail)-edge):]
	r.pending = nil
}

// flush hands over what has been read, if what lay before it is still there: then it is of the same file.
func (r *lines) flush(ctx context.Context) error {
	r.absorb()
	if r.silent || r.at == r.file.at {
		return nil
	}
	same, err := r.file.intact(r.from)
	if err == nil && !same {
		err = errChanged
	}
	if err != nil {
		return err
	}
	err = r.s.store(ctx, r.file, r.batch, r.at, bytes.Clone(r.head), bytes.Clone(r.tail))
	r.at = r.file.at
	r.batch, r.size = ingest.Batch{}, 0
	return err
}
