package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// beside is another Noroshi on the broker: no topic is made yet.
func beside(t *testing.T, b *Bus, prefix string, log *slog.Logger) *Bus {
	t.Helper()
	c := b.config
	c.Prefix, c.Log = prefix, log
	other, err := Connect(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	return other
}

// A topic that would delete records before they are read is refused, with what to do.
func TestRetentionIsChecked(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	for name, c := range map[string]struct {
		topic        Topic
		key, value   string
		refused, say string
	}{
		"an hour of alerts":         {Alerts, "retention.ms", "3600000", "topic an hour of alerts.alerts keeps records for 1h0m0s", ""},
		"two days of alerts":        {Alerts, "retention.ms", "172800000", "expected at least 72h0m0s", ""},
		"a week of alerts":          {Alerts, "retention.ms", "604800000", "", ""},
		"for ever":                  {Events, "retention.ms", "-1", "", ""},
		"an hour of events":         {Events, "retention.ms", "3600000", "--add-config retention.ms=604800000", ""},
		"a minute of dead letters":  {DeadLetters, "retention.ms", "60000", "dead letters that nobody has looked at", ""},
		"a minute of status":        {Status, "retention.ms", "60000", "", ""},
		"few bytes":                 {Events, "retention.bytes", "1048576", "--add-config retention.bytes=-1", ""},
		"many bytes":                {Events, "retention.bytes", "107374182400", "", "keeps 107374182400 bytes"},
		"compacted events":          {Events, "cleanup.policy", "compact", "--add-config cleanup.policy=delete", ""},
		"deleted checkpoints":       {Checkpoints, "cleanup.policy", "delete", "expected compact", ""},
		"messages of a mebibyte":    {Alerts, "max.message.bytes", "1048576", "--add-config max.message.bytes=8388608", ""},
		"messages of ten mebibytes": {Alerts, "max.message.bytes", "10485760", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			log := &lines{}
			other := beside(t, b, strings.ReplaceAll(name, " ", "-")+".", log.logger())
			partitions, settings := other.settings(c.topic)
			if _, err := other.create(t.Context(), c.topic, partitions, madeTopics{}, settings, map[string]string{c.key: c.value}); err != nil {
				t.Fatal(err)
			}
			err := other.Ensure(t.Context(), nil)
			want := strings.ReplaceAll(c.refused, name, strings.ReplaceAll(name, " ", "-"))
			if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("the start says %v, want %q", err, want)
			}
			if got := log.String(); (got != "") != (c.say != "") || !strings.Contains(got, c.say) {
				t.Errorf("told is %q, want %q", got, c.say)
			}
		})
	}
}

// Topics that we make keep what their readers need, whatever the brokers do by default.
func TestRetentionIsSet(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	other := beside(t, b, "made.", slog.New(slog.DiscardHandler))
	if err := other.Ensure(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[Topic]string{Events: "604800000", Alerts: "2592000000", DeadLetters: "1209600000", Status: "3600000", Checkpoints: "-1"} {
		have, err := other.configured(t.Context(), topic)
		if err != nil || have["retention.ms"] != want || topic != Checkpoints && have["retention.bytes"] != "-1" {
			t.Errorf("%s has retention.ms=%s, retention.bytes=%s, %v", topic, have["retention.ms"], have["retention.bytes"], err)
		}
	}
}

// deleteTo deletes the records before an offset, as retention does.
func deleteTo(t *testing.T, b *Bus, topic Topic, partition int32, before int64) {
	t.Helper()
	low := kadm.Offsets{}
	low.AddOffset(b.name(topic), partition, before, -1)
	if err := b.deleteBefore(t.Context(), low); err != nil {
		t.Fatal(err)
	}
}

// What retention deletes in front of a reader is told, once, and to a group that has begun alone.
func TestAGapIsTold(t *testing.T) {
	b, _ := embedded(t, t.TempDir(), slog.New(slog.DiscardHandler))
	batches(t, b, 3)
	readTo(t, b, "2")
	for _, v := range []string{"3", "4", "5", "6"} {
		write(t, b, Record{Topic: Alerts, Key: []byte("k"), Value: []byte(v)})
	}
	deleteTo(t, b, Alerts, 0, 5)
	failing, err := b.Reader(Member{Topic: Alerts, Group: "sink", Instance: "sink", Missed: func(context.Context, Gap) error { return errors.New("Kafka is away") }})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := failing.Poll(t.Context(), 10); err == nil || len(got) > 0 {
		t.Errorf("what lies behind a gap that could not be told is given: %v", got)
	}
	failing.Close()
	got, gaps := readTo(t, b, "6")
	want := []Gap{{Topic: "test.alerts", Group: "sink", From: 3, To: 4}}
	if !slices.Equal(got, []string{"5", "6"}) || !slices.Equal(gaps, want) {
		t.Errorf("got %q, told %+v", got, gaps)
	}
	if b.Missed() < 2 {
		t.Errorf("counted are %d", b.Missed())
	}
	write(t, b, Record{Topic: Alerts, Key: []byte("k"), Value: []byte("7")})
	if got, gaps := readTo(t, b, "7"); len(got) != 1 || len(gaps) > 0 {
		t.Errorf("afterwards got %q, told %+v", got, gaps)
	}
	r, err := b.Reader(Member{Topic: Alerts, Group: "new", Missed: func(_ context.Context, g Gap) error {
		t.Errorf("a new group is told %+v", g)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := r.Poll(t.Context(), 1); err != nil || string(got[0].Value) != "5" {
		t.Errorf("a new group begins with %v, %v", got, err)
	}
}

// Also when everything is gone and nothing comes.
func TestAGapAtTheEndIsTold(t *testing.T) {
	b, _ := embedded(t, t.TempDir(), slog.New(slog.DiscardHandler))
	batches(t, b, 3)
	readTo(t, b, "2")
	batches(t, b, 3)
	deleteTo(t, b, Alerts, 0, 6)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var told []Gap
	r, err := b.Reader(Member{Topic: Alerts, Group: "sink", Instance: "sink", Missed: func(_ context.Context, g Gap) error {
		told = append(told, g)
		cancel()
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Poll(ctx, 10); !errors.Is(err, context.Canceled) || len(told) != 1 || told[0].From != 3 || told[0].To != 5 {
		t.Errorf("told is %+v, %v", told, err)
	}
}

// Records of which some are done are not given again.
func TestSomeAreDone(t *testing.T) {
	b, _ := embedded(t, t.TempDir(), slog.New(slog.DiscardHandler))
	batches(t, b, 10)
	for begin := 0; begin < 9; begin += 3 {
		r, err := b.Reader(Member{Topic: Alerts, Group: "sink", Instance: "sink"})
		if err != nil {
			t.Fatal(err)
		}
		all, err := r.Poll(t.Context(), 10-begin)
		if err != nil || string(all[0].Value) != fmt.Sprint(begin) {
			t.Fatalf("it begins with %v, want %d, %v", all, begin, err)
		}
		for _, n := range []int{1, 2} {
			if n > len(all) {
				t.Fatalf("only %d are given", len(all))
			}
			if err := r.Done(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		r.Close()
	}
}

// A member that holds does not hold up the others: partitions move, and what is in hand is not its any more.
func TestHolding(t *testing.T) {
	_, b := start(t, t.TempDir(), 1<<30)
	for i := range 40 {
		write(t, b, Record{Topic: Alerts, Key: fmt.Append(nil, i), Value: fmt.Append(nil, i)})
	}
	first, err := b.Reader(Member{Topic: Alerts, Group: "sink"})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	given, err := first.Poll(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if moved, err := first.Hold(t.Context(), 10*time.Millisecond); moved || err != nil {
		t.Fatalf("alone in the group: moved is %v, %v", moved, err)
	}
	if err := first.Done(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	second, err := b.Reader(Member{Topic: Alerts, Group: "sink"})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	seen := map[string]int{string(given[0].Value): 1}
	take := func(r *Reader) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		all, err := r.Poll(ctx, 1000)
		if err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		for _, rec := range all {
			seen[string(rec.Value)]++
		}
		if err := r.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		take(second) // it gets nothing before the first lets go
	}()
	moved := false
	for !moved && time.Since(began) < time.Minute {
		if moved, err = first.Hold(t.Context(), 200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if !moved {
		t.Fatal("nothing moves while it holds")
	}
	<-polled
	for began = time.Now(); len(seen) < 40 && time.Since(began) < time.Minute; {
		take(first)
		take(second)
	}
	take(first) // what is given twice
	take(second)
	for i := range 40 {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			t.Errorf("record %d is given %d times", i, n)
		}
	}
}

// Writing ends with its context where the broker does not answer: by itself none of it would end within half a minute.
func TestWritingEnds(t *testing.T) {
	e, b := start(t, t.TempDir(), 1<<30)
	write(t, b, Record{Topic: Events, Value: []byte("1")})
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(t.Context(), []Record{{Topic: Events, Value: []byte("2")}}); err != nil {
		t.Fatal(err)
	}
	r, err := b.Reader(Member{Topic: Events, Group: "g"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Poll(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	hub := CheckpointsOf("hub")
	if err := b.EnsureCheckpoints(t.Context(), hub, 1); err != nil {
		t.Fatal(err)
	}
	tx, err := b.Transactor(t.Context(), hub, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Stage(t.Context(), []Record{{Topic: Events, Value: []byte("3")}}, Record{Key: []byte("position"), Value: []byte("3")}); err != nil {
		t.Fatal(err)
	}
	free := make(chan struct{})
	defer close(free)
	e.cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // the broker's signature
		e.cluster.KeepControl()
		<-free // it answers nothing, as one that was stopped
		return nil, nil, false
	})
	const within = 15 * time.Second
	for name, do := range map[string]func(ctx context.Context) error{
		"writing":              func(ctx context.Context) error { return w.Write(ctx, []Record{{Topic: Events, Value: []byte("3")}}) },
		"committing":           r.Commit,
		"ending a transaction": tx.Commit,
		"staging": func(ctx context.Context) error {
			return tx.Stage(ctx, []Record{{Topic: Events, Value: []byte("4")}}, Record{Key: []byte("position"), Value: []byte("4")})
		},
		"a transactor": func(ctx context.Context) error { _, err := b.Transactor(ctx, hub, 0, false); return err },
		"reading":      func(ctx context.Context) error { _, err := r.Poll(ctx, 10); return err },
		"measuring":    func(ctx context.Context) error { _, err := b.Partitions(ctx, Events); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		began := time.Now()
		if err := do(ctx); err == nil && name != "reading" || time.Since(began) > within {
			t.Errorf("%s ends after %v with %v", name, time.Since(began), err)
		}
		cancel()
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w.Close()
		r.Close()
		tx.Close(ctx)
	}()
	select {
	case <-closed:
	case <-time.After(within):
		t.Error("closing does not end")
	}
}

// Also what is deleted while a reader is behind and runs.
func TestAGapWhileReadingIsTold(t *testing.T) {
	b, _ := embedded(t, t.TempDir(), slog.New(slog.DiscardHandler))
	var told []Gap
	r, err := b.Reader(Member{Topic: Alerts, Group: "sink", Instance: "sink", Missed: func(_ context.Context, g Gap) error {
		told = append(told, g)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	const n = 12
	large := make([]byte, 6<<20)
	for i := range n {
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(large) // it never fails
		write(t, b, Record{Topic: Alerts, Key: []byte("k"), Value: large})
	}
	seen := map[int64]bool{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(seen) == 0 || !seen[n-1] {
		all, err := r.Poll(ctx, 1)
		if err != nil {
			t.Fatalf("seen are %v, told %+v: %v", seen, told, err)
		}
		seen[all[0].Offset] = true
		if len(seen) == 1 {
			time.Sleep(time.Second) // the client has fetched on as far as it goes
			deleteTo(t, b, Alerts, 0, n-1)
		}
	}
	missed := map[int64]bool{}
	for _, g := range told {
		for o := g.From; o <= g.To; o++ {
			missed[o] = true
		}
	}
	for o := range int64(n) {
		if seen[o] == missed[o] {
			t.Errorf("record %d: seen is %v, missed is %v", o, seen[o], missed[o])
		}
	}
	if len(missed) == 0 {
		t.Error("nothing was missed: the test shows nothing")
	}
}

// A log that stays full is told each minute, and that it has room again.
func TestAFullLogIsToldEachMinute(t *testing.T) {
	log := &lines{}
	e := &Embedded{options: EmbeddedOptions{Log: log.logger(), Cap: 1 << 20}}
	full := &Trouble{Log: log.logger()}
	for range 150 { // seconds
		e.tellFull(full, "sink-soc on noroshi.alerts", time.Second)
	}
	if n := strings.Count(log.String(), "log is full; sources wait for a reader"); n != 3 || !strings.Contains(log.String(), `reader="sink-soc on noroshi.alerts"`) {
		t.Errorf("it is told %d times: %s", n, log)
	}
	e.tellFull(full, "", time.Second)
	if n := strings.Count(log.String(), "log has room again"); n != 1 {
		t.Errorf("that there is room is told %d times: %s", n, log)
	}
}

// TestTopicsOfALaterVersionAreMade: topics that an earlier version did not know are made beside those that it left.
func TestTopicsOfALaterVersionAreMade(t *testing.T) {
	e, b := start(t, t.TempDir(), 1<<30)
	other := beside(t, b, "earlier.", slog.New(slog.DiscardHandler))
	for _, topic := range Topics {
		if topic == Signals || topic == SignalsState {
			continue
		}
		partitions, settings := other.settings(topic)
		if _, err := other.create(t.Context(), topic, partitions, madeTopics{}, settings, firstRetention(topic), e.TopicSettings()[topic]); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Ensure(t.Context(), e.TopicSettings()); err != nil {
		t.Fatal(err)
	}
	found, err := other.admin.ListTopics(t.Context(), other.name(Signals), other.name(SignalsState))
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range []Topic{Signals, SignalsState} {
		if n := len(found[other.name(topic)].Partitions); n != b.config.Partitions {
			t.Errorf("%s has %d partitions", topic, n)
		}
	}
	have, err := other.configured(t.Context(), SignalsState)
	if err != nil || have["cleanup.policy"] != "compact" {
		t.Errorf("%s has %v, %v", SignalsState, have, err)
	}
}
