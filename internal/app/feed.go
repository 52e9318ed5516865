package app

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"noroshi/ingest"
	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/identify"
)

// Feed is a stream outside, where a first start begins in it, and of whom its records may be.
type Feed struct {
	Stream  feed.Stream
	Latest  bool     // at the end, and not where the stream has it
	Tenants []string // all where there are none
}

// The reasons of dead letters beside those of decode and identify.
const (
	reasonEmpty   = "empty"
	reasonMessage = "message" // that the stream's client cannot read
)

// exactly reports whether transactions are to be used, and can be.
func (r *Run) exactly(ctx context.Context, k *kafka, names ...bus.Topic) (bool, error) {
	if !r.Config.Kafka.Transactions {
		return false, nil
	}
	return k.bus.Transactional(ctx, names...)
}

// feeds are the streams of the configuration, ready to run.
func (r *Run) feeds(ctx context.Context, k *kafka) (all []*feed.Feed, err error) {
	if len(r.Feeds) == 0 {
		return nil, nil
	}
	exactly, err := r.exactly(ctx, k, "ingest")
	if err != nil {
		return nil, err
	}
	switch {
	case !r.Config.Kafka.Transactions:
		r.Log.Warn("without transactions, as configured: records come at least once, and again after a crash; alerts keep their ids")
	case !exactly:
		r.Log.Warn("the brokers have no transactions: records come at least once, and again after a crash; alerts keep their ids")
	}
	instance := ""
	if k.embedded != nil { // there is one instance, which need not wait for its own session from before a crash
		instance = "noroshi"
	}
	plan := decode.NewPlan(event.NewLayout(), r.resolving())
	for _, f := range r.Feeds {
		all = append(all, &feed.Feed{Stream: f.Stream, Bus: k.bus, Latest: f.Latest, Instance: instance, AtLeastOnce: !exactly,
			Counts: &r.counts, Log: r.Log, Now: time.Now,
			Room: k.room, TooLarge: identify.SetAside,
			Missed: func(partition int32, g feed.Gap) []bus.Record {
				return []bus.Record{missed(f.Stream.Name(), partition, g, time.Now().UTC())}
			},
			Prepare: func(partition int32) feed.Prepare {
				return newPreparing(r, f.Stream.Name(), partition, f.Tenants, plan.Reader()).prepare
			}})
	}
	return all, nil
}

// preparing makes records of the messages of one partition.
type preparing struct {
	run      *Run
	identify *identify.Identifier
	place    identify.Place

	origin []byte // source/partition, and behind fixed what differs from record to record: @sequence#index
	fixed  int
}

func newPreparing(r *Run, source string, partition int32, tenants []string, reader *decode.Reader) *preparing {
	origin := fmt.Appendf(nil, "%s/%d", source, partition)
	at := deadletter.Letter{Stage: deadletter.StageIngest, Source: source, Partition: partition}
	return &preparing{run: r, identify: identify.New(reader), place: identify.Place{Letter: at, Tenants: tenants}, origin: origin, fixed: len(origin)}
}

func (p *preparing) prepare(to []bus.Record, m feed.Message, t *feed.Tally) []bus.Record {
	letters, why := 0, ""
	aside := func(l *deadletter.Letter) {
		t.Letter(l.Reason)
		if m.Part != "" {
			l.Detail += " (of " + m.Part + ")"
		}
		letters, why = letters+1, l.Reason
		to = append(to, l.Record())
	}
	p.place.Letter.Sequence, p.place.Letter.Enqueued = m.Sequence, m.Taken()
	if m.Lost != "" {
		t.Missed()
		to = append(to, lost(p.place.Letter.Source, p.place.Letter.Partition, m.Sequence, m.Lost, time.Now().UTC()))
	}
	var records [][]byte
	var bad []ingest.Bad
	switch {
	case m.Fault != nil:
		aside(p.place.Refuse(reasonMessage, p.run.Config.Secrets.Hide(m.Fault.Error()), nil))
	case m.Refused != nil:
		aside(p.place.Refuse(m.Refused.Reason, p.run.Config.Secrets.Hide(m.Refused.Detail), m.Body))
	default:
		if records, bad = ingest.Split(m.Body); len(records)+len(bad) == 0 {
			aside(p.place.Refuse(reasonEmpty, "the message holds no record", m.Body))
		}
	}
	for _, b := range bad {
		aside(p.place.Refuse(string(b.Reason), b.Detail, b.Bytes))
	}
	for i, body := range records {
		p.at(m.Sequence, i)
		rec, refused := p.identify.Record(body, &p.place)
		if refused != nil {
			aside(refused)
			continue
		}
		p.count(t, body, m.Taken())
		to = append(to, rec)
	}
	if letters > 0 {
		p.run.Log.Warn("records are set aside", slog.String("from", p.place.Letter.Origin()), slog.Int("records", letters), slog.String("reason", why))
	}
	return to
}

// at sets the origin of a message's record.
func (p *preparing) at(sequence int64, i int) {
	p.origin = strconv.AppendInt(append(strconv.AppendInt(append(p.origin[:p.fixed], '@'), sequence, 10), '#'), int64(i), 10)
	p.place.Origin = p.origin
}

// count counts the record at hand.
func (p *preparing) count(t *feed.Tally, body []byte, enqueued time.Time) {
	id := p.identify.AtHand()
	if !strings.Contains(id.Account, "@") {
		t.Unresolved()
	}
	if id.Dataset == decode.DatasetUnknown {
		p.run.members.add(body)
	}
	p.run.lacking(p.identify.Reader, p.place.Origin, t.NotUTF8, t.Partial)
	t.Record(feed.Dataset{Tenant: id.Tenant, Name: id.Dataset}, id.Time, enqueued)
}
