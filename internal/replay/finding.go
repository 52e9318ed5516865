package replay

import (
	"context"
	"time"

	"noroshi/ingest"
	"noroshi/internal/decode"
	"noroshi/internal/event"
)

// Find reads inputs until it has the records of all events of these ids, and gives those that it has found, by id. Of an event that comes
// twice the first is taken. The error joins an *Unread for each input that cannot be read.
func Find(ctx context.Context, inputs []Input, ids []string, r *decode.Reader) (map[string][]byte, error) {
	f := &finding{reader: r, want: map[string]bool{}, found: map[string][]byte{}}
	for _, id := range ids {
		f.want[id] = true
	}
	for _, one := range inputs {
		if one.Err != nil {
			return f.found, &Unread{one.Name, one.Err}
		}
		if err := f.in(ctx, one); err != nil {
			return f.found, err
		}
	}
	return f.found, nil
}

// finding looks for the records of events.
type finding struct {
	reader *decode.Reader
	want   map[string]bool
	found  map[string][]byte
}

func (f *finding) in(ctx context.Context, one Input) error {
	in, err := ingest.Open(one.Name, one.From)
	if err != nil {
		return &Unread{one.Name, err}
	}
	var b ingest.Block
	for len(f.found) < len(f.want) {
		more, err := in.Next(&b)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			return &Unread{one.Name, err}
		}
		if !more {
			break
		}
		for _, s := range b.Records {
			if f.reader.Read(b.Data, int(s.From), int(s.To), time.Time{}) != nil {
				continue // replay tells of it
			}
			if id := f.reader.Event.Text(event.ID); f.want[id] && f.found[id] == nil {
				f.found[string([]byte(id))] = append([]byte{}, f.reader.Bytes()...)
			}
		}
	}
	return nil
}
