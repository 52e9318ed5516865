package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"noroshi/internal/diag"
)

// input is a file to read, or stdin.
type input struct {
	name string
	from io.ReadCloser
	size int64 // 0 where it is unknown
	err  error // why it cannot be read; then it is empty
}

// open opens the files named; none, or -, is stdin. One that cannot be opened does not stop the others. Reading ends with ctx, also
// where nothing comes through a pipe.
func open(ctx context.Context, s Streams, names []string) (all []input) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, n := range expand(names) {
		if n == "-" {
			if f, ok := s.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				fmt.Fprintln(s.Err, "reading stdin; Ctrl-D ends it")
			}
			all = append(all, input{name: "stdin", from: io.NopCloser(&breakable{ctx: ctx, from: s.In})})
			continue
		}
		all = append(all, openFile(ctx, n))
	}
	return all
}

func openFile(ctx context.Context, name string) input {
	unread := func(err error) input {
		return input{name: name, from: io.NopCloser(strings.NewReader("")), err: err}
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		return unread(fmt.Errorf("%s is a folder; expected files, such as %s", name, filepath.Join(name, "*.json")))
	}
	var f *os.File
	var failure error
	if err := orEnd(ctx, func() { f, failure = os.Open(name) }); err != nil { // a pipe opens when somebody writes into it
		return unread(err)
	}
	if failure != nil {
		return unread(diag.Unopened(name, failure))
	}
	if err == nil && info.Mode().IsRegular() {
		return input{name: name, from: f, size: info.Size()}
	}
	return input{name: name, from: struct {
		io.Reader
		io.Closer
	}{&breakable{ctx: ctx, from: f}, f}}
}

// orEnd waits for do, but not longer than ctx lives: then do is left to itself.
func orEnd(ctx context.Context, do func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// breakable is an input whose reading ends with ctx. A read of a terminal or a pipe knows no context: one that is under way when ctx
// ends is left behind, with a buffer of its own, and ends with the process.
type breakable struct {
	ctx  context.Context
	from io.Reader
	buf  []byte
	rest []byte // of buf
	err  error
}

// breakableRead is how much is read at a time.
const breakableRead = 256 << 10

func (b *breakable) Read(p []byte) (n int, err error) {
	if len(b.rest) == 0 && b.err == nil {
		if b.buf == nil {
			b.buf = make([]byte, breakableRead)
		}
		buf := b.buf
		var read int
		var failure error
		if err := orEnd(b.ctx, func() { read, failure = b.from.Read(buf) }); err != nil {
			b.err = err
			return 0, err
		}
		b.rest, b.err = buf[:read], failure
	}
	n = copy(p, b.rest)
	b.rest = b.rest[n:]
	if len(b.rest) == 0 && b.err != nil {
		return n, b.err
	}
	return n, nil
}
