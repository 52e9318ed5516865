//go:build unix && !linux

package file

import (
	"io/fs"
	"syscall"
)

func changed(info fs.FileInfo, _ *syscall.Stat_t) int64 { return info.ModTime().UnixNano() }
