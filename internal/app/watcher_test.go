package app

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// put writes a file with a time.
func put(t *testing.T, path, text string, at time.Time) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// TestChangesOfFilesAreSeen: whatever way files change in, they are due when they rest, once.
func TestChangesOfFilesAreSeen(t *testing.T) {
	old := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, change := range map[string]func(t *testing.T, dir string){
		"written over": func(t *testing.T, dir string) { put(t, filepath.Join(dir, "rules/a.yaml"), "bb", old.Add(time.Second)) },
		"renamed over": func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "rules/.a.yaml.swp"), "b", old.Add(time.Second))
			if err := os.Rename(filepath.Join(dir, "rules/.a.yaml.swp"), filepath.Join(dir, "rules/a.yaml")); err != nil {
				t.Fatal(err)
			}
		},
		"of the same size and time": func(t *testing.T, dir string) { put(t, filepath.Join(dir, "rules/a.yaml"), "b", old) },
		"new":                       func(t *testing.T, dir string) { put(t, filepath.Join(dir, "rules/deep/b.yml"), "b", old) },
		"gone": func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "rules/a.yaml")); err != nil {
				t.Fatal(err)
			}
		},
		"the configuration": func(t *testing.T, dir string) { put(t, filepath.Join(dir, "noroshi.yaml"), "c", old.Add(time.Second)) },
		"a list that comes": func(t *testing.T, dir string) { put(t, filepath.Join(dir, "list.txt"), "c", old) },
		"a link that is set to another folder": func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "map/..2/c.yaml"), "2", old.Add(time.Second))
			if err := os.Symlink("..2", filepath.Join(dir, "map/..data.new")); err != nil {
				t.Skip(err)
			}
			if err := os.Rename(filepath.Join(dir, "map/..data.new"), filepath.Join(dir, "map/..data")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, "rules/a.yaml"), "a", old)
			put(t, filepath.Join(dir, "noroshi.yaml"), "a", old)
			put(t, filepath.Join(dir, "map/..1/c.yaml"), "1", old)
			if os.Symlink("..1", filepath.Join(dir, "map/..data")) == nil {
				if err := os.Symlink("..data/c.yaml", filepath.Join(dir, "map/c.yaml")); err != nil {
					t.Fatal(err)
				}
			}
			files := []string{filepath.Join(dir, "noroshi.yaml"), filepath.Join(dir, "rules"), filepath.Join(dir, "map"), filepath.Join(dir, "list.txt")}
			w := &watcher{}
			w.took(files, old.Add(time.Hour))
			for range 2 * deepEvery {
				if w.due(old) {
					t.Fatal("it is due before anything has changed")
				}
			}
			change(t, dir)
			looks := 0
			for !w.due(old) {
				if looks++; looks > 2*deepEvery {
					t.Fatal("it is never due")
				}
			}
			w.took(files, old.Add(time.Hour))
			for range 2 * deepEvery {
				if w.due(old) {
					t.Fatal("it is due again")
				}
			}
		})
	}
}

// TestFilesThatChangeAreNotReadBeforeTheyRest: as long as something is written, nothing is read; a burst of changes is due once.
func TestFilesThatChangeAreNotReadBeforeTheyRest(t *testing.T) {
	old := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "a.yaml")
	put(t, file, "", old)
	w := &watcher{}
	w.took([]string{file}, old.Add(time.Hour))
	text := ""
	for i := range 10 {
		text += "x"
		put(t, file, text, old.Add(time.Duration(i)*time.Second))
		if w.due(old.Add(time.Duration(i) * time.Second)) {
			t.Fatal("it is read while it is written")
		}
	}
	if w.changed != old {
		t.Errorf("it changes since %s", w.changed)
	}
	if !w.due(old.Add(time.Minute)) {
		t.Error("it rests and is not due")
	}
}

// TestWhatWasWrittenWhileFilesWereReadIsReadAgain: nobody knows which of the two was read.
func TestWhatWasWrittenWhileFilesWereReadIsReadAgain(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "a.yaml")
	put(t, file, "a", began.Add(time.Millisecond))
	w := &watcher{}
	w.took([]string{file}, began)
	if w.due(began); !w.due(began) {
		t.Error("it is not due")
	}
}
