// Package identify makes of a record's bytes the Kafka record that says whose it is, or the dead letter that says why there is none.
package identify

import (
	"fmt"
	"slices"
	"strings"

	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
)

// Place is where records come from, and whose may come from there.
type Place struct {
	Letter  deadletter.Letter // what every letter from there says of its origin
	Origin  string            // what the header of a record says of it
	Tenants []string          // whose records are taken; everybody's where there are none
}

// Refuse is the dead letter of bytes from this place.
func (p *Place) Refuse(reason, detail string, body []byte) *deadletter.Letter {
	l := p.Letter
	l.Reason, l.Detail, l.Value, l.Tenants = reason, detail, body, p.Tenants
	return &l
}

// Record gives the record of the topic events, or the letter where the bytes are no event that is taken from this place. The
// reader then has the record at hand.
func Record(r *decode.Reader, body []byte, p *Place) (bus.Record, *deadletter.Letter) {
	if err := r.ReadAlone(body, p.Letter.Enqueued); err != nil {
		e := decode.Undecodable(err)
		return bus.Record{}, p.Refuse(string(e.Reason), e.Cause.Error(), body)
	}
	id := r.AtHand()
	if len(p.Tenants) > 0 && !slices.ContainsFunc(p.Tenants, func(t string) bool { return strings.EqualFold(t, id.Tenant) }) {
		return bus.Record{}, p.Refuse(deadletter.ReasonTenant, fmt.Sprintf("it is of tenant %.100q, which the source does not take", id.Tenant), body)
	}
	return eventRecord(&id, body, p.Origin, p.Letter.Enqueued), nil
}
