//go:build !linux && !darwin && !freebsd

package disk

import "errors"

// Of tells the room of the file system on which a file or folder lies.
func Of(string) (Room, error) { return Room{}, errors.ErrUnsupported }
