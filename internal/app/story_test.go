package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/ingest/file"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/incident"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// The events of a story: a sign-in that is an alert of its own, what its session did, and what an administrator did about it.
func riskySignIn(id, at string) string {
	return fmt.Sprintf(`{"time":"2026-01-02T%[2]sZ","category":"SignInLogs","tenantId":"t","properties":{"id":"%[1]s","createdDateTime":"2026-01-02T%[2]sZ","userPrincipalName":"taro@contoso.example",`+
		`"userId":"u","ipAddress":"203.0.113.66","sessionId":"s-1","isInteractive":true,"riskLevelDuringSignIn":"high","status":{"errorCode":0}}}`, id, at)
}

func mailSent(id, at string) string {
	return fmt.Sprintf(`{"CreationTime":"2026-01-02T%[2]s","Id":"%[1]s","Operation":"Send","RecordType":2,"OrganizationId":"t","ResultStatus":"Succeeded","UserType":0,`+
		`"UserId":"taro@contoso.example","MailboxOwnerUPN":"taro@contoso.example","SessionId":"s-1","ClientIPAddress":"203.0.113.66"}`, id, at)
}

func forwarded(id, at, by, to string) string {
	return fmt.Sprintf(`{"CreationTime":"2026-01-02T%[2]s","Id":"%[1]s","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t","ResultStatus":"True","UserType":0,`+
		`"UserId":"%[3]s","ObjectId":"hanako@contoso.example","Parameters":[{"Name":"Identity","Value":"hanako@contoso.example"},{"Name":"ForwardingSmtpAddress","Value":"%[4]s"}]}`, id, at, by, to)
}

// lastOf are the activities by what is theirs, each as it was told last, and how many of its events were counted.
type lastOf map[string]string

func (l lastOf) add(a *incident.Activity) {
	thing := ""
	if a.Thing != nil {
		thing = fmt.Sprint(a.Thing.Name, " of ", a.Thing.Of, " by ", a.Thing.By, " gone ", a.Thing.Gone)
	}
	l[fmt.Sprint(a.Account, " ", a.Line, " ", a.Entry.EventID)] = fmt.Sprint(a.Entry.Kind, " ", a.Closes, " ", max(1, a.Entry.Count), " ", thing)
}

// TestStoriesAreWrittenBesideAlerts: what belongs into accounts' stories comes to the topic alerts as a replay tells it, over a restart and
// from one partition to another, and sinks pass over it.
func TestStoriesAreWrittenBesideAlerts(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.ndjson")
	before := []string{riskySignIn("in-1", "03:00:00"), mailSent("m-1", "03:01:00"), mailSent("m-2", "03:01:01"), mailSent("m-3", "03:01:02"),
		forwarded("f-1", "03:02:00", "taro@contoso.example", "smtp:drop@mail.example.net")}
	behind := []string{mailSent("m-4", "03:05:00"), forwarded("f-2", "03:10:00", "admin@contoso.example", "")}
	put := func(lines []string) {
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, ps := rules.Load(rules.Options{Library: true, Story: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	var compiled *detector.Set
	set.Compiling(func() { compiled = detector.New(set, detector.Options{}) })
	want := lastOf{}
	all := append(append([]string{}, before...), behind...)
	r := &replay.Replay{Set: compiled, Workers: 1, Alert: func(*alert.Alert) error { return nil }, Story: &replay.Story{
		Activity: func(a *incident.Activity) error { want.add(a); return nil }, Profile: func(*incident.Profile) error { return nil }}}
	if _, err := r.Run(t.Context(), []replay.Input{{Name: "all", From: bytes.NewReader([]byte(strings.Join(all, "\n")))}}); err != nil {
		t.Fatal(err)
	}

	takes, one := newHook(t, http.StatusNoContent)
	one.Name = "takes"
	log := slog.New(slog.DiscardHandler)
	conf := config.Default()
	conf.Kafka.Data = filepath.Join(dir, "data")
	have, profiles, alerts := lastOf{}, map[string]int{}, 0
	read := func(b *bus.Bus) {
		alerts = 0
		if err := b.All(t.Context(), bus.Alerts, func(rec bus.Record) error {
			switch rec.Header(headerSchema) {
			case incident.ActivitySchema:
				var a incident.Activity
				if err := json.Unmarshal(rec.Value, &a); err != nil {
					return err
				}
				have.add(&a)
			case incident.ProfileSchema:
				var p incident.Profile
				if err := json.Unmarshal(rec.Value, &p); err != nil {
					return err
				}
				profiles[p.Account] = p.SignIns.Succeeded
			default:
				alerts++
			}
			return nil
		}); err != nil && !strings.Contains(err.Error(), "there is no topic") {
			t.Fatal(err)
		}
	}
	live := func(lines []string, until func() bool) {
		put(lines)
		source, err := file.New(file.Config{Paths: []string{path}, Follow: true, Poll: 10 * time.Millisecond, Now: time.Now, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		run := &Run{Config: conf, Compile: func([][]byte) *detector.Set { return compiled }, Sources: []ingest.Source{source}, Sinks: []NamedSink{one}, Log: log}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- run.Run(ctx) }()
		var b *bus.Bus
		eventually(t, "the broker is there", func() bool {
			c, err := bus.FromData(conf.Kafka.Data, log)
			if err != nil {
				return false
			}
			b, err = bus.Connect(c)
			return err == nil
		})
		eventually(t, "the story is told", func() bool { read(b); return until() })
		b.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	live(before, func() bool { return len(have) >= 4 && profiles["taro@contoso.example"] == 1 })
	live(all, func() bool { return len(have) >= len(want) && cmp.Equal(want, have) })
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("stories (-replay +live):\n%s", diff)
	}
	if n := takes.got.Load(); int(n) != alerts {
		t.Errorf("the sink was asked %d times for %d alerts", n, alerts)
	}
}
