//go:build unix

package file

import (
	"os"
	"testing"
)

// TestWhatHappensDuringALook: a log is rotated, an export is written again, between any two things that the source does. Nothing is lost and
// nothing comes twice.
func TestWhatHappensDuringALook(t *testing.T) {
	for name, one := range map[string]struct {
		before, during func(f folder)
		until          int
	}{
		"renamed": {
			func(f folder) { f.add("a.log", lined(0, 5)) },
			func(f folder) {
				f.add("a.log", lined(5, 8))
				f.rename("a.log", "a.log.1")
				f.add("a.log", lined(8, 10))
			},
			10,
		},
		"copied and cut": {
			func(f folder) { f.add("a.log", lined(0, 5)) },
			func(f folder) {
				f.add("a.log", lined(5, 8))
				f.copy("a.log", "a.log.1")
				f.must(os.Truncate(f.path("a.log"), 0))
				f.add("a.log", lined(8, 20))
			},
			20,
		},
		"compressed": {
			func(f folder) { f.add("a.log", lined(0, 5)); f.add("a.log.1", lined(5, 9)) },
			func(f folder) {
				f.put("a.log.1.gz", encode("gz", numbered(5, 9)))
				f.must(os.Remove(f.path("a.log.1")))
				f.add("a.log", lined(9, 10))
			},
			10,
		},
		"written again": {
			func(f folder) { f.put("x", encode("gz", numbered(0, 9))); f.put("y", encode("array", numbered(9, 20))) },
			func(f folder) {
				f.put("x", encode("gz", numbered(20, 50)))
				f.put("y", encode("array", numbered(9, 21)[:11]))
			},
			50,
		},
		"replaced": {
			func(f folder) { f.add("a.log", lined(0, 5)); f.put("x", encode("table", numbered(5, 9))) },
			func(f folder) {
				f.put("tmp", []byte(lined(9, 12)))
				f.rename("tmp", "a.log")
				f.put("tmp", encode("table", numbered(12, 14)))
				f.rename("tmp", "x")
			},
			14,
		},
	} {
		for _, pattern := range []string{"a.log", "[axy]*"} {
			if pattern == "a.log" && (name == "compressed" || name == "written again" || name == "replaced") {
				continue
			}
			t.Run(name+" "+pattern, func(t *testing.T) {
				for at := range 60 {
					f, d := newFolder(t), newDesk(t)
					one.before(f)
					s := source(t, true, f.path(pattern))
					round(t, s, d)
					calls, done := -1, false
					s.disk = &sick{fail: func(string, string) error {
						if calls++; calls == at && !done {
							done = true
							one.during(f)
						}
						return nil
					}}
					for _, h := range s.files {
						s.release(h)
					}
					for range 4 {
						round(t, s, d)
					}
					if !done {
						done = true
						one.during(f)
					}
					later(t, s, d)
					later(t, s, d)
					if once(t, d, 0, one.until); t.Failed() {
						t.Fatalf("at the call %d of %d: %s", at, calls, s.log.String())
					}
				}
			})
		}
	}
}
