package file

import (
	"bytes"
	gzipped "compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/ingest"
)

// desk takes what a source delivers and keeps positions, as Kafka would: all of a batch, or nothing.
type desk struct {
	t       *testing.T
	records []string
	from    map[string][]string // where each record lay
	refused []string
	details []string // of what is refused
	stored  map[string][]byte
	failAt  int  // the delivery that fails, from 1
	keeps   bool // that delivery is stored all the same
	n       int
}

func newDesk(t *testing.T) *desk {
	return &desk{t: t, stored: map[string][]byte{}, from: map[string][]string{}}
}

var errDesk = errors.New("desk is closed")

func (d *desk) deliver(_ context.Context, b ingest.Batch) error {
	fails := false
	if d.n++; d.n == d.failAt {
		if fails = true; !d.keeps {
			return errDesk
		}
	}
	for _, r := range b.Records {
		d.records = append(d.records, string(r.Bytes))
		d.from[string(r.Bytes)] = append(d.from[string(r.Bytes)], fmt.Sprintf("%s:%d", filepath.Base(r.File), r.Line))
	}
	for _, r := range b.Refused {
		d.refused = append(d.refused, fmt.Sprintf("%d:%s", r.Line, r.Reason))
		d.details = append(d.details, r.Detail)
	}
	d.stored[b.Key] = append([]byte(nil), b.Position...)
	if b.Position == nil {
		delete(d.stored, b.Key)
	}
	if fails {
		return errDesk
	}
	return nil
}

// clock is the time that tests turn.
var clock = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// reader is a source whose turns the test makes.
type reader struct {
	*Source
	t     *testing.T
	began bool
	now   time.Time
	log   bytes.Buffer
}

func source(t *testing.T, follow bool, paths ...string) *reader {
	t.Helper()
	r := &reader{t: t, now: clock}
	s, err := New(Config{Paths: slices.Clone(paths), Follow: follow, Now: func() time.Time { return r.now }, Log: slog.New(slog.NewTextHandler(&r.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	r.Source = s
	t.Cleanup(s.close)
	return r
}

// try makes a turn, a poll later.
func (r *reader) try(d *desk) error {
	if !r.began {
		r.restore(maps.Clone(d.stored), d.deliver)
		r.began = true
	}
	r.now = r.now.Add(250 * time.Millisecond)
	return r.turn(r.t.Context())
}

func round(t *testing.T, r *reader, d *desk) {
	t.Helper()
	if err := r.try(d); err != nil {
		t.Fatal(err)
	}
}

// later makes turns until ends that do not change are taken as they are.
func later(t *testing.T, r *reader, d *desk) {
	t.Helper()
	r.now = r.now.Add(settle)
	round(t, r, d)
	r.now = r.now.Add(settle)
	round(t, r, d)
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
	const n = 5 * batchRecords / 2
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{"n":%d}`+"\n", i)
	}
	add(t, path, text.String())
	d := newDesk(t)
	d.failAt = 2
	s := source(t, true, filepath.Join(dir, "*.log"))
	if err := s.try(d); !errors.Is(err, errDesk) {
		t.Fatalf("got %v", err)
	}
	if err := os.Rename(path, filepath.Join(dir, "b.log")); err != nil { // renamed in the meantime
		t.Fatal(err)
	}
	round(t, source(t, true, filepath.Join(dir, "*.log")), d)
	if len(d.records) != n {
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
	want(t, d, `{"n":1}`, `{"n":2}`)
	later(t, s, d)                     // it may not have been whole
	later(t, source(t, true, path), d) // after a restart
	want(t, d, `{"n":1}`, `{"n":2}`)
	if fmt.Sprint(d.refused) != "[4:json]" {
		t.Errorf("refused %v", d.refused)
	}
}

// TestAFileThatIsStillBeingCopiedIsReadOn: what comes later is delivered, also after a restart, and nothing twice.
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
			want(t, d, `{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`)
		}
	}
}

// TestAPieceBehindHalfAFileIsRefused: what is broken in the whole is told, and what the half left broken at its end is not.
func TestAPieceBehindHalfAFileIsRefused(t *testing.T) {
	for name, one := range map[string]struct {
		parts   []string
		refused string
	}{
		"a.csv":  {[]string{"Id,AuditData\n1\n2,\"{", "}\"\n3\n", "4,{}\n"}, "[2:json 4:json]"},
		"a.json": {[]string{"[{\"n\":1},\n17,\n{\"n\":", "2},\nnull,\n", "{\"n\":3}]"}, "[2:json 4:json]"},
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
		s := source(t, true, path)
		for range 4 {
			s.now = s.now.Add(settle)
			if err := s.try(d); err != nil {
				s = source(t, true, path)
			}
		}
		want(t, d, `{}`)
		if n := len(d.refused); n != 501 || d.refused[0] != "2:json" || d.refused[500] != "503:json" {
			t.Errorf("with a fault at %d: %d refused", failAt, n)
		}
	}
}

// TestAFileThatIsCutOffIsToldOnce: wherever it is cut, one piece stands for what is missing, and it says so, also after a restart.
func TestAFileThatIsCutOffIsToldOnce(t *testing.T) {
	var lines strings.Builder
	for i := range 400 {
		fmt.Fprintf(&lines, "{\"n\":%d,\"x\":\"%x\"}\n", i, sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	whole := compressed(t, lines.String())
	for at := len(whole) / 2; at < len(whole)-1; at += 997 {
		path := filepath.Join(t.TempDir(), "a.gz")
		add(t, path, string(whole[:at]))
		d := newDesk(t)
		s := source(t, true, path)
		later(t, s, d)
		later(t, source(t, true, path), d)
		if len(d.details) != 1 || !strings.Contains(d.details[0], "a.gz is cut off after byte ") {
			t.Errorf("cut at %d: %d records, %q", at, len(d.records), d.details)
		}
	}
}

// compressed is a text as gzip writes it.
func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzipped.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
	if err := source(t, false, path).Run(ctx, d.stored, d.deliver); err != nil {
		t.Fatal(err)
	}
	want(t, d, `{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`)
}
