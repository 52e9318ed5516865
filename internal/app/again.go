package app

import (
	"errors"
	"fmt"

	"noroshi/ingest"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
)

// Again gives dead letters another try.
type Again struct{ reader *decode.Reader }

// NewAgain makes one that identifies records as ingest does.
func NewAgain(o decode.Options) *Again {
	return &Again{decode.NewPlan(event.NewLayout(), o).Reader()}
}

// Records are those by which a letter is tried again: an envelope holds many. An error tells why it cannot be, for one of them at
// least.
func (a *Again) Records(l deadletter.Letter) (all []bus.Record, err error) {
	if r, ok := l.Again(); ok {
		return []bus.Record{r}, nil
	}
	if len(l.Value) == 0 {
		return nil, errors.New("nothing is left of it")
	}
	records, bad := ingest.Split(l.Value)
	switch {
	case len(bad) > 0:
		return nil, fmt.Errorf("it is undecodable still: %s", bad[0].Detail)
	case len(records) == 0:
		return nil, errors.New("it holds no record")
	}
	for _, r := range records {
		if err := a.reader.ReadAlone(r, l.Enqueued); err != nil {
			return nil, fmt.Errorf("it is undecodable still: %w", err)
		}
		all = append(all, eventRecord(a.reader.AtHand(), r, l.Origin(), l.Enqueued))
	}
	return all, nil
}
