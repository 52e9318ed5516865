// Package ingest splits what a source delivers into single records.
package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"noroshi/internal/decode"
)

// The bounds of reading.
const (
	MaxRecord = decode.MaxRecord
	maxWindow = 64 << 20 // of zstd
	blockSize = 256 << 10
	peekSize  = 64 << 10
)

// Span is where a record lies in its block: Data[From:To], and Data[To] is 0.
type Span struct {
	From, To uint32
	Line     int // of the input, at which the record begins; from 1
}

// Block is a run of whole records of one input. It is filled again and again, so nothing of it outlives the next fill.
type Block struct {
	Data    []byte // at least decode.Slack bytes can be read behind each record
	Records []Span
	Bad     []Bad
	Seq     int // blocks of an input are numbered from 0
}

func (b *Block) reset() { b.Data, b.Records, b.Bad = b.Data[:0], b.Records[:0], b.Bad[:0] }

// Bytes are the bytes of a record.
func (b *Block) Bytes(i int) []byte {
	s := b.Records[i]
	return b.Data[s.From:s.To]
}

// Input is one file or stream. Its methods may be called from several goroutines.
type Input struct {
	name   string
	mu     sync.Mutex
	read   *counter
	from   *bufio.Reader
	fill   func(*Block) error // one block; io.EOF at the end
	seq    int
	err    error
	format string
	split  *splitter // nil: of a table
}

type counter struct {
	from io.Reader
	n    atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// Open recognises, by content alone, JSON text and tables, plain or compressed with gzip or zstd. JSON text is objects, one a line or over
// several, lists of them, and envelopes {"records":[…]} and {"value":[…]}, in any mixture. Tables are separated by comma, semicolon or
// tab: a Purview export with a column AuditData, or rows with a column that says what was done. The error is a *Foreign where the input
// is not a log at all.
func Open(name string, from io.Reader) (*Input, error) {
	in := &Input{name: name, read: &counter{from: from}}
	in.from = bufio.NewReaderSize(in.read, peekSize)
	zipped, err := in.unzip()
	if err == nil && zipped {
		again := false
		if again, err = in.unzip(); again {
			err = errors.New("it is compressed twice; unpack it once")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	in.decode16()
	if err := in.refuse(); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	in.sniff()
	return in, nil
}

// unzip puts the decompressor in front where the input is compressed.
func (in *Input) unzip() (bool, error) {
	head, _ := in.from.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in.from)
		if err != nil {
			return true, errors.New("the gzip header is damaged or cut off")
		}
		in.from = bufio.NewReaderSize(z, peekSize)
		return true, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in.from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return true, errors.New("the zstd header is damaged or cut off")
		}
		in.from = bufio.NewReaderSize(z, peekSize)
		return true, nil
	}
	return false, nil
}

// decode16 turns UTF-16 with a byte order mark, as older PowerShell writes it, into UTF-8.
func (in *Input) decode16() {
	head, _ := in.from.Peek(4)
	if wide32(head) {
		return
	}
	head = head[:min(len(head), 2)]
	if bytes.Equal(head, []byte{0xff, 0xfe}) || bytes.Equal(head, []byte{0xfe, 0xff}) {
		in.from = bufio.NewReaderSize(transform.NewReader(in.from, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()), peekSize)
	}
}

var mark = []byte("\ufeff")

// sniff chooses how the input is split.
func (in *Input) sniff() {
	head, _ := in.from.Peek(peekSize)
	if bytes.HasPrefix(head, mark) {
		_, _ = in.from.Discard(len(mark))
		head = head[len(mark):]
	}
	if layout, table := layoutOf(bytes.TrimLeft(head, " \t\r\n")); table {
		in.format = "csv"
		in.fill = newTable(in.from, layout).fill
		return
	}
	in.format = formatOf(head)
	t := &text{from: in.from, split: newSplitter()}
	in.fill, in.split = t.fill, t.split
}

// Format is how the input is split: ndjson, json or csv.
func (in *Input) Format() string { return in.format }

// Unclosed reports that the input has ended within a list. It is known when Next has given false.
func (in *Input) Unclosed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.split != nil && in.split.open
}

// BytesRead is how much of the file, compressed as it is, has been read.
func (in *Input) BytesRead() int64 { return in.read.n.Load() }

// Next fills the block with the next records; false at the end of the input. A damaged input gives all records before the
// damage, then the error.
func (in *Input) Next(b *Block) (bool, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	b.reset()
	if in.err != nil {
		return false, in.failure()
	}
	in.err = in.fill(b)
	b.Data = append(b.Data, slack[:]...)
	b.Seq = in.seq
	if len(b.Records)+len(b.Bad) == 0 && in.err != nil {
		return false, in.failure()
	}
	in.seq++
	return true, nil
}

var slack [decode.Slack]byte

func (in *Input) failure() error {
	if errors.Is(in.err, io.EOF) && !errors.Is(in.err, io.ErrUnexpectedEOF) {
		return nil
	}
	return &damage{in.name, in.BytesRead(), in.err}
}

// Damaged is what is said of the piece at which an input breaks off, which the error behind it explains.
const Damaged = "the input is damaged here"

// damage is where an input cannot be read on.
type damage struct {
	name  string
	at    int64
	cause error
}

// Error says it without the words of the readers of compressed data.
func (d *damage) Error() string {
	var e *fs.PathError
	switch {
	case errors.As(d.cause, &e):
		return fmt.Sprintf("read %s: byte %d: %v", d.name, d.at, e.Err)
	case errors.Is(d.cause, io.ErrUnexpectedEOF):
		return fmt.Sprintf("%s is cut off after byte %d; the records before are read", d.name, d.at)
	}
	return fmt.Sprintf("%s is damaged near byte %d; the records before are read", d.name, d.at)
}

// Unwrap gives the cause.
func (d *damage) Unwrap() error { return d.cause }
