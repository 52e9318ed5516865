package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"noroshi/ingest"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
	"noroshi/internal/identify"
)

// A letter of what passed the bounds of a message is tried again whole, whatever of it is undecodable still.
func TestALetterIsTriedAgainAsFarAsItGoes(t *testing.T) {
	many := make([]string, ingest.MaxRecords+5)
	for i := range many {
		many[i] = sound(fmt.Sprint("t-", i))
	}
	_, bad := ingest.Split([]byte(`{"records":[` + strings.Join(slices.Concat(many, many), ",") + "]}"))
	if len(bad) != 1 {
		t.Fatalf("%d bad pieces", len(bad))
	}
	other := strings.Replace(sound("b"), `"OrganizationId":"t-1"`, `"OrganizationId":"o"`, 1)
	for name, one := range map[string]struct {
		value         string
		events, still int
		reasons       string
		failed        string
	}{
		"one record":                        {sound("a"), 1, 0, "", ""},
		"more than a message may hold":      {strings.Join(many, "\n"), len(many), 0, "", ""},
		"the rest of an envelope":           {string(bad[0].Bytes), len(many) + 5, 0, "", ""},
		"records between what is none":      {`{"records":[` + sound("a") + `,17,` + sound("b") + `,[]]}`, 2, 2, "json json", ""},
		"records behind many that are none": {`{"records":[` + strings.Repeat("17,", 350) + sound("a") + `]}`, 1, 350, strings.TrimSpace(strings.Repeat("json ", 350)), ""},
		"far too many that are none":        {`{"records":[` + sound("a") + strings.Repeat(",17", 5000) + `]}`, 1, 101, strings.Repeat("json ", 100) + "time", ""},
		"a record of another tenant":        {`{"records":[` + sound("a") + "," + other + `]}`, 1, 1, "tenant", ""},
		"no record":                         {"17", 0, 0, "", "it is undecodable still"},
		"nothing but spaces":                {" \n", 0, 0, "", "it holds no record"},
		"nothing":                           {"", 0, 0, "", "the letter holds no bytes that could be read again; mend what lies at audit/2@7 and read that again"},
	} {
		l := deadletter.Letter{Reason: string(ingest.BadCount), Stage: deadletter.StageIngest, Source: "audit", Partition: 2, Sequence: 7, Tenants: []string{"T-1"}, Value: []byte(one.value)}
		all, still, err := NewAgain(decode.Options{}).Records(l)
		events, reasons := 0, []string{}
		for _, r := range all {
			if r.Topic == bus.Events {
				events++
				continue
			}
			piece := deadletter.Parse(r)
			if piece.Origin() != l.Origin() || len(piece.Value) == 0 {
				t.Errorf("%s: a piece is of %s and has %d bytes", name, piece.Origin(), len(piece.Value))
			}
			reasons = append(reasons, piece.Reason)
		}
		if events != one.events || still != one.still || strings.Join(reasons, " ") != one.reasons || (err == nil) != (one.failed == "") || err != nil && !strings.Contains(err.Error(), one.failed) {
			t.Errorf("%s: %d events, %d left, %.100q, %v", name, events, still, reasons, err)
		}
	}
}

// What a letter cannot be tried again for is told in words, and nothing of it passes.
func TestLettersThatStayOutOfReplay(t *testing.T) {
	for name, one := range map[string]struct {
		letter deadletter.Letter
		want   string
	}{
		"of another tenant":     {deadletter.Letter{Reason: deadletter.ReasonTenant, Stage: deadletter.StageIngest, Value: []byte(sound("a"))}, "the source does not take records of its tenant"},
		"an alert that was cut": {deadletter.Letter{Reason: "size", Stage: deadletter.StageDetect, Topic: bus.Alerts, Cut: true, Value: []byte(`{"schema":`)}, "only its first 10 bytes were kept"},
	} {
		all, _, err := NewAgain(decode.Options{}).Records(one.letter)
		if len(all) > 0 || err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
}

// An alert that its topic did not take goes back to that topic, not to the events.
func TestAnAlertThatWasTooLargeIsAnAlertAgain(t *testing.T) {
	large := bus.Record{Topic: bus.Alerts, Key: []byte("k"), Value: []byte(`{"schema":"noroshi.alert/1"}`), Headers: []bus.Header{{Key: headerSchema, Value: []byte(alert.Schema)}}}
	rec, ok := identify.SetAside(large, errors.New("too large"))
	if !ok {
		t.Fatal("nothing is left")
	}
	all, _, err := NewAgain(decode.Options{}).Records(deadletter.Parse(rec))
	if err != nil || len(all) != 1 || all[0].Topic != bus.Alerts || all[0].Header(headerSchema) != alert.Schema || string(all[0].Value) != string(large.Value) {
		t.Errorf("%v: %+v", err, all)
	}
}
