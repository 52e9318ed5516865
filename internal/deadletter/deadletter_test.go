package deadletter

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/bus"
)

func example() Letter {
	return Letter{Reason: "refused", Detail: "status 400: no", Stage: "sink:soc", Topic: bus.Alerts, Partition: 3, Offset: 17, Key: []byte("k"), Headers: []bus.Header{{Key: "schema", Value: []byte("noroshi.alert/1")}}, Value: []byte(`{"id":"x"}`)}
}

func TestALetterReadsBack(t *testing.T) {
	for _, want := range []Letter{example(), {Reason: "json", Stage: StageIngest, File: "audit.ndjson", Line: 7, Value: []byte("\xff\x00")},
		{Reason: "tenant", Stage: StageIngest, Source: "audit", Partition: 2, Sequence: 9, Enqueued: time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC), Tenants: []string{"t-1", "t-2"}, Cut: true, Value: []byte("{}")}} {
		got := Parse(want.Record())
		want.Place = "0:0"
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

// TestAMarkSaysThatALetterWasReplayed: it is no letter, and what is marked stays one.
func TestAMarkSaysThatALetterWasReplayed(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := example()
	var letters Letters
	for i := range 2 {
		r := l.Record()
		r.Offset, r.Timestamp = int64(5+i), at.Add(-time.Duration(i)*time.Minute)
		letters.Add(r)
	}
	l.Place = "0:5"
	for _, after := range []time.Duration{2, 3, 1} {
		r := l.Mark()
		r.Offset, r.Timestamp = 9, at.Add(after*time.Hour)
		letters.Add(r)
	}
	all := letters.All()
	if len(all) != 2 || all[0].Place != "0:6" || !all[0].Replayed.IsZero() || !all[1].Replayed.Equal(at.Add(3*time.Hour)) {
		t.Errorf("got %+v", all)
	}
	if got := all[1].Format(); !strings.HasSuffix(got, "(replayed 2026-01-02T06:04:05Z)") || strings.Contains(all[0].Format(), "replayed") {
		t.Error(got)
	}
	if d := cmp.Diff([]string{"ingest", "detect", "sink:a", "sink:soc"}, letters.Stages([]string{"soc", "a"})); d != "" {
		t.Error(d)
	}
}

// TestAnotherTryGoesWhereItFailed: an alert to its sink alone, a record of the detector to its topic, one of ingest nowhere by itself.
func TestAnotherTryGoesWhereItFailed(t *testing.T) {
	l := example()
	r, ok := l.Again()
	if !ok || r.Topic != bus.Alerts || r.Header(OnlySink) != "soc" || r.Header("schema") != "noroshi.alert/1" || string(r.Value) != string(l.Value) {
		t.Errorf("%v %+v", ok, r)
	}
	l.Stage, l.Topic = StageDetect, bus.Events
	if r, ok := l.Again(); !ok || r.Topic != bus.Events || r.Header(OnlySink) != "" {
		t.Errorf("%v %+v", ok, r)
	}
	l.Stage, l.Topic = StageIngest, ""
	if _, ok := l.Again(); ok {
		t.Error("it has to be identified anew")
	}
}

func TestStrangersTextIsEscaped(t *testing.T) {
	l := Letter{Reason: "json", Stage: StageIngest, File: "a\x1b[31m", Line: 1, Detail: "\u202eevil\n"}
	if s := l.Format(); strings.ContainsAny(s, "\x1b\n\u202e") {
		t.Errorf("%q", s)
	}
}

// FuzzLetter: whatever a letter holds, it reads back.
func FuzzLetter(f *testing.F) {
	f.Add("json", "detail", "sink:x", []byte("value"), []byte("key"))
	f.Fuzz(func(t *testing.T, reason, detail, stage string, value, key []byte) {
		l := Letter{Reason: reason, Detail: detail, Stage: stage, Topic: bus.Alerts, Offset: 5, Key: key, Value: value}
		got := Parse(l.Record())
		l.Place = "0:0"
		if d := cmp.Diff(l, got); d != "" {
			t.Fatal(d)
		}
		_ = got.Format()
		_ = got.JSON(true)
	})
}

// TestALetterOfASinkSaysWhatItWas: rule, account and severity of the alert; letters of other stages have none.
func TestALetterOfASinkSaysWhatItWas(t *testing.T) {
	l := Letter{Reason: "refused", Detail: "status 422", Stage: StageSink + "soc", Headers: []bus.Header{{Key: "rule", Value: []byte("r-1")}, {Key: "account", Value: []byte("taro@contoso.example")}, {Key: "severity", Value: []byte("high")}}}
	got := Parse(l.Record())
	if s := got.Format(); !strings.HasSuffix(s, "status 422 (rule r-1, account taro@contoso.example, severity high)") {
		t.Error(s)
	}
	if j := got.JSON(false); j.Rule != "r-1" || j.Account != "taro@contoso.example" || j.Severity != "high" {
		t.Errorf("%+v", j)
	}
	got.Stage = StageDetect
	if j := got.JSON(false); j.Rule != "" || strings.Contains(got.Format(), "r-1") {
		t.Errorf("%+v", j)
	}
}
