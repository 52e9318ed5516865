package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// --now moves all times of a record by one span, wherever they stand and however they go on, and nothing else. What cannot be moved is told.
func TestTimesAreMoved(t *testing.T) {
	const audit = `{"CreationTime":"%","Id":"2026-01-02","Operation":"Set-Mailbox","Workload":"Exchange","RecordType":1,"OrganizationId":"t","UserId":"a@contoso.example","Note":"at %.1234567Z, %+09:00, 2026-01-02 03:04:05, x%","Data":"{\"EventDate\":\"%\"}"}`
	const table = `{"AuditData":"{\"Operation\":\"Set-Mailbox\",\"Id\":\"b\",\"CreationTime\":\"%\",\"Workload\":\"Exchange\"}"}`
	const local = `{"createdDateTime":"2.1.2026 03:04:05","id":"c","userPrincipalName":"a@contoso.example","status":{"errorCode":0},"clientAppUsed":"Browser"}`
	fill := func(text, at string) []byte { return []byte(strings.ReplaceAll(text, "%", at)) }
	for name, one := range map[string]struct{ was, is, said string }{
		"back":           {"2026-01-02T03:04:05", "2024-02-29T23:59:59", ""},
		"on":             {"2026-01-02T03:04:05", "2026-12-01T00:00:00", "times are moved by 332d20h; the newest record is of 2026-12-01T00:00:00Z\n"},
		"to where it is": {"2026-01-02T03:04:05", "2026-01-02T03:04:05", ""},
	} {
		var said bytes.Buffer
		records := [][]byte{fill(audit, one.was), fill(table, one.was)}
		to, err := time.Parse(writtenForm, one.is)
		if err != nil {
			t.Fatal(err)
		}
		times := newTimes(Streams{Err: &said}, records)
		got := times.moved(records, to)
		for i, want := range [][]byte{fill(strings.Replace(audit, "x%", "x"+one.was, 1), one.is), fill(table, one.is)} {
			if !bytes.Equal(got[i], want) {
				t.Errorf("%s:\n%s, expected\n%s", name, got[i], want)
			}
		}
		if !strings.HasPrefix(said.String(), one.said) || strings.Contains(said.String(), "had") {
			t.Errorf("%s: it says %q", name, said.String())
		}
	}
	var said bytes.Buffer
	records := [][]byte{fill(audit, "2026-01-02T03:04:05"), []byte(local), []byte(`{"time":"2026-01-01 00:00:00Z","category":"AuditLogs","properties":{"id":"d","activityDisplayName":"Update user"}}`)}
	newTimes(Streams{Err: &said}, records).moved(records, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	if want := "times are moved by 332d20h; the newest record is of 2026-12-01T00:00:00Z\n" +
		"the oldest is 27h4m5s older: rules that remember find less in what is older than a day than noroshi replay\n1 record has the time it had: it is not written as 2006-01-02T15:04:05\n"; said.String() != want {
		t.Errorf("it says %q", said.String())
	}
	said.Reset()
	times := newTimes(Streams{Err: &said}, records)
	times.hint(times.newest.Add(longAgo))
	times.hint(times.newest.Add(50 * time.Hour))
	if want := "the newest record is 2d2h old: rules that remember find less than noroshi replay; with --now the records are of now\n"; said.String() != want {
		t.Errorf("it says %q", said.String())
	}
}
