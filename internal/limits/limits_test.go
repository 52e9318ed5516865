package limits

import (
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestTheHeapKeepsBelowTheLimitOfTheControlGroup(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(was)
	for _, c := range []struct {
		name  string
		set   int64 // by GOMEMLIMIT
		group memlimit.Provider
		want  Limits
		err   string
	}{
		{"a container of 512 MiB", math.MaxInt64, memlimit.Limit(512 << 20), Limits{Memory: 483183820, Group: 512 << 20}, ""},
		{"GOMEMLIMIT goes before", 300 << 20, memlimit.Limit(512 << 20), Limits{Memory: 300 << 20, Group: 512 << 20}, ""},
		{"no limit", math.MaxInt64, memlimit.Limit(math.MaxUint64), Limits{}, ""},
		{"none is told", math.MaxInt64, func() (uint64, error) { return 0, memlimit.ErrNoLimit }, Limits{}, ""},
		{"no control groups", math.MaxInt64, func() (uint64, error) { return 0, memlimit.ErrCgroupsNotSupported }, Limits{}, ""},
		{"it cannot be read", math.MaxInt64, func() (uint64, error) { return 0, errors.New("permission denied") }, Limits{}, "permission denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			debug.SetMemoryLimit(c.set)
			got, err := apply(c.group)
			c.want.Files = got.Files
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("limits are %+v and %v, expected %+v", got, err, c.want)
			}
			in := c.want.Memory
			if in == 0 {
				in = math.MaxInt64
			}
			if n := debug.SetMemoryLimit(-1); n != in {
				t.Errorf("the runtime keeps to %d, expected %d", n, in)
			}
			if got.Files == 0 && runtime.GOOS != "windows" {
				t.Error("open files are not known")
			}
		})
	}
}
