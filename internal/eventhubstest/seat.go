package eventhubstest

import (
	"fmt"

	"noroshi/internal/eventhubstest/amqp"
)

// seat is a reader's place at a partition.
type seat struct {
	group     string
	receiver  string // for the text of a detach
	exclusive bool   // it has an epoch
	epoch     int64
}

func seatOf(a attachment, group string) seat {
	s := seat{group: group, receiver: amqp.Text(a.properties.Get("com.microsoft:receiver-name"))}
	if epoch, ok := a.properties.Get("com.microsoft:epoch").(amqp.Long); ok {
		s.exclusive, s.epoch = true, int64(epoch)
	}
	return s
}

// maxReaders is how many readers without an epoch a partition and consumer group has (azure-docs,
// event-hubs-common-limits).
const maxReaders = 5

// sit gives a reader its seat. A reader with an epoch ends those of its group that have none, a lower one or the same;
// where a higher one sits, or any and the reader has none, it is refused.
func (s *Server) sit(p *partition, o *outlet) *refusal {
	ousted, why := p.sit(o)
	if why != nil {
		return why
	}
	for _, r := range ousted {
		r.detach(Stolen, fmt.Sprintf("a receiver %q with epoch %d came", o.seat.receiver, o.seat.epoch))
	}
	s.count(func(st *Stats) { st.Readers++; st.Stolen += len(ousted) })
	return nil
}

func (p *partition) sit(o *outlet) (ousted []*outlet, why *refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	mates := 0
	for r := range p.readers {
		switch {
		case r.seat.group != o.seat.group:
		case r.seat.exclusive && (!o.seat.exclusive || r.seat.epoch > o.seat.epoch):
			return nil, &refusal{Stolen, fmt.Sprintf("a receiver with epoch %d reads", r.seat.epoch)}
		case o.seat.exclusive:
			ousted = append(ousted, r)
		default:
			mates++
		}
	}
	if mates >= maxReaders {
		return nil, &refusal{tooMany, fmt.Sprintf("%d receivers read already", mates)}
	}
	for _, r := range ousted {
		delete(p.readers, r)
	}
	p.readers[o] = struct{}{}
	return ousted, nil
}

func (p *partition) leave(o *outlet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.readers, o)
}
