package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/ingest"
	"noroshi/ingest/feed"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
)

// Feed is a stream outside, where a first start begins in it, and of whom its records may be.
type Feed struct {
	Stream  feed.Stream
	Latest  bool     // at the end, and not where the stream has it
	Tenants []string // all where there are none
}

// The reasons of dead letters beside those of decode.
const (
	reasonEmpty   = "empty"
	reasonTenant  = "tenant"
	reasonMessage = "message" // that the stream's client cannot read
)

// feeds are the streams of the configuration, ready to run.
func (r *Run) feeds(ctx context.Context, h *hub) (all []*feed.Feed, err error) {
	if len(r.Feeds) == 0 {
		return nil, nil
	}
	exactly := r.Config.Kafka.Transactions
	if exactly {
		if exactly, err = h.bus.Transactional(ctx); err != nil {
			return nil, err
		}
	}
	switch {
	case !r.Config.Kafka.Transactions:
		r.Log.Warn("without transactions, as configured: records come at least once, and again after a crash; alerts keep their ids")
	case !exactly:
		r.Log.Warn("the brokers have no transactions: records come at least once, and again after a crash; alerts keep their ids")
	}
	instance := ""
	if h.embedded != nil { // there is one instance, which need not wait for its own session from before a crash
		instance = "noroshi"
	}
	plan := decode.NewPlan(event.NewLayout(), decodeOptions(r.Config))
	for _, f := range r.Feeds {
		all = append(all, &feed.Feed{Stream: f.Stream, Bus: h.bus, Latest: f.Latest, Instance: instance, AtLeastOnce: !exactly, Counts: &r.counts, Log: r.Log, Room: h.room, TooLarge: setAside,
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
	run       *Run
	source    string
	partition int32
	tenants   []string
	reader    *decode.Reader

	origin []byte // source/partition, and behind place what differs from record to record: @sequence#index
	place  int
}

func newPreparing(r *Run, source string, partition int32, tenants []string, reader *decode.Reader) *preparing {
	origin := fmt.Appendf(nil, "%s/%d", source, partition)
	return &preparing{run: r, source: source, partition: partition, tenants: tenants, reader: reader, origin: origin, place: len(origin)}
}

func (p *preparing) prepare(to []bus.Record, m feed.Message, t *feed.Tally) []bus.Record {
	letters, why := 0, ""
	letter := func(reason, detail string, body []byte) {
		t.Letter(reason)
		letters, why = letters+1, reason
		l := deadletter.Letter{Reason: reason, Detail: detail, Stage: deadletter.StageIngest, Source: p.source, Partition: p.partition, Sequence: m.Sequence, Enqueued: m.Enqueued, Value: body}
		to = append(to, l.Record())
	}
	if m.Fault != nil {
		letter(reasonMessage, m.Fault.Error(), nil)
	}
	records, bad := ingest.Split(m.Body)
	for _, b := range bad {
		letter(string(b.Reason), b.Detail, b.Bytes)
	}
	if len(records)+len(bad) == 0 && m.Fault == nil {
		letter(reasonEmpty, "the message holds no record", m.Body)
	}
	for i, body := range records {
		if err := p.reader.ReadAlone(body, m.Enqueued); err != nil {
			e := decode.Undecodable(err)
			letter(string(e.Reason), e.Cause.Error(), body)
			continue
		}
		id := p.reader.AtHand()
		if len(p.tenants) > 0 && !slices.ContainsFunc(p.tenants, func(t string) bool { return strings.EqualFold(t, id.Tenant) }) {
			letter(reasonTenant, fmt.Sprintf("it is of tenant %.100q, which the source does not take", id.Tenant), body)
			continue
		}
		if !strings.Contains(id.Account, "@") {
			t.Unresolved()
		}
		if id.Dataset == decode.DatasetUnknown {
			p.run.members.add(body)
		}
		t.Record(id.Dataset, m.Enqueued.Sub(id.Time))
		p.origin = strconv.AppendInt(append(strconv.AppendInt(append(p.origin[:p.place], '@'), m.Sequence, 10), '#'), int64(i), 10)
		to = append(to, eventRecord(id, body, string(p.origin), m.Enqueued))
	}
	if letters > 0 {
		p.run.Log.Warn("records are set aside", slog.String("from", fmt.Sprintf("%s@%d", p.origin[:p.place], m.Sequence)), slog.Int("records", letters), slog.String("reason", why))
	}
	return to
}

// gapRule is what the alert about messages that were never read gives in the place of a rule.
const gapRule = "noroshi-source-gap"

// missed is the alert that messages will never be read: what happened in them is not known. It is the same however often it is told.
func missed(source string, partition int32, g feed.Gap, now time.Time) bus.Record {
	where := fmt.Sprintf("%s/%d", source, partition)
	number, cause := fmt.Sprint(g.Len()), "were deleted by retention before they were read"
	if g.Sparse {
		number = "up to " + number
	}
	if !g.Deleted {
		cause = "were left out by the stream"
	}
	a := alert.Alert{Schema: alert.Schema, ID: alert.ID("", gapRule, []string{where}, fmt.Sprint(g.From)), Status: alert.Firing, Revision: 1, Severity: "high", Account: where, Target: where,
		Rule:    alert.Rule{ID: gapRule, Title: "Messages of a source were not read", Guide: []string{}, Class: "operation", Attack: []string{}},
		Actor:   alert.Actor{Kind: "service", Name: source},
		Summary: fmt.Sprintf("Messages of %s %s: %s, with the sequence numbers %d to %d. What they tell was not evaluated: search it in the tenant's own audit log.", where, cause, number, g.From, g.To),
		Time:    now, Window: alert.Window{First: now, Last: now}, Group: map[string]string{"source": where}, DedupKey: gapRule + ":" + where,
		Times: alert.Times{Happened: now, Evaluated: now}}
	return bus.Record{Topic: bus.Alerts, Key: []byte(where), Value: a.AppendJSON(nil), Headers: []bus.Header{{Key: headerSchema, Value: []byte(alert.Schema)}}}
}
