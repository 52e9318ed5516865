// Package deadletter is what could not be read or delivered, with its reason and where it came from.
package deadletter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"noroshi/internal/bus"
	"noroshi/internal/diag"
)

// The stages at which a letter can fail. That of a sink is StageSink and its name.
const (
	StageIngest = "ingest"
	StageDetect = "detect"
	StageSink   = "sink:"
)

// ReasonTenant is the reason of letters of records whose tenant the source does not take. They stay out of replay, which would
// let in what the configuration keeps out.
const ReasonTenant = "tenant"

// OnlySink is the header of an alert that is meant for one sink: the others have had it.
const OnlySink = "only-sink"

// Letter is one dead letter.
type Letter struct {
	Reason    string // stable: json, size, count, time, empty, message, tenant, refused
	Detail    string
	Stage     string
	File      string // where it came from: a file and line,
	Line      int
	Source    string // or a stream outside, its partition and the sequence number of a message,
	Sequence  int64
	Enqueued  time.Time // when that stream took it
	Tenants   []string  // whose records that stream takes; everybody's where there are none
	Topic     bus.Topic // or a topic, partition and offset
	Partition int32
	Offset    int64
	Key       []byte
	Headers   []bus.Header // of the record that failed
	Value     []byte       // its bytes, unchanged
	At        time.Time    // when it became one
	Place     string       // its own partition:offset, by which commands name it
	Replayed  time.Time    // when it was replayed last
	Cut       bool         // only the first of its bytes are there
}

// The headers of a letter; those of the record that failed stand behind original.
const (
	reason    = "reason"
	detail    = "detail"
	stage     = "stage"
	file      = "origin-file"
	line      = "origin-line"
	source    = "origin-source"
	sequence  = "origin-sequence"
	enqueued  = "origin-enqueued"
	tenants   = "origin-tenants"
	topic     = "origin-topic"
	partition = "origin-partition"
	offset    = "origin-offset"
	isCut     = "cut"
	original  = "original-"
)

// Record is the letter as it lies on its topic.
func (l *Letter) Record() bus.Record {
	r := bus.Record{Topic: bus.DeadLetters, Key: l.Key, Value: l.Value}
	put := func(key, value string) { r.Headers = append(r.Headers, bus.Header{Key: key, Value: []byte(value)}) }
	put(reason, l.Reason)
	put(detail, l.Detail)
	put(stage, l.Stage)
	if l.File != "" {
		put(file, l.File)
		put(line, strconv.Itoa(l.Line))
	}
	if l.Source != "" {
		put(source, l.Source)
		put(partition, strconv.Itoa(int(l.Partition)))
		put(sequence, strconv.FormatInt(l.Sequence, 10))
		if !l.Enqueued.IsZero() {
			put(enqueued, l.Enqueued.UTC().Format(time.RFC3339Nano))
		}
		if len(l.Tenants) > 0 {
			put(tenants, strings.Join(l.Tenants, " "))
		}
	}
	if l.Topic != "" {
		put(topic, string(l.Topic))
		put(partition, strconv.Itoa(int(l.Partition)))
		put(offset, strconv.FormatInt(l.Offset, 10))
	}
	if l.Cut {
		r = Cut(r)
	}
	for _, h := range l.Headers {
		r.Headers = append(r.Headers, bus.Header{Key: original + h.Key, Value: h.Value})
	}
	return r
}

// Cut marks a letter on its way to its topic: not all of its bytes are there.
func Cut(r bus.Record) bus.Record {
	if r.Header(isCut) == "" {
		r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)], bus.Header{Key: isCut, Value: []byte("yes")})
	}
	return r
}

// Parse reads a letter from its topic.
func Parse(r bus.Record) Letter {
	l := Letter{Reason: r.Header(reason), Detail: r.Header(detail), Stage: r.Header(stage), File: r.Header(file), Source: r.Header(source), Topic: bus.Topic(r.Header(topic)), Key: r.Key, Value: r.Value, At: r.Timestamp,
		Cut: r.Header(isCut) != "", Place: fmt.Sprintf("%d:%d", r.Partition, r.Offset)}
	if t := r.Header(tenants); t != "" {
		l.Tenants = strings.Fields(t)
	}
	l.Line, _ = strconv.Atoi(r.Header(line))
	p, _ := strconv.ParseInt(r.Header(partition), 10, 32)
	l.Partition = int32(p)
	l.Sequence, _ = strconv.ParseInt(r.Header(sequence), 10, 64)
	l.Enqueued, _ = time.Parse(time.RFC3339Nano, r.Header(enqueued)) // zero where there is none
	l.Offset, _ = strconv.ParseInt(r.Header(offset), 10, 64)
	for _, h := range r.Headers {
		if key, ok := strings.CutPrefix(h.Key, original); ok {
			l.Headers = append(l.Headers, bus.Header{Key: key, Value: h.Value})
		}
	}
	return l
}

// Origin is where the letter came from, for a person.
func (l *Letter) Origin() string { return string(l.AppendOrigin(nil)) }

// AppendOrigin appends what Origin says.
func (l *Letter) AppendOrigin(to []byte) []byte {
	number := func(to []byte, before byte, n int64) []byte { return strconv.AppendInt(append(to, before), n, 10) }
	switch {
	case l.File != "" && l.Line > 0:
		return number(append(to, l.File...), ':', int64(l.Line))
	case l.File != "":
		return append(to, l.File...)
	case l.Source != "":
		return number(number(append(to, l.Source...), '/', int64(l.Partition)), '@', l.Sequence)
	case l.Topic != "":
		return number(number(append(to, l.Topic...), '/', int64(l.Partition)), '@', l.Offset)
	}
	return append(to, "unknown"...)
}

// form is a line of a list of letters.
const form = "%-8s %-20s  %-8s %-10s %s: %s"

// Head is the line above a list of letters.
var Head = fmt.Sprintf(form, "PLACE", "TIME", "REASON", "STAGE", "FROM", "WHAT")

// Format is the letter in one line, safe for a terminal.
func (l *Letter) Format() string {
	line := fmt.Sprintf(form, l.Place, l.At.UTC().Format(time.RFC3339), l.Reason, l.Stage, l.Origin(), l.Detail)
	if about := l.about(); len(about) > 0 {
		line += " (" + strings.Join(about, ", ") + ")"
	}
	if !l.Replayed.IsZero() {
		line += fmt.Sprintf(" (replayed %s)", l.Replayed.UTC().Format(time.RFC3339))
	}
	return diag.EscapeLine(line)
}

// The headers of alerts that a letter of one tells.
var told = []string{"rule", "account", "severity"}

// about says which alert a sink's letter is of.
func (l *Letter) about() (all []string) {
	if !strings.HasPrefix(l.Stage, StageSink) {
		return nil
	}
	for _, key := range told {
		if v := l.header(key); v != "" {
			all = append(all, key+" "+v)
		}
	}
	return all
}

// header is a header of the record that failed.
func (l *Letter) header(key string) string {
	for _, h := range l.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// JSON is the letter for programs. The value is text where it is UTF-8.
type JSON struct {
	Place    string    `json:"place"`
	At       time.Time `json:"at"`
	Reason   string    `json:"reason"`
	Detail   string    `json:"detail"`
	Stage    string    `json:"stage"`
	Origin   string    `json:"origin"`
	Rule     string    `json:"rule,omitempty"` // of an alert that a sink refused, as are
	Account  string    `json:"account,omitempty"`
	Severity string    `json:"severity,omitempty"`
	Replayed time.Time `json:"replayed,omitzero"`
	Bytes    int       `json:"bytes"`
	Text     string    `json:"text,omitempty"`
	Base64   []byte    `json:"base64,omitempty"`
}

// JSON gives the letter for programs, with its bytes or without.
func (l *Letter) JSON(withValue bool) JSON {
	j := JSON{Place: l.Place, At: l.At.UTC(), Reason: l.Reason, Detail: l.Detail, Stage: l.Stage, Origin: l.Origin(), Bytes: len(l.Value)}
	if strings.HasPrefix(l.Stage, StageSink) {
		j.Rule, j.Account, j.Severity = l.header(told[0]), l.header(told[1]), l.header(told[2])
	}
	if !l.Replayed.IsZero() {
		j.Replayed = l.Replayed.UTC()
	}
	switch {
	case !withValue:
	case utf8.Valid(l.Value):
		j.Text = string(l.Value)
	default:
		j.Base64 = l.Value
	}
	return j
}

// Again is the record that gives a letter another try: what failed in detection goes to its topic again, an alert that a sink
// refused to that sink alone. What failed in ingest has to be split and identified anew, so ok is false.
func (l *Letter) Again() (r bus.Record, ok bool) {
	r = bus.Record{Topic: l.Topic, Key: l.Key, Value: l.Value, Headers: l.Headers, Partition: l.Partition}
	if l.Topic == "" || len(l.Value) == 0 || l.Cut {
		return r, false
	}
	if sink, ok := strings.CutPrefix(l.Stage, StageSink); ok {
		var kept []bus.Header
		for _, h := range l.Headers {
			if h.Key != OnlySink {
				kept = append(kept, h)
			}
		}
		r.Headers = append(kept, bus.Header{Key: OnlySink, Value: []byte(sink)})
	}
	return r, true
}
