package decode

import (
	"bytes"
	"os"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/decode/roadstest"
	"noroshi/internal/event"
)

// FuzzInside puts anything that is read as a record of a known shape into what each collector puts around it: it is the same
// record. What is no such record is read without a panic, and what is no UTF-8 as if U+FFFD stood there.
func FuzzInside(f *testing.F) {
	for _, rec := range roadstest.Records() {
		for i, road := range roadstest.Roads() {
			if road.Family&rec.Family != 0 && i%5 == 0 {
				f.Add([]byte(road.Wrap(rec.JSON)), byte(i))
			}
		}
	}
	for _, file := range fixtures(f) {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSpace(b), byte(len(b)))
	}
	for _, s := range []string{auditRecord(`,"auditData":null`), `{"message":"{\"message\":\"{\\\"message\\\":\\\"{}\\\"}\"}"}`, "{\"Operation\":\"x\",\"RecordType\":1,\"AuditData\":\"\xff\"}", `{"event":{"original":["{}"]},"records":[{}],"value":[]}`} {
		f.Add([]byte(s), byte(0))
	}
	alone, r, wrappers := reader(), reader(), roadstest.Wrappers()
	f.Fuzz(func(t *testing.T, rec []byte, way byte) {
		if len(rec) == 0 || rec[0] != '{' || alone.ReadAlone(rec, time.Unix(1, 0)) != nil {
			return
		}
		want := fieldsOf(alone)
		if !utf8.Valid(rec) {
			if err := r.ReadAlone(legible(bytes.Clone(rec), 0), time.Unix(1, 0)); err == nil {
				differ(t, rec, want, fieldsOf(r))
			}
			return
		}
		if alone.Shape() == event.Other || alone.depth > 1 || alone.timeFrom != "record" || nesting(rec) > 20 {
			return
		}
		road := wrappers[int(way)%len(wrappers)]
		text := road.Wrap(string(rec))
		if err := r.ReadAlone([]byte(text), time.Unix(1, 0)); err != nil {
			t.Fatalf("%s: %v: %s", road.Name, err, text)
		}
		if r.Broken() != alone.Broken() {
			t.Fatalf("%s: broken %q, alone %q: %s", road.Name, r.Broken(), alone.Broken(), text)
		}
		differ(t, rec, want, fieldsOf(r))
	})
}

// differ compares all fields but a hash of the bytes.
func differ(t *testing.T, rec []byte, want, got map[string]string) {
	t.Helper()
	for _, m := range []map[string]string{want, got} {
		if len(m["event.id"]) > len("sha256:") && m["event.id"][:7] == "sha256:" {
			delete(m, "event.id")
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%q: %s", rec, d)
	}
}
