package o365

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"noroshi/ingest"
	"noroshi/ingest/feed"
)

// piece is a part of a blob's content, in its order. The last one says how it ended.
type piece struct {
	body    []byte        // a list of records, or something else:
	refused *feed.Refusal // then it says why
	items   int           // how many records and unreadable pieces the blob has up to here

	last bool
	err  error // why the blob ended before its end
}

// The bounds of a piece.
const (
	pieceBytes   = 256 << 10
	pieceRecords = 1000
)

// The faults of what is no list of records.
var (
	errUnreadable = errors.New("it is no list of records")
	errShort      = errors.New("the list breaks off")
)

// tooLong is a blob that is not read to its end.
type tooLong struct {
	what string
	most int64 // bytes
}

func (t tooLong) Error() string {
	return fmt.Sprintf("%s longer than %d MiB; what lies behind is not read", t.what, t.most>>20)
}

// maxRefused bounds what of a blob is no record and becomes dead letters, in bytes.
const maxRefused = 64 << 20

// fetching is a blob on its way. One goroutine fetches it.
type fetching struct {
	client    *client
	partition int32
	uri       string
	items     int // that are stored, or given to out
	tries     int
	out       chan piece // closed behind the last piece
	end       context.CancelFunc
}

// fetch begins to fetch a blob, of which so many items are stored.
func (c *client) fetch(ctx context.Context, partition int32, uri string, items, tries int) *fetching {
	ctx, cancel := context.WithCancel(ctx)
	f := &fetching{client: c, partition: partition, uri: uri, items: items, tries: tries, out: make(chan piece, 1), end: cancel}
	go func() {
		defer close(f.out)
		f.give(ctx, piece{last: true, err: f.whole(ctx)})
	}()
	return f
}

// stop ends it and waits for its end.
func (f *fetching) stop() {
	f.end()
	for range f.out { // what is left is fetched again
	}
}

func (f *fetching) give(ctx context.Context, p piece) bool {
	p.items = f.items
	select {
	case f.out <- p:
		return true
	case <-ctx.Done():
		return false
	}
}

// whole fetches all of the blob. A cut is mended by fetching it again: a blob never changes, so what was given is left out.
func (f *fetching) whole(ctx context.Context) error {
	for n, had := 1, f.items; ; n++ {
		err := f.once(ctx, n >= f.tries)
		if f.items > had {
			n, had = 1, f.items
		}
		var r *refused
		var long tooLong
		switch {
		case err == nil, ctx.Err() != nil, n >= f.tries, errors.Is(err, feed.ErrDenied), errors.Is(err, errElsewhere), errors.As(err, &r) && r.gone(), errors.As(err, &long):
			return err
		}
		if err := feed.Pause(ctx, min(f.client.config.Pauses.First<<(n-1), f.client.config.Pauses.Most)); err != nil {
			return err
		}
	}
}

// once fetches the blob once. In the last try also the records before a break are given.
func (f *fetching) once(ctx context.Context, lastTry bool) error {
	res, err := f.client.do(ctx, f.partition, http.MethodGet, f.uri)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	plain, err := unzipped(res.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	seen := &edges{from: plain, most: f.client.config.maxBlob}
	in, err := seen.open()
	if err != nil {
		return err
	}
	s := &splitting{fetching: f, skip: f.items, ctx: ctx}
	var held, block ingest.Block
	for first := true; ; first = false {
		more, err := in.Next(&block)
		switch {
		case seen.passed:
			if s.block(&held, wholeBlock) && more {
				s.block(&block, recordsBefore)
			}
			return tooLong{"it is", seen.most}
		case more:
			if !first && !s.block(&held, wholeBlock) {
				return ctx.Err()
			}
			if s.refused > maxRefused {
				return tooLong{"what of it is no record is", maxRefused}
			}
			held, block = block, held
		case err == nil && seen.last == ']' && !in.Unclosed(): // a text cut behind a list within a record ends with a bracket, too
			s.block(&held, wholeBlock)
			return ctx.Err()
		default: // the last block may hold what the break has left of a record
			if lastTry {
				s.block(&held, recordsBefore)
			}
			if err == nil {
				err = errShort
			}
			return err
		}
	}
}

// How a block is given.
type manner int

const (
	wholeBlock    manner = iota
	recordsBefore        // up to what is no record
)

// splitting makes pieces of the blocks of a blob.
type splitting struct {
	*fetching
	ctx  context.Context // of one fetch
	skip int             // items that were given before
	n    int             // items so far
	body bytes.Buffer
	in   int // records in the body

	refused int // bytes that are no record
}

// block gives a block's records and unreadable pieces, in their order. It says whether there is more to give.
func (s *splitting) block(b *ingest.Block, how manner) bool {
	bad := b.Bad
	for i := 0; i <= len(b.Records); i++ {
		for len(bad) > 0 && bad[0].Before <= i {
			if how == recordsBefore {
				return s.flush()
			}
			if !s.refuse(&bad[0]) {
				return false
			}
			bad = bad[1:]
		}
		if i < len(b.Records) && !s.record(b.Bytes(i)) {
			return false
		}
	}
	return s.flush()
}

func (s *splitting) skips() bool {
	s.n++
	return s.n <= s.skip
}

func (s *splitting) record(r []byte) bool {
	if s.skips() {
		return true
	}
	if s.in > 0 && (s.in >= pieceRecords || s.body.Len()+len(r) > pieceBytes) && !s.flush() {
		return false
	}
	separator := byte(',')
	if s.in == 0 {
		separator = '['
	}
	s.body.WriteByte(separator)
	s.body.Write(r)
	s.in++
	return true
}

func (s *splitting) refuse(b *ingest.Bad) bool {
	if s.skips() {
		return true
	}
	if !s.flush() {
		return false
	}
	s.items++
	s.refused += len(b.Bytes)
	return s.give(s.ctx, piece{body: b.Bytes, refused: &feed.Refusal{Reason: string(b.Reason), Detail: b.Detail}})
}

func (s *splitting) flush() bool {
	if s.in == 0 {
		return true
	}
	s.body.WriteByte(']')
	s.items += s.in
	p := piece{body: bytes.Clone(s.body.Bytes())}
	s.body.Reset()
	s.in = 0
	return s.give(s.ctx, p)
}

// reasonBlob is the reason of dead letters that stand for a blob.
const reasonBlob = "blob"
