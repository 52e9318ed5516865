// Package identify makes of a record's bytes the Kafka record that says whose it is, or the dead letter that says why there is none.
package identify

import (
	"fmt"
	"slices"
	"strings"

	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
)

// Place is where records come from, and whose may come from there.
type Place struct {
	Letter  deadletter.Letter // what every letter from there says of its origin
	Origin  []byte            // what the header of a record says of it
	Tenants []string          // whose records are taken; everybody's where there are none
}

// Refuse is the dead letter of bytes from this place.
func (p *Place) Refuse(reason, detail string, body []byte) *deadletter.Letter {
	l := p.Letter
	l.Reason, l.Detail, l.Value, l.Tenants = reason, detail, body, p.Tenants
	return &l
}

// Identifier makes records of bytes, one after the other. It belongs to one goroutine.
type Identifier struct {
	*decode.Reader // the record at hand

	// What the records that come next take for their texts and headers: one piece of memory does for many of them. It is not used
	// again, so records live as long as they are needed.
	texts   []byte
	headers []bus.Header
}

// New makes an identifier.
func New(r *decode.Reader) *Identifier { return &Identifier{Reader: r} }

// Record gives the record of the topic events, or the letter where the bytes are no event that is taken from this place. The
// reader then has the record at hand.
func (i *Identifier) Record(body []byte, p *Place) (bus.Record, *deadletter.Letter) {
	if err := i.ReadAlone(body, p.Letter.Enqueued); err != nil {
		e := decode.Undecodable(err)
		return bus.Record{}, p.Refuse(string(e.Reason), e.Cause.Error(), body)
	}
	id := i.AtHand()
	if len(p.Tenants) > 0 && !alert.IsDrill(id.Tenant) && !slices.ContainsFunc(p.Tenants, func(t string) bool { return strings.EqualFold(t, id.Tenant) }) {
		return bus.Record{}, p.Refuse(deadletter.ReasonTenant, fmt.Sprintf("it is of tenant %.100q, which the source does not take", id.Tenant), body)
	}
	return i.eventRecord(&id, body, p.Origin, p.Letter.Enqueued), nil
}
