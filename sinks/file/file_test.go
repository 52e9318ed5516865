package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

func lines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func newSink(t *testing.T, c Config) *Sink {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	sinktest.Run(t, newSink(t, Config{Path: path}), func() []string { return lines(t, path) })
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestAFolderThatIsNotThereIsToldAtTheStart(t *testing.T) {
	if _, err := New(Config{Path: filepath.Join(t.TempDir(), "no", "x")}); err == nil {
		t.Error("no error")
	}
}

func TestWhatACrashLeftOfAnAlertIsCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	for _, before := range []string{"{\"whole\":1}\n{\"tor", "{\"tor"} {
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := newSink(t, Config{Path: path}).Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err != nil {
			t.Fatal(err)
		}
		want := []string{string(sinktest.Message(1).Body)}
		if strings.Contains(before, "whole") {
			want = append([]string{`{"whole":1}`}, want...)
		}
		if got := lines(t, path); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("after %q: %q", before, got)
		}
	}
}

func TestRotationBySize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	one := int64(len(sinktest.Message(0).Body) + 1)
	s := newSink(t, Config{Path: path, Max: 2 * one, Keep: 2})
	for n := range 7 {
		if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(n)}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string][]int{"": {6}, ".1": {4, 5}, ".2": {2, 3}} {
		var bodies []string
		for _, n := range want {
			bodies = append(bodies, string(sinktest.Message(n).Body))
		}
		if got := lines(t, path+name); fmt.Sprint(got) != fmt.Sprint(bodies) {
			t.Errorf("file %q holds %q", name, got)
		}
	}
	if _, err := os.Stat(path + ".3"); err == nil {
		t.Error("a third file is kept")
	}
}
