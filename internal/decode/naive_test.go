package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"noroshi/internal/event"
)

// plain are the fields that are the text at a dotted path of a unified audit record, and nothing else.
func plain() (all []event.Field) {
	for _, f := range event.Fields() {
		_, worked := derived[f.Name]
		if !worked && f.Type == event.Text && f.Form == event.AsIs && f.Derived == "" && len(f.Actions) == 0 && len(f.Paths[event.UAL]) > 0 && !strings.Contains(strings.Join(f.Paths[event.UAL], " "), "[") {
			all = append(all, f)
		}
	}
	return all
}

// naive is the first text at a field's paths, by way of nested maps.
func naive(rec map[string]any, f event.Field) string {
	for _, path := range f.Paths[event.UAL] {
		var v any = rec
		for step := range strings.SplitSeq(path, ".") {
			m, _ := v.(map[string]any)
			v = m[step]
		}
		switch v.(type) {
		case string, json.Number, bool:
			if s := fmt.Sprint(v); s != "" {
				return s
			}
		}
	}
	return ""
}

// TestReaderAgreesWithNestedMaps puts random values at random places of the schema.
func TestReaderAgreesWithNestedMaps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	values := [...]string{`"a"`, `""`, `null`, `17`, `-0.5e3`, `true`, `false`, `"\u00e9\n\"q\""`, `"日本"`, `" b "`}
	fields, r, compared, present := plain(), reader(), 0, 0
	for compared < 100_000 {
		rec := map[string]any{"CreationTime": "2026-01-02T03:04:05", "Id": "1", "Operation": "x", "RecordType": 1}
		for _, f := range fields {
			for _, path := range f.Paths[event.UAL] {
				if rnd.IntN(2) == 0 {
					put(rec, path, json.RawMessage(values[rnd.IntN(len(values))]))
				}
			}
		}
		text, err := json.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ReadAlone(text, time.Time{}); err != nil || r.Shape() != event.UAL {
			t.Fatalf("%s is %s: %v", text, r.Shape(), err)
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var maps map[string]any
		if err := d.Decode(&maps); err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			got, want := r.field(f.Name), naive(maps, f)
			if got != want {
				t.Fatalf("%s is %q, by maps %q: %s", f.Name, got, want, text)
			}
			if compared++; want != "" {
				present++
			}
		}
	}
	t.Logf("%d values compared, %d of them present, %d fields", compared, present, len(fields))
	if present < compared/5 {
		t.Error("too few values were there to compare")
	}
}

// put sets a value at a dotted path where nothing else stands in its way.
func put(m map[string]any, path string, v any) {
	step, rest, nested := strings.Cut(path, ".")
	if !nested {
		if m[step] == nil && step != "CreationTime" {
			m[step] = v
		}
		return
	}
	if m[step] == nil {
		m[step] = map[string]any{}
	}
	if inner, ok := m[step].(map[string]any); ok {
		put(inner, rest, v)
	}
}
