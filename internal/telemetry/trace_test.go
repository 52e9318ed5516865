package telemetry

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func after(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }

// found is an alert of a stream's record.
func found(id string) *Found {
	return &Found{Alert: id, Revision: 1, Rule: "inbox-rule-hides-mail", Severity: "high", Message: Message{"audit", "3", 77}, Partition: 2, Offset: 5,
		Happened: begin, Enqueued: after(10), Stored: after(15), Evaluated: after(40)}
}

// deliver sends alerts at once, first without and then with success.
func deliver(ctx context.Context, tel *Telemetry, all ...Carried) (carried string) {
	_, over := tel.Send(ctx, "soc", 1, all, after(60))
	over(after(70), 503, "503")
	carried, over = tel.Send(ctx, "soc", 2, all, after(80))
	over(after(95), 202, "")
	for _, c := range all {
		tel.Delivered(ctx, "soc", "sent", 2, c, carried, after(100))
	}
	return carried
}

// An alert has one trace, from the message in the hub to the answer of the receiver, and its ids are the same when it comes again.
func TestAnAlertHasOneTrace(t *testing.T) {
	var parents []string
	for range 2 {
		to := collect(t, HTTP)
		tel, _ := opened(t, OTLP{Endpoint: to.url, Protocol: HTTP})
		parent := tel.Found(t.Context(), found("alrt_A"))
		parents = append(parents, parent)
		sent := deliver(t.Context(), tel, Carried{parent, after(55)})
		if err := tel.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"ingest (5 ms) messaging.destination.partition.id=2 messaging.kafka.offset=5 messaging.system=kafka noroshi.source.name=audit noroshi.source.partition=3 noroshi.source.position=77",
			"ingest > detect (25 ms) noroshi.alert.id=alrt_A noroshi.alert.revision=1 noroshi.alert.severity=high noroshi.rule.id=inbox-rule-hides-mail",
			"ingest > detect > deliver (45 ms) noroshi.delivery.attempts=2 noroshi.delivery.outcome=sent noroshi.sink.name=soc",
			"ingest > detect > deliver > send (10 ms) error.type=503 http.response.status_code=503 messaging.batch.message_count=1 noroshi.delivery.attempt=1 noroshi.sink.name=soc",
			"ingest > detect > deliver > send (15 ms) http.response.status_code=202 messaging.batch.message_count=1 noroshi.delivery.attempt=2 noroshi.sink.name=soc",
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, to.tree()); diff != "" {
			t.Error(diff)
		}
		if len(to.traces()) != 1 || to.traces()[TraceID(sent)] != 5 || TraceID(parent) != TraceID(sent) {
			t.Errorf("traces %v, in the request %s", to.traces(), sent)
		}
		if !strings.Contains(to.about, "service.instance.id") {
			t.Errorf("it is told of as %s", to.about)
		}
	}
	if parents[0] != parents[1] || !strings.HasSuffix(parents[0], "-01") {
		t.Errorf("the traces are %q", parents)
	}
}

func TestOverSignalsTheTraceHasOneSpanMore(t *testing.T) {
	to := collect(t, HTTP)
	tel, _ := opened(t, OTLP{Endpoint: to.url})
	f := found("alrt_A")
	f.Message, f.Signalled, f.Revision = Message{}, after(30), 2
	tel.Found(t.Context(), f)
	clocked := found("alrt_B") // nothing came: a clock has made it due
	clocked.Message, clocked.Enqueued, clocked.Stored, clocked.Offset = Message{}, time.Time{}, time.Time{}, -1
	tel.Found(t.Context(), clocked)
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"detect (0 ms) noroshi.alert.id=alrt_B noroshi.alert.revision=1 noroshi.alert.severity=high noroshi.rule.id=inbox-rule-hides-mail",
		"ingest (5 ms) messaging.destination.partition.id=2 messaging.kafka.offset=5 messaging.system=kafka",
		"ingest > detect (15 ms)",
		"ingest > detect > correlate (10 ms) noroshi.alert.id=alrt_A noroshi.alert.revision=2 noroshi.alert.severity=high noroshi.rule.id=inbox-rule-hides-mail -> elsewhere",
	}
	if diff := cmp.Diff(want, to.tree()); diff != "" {
		t.Error(diff)
	}
}

// One request has the trace of its first alert, and links lead to it and from it.
func TestABatchHasLinks(t *testing.T) {
	to := collect(t, HTTP)
	tel, _ := opened(t, OTLP{Endpoint: to.url})
	a, b := tel.Found(t.Context(), found("alrt_A")), tel.Found(t.Context(), found("alrt_B"))
	sent := deliver(t.Context(), tel, Carried{"", after(50)}, Carried{a, after(50)}, Carried{b, after(50)})
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if TraceID(sent) != TraceID(a) || TraceID(a) == TraceID(b) {
		t.Errorf("the request has trace %s, the alerts %s and %s", sent, a, b)
	}
	var linked []string
	for _, line := range to.tree() {
		if name, link, ok := strings.Cut(line, " -> "); ok {
			linked = append(linked, strings.Fields(strings.ReplaceAll(name, " > ", ">"))[0]+" -> "+link)
		}
	}
	want := []string{"ingest>detect>deliver -> send", "ingest>detect>deliver>send -> deliver", "ingest>detect>deliver>send -> deliver"}
	if !slices.Equal(linked, want) {
		t.Errorf("links are %q, the spans %q", linked, to.tree())
	}
}

// What has no trace costs nothing, and is carried on as it came.
func TestAnAlertWithoutATraceIsDeliveredAllTheSame(t *testing.T) {
	none, to := 0.0, collect(t, HTTP)
	for name, o := range map[string]OTLP{"no collector": {}, "none is sampled": {Endpoint: to.url, Sample: &none}} {
		tel, log := opened(t, o)
		if parent := tel.Found(t.Context(), found("alrt_A")); parent != "" {
			t.Errorf("%s: %s", name, parent)
		}
		if sent := deliver(t.Context(), tel, Carried{"", after(50)}, Carried{"00-broken", after(50)}); sent != "" {
			t.Errorf("%s: a request carries %s", name, sent)
		}
		const others = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		sent := deliver(t.Context(), tel, Carried{others, after(50)})
		if name == "no collector" && sent != others || TraceID(sent) != TraceID(others) {
			t.Errorf("%s: a request carries %s of an alert with %s", name, sent, others)
		}
		if err := tel.Close(t.Context()); err != nil || log.String() != "" {
			t.Errorf("%s: %v, and the log says %s", name, err, log)
		}
	}
	if all := to.traces(); len(all) != 1 {
		t.Errorf("traces %v", all)
	}
}

// A part of the alerts has a trace, always the same one.
func TestAShareOfTheAlertsIsSampled(t *testing.T) {
	half := 0.5
	var sampled []string
	for range 2 {
		tel, _ := opened(t, OTLP{Endpoint: collect(t, HTTP).url, Sample: &half})
		some := ""
		for n := range 200 {
			if tel.Found(t.Context(), found("alrt_"+string(rune('A'+n)))) != "" {
				some += string(rune('A' + n))
			}
		}
		sampled = append(sampled, some)
		if err := tel.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len([]rune(sampled[0])); sampled[0] != sampled[1] || n < 60 || n > 140 {
		t.Errorf("sampled were %q", sampled)
	}
}

func TestDelaysHaveTheTraceAsExemplar(t *testing.T) {
	tel, _ := opened(t, OTLP{Endpoint: collect(t, HTTP).url})
	parent := tel.Found(t.Context(), found("alrt_A"))
	deliver(t.Context(), tel, Carried{parent, after(55)})
	got := scrape(t, tel, openMetrics)
	for _, want := range []string{
		`noroshi_alert_event_delay_seconds_bucket{noroshi_alert_severity="high",le="0.05"} 1 # {`,
		`noroshi_alert_enqueued_delay_seconds_bucket{noroshi_alert_severity="high",le="0.05"} 1 # {`,
		`noroshi_sink_delay_seconds_bucket{noroshi_delivery_outcome="sent",noroshi_sink_name="soc",le="0.05"} 1 # {`,
	} {
		_, line, ok := strings.Cut(got, want)
		if line, _, _ = strings.Cut(line, "\n"); !ok || !strings.Contains(line, `trace_id="`+TraceID(parent)+`"`) {
			t.Errorf("no exemplar behind %s: %q in\n%s", want, line, got)
		}
	}
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
