package cli

import (
	"errors"
	"time"

	"noroshi/ingest"
	"noroshi/internal/decode"
)

// reading gives records to the commands that look at one after the other.
type reading struct {
	faults  *faults
	tally   tally
	members decode.Members // of records of no known kind
}

func newReading(s Streams) *reading { return &reading{faults: newFaults(s.Err)} }

// each reads the records of an input and gives each that is an event to do, while the reader has it at hand. What is no event
// is told.
func (r *reading) each(one input, reader *decode.Reader, do func() error) error {
	in, err := ingest.Open(one.name, one.from)
	var foreign *ingest.Foreign
	switch {
	case errors.As(err, &foreign): // the other inputs may be logs
		r.bad(one, ingest.Bad{Line: 1, Reason: decode.BadJSON, Detail: foreign.Error()})
		return nil
	case err != nil:
		return err
	}
	var b ingest.Block
	for {
		more, err := in.Next(&b)
		if err != nil || !more {
			return err
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
	r.tally.keys = r.members.Names()
	return r.tally.tell(s.Err)
}

func (r *reading) bad(one input, bad ingest.Bad) {
	r.tally.records++
	r.faults.add(one.name, bad.Line, string(bad.Reason), bad.Detail)
}
