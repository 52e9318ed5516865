package file

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder is a folder with what a test does in it.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T) folder { return folder{t, t.TempDir()} }

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// put writes a file anew, in place where it is there.
func (f folder) put(name string, text []byte) {
	f.t.Helper()
	f.must(os.WriteFile(f.path(name), text, 0o600))
}

func (f folder) add(name, text string) { add(f.t, f.path(name), text) }

func (f folder) rename(from, to string) { f.must(os.Rename(f.path(from), f.path(to))) }

func (f folder) copy(from, to string) {
	b, err := os.ReadFile(f.path(from))
	f.must(err)
	f.put(to, b)
}

// numbered are records from a number up to another.
func numbered(from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf(`{"n":%d}`, i))
	}
	return all
}

func lined(from, to int) string { return strings.Join(numbered(from, to), "\n") + "\n" }

// once demands that each record came once, in any order.
func once(t *testing.T, d *desk, from, to int) {
	t.Helper()
	got, want := slices.Sorted(slices.Values(d.records)), slices.Sorted(slices.Values(numbered(from, to)))
	if !slices.Equal(got, want) {
		t.Errorf("got %d records %v, want %d to %d", len(got), got, from, to)
	}
}

// TestRotation: each record once, however a log is rotated. The source starts anew after each step where restart is set.
func TestRotation(t *testing.T) {
	for name, one := range map[string]struct {
		paths []string
		steps []func(f folder)
		until int
	}{
		"renamed, and the pattern matches": {[]string{"a.log*"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 100)) },
			func(f folder) { f.rename("a.log", "a.log.1"); f.add("a.log", lined(100, 101)) },
			func(f folder) { f.rename("a.log.1", "a.log.2"); f.rename("a.log", "a.log.1") },
		}, 101},
		"renamed out of the pattern, and written to after it": {[]string{"*.log"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 5)) },
			func(f folder) { f.add("a.log", lined(5, 7)+`{"n"`); f.rename("a.log", "a.log.1") },
			func(f folder) { f.add("a.log.1", ":7}\n"+lined(8, 9)); f.add("a.log", lined(9, 12)) },
			func(f folder) { f.rename("a.log.1", "a.log.2"); f.add("a.log.2", lined(12, 13)) },
		}, 13},
		"cut, and longer than before at the next look": {[]string{"a.log"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 5)) },
			func(f folder) { f.must(os.Truncate(f.path("a.log"), 0)); f.add("a.log", lined(5, 20)) },
		}, 20},
		"copied and cut": {[]string{"a.log"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 5)) },
			func(f folder) {
				f.add("a.log", lined(5, 8))
				f.copy("a.log", "a.log.1")
				f.must(os.Truncate(f.path("a.log"), 0))
				f.add("a.log", lined(8, 20))
			},
		}, 20},
		"copied and cut, and the pattern matches": {[]string{"a.log*"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 5)) },
			func(f folder) { f.add("a.log", lined(5, 8)); f.copy("a.log", "a.log.1") },
			func(f folder) { f.must(os.Truncate(f.path("a.log"), 0)); f.add("a.log", lined(8, 20)) },
		}, 20},
		"copied piece by piece while it grows": {[]string{"a.log*"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 50)) },
			func(f folder) { f.put("a.log.1", []byte(lined(0, 50)[:7])); f.add("a.log", lined(50, 60)) },
			func(f folder) { f.put("a.log.1", []byte(lined(0, 50)[:333])); f.add("a.log", lined(60, 70)) },
			func(f folder) { f.copy("a.log", "a.log.1"); f.add("a.log", lined(70, 71)) },
			func(f folder) { f.must(os.Truncate(f.path("a.log"), 0)); f.add("a.log", lined(71, 80)) },
		}, 80},
		"compressed": {[]string{"a.log*"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 30)) },
			func(f folder) { f.rename("a.log", "a.log.1"); f.add("a.log", lined(30, 31)) },
			func(f folder) { f.put("a.log.1.gz", encode("gz", numbered(0, 30))[:40]) },
			func(f folder) { f.put("a.log.1.gz", encode("gz", numbered(0, 30))) },
			func(f folder) { f.must(os.Remove(f.path("a.log.1"))) },
		}, 31},
		"deleted": {[]string{"a.log"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 3)) },
			func(f folder) { f.must(os.Remove(f.path("a.log"))) },
			func(f folder) { f.add("a.log", lined(3, 5)) },
		}, 5},
		"replaced": {[]string{"a.log"}, []func(f folder){
			func(f folder) { f.add("a.log", lined(0, 3)) },
			func(f folder) { f.put("tmp", []byte(lined(3, 9))); f.rename("tmp", "a.log") },
		}, 9},
		"a link that leads elsewhere": {[]string{"current"}, []func(f folder){
			func(f folder) { f.add("one", lined(0, 3)); f.must(os.Symlink("one", f.path("current"))) },
			func(f folder) {
				f.add("one", lined(3, 4))
				f.add("two", lined(4, 6))
				f.must(os.Symlink("two", f.path("new")))
				f.rename("new", "current")
			},
			func(f folder) { f.add("one", lined(6, 7)) },
		}, 7},
		"hard links": {[]string{"*"}, []func(f folder){
			func(f folder) { f.add("b", lined(0, 3)); f.must(os.Link(f.path("b"), f.path("c"))) },
			func(f folder) { f.must(os.Link(f.path("b"), f.path("a"))); f.add("c", lined(3, 4)) },
			func(f folder) { f.must(os.Remove(f.path("b"))); f.add("a", lined(4, 5)) },
		}, 5},
		"a copy of what is read": {[]string{"*"}, []func(f folder){
			func(f folder) { f.add("a", lined(0, 30)); f.put("x", encode("array", numbered(30, 40))) },
			func(f folder) { f.copy("a", "b"); f.copy("x", "y") },
			func(f folder) { f.put("z.gz", encode("gz", numbered(0, 30))); f.add("a", lined(40, 41)) },
		}, 41},
		"without an end": {[]string{"*"}, []func(f folder){
			func(f folder) { f.add("a", strings.TrimSuffix(lined(0, 3), "\n")) },
			func(f folder) { f.add("a", "\r\n"+lined(3, 4)) },
		}, 4},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", name, restart), func(t *testing.T) {
				f, d := newFolder(t), newDesk(t)
				var paths []string
				for _, p := range one.paths {
					paths = append(paths, f.path(p))
				}
				s := source(t, true, paths...)
				for _, step := range one.steps {
					step(f)
					round(t, s, d)
					round(t, s, d)
					if restart {
						s.close()
						s = source(t, true, paths...)
					}
				}
				later(t, s, d)
				once(t, d, 0, one.until)
				if len(d.refused) > 0 {
					t.Errorf("refused %v", d.refused)
				}
			})
		}
	}
}

// TestWhatIsLostIsCountedAndSaid: of a file that was cut, or is gone, and of which there is no copy.
func TestWhatIsLostIsCountedAndSaid(t *testing.T) {
	f, d := newFolder(t), newDesk(t)
	s := source(t, true, f.path("*.log"))
	f.add("a.log", lined(0, 3))
	f.add("b.log", lined(3, 6))
	round(t, s, d)
	f.must(os.Truncate(f.path("a.log"), 0))
	f.must(os.Remove(f.path("b.log"))) // it is held open: nothing of it is lost
	round(t, s, d)
	if n := s.counts.Snapshot().Cut; n != 1 || strings.Count(s.log.String(), "not known") != 1 || !strings.Contains(s.log.String(), "a.log") {
		t.Errorf("%d cuts; %s", n, s.log.String())
	}
	f.add("c.log", lined(6, 8))
	round(t, s, d)
	s.close()
	f.add("c.log", lined(8, 9))
	f.must(os.Remove(f.path("c.log")))
	for range 2 { // it is told once
		s = source(t, true, f.path("*.log"))
		later(t, s, d)
	}
	if s.counts.Snapshot().Cut != 0 {
		t.Errorf("told again: %s", s.log.String())
	}
	once(t, d, 0, 8)
}

// TestAFileOfTheSameNumberIsAnother: file systems give the number of a deleted file to the next one.
func TestAFileOfTheSameNumberIsAnother(t *testing.T) {
	f, d := newFolder(t), newDesk(t)
	s := source(t, true, f.path("a"))
	for i := range 20 {
		f.add("a", lined(3*i, 3*i+3))
		round(t, s, d)
		f.must(os.Remove(f.path("a")))
		if i%2 == 0 { // else the source holds the number
			later(t, s, d)
			later(t, s, d)
		}
	}
	once(t, d, 0, 60)
}

// TestRowsOfWhatIsGoneAreGivenUp: a day after it was deleted.
func TestRowsOfWhatIsGoneAreGivenUp(t *testing.T) {
	f, d := newFolder(t), newDesk(t)
	s := source(t, true, f.path("*"))
	for i := range 9 {
		f.add(fmt.Sprint("a", i), lined(i, i+1))
	}
	f.add("b", lined(9, 10))
	round(t, s, d)
	for i := range 9 {
		f.must(os.Remove(f.path(fmt.Sprint("a", i))))
	}
	later(t, s, d)
	later(t, s, d)
	if len(d.stored) != 10 {
		t.Errorf("%d rows", len(d.stored))
	}
	for range 2 {
		s.now = s.now.Add(keepDead)
		round(t, s, d)
		if len(d.stored) != 1 || len(s.files) != 1 || len(s.first) != 1 {
			t.Errorf("%d rows, %d files, %d first records", len(d.stored), len(s.files), len(s.first))
		}
	}
}

// TestADeviceOfAnotherNumber: after a boot the devices may have other numbers. The files are known by their records.
func TestADeviceOfAnotherNumber(t *testing.T) {
	f, d := newFolder(t), newDesk(t)
	f.add("a", lined(0, 30))
	f.add("b", lined(30, 50))
	f.put("c.gz", encode("gz", numbered(50, 60)))
	round(t, source(t, true, f.path("*")), d)
	rows := map[string][]byte{}
	for k, row := range d.stored {
		id, _ := parseKey(k)
		id.device += 17
		rows[id.key()] = row
	}
	d.stored = rows
	f.add("b", lined(60, 61))
	later(t, source(t, true, f.path("*")), d)
	once(t, d, 0, 61)
}

// TestAHoleOfNULBytes: it comes where a log is cut while its writer goes on at its old place.
func TestAHoleOfNULBytes(t *testing.T) {
	for _, size := range []int64{1, 100, 5 << 20} {
		f, d := newFolder(t), newDesk(t)
		f.add("a", lined(0, 3))
		s := source(t, true, f.path("a"))
		round(t, s, d)
		f.must(os.Truncate(f.path("a"), 0))
		f.must(os.Truncate(f.path("a"), size))
		round(t, s, d) // nothing stands behind it yet
		round(t, s, d)
		if len(d.refused) > 0 {
			t.Errorf("refused %v", d.refused)
		}
		f.add("a", lined(3, 5))
		round(t, s, d)
		later(t, s, d)
		once(t, d, 0, 5)
		if fmt.Sprint(d.refused) != "[1:nul]" {
			t.Errorf("refused %v", d.refused)
		}
	}
}

// TestRowsOfBeforeAreRead: those of versions that knew a file by its head alone.
func TestRowsOfBeforeAreRead(t *testing.T) {
	f, d := newFolder(t), newDesk(t)
	f.add("a", lined(0, 30))
	f.put("b.json", encode("array", numbered(30, 40)))
	for name, row := range map[string]string{
		"a":      `{"head":"%s","head_len":16,"offset":16,"line":2,"records":0,"refused":0,"done":false,"size":0}`,
		"b.json": `{"head":"%s","head_len":16,"offset":16,"line":0,"records":10,"refused":0,"done":true,"size":91}`,
	} {
		b, err := os.ReadFile(f.path(name))
		f.must(err)
		st, err := system{}.stat(f.path(name))
		f.must(err)
		d.stored[st.id.key()] = fmt.Appendf(nil, row, hash(b[:16]))
	}
	d.records = numbered(0, 2)
	d.records = append(d.records, numbered(30, 40)...)
	s := source(t, true, f.path("*"))
	later(t, s, d)
	f.add("a", lined(40, 41))
	f.put("b.json", encode("array", append(numbered(30, 40), numbered(41, 43)...)))
	later(t, s, d)
	once(t, d, 0, 43)
}

func FuzzPosition(f *testing.F) {
	f.Add([]byte(`{"head":"97bbb7ef98a30032","head_len":117,"offset":117,"line":3,"records":3,"refused":0,"done":false,"size":0,"kind":"lines","path":"/a","tail":"97bbb7ef98a30032","tail_len":117,"first":"33da60922dd7a03b","sum":2268236320}`))
	f.Add([]byte(`{"head":"97bbb7ef98a30032","head_len":16,"offset":16,"line":0,"records":10,"refused":1,"done":true,"size":91}`))
	f.Add([]byte(`{"kind":"whole","head_len":256,"tail_len":256,"offset":1,"size":3,"path":"b","loose":"x","gone":true}`))
	f.Add([]byte(`{"offset":9223372036854775807,"head_len":1,"tail_len":256}`))
	dir := f.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte(lined(0, 9)), 0o600); err != nil {
		f.Fatal(err)
	}
	st, err := system{}.stat(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		p, err := parsePosition(row)
		if err != nil {
			return
		}
		if again, err := parsePosition(p.encode()); err != nil || again != p {
			t.Errorf("%+v becomes %+v: %v", p, again, err)
		}
		d := newDesk(t)
		d.stored[st.id.key()] = row
		s := source(t, true, path)
		round(t, s, d) // whatever the row says
		later(t, s, d)
	})
}
