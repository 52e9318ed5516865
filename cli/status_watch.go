package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	"golang.org/x/term"

	"noroshi/ingest/feed"
	"noroshi/internal/app"
	"noroshi/internal/diag"
)

// What a terminal is told. The table has a screen of its own, so that what stood there before is there again at the end.
const (
	ownScreen   = "\x1b[?1049h\x1b[?25l"
	backAgain   = "\x1b[?25h\x1b[?1049l"
	fromTheTop  = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
	leastWidth  = 20
	leastHeight = 3
)

// live shows the status again and again, until ctx ends: on a terminal always in the same place, elsewhere one after the other.
type live struct {
	s     Streams
	every time.Duration
	read  func(ctx context.Context) ([]app.Status, error)
	print func(s Streams, all []app.Status) error
	size  func() (width, height int) // of the terminal; nil for a file or a pipe
}

// sizeOf tells the size of a terminal; it is nil for a file or a pipe.
func sizeOf(to io.Writer) func() (width, height int) {
	out, ok := to.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	return func() (width, height int) {
		width, height, err := term.GetSize(int(out.Fd()))
		if err != nil {
			return 80, 24
		}
		return width, height
	}
}

// run shows the status until ctx ends, which is no fault. What cannot be read is told in its place, and tried again.
func (l *live) run(ctx context.Context) (err error) {
	if l.size != nil {
		if _, err := io.WriteString(l.s.Out, ownScreen); err != nil {
			return failed{err}
		}
		defer func() { _, _ = io.WriteString(l.s.Out, backAgain) }() // a terminal that has gone needs it no more
	}
	for {
		var text bytes.Buffer
		all, err := l.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			fmt.Fprintf(&text, "the status cannot be read, and is tried again: %s\n", diag.EscapeLine(l.s.Secrets.Hide(err.Error())))
		case len(all) == 0:
			fmt.Fprintln(&text, "no instance has told its status within the hour")
		default:
			to := l.s
			to.Out, to.Err = &text, &text
			if err := l.print(to, all); err != nil {
				return err
			}
		}
		if err := l.show(text.String()); err != nil {
			return failed{err}
		}
		if feed.Pause(ctx, l.every) != nil {
			return nil
		}
	}
}

func (l *live) look(ctx context.Context) ([]app.Status, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	return l.read(ctx)
}

func (l *live) show(text string) error {
	if l.size == nil {
		_, err := io.WriteString(l.s.Out, text)
		return err
	}
	width, height := l.size()
	width, height = max(width, leastWidth), max(height, leastHeight)
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	last := fmt.Sprintf("%s, each %v; Ctrl-C ends", at(l.s.Now()), l.every)
	if more := len(lines) - (height - 1); more > 0 {
		lines = lines[:height-1]
		last = fmt.Sprintf("%s more below; %s", plural(more, "line"), last)
	}
	var b strings.Builder
	b.WriteString(fromTheTop)
	for _, line := range lines {
		b.WriteString(cutAt(line, width) + clearLine + "\r\n")
	}
	b.WriteString(cutAt(last, width) + clearLine + clearBelow)
	_, err := io.WriteString(l.s.Out, b.String())
	return err
}

// cutAt cuts a line at the width of a terminal.
func cutAt(line string, width int) string {
	if uniseg.StringWidth(line) <= width {
		return line
	}
	var b strings.Builder
	left, state := width-1, -1
	for rest := line; len(rest) > 0; {
		var one string
		var w int
		one, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if left -= w; left < 0 {
			break
		}
		b.WriteString(one)
	}
	return b.String() + "…"
}
