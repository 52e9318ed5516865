package identify

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
)

// A record becomes an event with its own bytes and the key of its account, or a letter of the same place.
func TestARecordBecomesAnEventOrALetter(t *testing.T) {
	const sound = `{"CreationTime":"2026-01-02T03:04:05","Id":"i-1","Operation":"New-InboxRule","RecordType":1,"OrganizationId":"T-1","UserType":0,"UserId":"Taro@contoso.example"}`
	const undated = `{"Id":"i-2","Operation":"New-InboxRule","RecordType":1,"OrganizationId":"T-1"}`
	enqueued := time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC)
	file := deadletter.Letter{Stage: deadletter.StageIngest, File: "a.ndjson", Line: 7}
	stream := deadletter.Letter{Stage: deadletter.StageIngest, Source: "audit", Partition: 2, Sequence: 9, Enqueued: enqueued}
	headers := "dataset=ual.exchange_admin id=i-1 tenant=t-1 time=2026-01-02T03:04:05.000Z origin="
	r := New(decode.NewPlan(event.NewLayout(), decode.Options{}).Reader())
	for name, one := range map[string]struct {
		body  string
		place Place
		want  string // the headers, or reason: detail
	}{
		"of a file":                 {sound, Place{Letter: file, Origin: []byte("a.ndjson:7")}, headers + "a.ndjson:7"},
		"of a stream":               {sound, Place{Letter: stream, Origin: []byte("audit/2@9#0")}, headers + "audit/2@9#0 enqueued=2026-01-02T03:05:00.000Z"},
		"of a tenant that is taken": {sound, Place{Letter: file, Origin: []byte("x"), Tenants: []string{"o", "T-1"}}, headers + "x"},
		"of a drill":                {strings.NewReplacer(`"T-1"`, `"noroshi-drill"`, "Taro", "drill").Replace(sound), Place{Letter: file, Origin: []byte("x"), Tenants: []string{"o"}}, strings.Replace(headers, "t-1", "noroshi-drill", 1) + "x"},
		"of a tenant that is not": {sound, Place{Letter: file, Origin: []byte("x"), Tenants: []string{"o"}},
			`tenant: it is of tenant "t-1", which the source does not take`},
		"without a time, of a file": {undated, Place{Letter: file, Origin: []byte("x")}, "time: no readable time"},
		"without a time, of a stream": {undated, Place{Letter: stream, Origin: []byte("x")},
			"dataset=ual.exchange_admin id=i-2 tenant=t-1 time=2026-01-02T03:05:00.000Z origin=x enqueued=2026-01-02T03:05:00.000Z"},
		"of a stream, what is no record": {"17", Place{Letter: stream, Origin: []byte("x")}, "json: "},
	} {
		rec, refused := r.Record([]byte(one.body), &one.place)
		if refused != nil {
			want := one.place.Letter
			want.Reason, want.Detail, want.Value, want.Tenants = refused.Reason, refused.Detail, []byte(one.body), one.place.Tenants
			if diff := cmp.Diff(want, *refused); diff != "" {
				t.Errorf("%s: the letter differs: %s", name, diff)
			}
			if got := refused.Reason + ": " + refused.Detail; !strings.HasPrefix(got, one.want) {
				t.Errorf("%s: %s", name, got)
			}
			continue
		}
		var all []string
		for _, h := range rec.Headers {
			all = append(all, h.Key+"="+string(h.Value))
		}
		if got := strings.Join(all, " "); got != one.want || rec.Topic != bus.Events || string(rec.Value) != one.body || strings.Contains(one.body, "Taro") && string(rec.Key) != "t-1/taro@contoso.example" {
			t.Errorf("%s: topic %s, key %s, headers %s", name, rec.Topic, rec.Key, got)
		}
		if at := Enqueued(&rec); !at.Equal(one.place.Letter.Enqueued) {
			t.Errorf("%s: enqueued %s", name, at)
		}
	}
}

// What Kafka will never take becomes a letter, and a letter a shorter one, until nothing of it is left.
func TestWhatIsTooLargeIsSetAside(t *testing.T) {
	rec := bus.Record{Topic: bus.Events, Key: []byte(strings.Repeat("k", 1<<20)), Value: []byte(strings.Repeat("v", 1<<20)), Headers: []bus.Header{{Key: HeaderOrigin, Value: []byte("audit/2@9#0")}}}
	letters := 0
	for ok := true; ok; letters++ {
		if rec, ok = SetAside(rec, errors.New("too large")); !ok {
			break
		}
		l := deadletter.Parse(rec)
		if l.Reason != "size" || l.Detail != "too large" || l.File != "audit/2@9#0" || len(l.Key) != maxText || len(l.Value) > maxSetAside>>letters {
			t.Fatalf("letter %d: %s, %s of %s with %d bytes under a key of %d", letters, l.Reason, l.Detail, l.File, len(l.Value), len(l.Key))
		}
	}
	if letters != 21 || rec.Topic != bus.DeadLetters {
		t.Errorf("%d letters, the last on %s", letters, rec.Topic)
	}
}
