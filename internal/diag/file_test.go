package diag

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// Why a file cannot be opened is said without words of system calls.
func TestUnopened(t *testing.T) {
	_, missing := os.Open("nosuch.json")
	for _, one := range []struct {
		name string
		err  error
		want string
	}{
		{"missing", missing, "nosuch.json does not exist"},
		{"forbidden", &fs.PathError{Op: "open", Path: "nosuch.json", Err: fs.ErrPermission}, "nosuch.json may not be read by this user"},
		{"other", &fs.PathError{Op: "read", Path: "nosuch.json", Err: errors.New("input/output error")}, "nosuch.json cannot be read: input/output error"},
	} {
		got := Unopened("nosuch.json", one.err)
		if got.Error() != one.want {
			t.Errorf("%s: got %q, want %q", one.name, got, one.want)
		}
	}
	if !errors.Is(Unopened("nosuch.json", missing), fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
}
