//go:build !linux && !darwin && !freebsd

package disk

import "errors"

// Of tells the room of the file system on which a file or folder lies.
func Of(string) (Room, error) { return Room{}, errors.ErrUnsupported }

// Writable says why nothing can be made in a folder, nil where something can. Here it is not known before it is tried.
func Writable(string) error { return nil }
