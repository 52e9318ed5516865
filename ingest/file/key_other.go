//go:build !unix

package file

import "os"

// keyOf is what a file is known by where there are no inodes: its name.
func keyOf(info os.FileInfo) string { return "file/" + info.Name() }
