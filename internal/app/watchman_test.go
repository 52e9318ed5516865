package app

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/disk"
	"noroshi/internal/kafkatest"
	"noroshi/internal/watch"
	"noroshi/sinks"
)

// watching makes an instance that has started long ago, and reads what the topic of alerts then holds.
func watchingItself(t *testing.T, name string, now time.Time) *Run {
	t.Helper()
	r := &Run{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}
	r.ruling.Store(&ruling{set: compiledAll(t, lateRules)})
	long := now.Add(-time.Hour)
	r.prepared.running.Store(&long)
	r.clocks.all = map[int32]*stood{0: {}}
	r.last.Store(&Status{Instance: name})
	return r
}

func alertsOf(t *testing.T, b *bus.Bus) (all []string) {
	t.Helper()
	if err := b.All(t.Context(), bus.Alerts, func(rec bus.Record) error {
		h, err := headOf(&rec)
		all = append(all, fmt.Sprintf("%s %s/%d %s %q", h.Rule.ID, h.ID, h.Revision, h.Severity, h.Account))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWhatIsWrongIsToldOnce: by the instance that has partition 0, whatever starts again or takes over.
func TestWhatIsWrongIsToldOnce(t *testing.T) {
	b := kafkatest.Start(t, 1)
	k := &kafka{bus: b}
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	now := at3
	ill := map[string]SinkSum{"soc": {State: sinks.Open, Since: now.Add(-time.Hour), Fault: "status 500"}}
	first, second := watchingItself(t, "a/1", now), watchingItself(t, "b/1", now)
	first.last.Store(&Status{Instance: "a/1", Sinks: ill})
	second.last.Store(&Status{Instance: "b/1"})
	second.peers.all = map[string]Status{"a/1": {Instance: "a/1", Sinks: ill}}
	var told []string
	look := func(r *Run, after time.Duration) {
		t.Helper()
		r.watchItself(t.Context(), k, w, now.Add(after), false)
		told = alertsOf(t, b)
	}
	second.clocks.all = nil // it has not partition 0
	look(second, 0)
	if len(told) != 0 {
		t.Errorf("an instance that is not the one tells %v", told)
	}
	look(first, 0)
	if len(told) != 1 {
		t.Fatalf("told %v", told)
	}
	look(first, time.Second) // sooner than it looks again
	look(first, time.Minute)
	third := watchingItself(t, "a/2", now) // the first was killed
	third.last.Store(&Status{Instance: "a/2", Sinks: ill})
	look(third, 2*time.Minute)
	second.clocks.all = map[int32]*stood{0: {}} // it takes over
	look(second, 3*time.Minute)
	if len(told) != 1 {
		t.Errorf("told again: %v", told)
	}
	second.peers.all = nil // the sink delivers
	look(second, 20*time.Minute)
	if len(told) != 2 {
		t.Fatalf("told %v", told)
	}
	id := told[0][len("noroshi-sink-failing ") : len("noroshi-sink-failing ")+len("alrt_")+26]
	want := []string{"noroshi-sink-failing " + id + `/1 high ""`, "noroshi-sink-failing " + id + `/2 info ""`}
	if d := cmp.Diff(told, want); d != "" {
		t.Error(d)
	}
	rows, err := b.Positions(t.Context())
	if err != nil || rows[keyWatch] == nil {
		t.Fatalf("nothing is remembered: %v", err)
	}
}

// TestNothingIsToldWithoutTheWatch: nor at the start, nor at the end.
func TestNothingIsToldWithoutTheWatch(t *testing.T) {
	b := kafkatest.Start(t, 1)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ill := &Status{Sinks: map[string]SinkSum{"soc": {State: sinks.Dead, Since: at3.Add(-time.Hour)}}}
	off, young, ending := watchingItself(t, "a/1", at3), watchingItself(t, "a/1", at3), watchingItself(t, "a/1", at3)
	off.Config.Watch.Enabled = false
	just := at3.Add(-settles + time.Second)
	young.prepared.running.Store(&just)
	for i, r := range []*Run{off, young, ending} {
		r.last.Store(ill)
		r.watchItself(t.Context(), &kafka{bus: b}, w, at3, i == 2)
	}
	if told := alertsOf(t, b); len(told) != 0 {
		t.Errorf("told %v", told)
	}
}

func TestWhatInstancesReportIsPutTogether(t *testing.T) {
	early, late := at3.Add(-2*time.Hour), at3.Add(-time.Hour)
	shown := []ClockSum{{Shown: []ShownSum{{Dataset: "entra.signin"}}}}
	got := seenOf([]Status{
		{Instance: "a/1", Letters: 3, Ahead: 90, Sources: []SourceSum{{Name: "audit", Last: early, Fault: "gone", Since: late}, {Name: "files", Ended: true}},
			Sinks: map[string]SinkSum{"soc": {State: sinks.Open, Since: late}, "siem": {State: sinks.Delivering}}, Clocks: shown,
			Disks: []DiskSum{{"/data", disk.Room{Free: 1 << 30, Total: 1 << 40}}, {"/other", disk.Room{Free: 1 << 40, Total: 1 << 41}}},
			Rules: []RuleSum{{ID: "x", State: "live"}, {ID: "y", State: "live", Evaluated: 2}, {ID: "z", State: "off"}}},
		{Instance: "b/1", Letters: 4, Sources: []SourceSum{{Name: "audit", Last: late}}, Sinks: map[string]SinkSum{"soc": {State: sinks.Dead, Since: early, Fault: "410"}},
			Rules: []RuleSum{{ID: "x", State: "live"}, {ID: "s", State: "live"}}, Asleep: []SleepSum{{Rules: []string{"s"}}}},
		{Instance: "c/1", Roles: []Role{Ingest}, Rules: []RuleSum{{ID: "w", State: "live"}}},
	}, at3)
	want := &watch.Sight{At: at3, Letters: map[string]int64{"a/1": 3, "b/1": 4, "c/1": 0}, Started: map[string]time.Time{"a/1": {}, "b/1": {}, "c/1": {}}, Ahead: 90 * time.Second,
		Sources: []watch.Source{{Name: "audit", Last: late, Fault: "gone", Since: late}}, Sinks: []watch.Sink{{Name: "soc", Fault: "410", Since: early}},
		Disks: []watch.Disk{{Where: "/data of a", Text: "1024 MiB of 1048576 are free"}}, Asleep: []string{"s"}, Untried: []string{"x"}, Datasets: []string{"entra.signin"}}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
}

func TestExceptionsEndOnce(t *testing.T) {
	var m watchman
	rule := "title: T\nseverity: low\nwhen: event.code == \"1\"\nunless: [{because: A reason of ours, owner: soc, until: 2027-03-31, when: event.code == \"2\"}]"
	set := compiledAll(t, []string{"id: one\n" + rule, "id: two\n" + rule})
	got := m.endings([]string{"gone.pem"}, set.Rules(), at3)
	if len(got) != 1 || got[0].Rule != watch.ExceptionEnds || got[0].Of != `"A reason of ours" of soc` || got[0].Where != "of the rule one" {
		t.Errorf("got %+v", got)
	}
	if !slices.IsSorted(watch.Rules) {
		t.Error("the rules of the watch are not sorted")
	}
}

// TestTooMuchIsForgotten: a memory that is too large is begun anew in what is stored too.
func TestTooMuchIsForgotten(t *testing.T) {
	b := kafkatest.Start(t, 1)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	m := &watchman{memory: &watch.Memory{Datasets: map[string]time.Time{strings.Repeat("x", mostOfWatchman): at3}}}
	if err := m.store(t.Context(), w, at3); err == nil {
		t.Error("it is not said")
	}
	rows, err := b.Positions(t.Context())
	if row := rows[keyWatch]; err != nil || len(row) == 0 || len(row) > 1<<10 {
		t.Errorf("%d bytes are stored: %v", len(row), err)
	}
}

// TestSourcesThatAreMeant: those of the configuration, as long as they are neither at their end nor retired as a whole.
func TestSourcesThatAreMeant(t *testing.T) {
	got := meant([]SourceSum{{Name: "audit"}, {Name: "files"}, {Name: "half"}, {Name: "gone"}}, []Status{
		{Sources: []SourceSum{{Name: "files", Ended: true}, {Name: "elsewhere"}}},
		{Clocks: []ClockSum{{Source: "half/0", Retired: at3}, {Source: "half/1"}, {Source: "gone/0", Retired: at3}}},
	})
	if d := cmp.Diff(got, []string{"audit", "half"}); d != "" {
		t.Error(d)
	}
}
