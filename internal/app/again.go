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

// maxStill is about how many pieces that are undecodable still become letters of their own; the rest of a letter remains one.
const maxStill = 1000

// Records are those by which a letter is tried again: an envelope holds many. What of it is undecodable still is among them as
// letters of their own, so many. An error tells why nothing of it can be tried.
func (a *Again) Records(l deadletter.Letter) (all []bus.Record, still int, err error) {
	if r, ok := l.Again(); ok {
		return []bus.Record{r}, 0, nil
	}
	if len(l.Value) == 0 {
		return nil, 0, errors.New("none of its bytes is there")
	}
	leave := func(reason decode.Reason, detail string, value []byte) {
		piece := l
		piece.Reason, piece.Detail, piece.Value = string(reason), detail, value
		all, still = append(all, piece.Record()), still+1
		if err == nil {
			err = fmt.Errorf("it is undecodable still: %s", detail)
		}
	}
	for rest := l.Value; rest != nil; {
		records, bad := ingest.Split(rest)
		rest = nil
		for _, b := range bad {
			if b.Reason == ingest.BadCount && still < maxStill { // the last: it holds more than one message may
				rest = b.Bytes
				continue
			}
			leave(b.Reason, b.Detail, b.Bytes)
		}
		for _, r := range records {
			if failed := a.reader.ReadAlone(r, l.Enqueued); failed != nil {
				e := decode.Undecodable(failed)
				leave(e.Reason, e.Cause.Error(), r)
				continue
			}
			all = append(all, eventRecord(a.reader.AtHand(), r, l.Origin(), l.Enqueued))
		}
	}
	switch {
	case len(all) > still:
		return all, still, nil
	case err == nil:
		err = errors.New("it holds no record")
	}
	return nil, 0, err
}
