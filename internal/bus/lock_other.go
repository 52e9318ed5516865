//go:build !unix

package bus

import (
	"errors"
	"os"
)

// lock fails: what keeps two processes from one folder is made for Unix alone.
func lock(string) (*os.File, error) {
	return nil, errors.New("the embedded Kafka does not run on this system: it cannot lock its data folder here; name brokers")
}

// taken reports that no process holds a lock file: none can.
func taken(string) bool { return false }
