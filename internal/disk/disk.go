// Package disk tells how much room a disk has.
package disk

import (
	"os"
	"path/filepath"
)

// Room is how much a file system holds, in bytes.
type Room struct {
	Free  uint64 `json:"free_bytes"` // for processes without special rights
	Total uint64 `json:"total_bytes"`
}

// These are told: below the first a disk is filling up, below the second it is as good as full.
const (
	fewBytes   = 10 << 30
	fewShare   = 10 // per cent, and
	leastBytes = 512 << 20
	leastShare = 2
)

// Filling reports whether less than a tenth and less than 10 GiB is free.
func (r Room) Filling() bool { return r.below(fewBytes, fewShare) }

// Full reports whether less than a fiftieth and less than 512 MiB is free.
func (r Room) Full() bool { return r.below(leastBytes, leastShare) }

func (r Room) below(bytes, share uint64) bool {
	return r.Total > 0 && r.Free < bytes && r.Free/share < r.Total/100
}

// There is the folder nearest to a path that is there: what is yet to be made lies on its disk.
func There(path string) string {
	for above := filepath.Dir(path); above != path; above = filepath.Dir(path) {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = above
	}
	return path
}
