package file

import (
	"bytes"
	"context"
	"errors"
	"io"

	"noroshi/ingest"
	"noroshi/internal/decode"
)

// part is a record of a file, or what is not one.
type part struct {
	record []byte
	line   int
	bad    *ingest.Bad
}

func (p *part) hash() string {
	if p.bad != nil {
		return "-" + hash(p.bad.Bytes) // the same bytes may become a record
	}
	return hash(p.record)
}

// kept is the part, so that it outlives its block.
func (p *part) kept() *part {
	k := part{record: bytes.Clone(p.record), line: p.line}
	if p.bad != nil {
		bad := *p.bad
		k.bad = &bad
	}
	return &k
}

// pass goes over a file that is read as a whole. The last part of what there is of it is held back until it is known to be whole.
type pass struct {
	s    *Source
	file *file
	from *watched
	had  position // before it
	at   position
	head []byte

	after func(*position) bool // instead of handing records over; false ends the reading

	last  *part
	lined bool // it is of lines, so that any of them may be the last
	batch ingest.Batch
	bytes []byte // of the batch's parts
}

// watched is a file that is read through a decoder, which hides what went wrong.
type watched struct {
	handle
	err error
}

func (f *watched) ReadAt(b []byte, from int64) (int, error) {
	n, err := f.handle.ReadAt(b, from)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = damaged(err)
	}
	return n, err
}

// errOther is that a file holds other records than those that have been read of it.
var errOther = errors.New("the file holds other records")

// pauses between readings are so many times as long as the last one took, while a file grows.
const pauses = 20

// readWhole delivers what a file has not given yet, and tells whether its end was left because it may not be whole.
func (s *Source) readWhole(ctx context.Context, f *file, h handle, e ending) (waiting bool, err error) {
	if f.at.Done && f.at.Size == f.stat.size && f.at.Changed == f.stat.changed {
		return false, nil
	}
	if !e.settled && f.still.Equal(s.now) && s.now.Sub(f.passed) < pauses*f.cost {
		return true, errChanged
	}
	began := s.config.Now()
	waiting, err = s.pass(ctx, f, h, e, f.at)
	if errors.Is(err, errOther) {
		s.rooms = map[string][]entry{} // a copy may have come in this turn
		var found bool
		if found, err = s.inherit(ctx, f); err != nil {
			return false, err
		}
		if !f.at.Done && !found {
			s.lose("a file was rewritten; what was written to it since it was read is not known", f)
		}
		f.begin()
		f.at.Kind = asWhole
		if err := s.postpone(f); err != nil {
			return false, err
		}
		if wait, err := s.recognise(ctx, f, h, e); err != nil || wait {
			return true, err
		}
		waiting, err = s.pass(ctx, f, h, e, f.at)
	}
	f.passed, f.cost = s.now, s.config.Now().Sub(began)
	return waiting, err
}

func (s *Source) pass(ctx context.Context, f *file, h handle, e ending, had position) (waiting bool, err error) {
	p, err := s.newPass(f, h, had)
	if err != nil {
		return false, err
	}
	certain, err := p.run(ctx)
	var broken *breaks
	if p.from.err != nil { // what lies before can be read
		if err := p.flush(ctx); err != nil {
			return false, err
		}
	}
	if err != nil && !errors.As(err, &broken) {
		return false, err
	}
	if p.begun() && !p.complete(certain, e) {
		return !e.left, nil // it may be being written anew, longer
	}
	if !certain && !e.settled {
		return true, p.flush(ctx)
	}
	if err := p.close(certain, broken); err != nil {
		return false, err
	}
	return false, p.finish(ctx)
}

func (s *Source) newPass(f *file, h handle, had position) (*pass, error) {
	head, err := piece(h, 0, int(min(edge, f.stat.size)))
	return &pass{s: s, file: f, from: &watched{handle: h}, had: had, at: position{Kind: asWhole}, head: head}, err
}

// breaks is that an input breaks off.
type breaks struct{ error }

// run hands over all parts but the last, and tells whether that is whole, too.
func (p *pass) run(ctx context.Context) (certain bool, err error) {
	size := p.file.stat.size
	in, err := ingest.Open(p.file.name(), io.NewSectionReader(p.from, 0, size))
	if err != nil {
		return false, p.breaks(err)
	}
	var block ingest.Block
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		more, err := in.Next(&block)
		if err != nil {
			return false, p.breaks(err)
		}
		if !more {
			break
		}
		if err := p.take(&block); err != nil {
			return false, err
		}
		if len(p.bytes) < batchBytes && len(p.batch.Records) < batchRecords {
			continue
		}
		if err := p.flush(ctx); err != nil {
			return false, err
		}
	}
	if p.from.err != nil {
		return false, p.from.err
	}
	return p.ends(in.Format(), size)
}

// breaks tells an input that breaks off from a file that cannot be read.
func (p *pass) breaks(err error) error {
	if p.from.err != nil {
		return p.from.err
	}
	return &breaks{err}
}

// ends reports whether the last part is known to be whole: it has a bracket or a line end behind it, or the sum that ends a
// compressed file.
func (p *pass) ends(format string, size int64) (bool, error) {
	switch {
	case p.last == nil, bytes.HasPrefix(p.head, gzip), bytes.HasPrefix(p.head, zstd):
		return true, nil
	case p.last.bad != nil:
		return false, nil
	case format == "json":
		return true, nil
	}
	p.lined = true
	end, err := piece(p.from, size-2, 2)
	return bytes.ContainsAny(end, "\n\r"), err
}

// take goes over the parts of a block in order.
func (p *pass) take(b *ingest.Block) error {
	bad := b.Bad
	for i := range len(b.Records) + 1 {
		for len(bad) > 0 && bad[0].Before <= i {
			if err := p.next(&part{bad: &bad[0], line: bad[0].Line}); err != nil {
				return err
			}
			bad = bad[1:]
		}
		if i == len(b.Records) {
			break
		}
		if err := p.next(&part{record: b.Bytes(i), line: b.Records[i].Line}); err != nil {
			return err
		}
	}
	if p.last != nil {
		p.last = p.last.kept()
	}
	return nil
}

func (p *pass) next(one *part) error {
	before := p.last
	p.last = one
	if before == nil {
		return nil
	}
	return p.give(before)
}

// give hands a part over that has not been before.
func (p *pass) give(one *part) error {
	known := false
	if p.had.Loose != "" && p.at.Records == p.had.Records && p.at.Refused >= p.had.Refused {
		known, p.had.Loose = one.hash() == p.had.Loose, ""
	}
	if one.bad != nil {
		if p.at.Refused++; p.at.Refused > p.had.Refused && !known && p.after == nil {
			bad := *one.bad
			bad.Bytes = p.keep(bad.Bytes)
			p.batch.Refused = append(p.batch.Refused, ingest.Refused{Bad: bad, File: p.file.name()})
		}
		return nil
	}
	p.at.count(one.record)
	switch {
	case p.after != nil:
		if !p.after(&p.at) {
			return errEnough
		}
	case p.differs():
		return errOther
	case p.at.Records > p.had.Records && !known:
		p.batch.Records = append(p.batch.Records, ingest.Raw{Bytes: p.keep(one.record), File: p.file.name(), Line: one.line})
	}
	return nil
}

// keep gives bytes that live as long as the batch: a block is used again for the next.
func (p *pass) keep(b []byte) []byte {
	from := len(p.bytes)
	p.bytes = append(p.bytes, b...)
	return p.bytes[from:len(p.bytes):len(p.bytes)]
}

// differs reports whether the records so far are others than those that were read before.
func (p *pass) differs() bool {
	switch {
	case p.had.First == "":
		return false
	case p.at.Records == 1 && p.at.First != p.had.First:
		return true
	}
	return p.at.Records == p.had.Records && p.at.Sum != p.had.Sum
}

// close takes the end as it is. What of it may not be whole is known by its hash, and does not count once more has come.
func (p *pass) close(certain bool, broken *breaks) error {
	if broken != nil && p.last != nil && p.last.bad != nil && p.last.bad.Detail == ingest.Damaged {
		p.last.bad.Detail, broken = broken.Error(), nil // one letter tells both
	}
	if p.last != nil {
		sure, loose := p.at, p.last.hash()
		if err := p.give(p.last); err != nil {
			return err
		}
		if !certain && p.at.Records >= p.had.Records {
			p.at = sure
			p.at.Loose = loose
			p.had.Records = min(p.had.Records, sure.Records)
		}
	}
	if p.at.Records < p.had.Records {
		return errOther
	}
	if broken != nil {
		bad := ingest.Bad{Reason: decode.BadJSON, Detail: broken.Error()}
		p.batch.Refused = append(p.batch.Refused, ingest.Refused{Bad: bad, File: p.file.name()})
	}
	return nil
}

// begun reports whether there are only some of the records that were there before, as far as their first tells.
func (p *pass) begun() bool {
	records, first := p.at.Records, p.at.First
	if p.last != nil && p.last.bad == nil {
		if records++; records == 1 {
			first = p.last.hash()
		}
	}
	return p.had.First != "" && records < p.had.Records && (first == "" || first == p.had.First)
}

// complete reports whether a file that has become shorter is to be taken as it is.
func (p *pass) complete(certain bool, e ending) bool {
	if p.lined {
		return certain && e.left && !e.deleted
	}
	return certain && e.settled
}

// flush hands over what has been read, once it is known to come behind what was read before.
func (p *pass) flush(ctx context.Context) error {
	if p.after != nil || p.at.Records < p.had.Records || len(p.batch.Records)+len(p.batch.Refused) == 0 {
		return nil
	}
	return p.send(ctx, nil)
}

// finish stores that the file has been read to its end.
func (p *pass) finish(ctx context.Context) error {
	st := p.file.stat
	p.at.Done, p.at.Size, p.at.Changed = true, st.size, st.changed
	tail, err := piece(p.from, st.size-min(edge, st.size), int(min(edge, st.size)))
	if err != nil {
		return err
	}
	return p.send(ctx, tail)
}

func (p *pass) send(ctx context.Context, tail []byte) error {
	head, err := piece(p.from, 0, len(p.head))
	if err != nil {
		return err
	}
	if st, err := p.from.stat(); err != nil || st.size < p.file.stat.size || !bytes.Equal(head, p.head) {
		if err == nil {
			err = errChanged
		}
		return err
	}
	after := p.at
	after.Offset = int64(len(head)) // read so by versions before this one
	after.Refused = max(after.Refused, p.had.Refused)
	if err := p.s.store(ctx, p.file, p.batch, after, head, tail); err != nil {
		return err
	}
	p.batch, p.bytes = ingest.Batch{Records: p.batch.Records[:0]}, p.bytes[:0]
	return nil
}
