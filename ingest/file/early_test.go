package file

import (
	"fmt"
	"testing"

	stdzstd "github.com/klauspost/compress/zstd"
)

// written are the ways in which records come in a file.
func written(t *testing.T, records []string) map[string][]byte {
	z, err := stdzstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{
		"zstd":     z.EncodeAll(encode("log", records), nil),
		"marked":   append([]byte("\ufeff"), encode("log", records)...),
		"envelope": []byte("{\n  \"value\": " + string(encode("array", records)) + "}\n"),
		"no end":   encode("log", records)[:len(encode("log", records))-1],
		"one line": []byte(`{"records":[` + string(encode("array", records)[2:len(encode("array", records))-3]) + "]}\n"),
	}
	for _, kind := range []string{"log", "gz", "array", "table", "wide"} {
		all[kind] = encode(kind, records)
	}
	return all
}

// TestAFileSeenTooEarlyIsReadAsWhatItBecomes: empty, with one byte, with any part of it. Where the writer stops there for long, what
// is taken of the half is told, and the records come all the same.
func TestAFileSeenTooEarlyIsReadAsWhatItBecomes(t *testing.T) {
	records := numbered(0, 12)
	for name, whole := range written(t, records) {
		for n := range whole {
			if testing.Short() && n > 8 && n%7 != 0 {
				continue
			}
			for _, stalls := range []bool{false, true} {
				f, d := newFolder(t), newDesk(t)
				s := source(t, true, f.path("*"))
				f.put("a", whole[:n])
				round(t, s, d)
				round(t, s, d)
				if stalls {
					later(t, s, d)
				}
				f.put("a", whole)
				round(t, s, d)
				later(t, s, d)
				got := map[string]int{}
				for _, r := range d.records {
					got[r]++
				}
				for _, r := range records {
					if got[r] != 1 {
						t.Fatalf("%s, seen after %d bytes of %d, stalled %v: %s came %d times", name, n, len(whole), stalls, r, got[r])
					}
				}
				if !stalls && (len(d.records) != 12 || len(d.refused) > 0) {
					t.Fatalf("%s, seen after %d bytes of %d: %v, refused %v", name, n, len(whole), d.records, d.refused)
				}
			}
		}
	}
}

// TestAnExportThatIsWrittenAgain: to one path, in place, by other records; grown, shrunk, of the same size.
func TestAnExportThatIsWrittenAgain(t *testing.T) {
	for name := range written(t, numbered(0, 1)) {
		for _, to := range []int{21, 40, 70, 39} {
			f, d := newFolder(t), newDesk(t)
			s := source(t, true, f.path("*"))
			f.put("a", written(t, numbered(0, 20))[name])
			later(t, s, d)
			f.put("a", written(t, numbered(20, to))[name])
			round(t, s, d)
			later(t, s, d)
			f.put("a", written(t, numbered(20, to+5))[name]) // as it was, and longer
			later(t, source(t, true, f.path("*")), d)
			t.Run(fmt.Sprintf("%s of %d", name, to-20), func(t *testing.T) { once(t, d, 0, to+5) })
		}
	}
}
