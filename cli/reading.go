package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"noroshi/ingest"
	"noroshi/internal/decode"
)

// reading gives records to the commands that look at one after the other.
type reading struct {
	faults  *faults
	tally   tally
	members decode.Members // of records of no known kind
	unread  []error        // inputs that cannot be read, or not to their end
}

func newReading(s Streams) *reading { return &reading{faults: newFaults(s.Err)} }

// each reads the records of an input and gives each that is an event to do, while the reader has it at hand. What is no event
// is told. An input that cannot be read does not stop the others. It
// ends with ctx.
func (r *reading) each(ctx context.Context, one input, reader *decode.Reader, do func() error) error {
	in := r.opened(one)
	if in == nil {
		return ctx.Err()
	}
	var b ingest.Block
	for {
		more, err := in.Next(&b)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.unread = append(r.unread, err)
		}
		if err != nil || !more {
			return nil
		}
		bad := b.Bad
		for i := range b.Records {
			for ; len(bad) > 0 && bad[0].Before <= i; bad = bad[1:] {
				r.bad(one, bad[0])
			}
			if err := r.record(one, &b, i, reader, do); err != nil {
				return err
			}
		}
		for ; len(bad) > 0; bad = bad[1:] {
			r.bad(one, bad[0])
		}
	}
}

// opened is the input to read, nil where it cannot be read.
func (r *reading) opened(one input) *ingest.Input {
	if one.err != nil {
		r.unread = append(r.unread, one.err)
		return nil
	}
	in, err := ingest.Open(one.name, one.from)
	var foreign *ingest.Foreign
	if errors.As(err, &foreign) {
		r.bad(one, ingest.Bad{Line: 1, Reason: decode.BadJSON, Detail: foreign.Error()})
		err = fmt.Errorf("%s is not a log and was not read", one.name)
	}
	if err != nil {
		r.unread = append(r.unread, err)
		return nil
	}
	return in
}

func (r *reading) record(one input, b *ingest.Block, i int, reader *decode.Reader, do func() error) error {
	span := b.Records[i]
	r.tally.records++
	if err := reader.Read(b.Data, int(span.From), int(span.To), time.Time{}); err != nil {
		e := decode.Undecodable(err)
		r.faults.add(one.name, span.Line, string(e.Reason), e.Cause.Error())
		return nil
	}
	r.tally.events++
	if what := reader.Encoding(); what != "" {
		r.faults.add(one.name, span.Line, string(decode.ReasonEncoding), what)
	}
	if what := reader.Partial(); what != "" {
		r.faults.add(one.name, span.Line, string(decode.ReasonInside), what)
	}
	if reader.Dataset() == decode.DatasetUnknown {
		r.tally.unknown++
		r.members.Add(b.Bytes(i))
	}
	return do()
}

// end tells what is left to tell, and returns the failure to read anything.
func (r *reading) end(s Streams) error {
	r.faults.end()
	r.tally.keys, r.tally.unread = r.members.Names(), errors.Join(r.unread...)
	return r.tally.tell(s.Err)
}

func (r *reading) bad(one input, bad ingest.Bad) {
	r.tally.records++
	r.faults.add(one.name, bad.Line, string(bad.Reason), bad.Detail)
}
