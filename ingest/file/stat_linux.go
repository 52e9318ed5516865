package file

import (
	"io/fs"
	"syscall"
)

// changed is the time that nobody can set.
func changed(_ fs.FileInfo, s *syscall.Stat_t) int64 { return s.Ctim.Nano() }
