package app

import (
	"errors"
	"strings"
	"testing"
	"time"

	"noroshi/internal/config"
	"noroshi/internal/disk"
	"noroshi/sinks"
)

// TestTheHealthTellsWhatIsWrong: each part has its findings, and the worst of them is how the part is.
func TestTheHealthTellsWhatIsWrong(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	since := now.Add(-time.Hour)
	const gib = 1 << 30
	for name, c := range map[string]struct {
		status Status
		part   string
		want   Condition
		says   string
		since  time.Time
	}{
		"nothing":                   {Status{}, "kafka", Well, "", time.Time{}},
		"it is silent":              {Status{At: since}, "instance", Failing, "has not looked at itself for 1h0m0s", since},
		"a broker is away":          {Status{Unreached: []string{"k1:9092"}}, "kafka", Warning, "the broker k1:9092 does not answer", time.Time{}},
		"the log is full":           {Status{Log: &LogSum{Full: "sink-soc"}}, "kafka", Failing, "sources wait for the reader sink-soc", time.Time{}},
		"topics lose records":       {Status{Problems: 2, Unreached: []string{"k"}}, "kafka", Failing, "2 settings of topics", time.Time{}},
		"a source gives nothing":    {Status{Sources: []SourceSum{{Name: "audit", Fault: "not authorised", Since: since}}}, "sources", Failing, "the source audit gives nothing, or not all: not authorised", since},
		"rules do not load":         {Status{RuleSet: RuleSetSum{Fault: "a.yaml:1:1: no", Since: since}}, "rules", Failing, "cannot be loaded: a.yaml:1:1: no", since},
		"a restart is needed":       {Status{RuleSet: RuleSetSum{Restart: []string{"sinks"}}}, "rules", Warning, "has changed in sinks", time.Time{}},
		"instances differ":          {Status{RuleSet: RuleSetSum{Others: []string{"b/2"}}}, "rules", Warning, "other instances have other rules: b/2", time.Time{}},
		"a condition always fails":  {Status{Rules: []RuleSum{{Evaluated: 3, Failed: 3}, {Evaluated: 4, Failed: 3}, {}}}, "rules", Warning, "conditions of 1 rules", time.Time{}},
		"a source is behind":        {Status{Waits: []WaitSum{{Source: "audit/3", Since: since}}}, "clocks", Warning, "waits for audit/3", since},
		"clocks differ":             {Status{Ahead: 7200}, "clocks", Warning, "ahead by 2h0m0s", time.Time{}},
		"clocks differ by little":   {Status{Ahead: 60}, "clocks", Well, "", time.Time{}},
		"a sink is paused":          {Status{Sinks: map[string]SinkSum{"soc": {State: sinks.Open, Since: since, Fault: "status 500"}}}, "sinks", Failing, "the sink soc cannot deliver: status 500", since},
		"a sink is dead":            {Status{Sinks: map[string]SinkSum{"soc": {State: sinks.Dead, Since: since}}}, "sinks", Failing, "of the sink soc wants nothing more", since},
		"a sink cannot read":        {Status{Sinks: map[string]SinkSum{"soc": {State: sinks.Interrupted, Since: since}}}, "sinks", Warning, "cannot read alerts", since},
		"a sink delivers":           {Status{Sinks: map[string]SinkSum{"soc": {State: sinks.Delivering, Since: since, Fault: "earlier"}}}, "sinks", Well, "", time.Time{}},
		"the disk fills":            {Status{Disks: []DiskSum{{"/data", disk.Room{Free: 5 * gib, Total: 100 * gib}}}}, "disk", Warning, "5120 MiB of 102400 are free where /data lies", time.Time{}},
		"the disk is full":          {Status{Disks: []DiskSum{{"/data", disk.Room{Free: 0, Total: 100 * gib}}}}, "disk", Failing, "0 MiB of", time.Time{}},
		"a fresh dead letter":       {Status{Letters: 3, Letter: now.Add(-time.Minute)}, "dead letters", Warning, "3 dead letters", now.Add(-time.Minute)},
		"dead letters of yesterday": {Status{Letters: 3, Letter: now.Add(-2 * time.Hour)}, "dead letters", Well, "", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.status
			if s.At.IsZero() {
				s.At = now
			}
			h := HealthOf(&s, now)
			if len(h.Parts) != 8 {
				t.Errorf("there are %d parts", len(h.Parts))
			}
			for _, p := range h.Parts {
				switch {
				case p.Name != c.part && (p.Condition != Well || len(p.Found) > 0):
					t.Errorf("%s is %+v", p.Name, p)
				case p.Name == c.part && (p.Condition != c.want || h.Condition != c.want || !p.Since.Equal(c.since)):
					t.Errorf("%s is %s since %v, in all %s", p.Name, p.Condition, p.Since, h.Condition)
				case p.Name == c.part && c.says != "" && (!strings.Contains(p.Found[len(p.Found)-1].What+p.Found[0].What, c.says) || p.Found[0].Do == ""):
					t.Errorf("%s says %+v", p.Name, p.Found)
				}
			}
		})
	}
	if h := HealthOf(nil, now); h.Condition != Failing || h.Parts[0].Found[0].What != "it is starting" {
		t.Errorf("before the first look it is %+v", h)
	}
}

func TestAHeartTellsALoopThatHangs(t *testing.T) {
	var all hearts
	one, other := all.heart("one"), all.heart("other")
	now := time.Since(epoch)
	if err := all.hang(now + 24*time.Hour); err != nil {
		t.Errorf("a loop that has not begun hangs: %v", err)
	}
	one.turns()
	other.turns()
	other.rests()
	if err := all.hang(now + hangsAfter/2); err != nil {
		t.Errorf("a turn of half the time hangs: %v", err)
	}
	if err := all.hang(now + hangsAfter + time.Minute); err == nil || !strings.HasPrefix(err.Error(), "one hangs") {
		t.Errorf("got %v", err)
	}
	one.stops()
	if err := all.hang(now + time.Hour); err != nil {
		t.Errorf("a loop that has ended hangs: %v", err)
	}
}

func TestASourceIsOpenedOnce(t *testing.T) {
	var p prepared
	denied, none := errors.New("not authorised"), errNoPartition
	for i, c := range []struct {
		of    map[string]error
		alone bool
		want  string
	}{
		{map[string]error{"a": nil, "b": denied, "c": none}, false, "source b: not authorised"},
		{map[string]error{"a": denied, "b": nil, "c": none}, false, "source c: this instance has no partition of it yet"},
		{map[string]error{"a": denied, "b": none, "c": none}, true, ""},
		{map[string]error{"a": denied, "b": denied, "c": denied}, false, ""},
	} {
		got := ""
		if err := p.open(c.of, c.alone); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("step %d: got %q, want %q", i, got, c.want)
		}
	}
}

func TestReadyComesWithMemoryAndSources(t *testing.T) {
	r := &Run{Config: config.Default()}
	now := time.Now()
	is := func(want string) {
		t.Helper()
		got := "ready"
		if err := r.ready(now); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	is("it is starting")
	r.prepared.running.Store(&now)
	is("it has no partitions yet")
	n := int64(r.Config.Kafka.Partitions)
	r.detected.stage.Taken.Store(n)
	r.detected.signals.stage.Taken.Store(n - 1)
	is("it has no partitions yet")
	r.detected.signals.stage.Taken.Add(1)
	r.detected.stage.Restoring.Add(1)
	is("what rules remember is read")
	r.detected.stage.Restoring.Add(-1)
	is("ready")
	r.prepared.ending.Store(true)
	is("it is ending")
}
