package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/ingest/o365"
	"noroshi/internal/alert"
	"noroshi/internal/config"
	"noroshi/internal/telemetry"
	"noroshi/rules"
	"noroshi/sinks"
)

// filled gives each number of a table's row another value, and says how many numbers the row's type has.
func filled[T any](tables ...[]number[T]) (row T, given, has int) {
	next := int64(1)
	for _, table := range tables {
		for _, n := range table {
			*n.at(&row) = next
			next++
			given++
		}
	}
	v := reflect.ValueOf(row)
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Int64 {
			has++
		}
	}
	return row, given, has
}

// TestEachNumberOfTheStatusHasItsInstrument: a number that is counted and read from no instrument would stay 0.
func TestEachNumberOfTheStatusHasItsInstrument(t *testing.T) {
	check := func(what string, given, has int) {
		if given != has {
			t.Errorf("%s: %d numbers have an instrument, and there are %d", what, given, has)
		}
	}
	total, given, has := filled(numbers)
	check("status", given, has)
	use, given, has := filled(logNumbers)
	check("log", given, has)
	memory, given, has := filled(memoryNumbers)
	check("memory", given, has)
	signals, given, has := filled(signalNumbers)
	check("signals", given, has)
	rule, given, has := filled(ruleNumbers)
	check("rule", given, has)
	sink, given, has := filled(sinkNumbers)
	check("sink", given, has)
	files, given, has := filled(fileNumbers)
	check("files", given, has)
	part, given, has := filled(partitionNumbers, lookedNumbers)
	check("partition", given, has)
	listing, given, has := filled(listingNumbers)
	check("listing", given, has)
	availability, given, has := filled(availabilityNumbers)
	check("availability", given, has)
	listing.Source, listing.Partition, listing.Content, listing.Availability = "audit", 1, "Audit.Exchange", availability
	listing.Listed, listing.Throttled = time.Unix(1e9, 0), time.Unix(1e9+90, 0)
	listing.Backfill = &o365.Backfill{From: time.Unix(5e8, 0), To: time.Unix(5e8+7200, 0)}
	delay, given, has := filled(delayNumbers)
	check("delay", given, has)
	part.Source, part.Partition, part.Owned, part.Looked = "audit", 12, true, true
	part.Restarts, part.Letters, part.Delays = map[string]int64{"kafka": 1}, map[string]int64{"json": 2, "size": 3}, map[string]feed.Delay{"entra.signin": delay}
	unseen := feed.Snapshot{Source: "audit", Partition: 2, Sequence: -1, Last: -1, Restarts: map[string]int64{}, Letters: map[string]int64{}, Delays: map[string]feed.Delay{}}

	tel, err := telemetry.New(t.Context(), telemetry.Options{Version: "1", Observe: func(o *telemetry.Observer) {
		hand(o, numbers, &total)
		hand(o, logNumbers, &use)
		hand(o, memoryNumbers, &memory)
		hand(o, signalNumbers, &signals)
		hand(o, ruleNumbers, &rule, "r")
		hand(o, sinkNumbers, &sink, "s")
		hand(o, fileNumbers, &files, "f")
		observePartition(o, &part, "audit", "12")
		observePartition(o, &unseen, "audit", "2")
		observeListing(o, &listing, time.Unix(1e9+60, 0))
	}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := tel.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var gotTotal Status
	var gotUse LogSum
	var gotMemory MemorySum
	var gotSignals SignalSum
	var gotRule RuleSum
	var gotSink SinkSum
	var gotFiles file.Snapshot
	take(l, numbers, func([]string) *Status { return &gotTotal })
	take(l, logNumbers, func([]string) *LogSum { return &gotUse })
	take(l, memoryNumbers, func([]string) *MemorySum { return &gotMemory })
	take(l, signalNumbers, func([]string) *SignalSum { return &gotSignals })
	take(l, ruleNumbers, func([]string) *RuleSum { return &gotRule })
	take(l, sinkNumbers, func([]string) *SinkSum { return &gotSink })
	take(l, fileNumbers, func([]string) *file.Snapshot { return &gotFiles })
	got := []any{gotTotal, gotUse, gotMemory, gotSignals, gotRule, gotSink, gotFiles, partitions(l, []feed.Snapshot{part, unseen}), listed(l, []o365.Snapshot{listing})}
	want := []any{total, use, memory, signals, rule, sink, files, []feed.Snapshot{unseen, part}, []o365.Snapshot{listing}}
	if d := cmp.Diff(want, got, cmpopts.EquateErrors(), cmp.AllowUnexported(RuleSetSum{})); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

// The derived ones are in no status.
func TestWhatIsToldOfAListing(t *testing.T) {
	now := time.Unix(1e9, 0)
	tel, err := telemetry.New(t.Context(), telemetry.Options{Version: "1", Observe: func(o *telemetry.Observer) {
		observeListing(o, &o365.Snapshot{Source: "a", Listed: now.Add(-time.Minute), Throttled: now.Add(30 * time.Second), Backfill: &o365.Backfill{From: now.Add(-3 * time.Hour), To: now.Add(-time.Hour)}}, now)
		observeListing(o, &o365.Snapshot{Source: "b"}, now)
	}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := tel.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(l.Series(telemetry.ListingBehind), l.Series(telemetry.ListingPause), l.Series(telemetry.ListingPast)); got != "[{[a 0] 60}] [{[a 0] 30} {[b 0] 0}] [{[a 0] 7200} {[b 0] 0}]" {
		t.Error(got)
	}
}

type still struct{}

func (still) Run(context.Context, map[string][]byte, ingest.Deliver) error {
	return nil
}

type taking struct{ sinks.Sink }

// TestTheStatusShowsNoSecret: errors of sources and sinks may repeat what the configuration hides.
func TestTheStatusShowsNoSecret(t *testing.T) {
	const secret = "hunter2-of-the-webhook"
	conf := config.Default()
	conf.Secrets.Add(secret)
	set, ps := rules.Load(rules.Options{Library: true, Now: time.Now()})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	r := &Run{Config: conf, Log: slog.New(slog.DiscardHandler), Sources: []ingest.Source{still{}}, files: make([]files, 1)}
	r.ruling.Store(&ruling{set: detector.New(set, detector.Options{})})
	k := r.runner(nil, nil, NamedSink{Name: "soc", Sink: taking{}})
	k.Interrupted(errors.New("no way to "+secret+"\nat all"), time.Second)
	r.runners = append(r.runners, k)
	r.counting.Store(true)
	tel, err := telemetry.New(t.Context(), telemetry.Options{Version: "1", Observe: r.observe})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.status(t.Context(), tel)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	if err != nil || strings.Contains(string(b), "hunter2") || !strings.Contains(s.Sinks["soc"].Fault, "no way to …") {
		t.Errorf("%v: %s", err, b)
	}
	if soc := s.Sinks["soc"]; soc.State != sinks.Interrupted || soc.Waiting != nil || soc.Next.IsZero() {
		t.Errorf("%+v", soc)
	}
	if len(s.Rules) < 5 || len(s.Sources) != 1 {
		t.Errorf("%d rules, %d sources", len(s.Rules), len(s.Sources))
	}
}

func TestWhenASourceBroughtRecordsLast(t *testing.T) {
	var w watching
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	look := func(records int64, fault string, after time.Duration) lately {
		w.notice([]SourceSum{{Name: "s", Records: records, Fault: fault}}, at.Add(after))
		return *w.sources["s"]
	}
	for _, c := range []struct {
		records int64
		fault   string
		after   time.Duration
		want    lately
	}{
		{0, "", 0, lately{}},
		{0, "away", 5 * time.Second, lately{failed: at.Add(5 * time.Second)}},
		{0, "away", 10 * time.Second, lately{failed: at.Add(5 * time.Second)}},
		{3, "", 15 * time.Second, lately{records: 3, last: at.Add(15 * time.Second)}},
		{3, "", 20 * time.Second, lately{records: 3, last: at.Add(15 * time.Second)}},
		{3, "away", 25 * time.Second, lately{records: 3, last: at.Add(15 * time.Second), failed: at.Add(25 * time.Second)}},
	} {
		if got := look(c.records, c.fault, c.after); got != c.want {
			t.Errorf("after %v: got %+v, want %+v", c.after, got, c.want)
		}
	}
}

func TestTalliesAddUp(t *testing.T) {
	first, second := &ruleTally{}, &ruleTally{}
	all := tallies{rules: map[string]*ruleTally{"first": first, "second": second}}
	for range 3 {
		s := tally{rules: make([]ruleTally, 2), of: []*ruleTally{first, second}}
		s.found(&alert.Alert{}, 0)
		s.found(&alert.Alert{State: "shadow"}, 1)
		s.found(&alert.Alert{State: "building"}, 1)
		s.found(&alert.Alert{Cut: []string{"texts"}}, 0)
		s.found(&alert.Alert{Cut: []string{"evidence"}}, 1)
		s.lists, s.overflows, s.rules[0].failed, s.rules[0].evaluated, s.rules[0].excused = 1, 2, 3, 4, 5
		all.add(&s)
		if !slices.Equal(s.rules, make([]ruleTally, 2)) || s.alerts != 0 {
			t.Fatalf("a tally that was added is not empty: %+v", s)
		}
	}
	got := fmt.Sprintf("%+v %+v %+v", all.snapshot(), all.rule("first"), all.rule("second"))
	want := fmt.Sprintf("%+v %+v %+v", tally{lists: 3, overflows: 6, alerts: 9, alertsCut: 6, evidenced: 3},
		ruleTally{evaluated: 12, failed: 9, excused: 15, fired: 6}, ruleTally{fired: 3, shadow: 3, building: 3})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
