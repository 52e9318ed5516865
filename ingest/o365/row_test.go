package o365

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"noroshi/ingest/feed"
)

// A row of a listing may say anything. The positions and rows that are stored on the way can be read again, and are small.
func TestWhatARowSaysCanBeStored(t *testing.T) {
	created := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	long := "https://manage.office.com/" + strings.Repeat("a", 1<<20)
	for name, one := range map[string]struct{ id, uri, created, expires, letter string }{
		"expires behind year 9999":  {"b", "https://manage.office.com/b", created, "9999-12-31T23:59:59-08:00", ""},
		"created behind year 9999":  {"b", "https://manage.office.com/b", "9999-12-31T23:59:59-08:00", "9999-12-31T23:59:59-08:00", ""},
		"created before year 0":     {"b", "https://manage.office.com/b", "0000-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", ""},
		"expires before it is made": {"b", "https://manage.office.com/b", "9999-12-30T00:00:00Z", "2026-01-02T03:04:05Z", ""},
		"a long contentId":          {long, "https://manage.office.com/b", created, "9999-12-31T23:59:59-08:00", ""},
		"a long contentUri":         {"b", long, created, "9999-12-31T23:59:59-08:00", "4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answering{answer: func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "subscriptions/content") {
					_, _ = fmt.Fprintf(w, `[{"contentId":%q,"contentUri":%q,"contentCreated":%q,"contentExpiration":%q}]`, one.id, one.uri, one.created, one.expires)
					return
				}
				_, _ = io.WriteString(w, `[{"Id":"1"}]`)
			}}
			s, err := New(asks(t, a).config)
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.OpenWith(t.Context(), 1, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(t.Context())
			rows, ended := map[string][]byte{}, false
			for !ended {
				all, err := c.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range all {
					ended = ended || m.Body != nil || m.Refused != nil
					if m.Refused != nil && (one.letter == "" || !strings.Contains(m.Refused.Detail, one.letter)) || m.Body != nil && one.letter != "" {
						t.Errorf("given %.300s, %+v; expected a letter with %q", m.Body, m.Refused, one.letter)
					}
					for _, r := range m.Rows {
						rows[r.Key] = r.Value
					}
					if len(m.Offset) > 8<<10 {
						t.Fatalf("the position has %d bytes", len(m.Offset))
					}
					again, err := s.cursor(1, &feed.Position{Offset: m.Offset}, rows)
					if err != nil {
						t.Fatalf("the position %q and the rows %q: %v", m.Offset, rows, err)
					}
					again.Close(t.Context())
				}
			}
		})
	}
}
