package decode

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// TestObjectsAndListsMayBeText: each object and list of a record, one at a time and all those of the record's own members, may
// come as JSON in text, over several lines or not: the event is the same.
func TestObjectsAndListsMayBeText(t *testing.T) {
	tried := 0
	for _, file := range fixtures(t) {
		rec, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(rec, &m); err != nil {
			t.Fatal(err)
		}
		whole := reader()
		if err := whole.ReadAlone(rec[:len(rec)-1], time.Time{}); err != nil {
			t.Fatal(err)
		}
		if whole.Shape() == event.Defender || len(whole.around) > 0 {
			continue // its columns are what they are; the audit record in one has a test of its own
		}
		same := func(what string) {
			t.Helper()
			tried++
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			r := reader()
			if err := r.ReadAlone(b, time.Time{}); err != nil {
				t.Errorf("%s: %s as text: %v", file, what, err)
				return
			}
			want, got := said(whole), said(r)
			if strings.Contains(want, "event.id: sha256:") { // the hash of other bytes
				want, got = withoutID(want), withoutID(got)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s as text: %s", file, what, d)
			}
		}
		leaves(m, "", func(in map[string]any, key, path string) {
			before := in[key]
			defer func() { in[key] = before }()
			if text, ok := inText(before); ok {
				in[key] = text
				same(path)
				lines, _ := json.MarshalIndent(before, "\r", "\t")
				in[key] = "\r\n " + string(lines)
				same(path + " over lines")
			}
		})
		for k, v := range m {
			if text, ok := inText(v); ok {
				m[k] = text
			}
		}
		same("all")
	}
	if tried < 60 {
		t.Errorf("only %d records", tried)
	}
}

// inText is an object or a list as text.
func inText(v any) (string, bool) {
	switch v.(type) {
	case map[string]any, []any:
		b, err := json.Marshal(v)
		return string(b), err == nil
	}
	return "", false
}

func withoutID(said string) string {
	before, after, _ := strings.Cut(said, "event.id: ")
	_, after, _ = strings.Cut(after, "\n")
	return before + after
}

// TestTextThatStaysText: what is no JSON, more than one value, too deep or text in text once more is left as it is, and nothing
// of it reaches the record around it.
func TestTextThatStaysText(t *testing.T) {
	for _, text := range []string{`{`, `{}x`, `{"city":"Delft"},"userPrincipalName":"eve@contoso.example"`, `{"city":"Delft"}}`, `["Delft"`, strings.Repeat(`{"city":`, projector.MaxDepth) + `1` + strings.Repeat("}", projector.MaxDepth), quoted(`{"city":"Delft"}`), "[]", " "} {
		r := read(t, `{"createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"taro@contoso.example","location":`+quoted(text)+`,"status":"{\"errorCode\":50126}"}`)
		if r.field("auth.error") != "50126" {
			t.Errorf("%.60s keeps another text closed", text)
		}
		if r.field("source.geo.city_name") != "" || r.Identity().Account != "taro@contoso.example" {
			t.Errorf("%.60s: %s", text, said(r))
		}
	}
}

// TestManyTextsAreBounded: of a list whose every entry holds text only so many are opened.
func TestManyTextsAreBounded(t *testing.T) {
	entry := `{"userPrincipalName":"{}","id":"[1]"},`
	r := read(t, `{"activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"x","targetResources":[`+strings.Repeat(entry, 10_000)+`{}],"initiatedBy":"{\"user\":{\"userPrincipalName\":\"taro@contoso.example\"}}"}`)
	if n := len(r.x.Texts); n > 64 {
		t.Errorf("%d texts are remembered", n)
	}
	if got := r.Identity().Dataset; got != "entra.audit" {
		t.Errorf("it is %s", got)
	}
}
