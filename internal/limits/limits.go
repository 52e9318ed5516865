// Package limits finds what memory and how many open files this process may have.
package limits

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// Limits are those of a process.
type Limits struct {
	// Memory is the size that the heap keeps below: the nearer it comes, the more garbage is collected. 0: none.
	Memory int64 `json:"memory_limit_bytes,omitempty"`
	// Group is how much memory the control group of the process, such as a container, may have. Over it the kernel ends the process. 0: any.
	Group int64  `json:"group_memory_bytes,omitempty"`
	Files uint64 `json:"open_files,omitempty"` // 0: not known
}

// share is how much of a control group's memory the heap may take; the rest is for stacks, buffers of the kernel and the like.
const share = 0.9

// Apply lets the heap keep below the limit of the control group. A limit that GOMEMLIMIT has set stays.
func Apply() (Limits, error) { return apply(memlimit.FromCgroup) }

func apply(group memlimit.Provider) (l Limits, err error) {
	l.Files = files()
	n, err := group()
	switch {
	case errors.Is(err, memlimit.ErrNoLimit), errors.Is(err, memlimit.ErrNoCgroup), errors.Is(err, memlimit.ErrCgroupsNotSupported):
		err = nil
	case err != nil:
		err = fmt.Errorf("look for the memory of the control group: %w", err)
	case n < math.MaxInt64:
		l.Group = int64(n)
	}
	if l.Memory = debug.SetMemoryLimit(-1); l.Memory == math.MaxInt64 {
		l.Memory = 0
	}
	if l.Memory == 0 && l.Group > 0 {
		l.Memory = int64(float64(l.Group) * share)
		debug.SetMemoryLimit(l.Memory)
	}
	return l, err
}
