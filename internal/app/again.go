package app

import (
	"errors"
	"fmt"
	"time"

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

// Record is the record by which a letter is tried again; an error tells why it cannot be.
func (a *Again) Record(l deadletter.Letter) (bus.Record, error) {
	if r, ok := l.Again(); ok {
		return r, nil
	}
	if len(l.Value) == 0 {
		return bus.Record{}, errors.New("nothing is left of it")
	}
	records, _ := ingest.SplitLine(l.Value)
	if len(records) != 1 {
		return bus.Record{}, fmt.Errorf("it is %d records", len(records))
	}
	if err := a.reader.ReadAlone(records[0], time.Time{}); err != nil {
		return bus.Record{}, fmt.Errorf("it is undecodable still: %w", err)
	}
	return eventRecord(a.reader.Identity(), ingest.Raw{Bytes: records[0], File: l.File, Line: l.Line}), nil
}
