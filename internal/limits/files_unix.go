//go:build unix

package limits

import "syscall"

// files is how many files the process may have open. At its start the runtime has raised it as far as the system allows.
func files() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0
	}
	//nolint:unconvert // the types differ from system to system
	return uint64(r.Cur)
}
