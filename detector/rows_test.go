package detector

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/rules"
)

const counting = `id: counting
title: %s
severity: %s
kind: threshold
when: event.action == "%s"
within: %s
count: %d
`

// memoryOf is the memory of a rule after some records, its rows, and the alerts that it gives for some more.
func memoryOf(t *testing.T, text string, rows []Row, from, to int) (again []Row, ids []string, failed error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rule.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	set := New(rs, Options{})
	w, m := set.Worker(), set.Memory(MemoryOptions{Live: true})
	for _, r := range rows {
		failed = errors.Join(failed, m.Load(r))
	}
	for i := from; i < to; i++ {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:%02d","Id":"a-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, i, i)
		if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
		EachHit(w.Match(nil), func(packed []byte) {
			if err := m.Apply(packed, func(a *alert.Alert) { ids = append(ids, a.ID) }); err != nil {
				t.Fatal(err)
			}
		})
	}
	m.Rows(func(r Row) {
		again = append(again, Row{append([]byte(nil), r.Key...), append([]byte(nil), r.Value...), r.Form})
	})
	return again, ids, failed
}

// TestMemoryOutlivesChangesOfARule: what a rule has seen is kept when its texts and numbers change, and begins anew when it looks at
// something else.
func TestMemoryOutlivesChangesOfARule(t *testing.T) {
	rows, ids, err := memoryOf(t, fmt.Sprintf(counting, "A", "low", "Send", "10m", 5), nil, 0, 4)
	if err != nil || len(ids) != 0 || len(rows) != 2 {
		t.Fatalf("%v: %d alerts, %d rows", err, len(ids), len(rows))
	}
	for name, text := range map[string]string{
		"nothing": fmt.Sprintf(counting, "A", "low", "Send", "10m", 5), "title": fmt.Sprintf(counting, "B", "low", "Send", "10m", 5),
		"severity": fmt.Sprintf(counting, "A", "high", "Send", "10m", 5), "within": fmt.Sprintf(counting, "A", "low", "Send", "1h", 5),
		"count": fmt.Sprintf(counting, "A", "low", "Send", "10m", 2),
	} {
		if _, ids, err := memoryOf(t, text, rows, 4, 5); err != nil || len(ids) != 1 {
			t.Errorf("with another %s: %v, %d alerts", name, err, len(ids))
		}
	}
	for name, text := range map[string]string{
		"condition": fmt.Sprintf(counting, "A", "low", `Send" && user.name != "x`, "10m", 5),
		"key":       fmt.Sprintf(counting, "A", "low", "Send", "10m", 5) + "by: [user.name]\n",
		"count of":  strings.Replace(fmt.Sprintf(counting, "A", "low", "Send", "10m", 5), "count: 5", "distinct: {of: event.id, least: 2}", 1),
	} {
		if _, ids, err := memoryOf(t, text, rows, 4, 5); !errors.Is(err, ErrVersion) || len(ids) != 0 {
			t.Errorf("with another %s: %v, %d alerts", name, err, len(ids))
		}
	}
}

// remembering are rules of every kind that remembers.
var remembering = []string{
	"kind: match\nwhen: event.action == \"Send\"\nrepeat: 1h", "kind: threshold\nwhen: event.action == \"Send\"\nwithin: 10m\ndistinct: {of: event.id, least: 2}",
	"kind: sequence\nwithin: 1h\nsteps: [{id: a, when: event.action == \"Send\"}, {id: b, when: event.action == \"Create\"}]",
	"kind: absence\nwhen: event.action == \"Send\"\nwithout: {when: event.action == \"Create\", after: 1m}\nneeds: [ual.exchange_item]",
	"kind: silence\nwhen: event.action == \"Send\"\nlonger: 1h\nratio: 2", "kind: first_seen\nwhen: event.action == \"Send\"\nvalue: [source.ip]\nwithin: 1d",
	"kind: travel\nwhen: event.action == \"Send\"\nwithin: 1h\nleast_km: 5\nleast_kmh: 9", "kind: baseline\nwhen: event.action == \"Send\"\nbucket: 1h\nratio: 2\nfloor: 2\nhistory: 5h\nlearn: 1h",
}

// FuzzLoad: whatever a row holds, reading it ends with memory that can be written, moved on and closed, or with an error.
func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	for i, text := range remembering {
		text = fmt.Sprintf("id: rule-%d\ntitle: A rule\nseverity: low\n%s\n", i, text)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(text), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if diag.Errors(ps) > 0 {
		f.Fatal(ps[0].Format())
	}
	set := New(rs, Options{})
	w, m := set.Worker(), set.Memory(MemoryOptions{Live: true, Stored: true})
	written := map[string][]byte{}
	for i := range 20 {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:%02d","Id":"a-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example","ClientIP":"203.0.113.%d"}`, i, i, i)
		if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
			f.Fatal(err)
		}
		EachHit(w.Match(nil), func(packed []byte) { _ = m.Apply(packed, func(*alert.Alert) {}) })
		if i%5 == 4 {
			m.Changes(func(r Row) { written[string(r.Key)] = append(written[string(r.Key)], r.Value...) })
		}
	}
	for key, value := range written { // what was added lies behind the whole
		f.Add([]byte(key), value)
	}
	m.Rows(func(r Row) { f.Add(append([]byte(nil), r.Key...), append([]byte(nil), r.Value...)) })
	f.Fuzz(func(t *testing.T, key, value []byte) {
		m := set.Memory(MemoryOptions{})
		if m.Load(Row{Key: key, Value: value}) != nil {
			return
		}
		m.Rows(func(Row) {})
		m.End(time.Unix(1<<33, 0), func(*alert.Alert) {})
	})
}
