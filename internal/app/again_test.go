package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"noroshi/ingest"
	"noroshi/internal/bus"
	"noroshi/internal/deadletter"
	"noroshi/internal/decode"
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
		"no record":                         {"17", 0, 0, "", "it is undecodable still"},
		"nothing but spaces":                {" \n", 0, 0, "", "it holds no record"},
		"nothing":                           {"", 0, 0, "", "none of its bytes is there"},
	} {
		l := deadletter.Letter{Reason: string(ingest.BadCount), Stage: deadletter.StageIngest, Source: "audit", Partition: 2, Sequence: 7, Value: []byte(one.value)}
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
