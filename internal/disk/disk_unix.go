//go:build linux || darwin || freebsd

package disk

import "golang.org/x/sys/unix"

// Of tells the room of the file system on which a file or folder lies.
func Of(path string) (Room, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Room{}, err
	}
	size := uint64(s.Bsize)
	return Room{Free: uint64(max(0, int64(s.Bavail))) * size, Total: s.Blocks * size}, nil
}

// Writable says why nothing can be made in a folder, nil where something can. Nothing is tried.
func Writable(folder string) error { return unix.Access(folder, unix.W_OK|unix.X_OK) }
