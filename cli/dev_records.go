package cli

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"noroshi/ingest"
	"noroshi/internal/decode"
	"noroshi/internal/event"
)

// readRecords reads the records of files, and tells what in them it cannot read.
func readRecords(ctx context.Context, s Streams, files []string) (records [][]byte, err error) {
	faults := newFaults(s.Err)
	defer faults.end()
	for _, one := range open(ctx, s, files) {
		if one.err != nil {
			return nil, failed{one.err}
		}
		in, err := ingest.Open(one.name, one.from)
		if err != nil {
			return nil, failed{err}
		}
		for b := (ingest.Block{}); ; {
			more, err := in.Next(&b)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return nil, failed{err}
			}
			for i := range b.Records {
				records = append(records, bytes.Clone(b.Bytes(i)))
			}
			for _, bad := range b.Bad {
				faults.add(one.name, bad.Line, string(bad.Reason), bad.Detail)
			}
			if !more {
				break
			}
		}
		if err := one.from.Close(); err != nil {
			return nil, failed{err}
		}
	}
	return records, nil
}

// nowUsage says what the flag --now of `dev` does.
const nowUsage = "move the times of records by one span, so that the newest is of now: of old records rules that remember find less than a replay"

// longAgo is how old records are of which such rules find less.
const longAgo = 24 * time.Hour

// recordTimes are the times of records, and whose they are.
type recordTimes struct {
	streams Streams
	reader  *decode.Reader
	newest  time.Time
	oldest  time.Time
	tenants map[string]int
}

// newTimes looks at records. What cannot be read a run tells.
func newTimes(s Streams, records [][]byte) *recordTimes {
	t := &recordTimes{streams: s, reader: decode.NewPlan(event.NewLayout(), decode.Options{}).Reader(), tenants: map[string]int{}}
	for _, b := range records {
		if t.reader.ReadAlone(b, time.Time{}) != nil {
			continue
		}
		one := t.reader.AtHand()
		t.tenants[strings.Clone(one.Tenant)]++
		if one.Time.After(t.newest) {
			t.newest = one.Time
		}
		if !one.Time.IsZero() && (t.oldest.IsZero() || one.Time.Before(t.oldest)) {
			t.oldest = one.Time
		}
	}
	return t
}

var writtenTime = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`)

const writtenForm = "2006-01-02T15:04:05"

// moved are records all of whose times are moved by one span, so that the newest is of a time. It tells by how much, and of how many records
// the times cannot be moved.
func (t *recordTimes) moved(records [][]byte, to time.Time) (all [][]byte) {
	span, stay := to.Sub(t.newest).Truncate(time.Second), 0
	if t.newest.IsZero() {
		return records
	}
	for _, b := range records {
		moved := writtenTime.ReplaceAllFunc(b, func(text []byte) []byte {
			at, err := time.Parse(writtenForm, string(text))
			if at = at.Add(span); err != nil || at.Year() < 1 || at.Year() > 9999 {
				return text
			}
			return []byte(at.Format(writtenForm))
		})
		if !t.follows(b, moved, span) {
			stay++
		}
		all = append(all, moved)
	}
	fmt.Fprintf(t.streams.Err, "times are moved by %s; the newest record is of %s\n", ago(span), at(t.newest.Add(span)))
	if age := t.newest.Sub(t.oldest); age > longAgo {
		fmt.Fprintf(t.streams.Err, "the oldest is %s older: rules that remember find less in what is older than a day than noroshi replay\n", ago(age))
	}
	if stay > 0 {
		fmt.Fprintf(t.streams.Err, "%s the time it had: it is not written as 2006-01-02T15:04:05\n", has(stay))
	}
	return all
}

func has(n int) string {
	if n == 1 {
		return "1 record has"
	}
	return fmt.Sprintf("%d records have", n)
}

// follows reports whether the time of a record is moved with it, where it has one.
func (t *recordTimes) follows(b, moved []byte, span time.Duration) bool {
	if t.reader.ReadAlone(b, time.Time{}) != nil {
		return true
	}
	at := t.reader.AtHand().Time
	return t.reader.ReadAlone(moved, time.Time{}) == nil && t.reader.AtHand().Time.Equal(at.Add(span))
}

// hint tells who serves records of long ago what to expect.
func (t *recordTimes) hint(now time.Time) {
	if age := now.Sub(t.newest); !t.newest.IsZero() && age > longAgo {
		fmt.Fprintf(t.streams.Err, "the newest record is %s old: rules that remember find less than noroshi replay; with --now the records are of now\n", ago(age))
	}
}
