package identify

import (
	"slices"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
)

// The headers of a record on the topic events. Its value is the record's own bytes, unchanged.
const (
	HeaderDataset = "dataset"
	HeaderID      = "id"
	HeaderTenant  = "tenant"
	HeaderTime    = "time"
	HeaderOrigin  = "origin"
	// HeaderEnqueued is when the stream took the message in which the record came; records of files have none.
	HeaderEnqueued = "enqueued"
)

// The room that is made at a time.
const (
	roomForTexts   = 64 << 10 // bytes
	roomForHeaders = 256 * mostHeaders
	mostHeaders    = 6 // of a record
)

// eventRecord is a record as it lies on its topic: its own bytes, unchanged, under the key of its account. Nothing of the identity is
// kept.
func (i *Identifier) eventRecord(id *decode.Record, body, origin []byte, enqueued time.Time) bus.Record {
	i.makeRoom(len(id.Tenant) + len("/") + len(id.Account) + len(id.Dataset) + len(id.ID) + len(id.Tenant) + len(origin) + 2*timeRoom)
	first := len(i.headers)
	key := i.text(id.AppendKey(i.texts))
	i.header(HeaderDataset, append(i.texts, id.Dataset...))
	i.header(HeaderID, append(i.texts, id.ID...))
	i.header(HeaderTenant, append(i.texts, id.Tenant...))
	i.header(HeaderTime, decode.AppendTime(i.texts, id.Time))
	i.header(HeaderOrigin, append(i.texts, origin...))
	if !enqueued.IsZero() {
		i.header(HeaderEnqueued, decode.AppendTime(i.texts, enqueued))
	}
	return bus.Record{Topic: bus.Events, Key: key, Value: body, Headers: i.headers[first:len(i.headers):len(i.headers)]}
}

func (i *Identifier) makeRoom(texts int) {
	if cap(i.texts)-len(i.texts) < texts {
		i.texts = make([]byte, 0, max(roomForTexts, texts))
	}
	if cap(i.headers)-len(i.headers) < mostHeaders {
		i.headers = make([]bus.Header, 0, roomForHeaders)
	}
}

// text is what longer has more than the texts so far.
func (i *Identifier) text(longer []byte) []byte {
	from := len(i.texts)
	i.texts = longer
	return longer[from:len(longer):len(longer)]
}

func (i *Identifier) header(key string, longer []byte) {
	i.headers = append(i.headers, bus.Header{Key: key, Value: i.text(longer)})
}

// Enqueued is when the stream took a record of the topic events, else when Kafka did.
func Enqueued(r *bus.Record) time.Time {
	if text := r.Header(HeaderEnqueued); text != "" {
		if at, ok := decode.Time(text); ok {
			return at
		}
	}
	return r.Timestamp
}

// timeRoom is at least as long as a time in a header.
const timeRoom = 40

// maxSetAside is how much of a record that is too large for Kafka its dead letter holds, in bytes.
const maxSetAside = 512 << 10

// maxText is how much of its key and of each of its headers.
const maxText = 4 << 10

// SetAside is the dead letter of a record that Kafka will never take; of a dead letter it is that letter, as far as it fits. It
// gives false where nothing is left to leave out.
func SetAside(r bus.Record, cause error) (bus.Record, bool) {
	if r.Topic == bus.DeadLetters && len(r.Value) == 0 {
		return r, false
	}
	cut := func(b []byte, most int) []byte { return b[:min(len(b), most)] }
	most, whole := maxSetAside, len(r.Value)
	if r.Topic == bus.DeadLetters {
		most = min(most, len(r.Value)/2) // brokers may have limits of their own
	}
	r.Key, r.Value, r.Headers = cut(r.Key, maxText), cut(r.Value, most), slices.Clone(r.Headers)
	for i := range r.Headers {
		r.Headers[i].Value = cut(r.Headers[i].Value, maxText)
	}
	if r.Topic == bus.DeadLetters {
		return deadletter.Cut(r), true
	}
	l := deadletter.Letter{Reason: string(decode.BadSize), Detail: cause.Error(), Stage: deadletter.StageIngest, File: r.Header(HeaderOrigin), Key: r.Key, Headers: r.Headers, Value: r.Value}
	if r.Topic == bus.Alerts {
		l.Stage, l.Topic = deadletter.StageDetect, r.Topic
	}
	letter := l.Record()
	if len(l.Value) < whole {
		letter = deadletter.Cut(letter)
	}
	return letter, true
}
