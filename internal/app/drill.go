package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/internal/identify"
)

// Drill is a record on which the library's rule inbox-rule-hides-mail fires. Its tenant says that nothing has happened, as do its account
// and the name of the inbox rule.
type Drill struct {
	ID   string
	Body []byte // one line of JSON, without its newline
}

// NewDrill makes a record for a tenant, which is also the name of its account.
func NewDrill(tenant string, now time.Time) Drill {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	d := Drill{ID: tenant + "-" + hex.EncodeToString(b[:])}
	d.Body = fmt.Appendf(nil, `{"CreationTime":%q,"Id":%q,"Operation":"New-InboxRule","OrganizationId":%q,"RecordType":1,"ResultStatus":"True","UserKey":%[3]q,"UserType":0,"Version":1,"Workload":"Exchange",`+
		`"UserId":"%[3]s@example.com","ClientIP":"192.0.2.1","ObjectId":%[3]q,"Parameters":[{"Name":"Name","Value":"%[3]s: nothing has happened"},{"Name":"MoveToFolder","Value":"RSS Feeds"},{"Name":"MarkAsRead","Value":"True"}]}`,
		now.UTC().Format("2006-01-02T15:04:05"), d.ID, tenant)
	return d
}

// Event is the record as it lies on the topic events, as if a source had brought it.
func (d *Drill) Event() (bus.Record, error) {
	one := identify.New(decode.NewPlan(event.NewLayout(), decode.Options{}).Reader())
	rec, letter := one.Record(d.Body, &identify.Place{Letter: deadletter.Letter{Stage: deadletter.StageIngest, Source: "drill", Enqueued: time.Now().UTC()}, Origin: []byte("drill")})
	if letter != nil {
		return rec, fmt.Errorf("the record is not read: %s", letter.Detail)
	}
	return rec, nil
}

// beating is a sink that wants heartbeats.
type beating interface{ Every() time.Duration }

// beat writes heartbeats for a sink that wants them, until ctx ends. They go the way of every record from the topic events on.
func (r *Run) beat(ctx context.Context, w *bus.Writer, tenant string, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		d := NewDrill(tenant, time.Now())
		rec, err := d.Event()
		if err == nil {
			err = w.Write(ctx, []bus.Record{rec})
		}
		if err != nil && ctx.Err() == nil {
			r.Log.Warn("heartbeat not written", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
