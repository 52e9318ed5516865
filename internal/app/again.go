package app

import (
	"errors"
	"fmt"

	"noroshi/ingest"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/identify"
)

// Again gives dead letters another try.
type Again struct{ identify *identify.Identifier }

// NewAgain makes one that identifies records as ingest does.
func NewAgain(o decode.Options) *Again {
	return &Again{identify.New(decode.NewPlan(event.NewLayout(), o).Reader())}
}

// maxStill is about how many pieces that are undecodable still become letters of their own; the rest of a letter remains one.
const maxStill = 1000

// Records are those by which a letter is tried again: an envelope holds many. What of it is undecodable still is among them as
// letters of their own, so many. An error tells why nothing of it can be tried.
func (a *Again) Records(l deadletter.Letter) (all []bus.Record, still int, err error) {
	switch r, ok := l.Again(); {
	case ok:
		return []bus.Record{r}, 0, nil
	case l.Reason == deadletter.ReasonTenant:
		return nil, 0, errors.New("the source does not take records of its tenant; replay lets none in")
	case l.Topic != "" && l.Cut:
		return nil, 0, fmt.Errorf("only its first %d bytes were kept", len(l.Value))
	case len(l.Value) == 0:
		return nil, 0, fmt.Errorf("the letter holds no bytes that could be read again; mend what lies at %s and read that again", l.Origin())
	}
	place := identify.Place{Letter: l, Origin: l.AppendOrigin(nil), Tenants: l.Tenants}
	leave := func(refused *deadletter.Letter) {
		all, still = append(all, refused.Record()), still+1
		if err == nil {
			err = fmt.Errorf("it is undecodable still: %s", refused.Detail)
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
			leave(place.Refuse(string(b.Reason), b.Detail, b.Bytes))
		}
		for _, r := range records {
			rec, refused := a.identify.Record(r, &place)
			if refused != nil {
				leave(refused)
				continue
			}
			all = append(all, rec)
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
