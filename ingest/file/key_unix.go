//go:build unix

package file

import (
	"fmt"
	"os"
	"syscall"
)

// keyOf is what a file is known by, whatever its name: its device and inode.
func keyOf(info os.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("file/%d/%d", s.Dev, s.Ino)
	}
	return "file/" + info.Name()
}
