package bus

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// checkGroups mends the file of groups and their positions: the broker reads it up to the first entry that is not whole, as a full
// disk leaves one in its midst.
func (d *disk) checkGroups() error {
	path := filepath.Join(d.dir, "groups.log")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var out []byte
	bad := 0
	for at := 0; at < len(raw); {
		if n := groupEntry(raw[at:]); n > 0 {
			out = append(out, raw[at:at+n]...)
			at += n
			continue
		}
		at++
		bad++
	}
	if bad == 0 {
		return nil
	}
	d.log.Warn("the file of positions has bytes that are not whole; they are left out", slog.String("file", path), slog.Int("bytes", bad))
	return replace(path, out)
}

// groupEntry is the length of the entry at the start of raw, 0 if raw does not begin with one: length, checksum, version, JSON.
func groupEntry(raw []byte) int {
	const head = 10
	if len(raw) < head {
		return 0
	}
	length := int64(binary.LittleEndian.Uint32(raw))
	if length < 2 || length+8 > int64(len(raw)) || binary.LittleEndian.Uint32(raw[4:]) != crc32.Checksum(raw[8:8+length], castagnoli) {
		return 0
	}
	return int(length) + 8
}
