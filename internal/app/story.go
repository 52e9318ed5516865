package app

import (
	"encoding/json"
	"log/slog"

	"noroshi/detector"
	"noroshi/internal/bus"
	"noroshi/internal/decode"
	"noroshi/internal/incident"
	"noroshi/internal/stage"
)

// schemaAside is the header of a record of the topic events in which one partition tells another what it has seen of an account of that one.
const schemaAside = "noroshi.aside/1"

// isAside reports whether a record of the topic events comes from the detector itself.
func isAside(rec *bus.Record) bool { return rec.Header(headerSchema) == schemaAside }

// storyteller writes what belongs into accounts' stories.
type storyteller struct {
	log *slog.Logger
	out *stage.Out // of the record at hand
}

// story is who is told stories, nil where the set has no lines of them.
func (t *storyteller) story(set *detector.Set) *detector.Story {
	if !set.Stories() {
		return nil
	}
	return &detector.Story{
		Activity: func(a *incident.Activity) { t.write(bus.Alerts, incident.ActivitySchema, a.Tenant, a.Account, a) },
		Profile:  func(p *incident.Profile) { t.write(bus.Alerts, incident.ProfileSchema, p.Tenant, p.Account, p) },
		Aside: func(a *detector.Aside) bool {
			t.write(bus.Events, schemaAside, a.Activity.Tenant, a.Activity.Account, a)
			return true
		},
	}
}

// write writes a record with the key of an account, as its alerts and its events have it.
func (t *storyteller) write(topic bus.Topic, schema, tenant, account string, v any) {
	body, err := json.Marshal(v)
	if err != nil { // it holds texts, numbers and times
		t.log.Error("part of a story cannot be written", slog.String("schema", schema), slog.Any("err", err))
		return
	}
	key := (&decode.Record{Tenant: tenant, Account: account}).AppendKey(nil)
	t.out.Write(bus.Record{Topic: topic, Key: key, Value: body, Headers: []bus.Header{{Key: headerSchema, Value: []byte(schema)}}})
}

// takeAside takes what another partition has seen of an account of this one.
func (p *part) takeAside(rec *bus.Record) {
	var a detector.Aside
	if err := json.Unmarshal(rec.Value, &a); err != nil { // of a later version: it comes with one that is understood
		p.run.Log.Warn("what another partition says of an account cannot be read", slog.Int("partition", int(p.partition)),
			slog.Int64("offset", rec.Offset), slog.Any("err", err))
		return
	}
	p.memory.TakeAside(&a)
}
