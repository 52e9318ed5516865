package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/ingest"
)

// desk takes what a source delivers and keeps positions, as Kafka would.
type desk struct {
	t       *testing.T
	records []string
	refused []string
	stored  map[string][]byte
	failAt  int // the delivery that fails, from 1
	n       int
}

func newDesk(t *testing.T) *desk { return &desk{t: t, stored: map[string][]byte{}} }

var errDesk = errors.New("desk is closed")

func (d *desk) deliver(_ context.Context, b ingest.Batch) error {
	if d.n++; d.n == d.failAt {
		return errDesk
	}
	for _, r := range b.Records {
		d.records = append(d.records, string(r.Bytes))
	}
	for _, r := range b.Refused {
		d.refused = append(d.refused, fmt.Sprintf("%d:%s", r.Line, r.Reason))
	}
	d.stored[b.Key] = append([]byte(nil), b.Position...)
	return nil
}

func (d *desk) position(key string) []byte { return d.stored[key] }

// source makes a source whose rounds the test turns by hand.
func source(t *testing.T, follow bool, paths ...string) *Source {
	t.Helper()
	s, err := New(Config{Paths: paths, Follow: follow, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func round(t *testing.T, s *Source, d *desk) {
	t.Helper()
	if err := s.round(t.Context(), d.position, d.deliver); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, d *desk, records ...string) {
	t.Helper()
	if got := strings.Join(d.records, " "); got != strings.Join(records, " ") {
		t.Errorf("got %s, want %v", got, records)
	}
}

func TestAGrowingFileGivesWholeLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	s, d := source(t, true, path), newDesk(t)
	round(t, s, d) // it is not there yet
	add(t, path, `{"n":1}`+"\n"+`{"n"`)
	round(t, s, d)
	want(t, d, `{"n":1}`)
	add(t, path, `:2}`+"\n")
	round(t, s, d)
	round(t, s, d)
	want(t, d, `{"n":1}`, `{"n":2}`)
}

func TestARenamedFileIsFinishedAndTheNewOneBegun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	add(t, path, `{"n":1}`+"\n")
	s, d := source(t, true, path), newDesk(t)
	round(t, s, d)
	add(t, path, `{"n":2}`+"\n"+`{"n":3}`) // without its end: nobody writes on
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	add(t, path, `{"n":4}`+"\n")
	round(t, s, d)
	round(t, s, d)
	want(t, d, `{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`)
}

func TestATruncatedFileBeginsAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	add(t, path, `{"n":1}`+"\n"+`{"n":2}`+"\n")
	s, d := source(t, true, path), newDesk(t)
	round(t, s, d)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	add(t, path, `{"n":3}`+"\n")
	round(t, s, d)
	want(t, d, `{"n":1}`, `{"n":2}`, `{"n":3}`)
}

func TestARestartGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	for i := range 5000 {
		add(t, path, fmt.Sprintf(`{"n":%d}`+"\n", i))
	}
	d := newDesk(t)
	d.failAt = 2
	s := source(t, true, filepath.Join(dir, "*.log"))
	if err := s.round(t.Context(), d.position, d.deliver); !errors.Is(err, errDesk) {
		t.Fatalf("got %v", err)
	}
	if err := os.Rename(path, filepath.Join(dir, "b.log")); err != nil { // renamed in the meantime
		t.Fatal(err)
	}
	round(t, source(t, true, filepath.Join(dir, "*.log")), d)
	if len(d.records) != 5000 {
		t.Fatalf("%d records", len(d.records))
	}
	for i, r := range d.records {
		if r != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("record %d is %s", i, r)
		}
	}
}

func TestAnotherFileUnderTheSameInodeBeginsAtItsStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	add(t, path, `{"n":1}`+"\n")
	d := newDesk(t)
	round(t, source(t, true, path), d)
	if err := os.WriteFile(path, []byte(`{"m":1}`+"\n"+`{"m":2}`+"\n"), 0o600); err != nil { // the same inode
		t.Fatal(err)
	}
	round(t, source(t, true, path), d)
	want(t, d, `{"n":1}`, `{"m":1}`, `{"m":2}`)
}

func TestFilesThatAreNoLinesAreReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	add(t, path, "[\n{\"n\":1},\n{\"n\":2},\nnull]")
	d := newDesk(t)
	s := source(t, true, path)
	round(t, s, d)
	round(t, s, d)
	round(t, source(t, true, path), d) // after a restart
	want(t, d, `{"n":1}`, `{"n":2}`)
	if fmt.Sprint(d.refused) != "[4:json]" {
		t.Errorf("refused %v", d.refused)
	}
}

// TestAFileThatIsStillBeingCopiedIsReadOn: what comes later is delivered, also after a restart; of what has been, no more than a table's
// last row is again.
func TestAFileThatIsStillBeingCopiedIsReadOn(t *testing.T) {
	for name, parts := range map[string][]string{
		"a.json": {"{\"value\":[{\"n\":1},\n{\"n\":2},\n", "{\"n\":3},{\"n\":", "4}]}\n"},
		"a.csv":  {"Id,AuditData\n1,\"{\"\"n\"\":1}\"\n", "2,\"{\"\"n\"\":2}\"\n3,", "\"{\"\"n\"\":3}\"\n4,\"{\"\"n\"\":4}\"\n"},
	} {
		for _, restart := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), name)
			d := newDesk(t)
			s := source(t, true, path)
			for _, part := range parts {
				add(t, path, part)
				round(t, s, d)
				round(t, s, d)
				if restart {
					s = source(t, true, path)
				}
			}
			d.records = slices.Compact(slices.DeleteFunc(d.records, func(r string) bool { return r == "" })) // half a row, and the row before what was added
			want(t, d, `{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`)
		}
	}
}

// TestAPieceBehindHalfAFileIsRefused: what the half left broken at its end does not count for what is broken in the whole.
func TestAPieceBehindHalfAFileIsRefused(t *testing.T) {
	for name, one := range map[string]struct {
		parts   []string
		refused string
	}{
		"a.csv":  {[]string{"Id,AuditData\n1\n2,\"{", "}\"\n3\n", "4,{}\n"}, "[2:json 3:json 4:json 4:json]"},
		"a.json": {[]string{"[{\"n\":1},\n17,\n{\"n\":", "2},\nnull,\n", "{\"n\":3}]"}, "[2:json 3:json 4:json 5:json]"},
	} {
		for _, restart := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), name)
			d := newDesk(t)
			s := source(t, true, path)
			for _, part := range one.parts {
				add(t, path, part)
				round(t, s, d)
				round(t, s, d)
				if restart {
					s = source(t, true, path)
				}
			}
			if got := fmt.Sprint(d.refused); got != one.refused {
				t.Errorf("%s: refused are %s", name, got)
			}
		}
	}
}

// TestPiecesThatNoRecordStandsBesideAreRefusedOnce: those of a stretch of a file in which no record lies, and not again after a restart.
func TestPiecesThatNoRecordStandsBesideAreRefusedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	add(t, path, "Id,AuditData\n"+strings.Repeat("x\n", 250)+"y,{}\n"+strings.Repeat("x\n", 250)+"z,\"{\n")
	for failAt := range 8 {
		d := newDesk(t)
		d.failAt = failAt
		if err := source(t, true, path).round(t.Context(), d.position, d.deliver); (err != nil) != (failAt > 0 && d.n == failAt) {
			t.Fatal(err)
		}
		round(t, source(t, true, path), d)
		want(t, d, `{}`)
		if n := len(d.refused); n != 501 || d.refused[0] != "2:json" || d.refused[500] != "503:json" {
			t.Errorf("with a fault at %d: %d refused", failAt, n)
		}
	}
}

func TestALineThatIsTooLongIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	add(t, path, `{"n":1}`+"\n"+`{"n":"`+strings.Repeat("x", 3*ingest.MaxRecord)+"\"}\n"+`{"n":2}`+"\n")
	d := newDesk(t)
	round(t, source(t, true, path), d)
	want(t, d, `{"n":1}`, `{"n":2}`)
	if fmt.Sprint(d.refused) != "[2:size]" {
		t.Errorf("refused %v", d.refused)
	}
}

func TestWithoutFollowingItEndsWithTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	add(t, path, `{"n":1}`+"\n"+`{"records":[{"n":2},{"n":3}]}`+"\n"+`{"n":4}`)
	d := newDesk(t)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if err := source(t, false, path).Run(ctx, d.position, d.deliver); err != nil {
		t.Fatal(err)
	}
	want(t, d, `{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`)
}
