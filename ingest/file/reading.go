package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"noroshi/ingest"
	"noroshi/internal/decode"
)

// headLen is how much of a file's beginning it is known by.
const headLen = 256

// reading is one file and how far it has been read.
type reading struct {
	path string
	file *os.File
	info os.FileInfo
	key  string
	at   position
	once bool
	buf  []byte
	skip bool // in a line that is too long
}

// openReading opens a file and finds where it was left.
func openReading(path string, stored func(string) []byte) (*reading, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &reading{path: path, file: f}
	if r.info, err = f.Stat(); err == nil {
		r.key = keyOf(r.info)
		err = r.restore(stored(r.key))
	}
	if err == nil {
		r.once, err = isOnce(f)
	}
	if err != nil {
		_ = f.Close() // the first error is the one to tell
		return nil, err
	}
	return r, nil
}

func keyOf(info os.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("file/%d/%d", s.Dev, s.Ino)
	}
	return "file/" + info.Name()
}

// restore takes a stored position where the file still begins as it did.
func (r *reading) restore(stored []byte) error {
	var p position
	if stored == nil || json.Unmarshal(stored, &p) != nil {
		r.begin()
		return nil
	}
	head, err := r.head(p.HeadLen)
	if err != nil {
		return err
	}
	if head != p.Head || r.info.Size() < p.Offset {
		r.begin()
		return nil
	}
	r.at = p
	return nil
}

// begin starts the file from its beginning.
func (r *reading) begin() { r.at, r.skip = position{}, false }

// head is the hash of the first bytes, as many as are asked for.
func (r *reading) head(n int) (string, error) {
	b := make([]byte, n)
	if _, err := r.file.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8]), nil
}

// isOnce reports whether a file is no growing file of lines.
func isOnce(f *os.File) (bool, error) {
	head := make([]byte, 4)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if n == 0 {
		return false, nil
	}
	in, err := ingest.Open(f.Name(), io.NewSectionReader(f, 0, 1<<62))
	if err != nil {
		return true, nil // whole says what is wrong
	}
	return in.Format() != "ndjson" || bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), nil
}

// lines delivers the whole lines from the position on; with last also the rest.
func (r *reading) lines(ctx context.Context, deliver ingest.Deliver, last bool) error {
	if r.once {
		return nil
	}
	if info, err := r.file.Stat(); err == nil && info.Size() < r.at.Offset {
		r.begin() // truncated
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk, end, err := r.chunk()
		if err != nil {
			return fmt.Errorf("read %s: %w", r.path, err)
		}
		n := bytes.LastIndexByte(chunk, '\n') + 1
		switch {
		case n == 0 && end && (!last || len(chunk) == 0):
			return nil
		case n == 0 && end:
			n = len(chunk)
		case n == 0:
			if err := r.tooLong(ctx, deliver, chunk); err != nil {
				return err
			}
			continue
		}
		if err := r.deliver(ctx, deliver, chunk[:n]); err != nil {
			return err
		}
		if end && n == len(chunk) {
			return nil
		}
	}
}

// chunk reads from the position on; end tells that the file goes no further.
func (r *reading) chunk() (b []byte, end bool, err error) {
	for size := batchBytes; ; size *= 2 {
		if cap(r.buf) < size {
			r.buf = make([]byte, size)
		}
		n, err := r.file.ReadAt(r.buf[:size], r.at.Offset)
		end = errors.Is(err, io.EOF)
		if err != nil && !end {
			return nil, false, err
		}
		b = r.buf[:n]
		if end || bytes.IndexByte(b, '\n') >= 0 || n > ingest.MaxRecord {
			return b, end, nil
		}
	}
}

// tooLong names a line that passes the limit, once, and goes over what there is of it.
func (r *reading) tooLong(ctx context.Context, deliver ingest.Deliver, chunk []byte) error {
	b := ingest.Batch{}
	if !r.skip {
		b.Refused = []ingest.Refused{{Bad: ingest.Bad{Line: r.at.Line + 1, Reason: decode.BadSize, Detail: fmt.Sprintf("longer than %d bytes", ingest.MaxRecord), Bytes: bytes.Clone(chunk[:1<<10])}, File: r.path}}
	}
	r.skip = true
	r.at.Offset += int64(len(chunk))
	return r.send(ctx, deliver, b)
}

// deliver hands whole lines over, in batches.
func (r *reading) deliver(ctx context.Context, deliver ingest.Deliver, lines []byte) error {
	b, size := ingest.Batch{}, 0
	for len(lines) > 0 {
		n := bytes.IndexByte(lines, '\n') + 1
		if n == 0 {
			n = len(lines)
		}
		line := lines[:n]
		lines = lines[n:]
		r.at.Offset += int64(n)
		r.at.Line++
		if r.skip {
			r.skip = false
			continue
		}
		records, bad := ingest.Split(line)
		for _, rec := range records {
			b.Records = append(b.Records, ingest.Raw{Bytes: rec, File: r.path, Line: r.at.Line})
		}
		for _, one := range bad {
			one.Line = r.at.Line
			b.Refused = append(b.Refused, ingest.Refused{Bad: one, File: r.path})
		}
		if size += n; len(b.Records) >= batchRecords || size >= batchBytes {
			if err := r.send(ctx, deliver, b); err != nil {
				return err
			}
			b, size = ingest.Batch{}, 0
		}
	}
	return r.send(ctx, deliver, b)
}

// send delivers a batch with the position after it.
func (r *reading) send(ctx context.Context, deliver ingest.Deliver, b ingest.Batch) error {
	n := int(min(headLen, r.at.Offset))
	head, err := r.head(n)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.path, err)
	}
	r.at.Head, r.at.HeadLen = head, n
	b.Key, b.Position = r.key, r.at.encode()
	return deliver(ctx, b)
}

// whole delivers a file that is read once, without what has been delivered.
func (r *reading) whole(ctx context.Context, deliver ingest.Deliver) error {
	info, err := r.file.Stat()
	if err != nil {
		return fmt.Errorf("read %s: %w", r.path, err)
	}
	if r.at.Done && info.Size() <= r.at.Size {
		return nil
	}
	r.info, r.at.Done, r.at.Size = info, false, info.Size()
	in, err := ingest.Open(r.path, io.NewSectionReader(r.file, 0, r.info.Size()))
	if err != nil {
		return r.finish(ctx, deliver, ingest.Batch{}, err)
	}
	r.at.Offset = min(headLen, r.info.Size())
	var block ingest.Block
	seen, bad := 0, 0
	piece := false // of all that has been read, the last is none
	for {
		more, err := in.Next(&block)
		if err != nil || !more {
			// Should the file grow, it was not whole: then its last piece may be none, the last row of a table may have been half
			// a row, and neither must count for what comes in its place.
			switch {
			case piece:
				r.at.Refused = max(0, r.at.Refused-1)
			case in.Format() == "csv":
				r.at.Records = max(0, r.at.Records-1)
			}
			return r.finish(ctx, deliver, ingest.Batch{}, err)
		}
		piece = len(block.Bad) > 0 && block.Bad[len(block.Bad)-1].Before == len(block.Records)
		b := ingest.Batch{}
		for i, s := range block.Records {
			if seen++; seen > r.at.Records {
				b.Records = append(b.Records, ingest.Raw{Bytes: block.Bytes(i), File: r.path, Line: s.Line})
			}
		}
		for _, one := range block.Bad {
			if bad++; bad > r.at.Refused {
				b.Refused = append(b.Refused, ingest.Refused{Bad: one, File: r.path})
			}
		}
		if len(b.Records)+len(b.Refused) == 0 {
			continue
		}
		r.at.Records, r.at.Refused = seen, bad
		if err := r.send(ctx, deliver, b); err != nil {
			return err
		}
	}
}

// finish marks a file as read. What broke it off is a dead letter of its own.
func (r *reading) finish(ctx context.Context, deliver ingest.Deliver, b ingest.Batch, err error) error {
	if err != nil {
		b.Refused = append(b.Refused, ingest.Refused{Bad: ingest.Bad{Reason: decode.BadJSON, Detail: err.Error()}, File: r.path})
	}
	r.at.Done = true
	r.at.Offset = min(headLen, r.info.Size())
	return r.send(ctx, deliver, b)
}
