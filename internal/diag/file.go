package diag

import (
	"errors"
	"fmt"
	"io/fs"
)

// Unopened says in plain words why a file cannot be opened or read.
func Unopened(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unopened{path + " does not exist", err}
	case errors.Is(err, fs.ErrPermission):
		return unopened{path + " may not be read by this user", err}
	}
	var e *fs.PathError
	if errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}

// unopened is an error in other words than its cause's.
type unopened struct {
	text  string
	cause error
}

func (u unopened) Error() string { return u.text }

func (u unopened) Unwrap() error { return u.cause }
