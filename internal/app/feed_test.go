package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest/eventhub"
	"noroshi/ingest/feed"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/eventhubstest"
	"noroshi/internal/identify"
	"noroshi/rules"
)

// running is a run on an event hub, until its end is called.
func running(t *testing.T, hub *eventhubstest.Server, dir string, tenants ...string) (r *Run, end func()) {
	t.Helper()
	stream, err := eventhub.New(eventhub.Config{Name: "audit", ConnectionString: hub.ConnectionString("audit"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	conf := config.Default()
	conf.Kafka.Data = dir
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	r = &Run{Config: conf, Compile: func([][]byte) *detector.Set { return detector.New(set, detector.Options{}) }, Feeds: []Feed{{Stream: stream, Tenants: tenants}}, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return r, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		_ = stream.Close(context.WithoutCancel(ctx)) // the server ends with the test
	}
}

// stored waits until so many messages of partition 0 are stored.
func stored(t *testing.T, r *Run, messages int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for s := r.counts.Snapshot(); len(s) == 0 || s[0].Messages < int64(messages); s = r.counts.Snapshot() {
		if feed.Pause(ctx, 10*time.Millisecond) != nil {
			t.Fatalf("only %v", s)
		}
	}
}

// topic gives the records of a topic in a data folder that no run keeps.
func topic(t *testing.T, dir string, name bus.Topic) (all []bus.Record) {
	t.Helper()
	c := config.Default().Kafka
	e, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: dir, Prefix: c.Prefix, Partitions: c.Partitions, Cap: c.Cap, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b, err := bus.Connect(e.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.All(t.Context(), name, func(r bus.Record) error {
		if !isTick(&r) {
			all = append(all, r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func sound(id string) string {
	return fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"%s","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t-1","ResultStatus":"True","UserType":0,"UserId":"taro@contoso.example","Workload":"Exchange","Parameters":[]}`, id)
}

// What is wrong in one message is set aside alone, with its reason and place; its neighbours are stored and the partition goes
// on. Letters can be tried again.
func TestBadMessagesAreSetAsideAlone(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Partitions: 1}}, MaxMessage: 16 << 20})
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	messages := []struct{ body, reason string }{
		{`{"records":[` + sound("first") + `]}`, ""},
		{`no JSON at all`, "json"},
		{``, "empty"},
		{`{"records":[]}`, "empty"},
		{`{"records":[` + sound("before") + `,17,` + sound("behind") + `]}`, "json"},
		{`{"records":[` + deep + `]}`, "json"},
		{`{"records":[{"Id":"no time","OrganizationId":"t-1","UserId":"taro@contoso.example","Operation":"Set-Mailbox","RecordType":1}]}`, ""}, // it has the message's
		{`{"records":[` + strings.Replace(sound("stranger"), `"t-1"`, `"t-2"`, 1) + `]}`, "tenant"},
		{`{"records":[` + strings.Replace(sound("long"), `[]`, `"`+strings.Repeat("x", decode.MaxRecord)+`"`, 1) + `]}`, "size"},
		{`{"records":[` + strings.NewReplacer(`1,"Org`, `"one","Org`, `"True"`, `{"a":[]}`, `"UserType":0`, `"UserType":[0]`, `[]}`, `7}`).Replace(sound("odd types")) + `]}`, ""},
		{sound("last"), ""},
	}
	for _, m := range messages {
		if _, err := hub.Append("audit", "0", eventhubstest.Event{Body: []byte(m.body)}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	r, end := running(t, hub, dir, "T-1")
	stored(t, r, len(messages))
	end()
	var ids []string
	for _, rec := range topic(t, dir, bus.Events) {
		ids = append(ids, rec.Header(identify.HeaderID))
		if at := identify.Enqueued(&rec); at.Equal(rec.Timestamp) || (decode.FormatTime(at) == rec.Header(identify.HeaderTime)) != (rec.Header(identify.HeaderID) == "no time") {
			t.Errorf("%s happened %s, was enqueued %v and written %v", rec.Header(identify.HeaderID), rec.Header(identify.HeaderTime), at, rec.Timestamp)
		}
	}
	if got := strings.Join(ids, " "); got != "first before behind no time odd types last" {
		t.Errorf("stored are %q", got)
	}
	again := NewAgain(decode.Options{})
	letters := topic(t, dir, bus.DeadLetters)
	for i, m := range messages {
		if m.reason == "" {
			continue
		}
		if len(letters) == 0 {
			t.Fatalf("no letter of message %d", i)
		}
		l := deadletter.Parse(letters[0])
		letters = letters[1:]
		if l.Reason != m.reason || l.Source != "audit" || l.Partition != 0 || l.Sequence != int64(i) || l.Origin() != "audit/0@"+strconv.Itoa(i) {
			t.Errorf("message %d: letter %q of %s: %s", i, l.Reason, l.Origin(), l.Detail)
		}
		if records, _, err := again.Records(l); err == nil || strings.Contains(err.Error(), "tenant") != (m.reason == "tenant") {
			t.Errorf("message %d tried again: %v, %v", i, records, err)
		}
	}
	if len(letters) > 0 {
		t.Errorf("%d letters too many", len(letters))
	}
	s := r.counts.Snapshot()[0]
	if s.Letters["json"] != 3 || s.Letters["empty"] != 2 || s.Letters["tenant"] != 1 || s.Letters["time"] != 0 || s.Letters["size"] != 1 || s.Records != 6 {
		t.Errorf("counted are %+v", s)
	}
}

// A message whose annotations the client cannot read holds up nobody: it is a dead letter that tells its place, wherever it lies.
func TestAMessageThatCannotBeReadIsSetAside(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Partitions: 1}}})
	var want []string
	for i, sign := range []string{"bad", "a", "b", "c", "bad", "d", "e", "f", "bad", "bad", "g", "h", "i", "bad", "j", "bad", "k"} {
		e := eventhubstest.Event{Body: []byte(sound(sign))}
		if sign == "bad" {
			e.PartitionKey = 17
			want = append(want, fmt.Sprint("audit/0@", i))
		}
		if _, err := hub.Append("audit", "0", e); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	r, end := running(t, hub, dir)
	stored(t, r, 17)
	end()
	var ids []string
	for _, rec := range topic(t, dir, bus.Events) {
		ids = append(ids, rec.Header(identify.HeaderID))
	}
	var got []string
	for _, rec := range topic(t, dir, bus.DeadLetters) {
		l := deadletter.Parse(rec)
		got = append(got, l.Origin())
		if l.Reason != reasonMessage || !strings.Contains(l.Detail, "partition key") {
			t.Errorf("the letter is %+v", l)
		}
	}
	slices.Sort(got) // they lie in several partitions
	slices.Sort(want)
	if s := r.counts.Snapshot()[0]; strings.Join(ids, " ") != "a b c d e f g h i j k" || !slices.Equal(got, want) || s.Missed != 0 || s.Letters[reasonMessage] != 6 {
		t.Errorf("stored are %v, set aside %s, counted are %+v", ids, got, s)
	}
}

// Messages that retention deleted while nobody read are counted and raise an alert, and reading goes on behind them.
func TestAGapIsToldByAnAlert(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Partitions: 1}}})
	add := func(id string) {
		if _, err := hub.Append("audit", "0", eventhubstest.Event{Body: []byte(sound(id))}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	add("read")
	r, end := running(t, hub, dir)
	stored(t, r, 1)
	end()
	add("lost")
	add("lost too")
	add("kept")
	if _, err := hub.Truncate("audit", "0", 3); err != nil {
		t.Fatal(err)
	}
	r, end = running(t, hub, dir)
	stored(t, r, 1)
	end()
	told := topic(t, dir, bus.Status)
	var status Status
	if err := json.Unmarshal(told[len(told)-1].Value, &status); err != nil || status.Records != 1 || len(status.Partitions) != 1 || status.Partitions[0].Missed != 2 || status.Partitions[0].Lag() != 0 || status.Partitions[0].Owned {
		t.Errorf("at its end the instance says %+v, %v", status, err)
	}
	if s := r.counts.Snapshot()[0]; s.Missed != 2 || s.Records != 1 {
		t.Errorf("counted are %+v", s)
	}
	alerts := topic(t, dir, bus.Alerts)
	if len(alerts) != 1 {
		t.Fatalf("%d alerts", len(alerts))
	}
	var a alert.Alert
	if err := json.Unmarshal(alerts[0].Value, &a); err != nil || a.Rule.ID != sourceGapRule || !strings.Contains(a.Summary, "Messages of audit/0 were deleted by retention before they were read: 2, with the sequence numbers 1 to 2.") {
		t.Errorf("the alert is %+v, %v", a, err)
	}
}

// Half a million pieces of a message that are no records become a hundred letters and one of the rest; a record whose key is as
// large as Kafka takes whole records becomes a letter that fits; what lies behind both is stored.
func TestHostileMessagesHoldUpNobody(t *testing.T) {
	hub := eventhubstest.Start(t, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Partitions: 1}}, MaxMessage: 16 << 20})
	messages := []string{
		`{"records":[` + sound("first") + strings.Repeat(",1", 500_000) + `]}`,
		strings.Replace(sound("large"), `"t-1"`, `"`+strings.Repeat("\x7f", decode.MaxRecord-1000)+`"`, 1),
		sound("behind"),
	}
	for _, m := range messages {
		if _, err := hub.Append("audit", "0", eventhubstest.Event{Body: []byte(m)}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	r, end := running(t, hub, dir)
	stored(t, r, len(messages))
	end()
	events := topic(t, dir, bus.Events)
	if len(events) != 2 || events[0].Header(identify.HeaderID) != "first" || events[1].Header(identify.HeaderID) != "behind" {
		t.Errorf("%d records are stored", len(events))
	}
	letters := topic(t, dir, bus.DeadLetters)
	bytes := 0
	for _, l := range letters {
		bytes += len(l.Value) + len(l.Key)
		for _, h := range l.Headers {
			bytes += len(h.Key) + len(h.Value)
		}
	}
	if l := deadletter.Parse(letters[len(letters)-1]); l.Reason != "size" || l.Origin() != "audit/0@1#0" {
		t.Errorf("the last letter is %s of %s", l.Reason, l.Origin())
	}
	if n := len(letters); n != 102 || bytes > 4<<20 {
		t.Errorf("%d letters of %d bytes", n, bytes)
	}
	if s := r.counts.Snapshot()[0]; s.Letters["json"] != 100 || s.Letters["count"] != 1 || s.Letters["size"] != 1 || s.Records != 2 {
		t.Errorf("counted are %+v", s)
	}
}
