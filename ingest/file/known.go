package file

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"noroshi/ingest"
)

// file is a file that is known, and how far it has been read.
type file struct {
	id   identity
	path string // where it was listed last
	real string // where it is, without links
	at   position

	head, tail []byte // what has been read begins and ends with
	hashed     bool   // they are known by their hashes alone
	fresh      bool   // it may be a copy of another
	away       bool   // not looked at before it is listed
	stray      bool   // it is not listed
	passing    bool   // its position is being passed on
	indexed    string // under which first record

	stat    stat      // as it was seen last,
	still   time.Time // and since when
	turn    int       // the last in which it was listed,
	visited int       // and visited

	handle handle
	place  *list.Element // among the open ones

	attended       stat // at which nothing was left to do,
	racy           bool // so soon after a change that the next may look the same
	waiting        bool // its end was not taken: it is looked at again
	again          time.Time
	unfinished     int // the number of its last line, where that has not been finished for a while
	unfinishedTold bool

	passed time.Time     // whole: when it was read last,
	cost   time.Duration // and how long that took
}

// observe takes what the file system tells now.
func (f *file) observe(st stat, now time.Time) {
	if st != f.stat {
		f.stat, f.still = st, now
	}
}

// name is where the file is, for people.
func (f *file) name() string {
	if f.stray {
		return f.real
	}
	return f.path
}

func (f *file) quiet(now time.Time, d time.Duration) bool { return now.Sub(f.still) >= d }

// begin forgets what has been read.
func (f *file) begin() {
	f.at, f.head, f.tail, f.hashed, f.fresh = position{}, nil, nil, false, true
}

// rests reports whether there is nothing to do.
func (f *file) rests(now time.Time) bool {
	return f.attended == f.stat && !f.racy && (!f.waiting || now.Before(f.again))
}

// undelivered is an error of whoever takes the records: it ends the source. Others are those of one file.
type undelivered struct{ error }

func (u undelivered) Unwrap() error { return u.error }

// errChanged is that a file changed while it was being read. The next turn will see it as it is.
var errChanged = errors.New("the file changed while it was being read")

// visit reads on in a file. A fault of the file is for later.
func (s *Source) visit(ctx context.Context, f *file) error {
	f.visited = s.turns
	if s.waits(f.name()) {
		return nil
	}
	err := s.attend(ctx, f)
	var u undelivered
	switch {
	case errors.As(err, &u):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		s.works(f.name())
	case errors.Is(err, errLate), errors.Is(err, errChanged), errors.Is(err, fs.ErrNotExist):
		f.attended = stat{}
		s.left = s.left || !errors.Is(err, errLate) // that one is visited once more
	default:
		f.attended = stat{}
		s.release(f)
		s.fails(f.name(), err)
	}
	return nil
}

func (s *Source) attend(ctx context.Context, f *file) error {
	now := s.now
	deleted := f.stat.links == 0 && f.quiet(now, settle)
	last := !s.config.Follow || f.stray && f.quiet(now, leave) || deleted
	if f.rests(now) && !last {
		s.left = s.left || f.pending(f.quiet(now, settle))
		return nil
	}
	h, err := s.hold(f)
	if err != nil {
		return err
	}
	e := ending{last: last, deleted: deleted, left: last || f.quiet(now, leave), settled: last || f.quiet(now, settle)}
	if f.waiting, err = s.read(ctx, f, h, e); err != nil {
		return err
	}
	s.left = s.left || f.pending(e.settled)
	f.attended, f.racy = f.stat, now.UnixNano()-f.stat.changed < int64(coarse)
	if f.again = f.still.Add(settle); e.settled {
		f.again = f.still.Add(leave)
	}
	if err := s.tellUnfinished(f, h, e); err != nil {
		return err
	}
	if e.left {
		f.waiting = false
	}
	if f.at.Kind == asWhole && !f.waiting {
		s.release(f)
	}
	return nil
}

// pending reports whether what is there of a file may still be read as it is. The last line of a log is being written now.
func (f *file) pending(settled bool) bool { return f.waiting && !settled && f.at.Kind != inLines }

// tellUnfinished tells, once for a file, that its last line is not finished: nothing of it is read before it is, or before the file is left.
func (s *Source) tellUnfinished(f *file, h handle, e ending) error {
	f.unfinished = 0
	if !f.waiting || !e.settled || f.at.Kind != inLines {
		return nil
	}
	rest, err := piece(h, f.at.Offset, int(min(peek, f.stat.size-f.at.Offset)))
	if err != nil || len(bytes.Trim(rest, blank+"\x00")) == 0 {
		return err
	}
	f.unfinished = f.at.Line + 1
	if !f.unfinishedTold {
		f.unfinishedTold = true
		s.config.Log.Warn("the last line of a file is not finished; it is read when it is", slog.String("file", f.name()), slog.Int("line", f.unfinished))
	}
	return nil
}

// ending says how an unfinished end is to be taken.
type ending struct {
	last    bool // there will be no more
	deleted bool // for nobody has a name for it
	left    bool // there has been no more for a long while,
	settled bool // for a while
}

// read reads on. It tells whether an end was left that more may come to.
func (s *Source) read(ctx context.Context, f *file, h handle, e ending) (waiting bool, err error) {
	if f.at.Kind == inLines && f.at.Offset == 0 {
		f.at.Kind = undecided // nothing has been taken of it
	}
	if f.at.Kind != undecided {
		if err := s.compare(ctx, f, h, e); err != nil {
			return false, err
		}
	}
	if f.fresh {
		if err := s.postpone(f); err != nil {
			return false, err
		}
	}
	if f.at.Kind == undecided {
		if f.at.Kind, err = decide(h, f.stat.size, e); err != nil || f.at.Kind == undecided {
			return true, err
		}
	}
	if f.fresh {
		if wait, err := s.recognise(ctx, f, h, e); err != nil || wait {
			return true, err
		}
	}
	if f.at.Of != "" {
		if wait, err := s.echo(ctx, f, h, e); err != nil || wait {
			return true, err
		}
	}
	if f.at.Kind == asWhole {
		return s.readWhole(ctx, f, h, e)
	}
	return s.readLines(ctx, f, h, e)
}

// compare looks whether what has been read is still there. Lines that are not begin anew; a file that is read as a whole is compared
// record by record later.
func (s *Source) compare(ctx context.Context, f *file, h handle, e ending) error {
	same, err := f.intact(h)
	switch {
	case err != nil:
		return err
	case f.at.Dead, f.at.Kind == inLines && f.at.State != "" && f.at.Records == 0: // it is another file; half a line says too little
		return s.cut(ctx, f)
	case same:
		return nil
	case f.at.Kind == inLines:
		if list, err := rewritten(h, f.stat.size); err != nil || !list || f.at.First == "" {
			return s.cut(ctx, f)
		}
		f.at.Kind, f.at.Size = asWhole, 0
		f.hashed, f.head, f.tail = false, nil, nil
		return nil
	}
	k, err := decide(h, f.stat.size, e)
	switch {
	case err != nil:
		return err
	case k == undecided:
		return errChanged // it is being written anew
	case k == inLines:
		return s.cut(ctx, f)
	case f.at.Records == 0:
		f.begin()
		f.at.Kind = asWhole
		return nil
	}
	f.hashed, f.head, f.tail, f.at.Changed = false, nil, nil, 0 // record by record
	return nil
}

// extent is where in the file the end of what has been read lies.
func (f *file) extent() int64 {
	if f.at.Kind == asWhole {
		return f.at.Size
	}
	return f.at.Offset
}

// intact reports whether the file still has the bytes that have been read, as far as its head and tail tell.
func (f *file) intact(h handle) (bool, error) {
	headLen, tailLen := len(f.head), len(f.tail)
	if f.hashed {
		headLen, tailLen = f.at.HeadLen, f.at.TailLen
		if f.at.Kind == inLines && f.at.Tail == "" {
			tailLen = int(min(edge, f.at.Offset)) // a row of before tails were stored
		}
	}
	head, err := piece(h, 0, headLen)
	if err != nil {
		return false, err
	}
	tail, err := piece(h, f.extent()-int64(tailLen), tailLen)
	if err != nil || len(head) < headLen || len(tail) < tailLen {
		return false, err
	}
	if !f.hashed {
		return bytes.Equal(head, f.head) && bytes.Equal(tail, f.tail), nil
	}
	if headLen > 0 && hash(head) != f.at.Head || f.at.Tail != "" && hash(tail) != f.at.Tail {
		return false, nil
	}
	f.head, f.tail, f.hashed = head, tail, false
	return true, nil
}

func damaged(err error) error { return fmt.Errorf("read: %w", err) }

// piece reads bytes of a file, fewer where it ends before.
func piece(h io.ReaderAt, from int64, n int) ([]byte, error) {
	b := make([]byte, n)
	n, err := h.ReadAt(b, max(0, from))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// known puts what is compared the next time into a position.
func (p *position) known(head, tail []byte) {
	p.Head, p.HeadLen, p.Tail, p.TailLen = hash(head), len(head), hash(tail), len(tail)
}

// store delivers a batch with the position after it, and takes the position once that is stored.
func (s *Source) store(ctx context.Context, f *file, b ingest.Batch, after position, head, tail []byte) error {
	after.Path, after.Real = f.path, ""
	if f.real != f.path {
		after.Real = f.real
	}
	after.Seen = s.now.Unix()
	after.known(head, tail)
	b.Key, b.Position = f.id.key(), after.encode()
	if err := s.deliver(ctx, b); err != nil {
		return undelivered{err}
	}
	f.at, f.head, f.tail, f.hashed = after, head, tail, false
	s.index(f)
	return nil
}

// index makes a file findable by its first record.
func (s *Source) index(f *file) {
	if f.at.First != "" && f.at.First != f.indexed {
		s.unindex(f)
		f.indexed = f.at.First
		s.first[f.indexed] = append(s.first[f.indexed], f)
	}
}

func (s *Source) unindex(f *file) {
	rest := slices.DeleteFunc(s.first[f.indexed], func(g *file) bool { return g == f })
	if s.first[f.indexed] = rest; len(rest) == 0 {
		delete(s.first, f.indexed)
	}
}
