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
	text *ingest.Growing
}

// openReading opens a file and finds where it was left.
func openReading(path string, stored func(string) []byte) (*reading, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &reading{path: path, file: f, text: ingest.NewGrowing(batchRecords)}
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
	r.text.Restore(p.State, p.Line+1)
	return nil
}

// begin starts the file from its beginning.
func (r *reading) begin() {
	r.at = position{}
	r.text.Restore(nil, 1)
}

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

// lines delivers the records that are whole from the position on; with last also the rest.
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
		if err := r.deliver(ctx, deliver, chunk, end && last); err != nil || end {
			return err
		}
	}
}

// chunk reads from the position on, more than a record may be long; end tells that the file goes no further.
func (r *reading) chunk() (b []byte, end bool, err error) {
	if r.buf == nil {
		r.buf = make([]byte, batchBytes)
	}
	n, err := r.file.ReadAt(r.buf, r.at.Offset)
	if end = errors.Is(err, io.EOF); end {
		err = nil
	}
	return r.buf[:n], end, err
}

// deliver hands over what is whole of a chunk, in batches.
func (r *reading) deliver(ctx context.Context, deliver ingest.Deliver, chunk []byte, last bool) error {
	for {
		records, bad, n := r.text.Split(chunk, last)
		if n == 0 && len(records)+len(bad) == 0 {
			return nil
		}
		b := ingest.Batch{Records: records}
		for i := range records {
			records[i].File = r.path
		}
		for _, one := range bad {
			b.Refused = append(b.Refused, ingest.Refused{Bad: one, File: r.path})
		}
		chunk = chunk[n:]
		r.at.Offset += int64(n)
		r.at.Line, r.at.State = r.text.Line()-1, r.text.State()
		if err := r.send(ctx, deliver, b); err != nil {
			return err
		}
	}
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
