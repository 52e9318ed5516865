package bus

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// slots is how many processes of one machine can have names of their own on one Kafka.
const slots = 256

// Slot is a number that no other process of this machine and user has on the same Kafka. A process that is started again gets the one
// that it had, as a rule: they are given out from the first on. It is kept until release is called, or the process ends.
func Slot(c *Config) (number int, release func(), err error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("noroshi-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, nil, fmt.Errorf("find a name: %w", err)
	}
	// Others may write to the folder above: a link there would lead elsewhere.
	if at, err := os.Lstat(dir); err != nil || !at.IsDir() || at.Mode().Perm()&0o077 != 0 {
		return 0, nil, fmt.Errorf("find a name: %s is not a folder of this user alone", dir)
	}
	sum := sha256.Sum256([]byte(strings.Join(c.Brokers, ",") + " " + c.Prefix))
	for n := range slots {
		var f *os.File
		if f, err = lock(filepath.Join(dir, fmt.Sprintf("detector-%s-%d", hex.EncodeToString(sum[:6]), n))); err == nil {
			return n, func() { _ = f.Close() }, nil // it ends with the process at the latest
		}
	}
	return 0, nil, fmt.Errorf("find a name: %w", err)
}
