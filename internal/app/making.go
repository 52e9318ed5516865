package app

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"noroshi/ingest"
	"noroshi/ingest/feed"
	"noroshi/internal/bus"
)

// partRecords is how many records are made of a batch before they are sent: then the brokers have something to do while the next are
// made.
const partRecords = 1000

// making is a batch of which records are made when they are asked for the first time.
type making struct {
	intake *intake
	batch  ingest.Batch
	made   []bus.Record // has room for all
	begun  int          // what of the batch is among them, or was set aside
	counts batchCounts
	shown  shown  // by them
	of     *files // nil: it is not noted how far they have come
}

// records gives what the batch's records and its parts that are none become, part by part.
func (m *making) records(yield func([]bus.Record) bool) {
	if len(m.made) > 0 && !yield(m.made) {
		return
	}
	for n := len(m.batch.Records) + len(m.batch.Refused); m.begun < n; {
		from := len(m.made)
		m.make(min(m.begun+partRecords, n))
		if !yield(m.made[from:]) {
			return
		}
	}
}

// all gives the position behind the records.
func (m *making) all(yield func([]bus.Record) bool) {
	for part := range m.records {
		if !yield(part) {
			return
		}
	}
	if position := m.position(); len(position) > 0 {
		yield(position)
	}
}

// position is the record that says how far the source has been read, if it says that.
func (m *making) position() []bus.Record {
	if m.batch.Key == "" {
		return nil
	}
	all := []bus.Record{{Topic: bus.Checkpoints, Key: []byte(m.batch.Key), Value: m.batch.Position}}
	if m.of == nil || len(m.shown.all) == 0 {
		return all
	}
	add := func(key string, what any) {
		if row, err := json.Marshal(what); err == nil { // else of a year that cannot be written
			all = append(all, bus.Record{Topic: bus.Checkpoints, Key: []byte(key), Value: row})
		}
	}
	add(keyReached+m.of.name, m.of.later(&m.shown, time.Now().UTC()))
	m.of.rows(&m.shown, add)
	return all
}

// make makes the records up to the one of that number.
func (m *making) make(to int) {
	in := m.intake
	in.mu.Lock()
	defer in.mu.Unlock()
	for ; m.begun < min(to, len(m.batch.Records)); m.begun++ {
		raw := &m.batch.Records[m.begun]
		place := in.at(raw.File, raw.Line)
		rec, refused := in.identify.Record(raw.Bytes, place)
		if refused != nil {
			m.made = append(m.made, in.letter(&m.counts, refused))
			continue
		}
		in.count(&m.counts, raw.Bytes, place.Origin)
		id := in.identify.AtHand()
		m.shown.add(feed.Dataset{Tenant: id.Tenant, Name: id.Dataset}, id.Time)
		m.made = append(m.made, rec)
	}
	for ; m.begun < to; m.begun++ {
		bad := &m.batch.Refused[m.begun-len(m.batch.Records)]
		m.made = append(m.made, in.letter(&m.counts, in.at(bad.File, bad.Line).Refuse(string(bad.Reason), bad.Detail, bad.Bytes)))
	}
	if m.begun == len(m.batch.Records)+len(m.batch.Refused) {
		in.warn()
	}
}

// smaller gives dead letters of the records that Kafka will never take; they stand in their places when the batch is stored again.
func (m *making) smaller() func(*bus.TooLarge) ([]bus.Record, error) {
	var written []bus.Record
	return func(large *bus.TooLarge) (replaced []bus.Record, err error) {
		if written == nil {
			written = m.made
		}
		if slices.Max(large.Records) >= len(written) { // the position, which must stay whole
			return nil, large
		}
		written, err = m.setAside(large, written)
		return written, err
	}
}

// orSetAside stores dead letters of those of the records that Kafka will never take, as err tells.
func (m *making) orSetAside(ctx context.Context, err error) error {
	records := m.made
	for large := (*bus.TooLarge)(nil); errors.As(err, &large); {
		if records, err = m.setAside(large, records); err != nil {
			return err
		}
		err = m.intake.writer.Write(ctx, records)
	}
	return err
}

// setAside makes dead letters of records that Kafka will never take; they stay in the places of the records.
func (m *making) setAside(large *bus.TooLarge, records []bus.Record) ([]bus.Record, error) {
	for _, i := range large.Records {
		if m.counts.tooLarge++; records[i].Topic != bus.DeadLetters {
			m.counts.records--
			m.counts.refused++
		}
	}
	return m.intake.run.replace(large, records)
}
