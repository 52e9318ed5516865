package app

import (
	"strconv"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/stage"
)

// sayEvery is how often a partition of signals tells the others at most how far it has come. Rules that wait for it look at alerts alone,
// and tell their first ones at once.
const sayEvery = 20 * time.Second

// sayBytes is about how long a record is in which it says so.
const sayBytes = 256 << 10

// A record of signals with this header tells how far a partition of signals has followed the clocks, and so sent its alerts.
const schemaFollowed = "noroshi.followed/1"

func isFollowed(r *bus.Record) bool { return r.Header(headerSchema) == schemaFollowed }

// say tells all partitions of signals how far this one has come, behind what it has sent to them, where their rules look at its alerts.
func (p *signalPart) say(now time.Time, out *stage.Out) {
	if p.rules.set.Crossings() == 0 || now.Sub(p.said) < sayEvery {
		return
	}
	p.said = now
	headers := []bus.Header{{Key: headerSchema, Value: []byte(schemaFollowed)}, {Key: headerUpstream, Value: strconv.AppendInt(nil, int64(p.partition), 10)}}
	for _, body := range p.others.Say(p.clocks, sayBytes) {
		for to := range p.run.Config.Kafka.Partitions {
			out.Write(bus.Record{Topic: bus.Signals, Partition: int32(to), Value: body, Headers: headers})
		}
	}
}

// hearOther takes what a partition of signals tells.
func (p *signalPart) hearOther(rec *bus.Record, out *stage.Out) {
	from, err := strconv.Atoi(rec.Header(headerUpstream))
	if err == nil {
		err = p.others.Take(from, rec.Value)
	}
	if err != nil {
		p.refuse(rec, err, out)
		return
	}
	p.heard = true
}

// silent is how many partitions have not told yet how far they have come for which this one waits.
func (p *signalPart) silent() int {
	if p.rules.set.Crossings() == 0 {
		return p.streams.Silent()
	}
	return max(p.streams.Silent(), p.others.Silent())
}
