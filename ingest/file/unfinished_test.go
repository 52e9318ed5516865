package file

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnUnfinishedLastLineIsTold once it has not changed for a while, and no more when it is finished.
func TestAnUnfinishedLastLineIsTold(t *testing.T) {
	const record = `{"Id":"1"}` + "\n"
	for name, one := range map[string]struct {
		text  string
		line  int    // that is unfinished
		rest  string // finishes it
		after int    // records
	}{
		"half a line":                 {record + `{"Id":`, 2, `"2"}` + "\n", 2},
		"half a line of the first":    {`{"Id":`, 1, `"2"}` + "\n", 1},
		"a broken line with its end":  {record + record + "{broken\n", 3, record, 3},
		"a whole line without end":    {record + `{"Id":"2"}`, 0, "\n", 2},
		"a whole line":                {record, 0, record, 2},
		"NUL bytes of a file to come": {record + "\x00\x00\x00", 0, "", 1},
		"blanks":                      {record + "  ", 0, record, 2},
		"nothing":                     {"", 0, record, 1},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.ndjson")
			add(t, path, one.text)
			d := newDesk(t)
			s := source(t, true, path)
			expect := func(when string, line int, told bool) {
				t.Helper()
				unfinished, at := int64(0), ""
				if line > 0 {
					unfinished, at = 1, fmt.Sprintf("%s:%d", path, line)
				}
				if c := s.Counts().Snapshot(); c.Unfinished != unfinished || c.UnfinishedAt != at {
					t.Errorf("%s: %d, %q; want %q", when, c.Unfinished, c.UnfinishedAt, at)
				}
				if got := strings.Count(s.log.String(), "is not finished"); got > 1 || (got == 1) != told {
					t.Errorf("%s: told %d times\n%s", when, got, &s.log)
				}
			}
			round(t, s, d)
			expect("at once", 0, false)
			later(t, s, d)
			expect("after a while", one.line, one.line > 0)
			s.now = s.now.Add(2 * leave)
			round(t, s, d)
			round(t, s, d)
			expect("much later", one.line, one.line > 0)
			add(t, path, one.rest)
			later(t, s, d)
			expect("in the end", 0, one.line > 0)
			if len(d.records) != one.after {
				t.Errorf("%d records, want %d", len(d.records), one.after)
			}
		})
	}
}
