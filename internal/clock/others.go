package clock

import (
	"encoding/binary"
	"errors"
	"strings"

	"noroshi/internal/state"
)

// Others puts together how far partitions have followed the clocks of tenants that send alerts to each other: each says so behind what it
// has sent. Where alerts cross more than once, a partition has followed the others as often as alerts have crossed to it.
type Others struct {
	partitions int
	tenants    map[string][][]int64 // by crossings less one, by partition
	most       int                  // crossings
	heard      []bool               // by partition
}

// NewOthers makes Others of so many partitions, none of which has spoken, between which alerts cross so many times.
func NewOthers(partitions, crossings int) *Others {
	return &Others{partitions: partitions, most: crossings, tenants: map[string][][]int64{}, heard: make([]bool, partitions)}
}

// Of is how far all partitions have followed the clock of a tenant to which alerts have crossed once less; Unknown while one has not
// spoken of it.
func (o *Others) Of(tenant string, crossings int) int64 {
	by := o.tenants[tenant]
	if by == nil || crossings < 1 || crossings > o.most {
		return Unknown
	}
	least := by[crossings-1][0]
	for _, at := range by[crossings-1] {
		least = min(least, at)
	}
	return least
}

// Silent is how many partitions have not spoken yet.
func (o *Others) Silent() (n int) {
	for _, heard := range o.heard {
		if !heard {
			n++
		}
	}
	return n
}

// Say tells how far a partition has come that has followed Clocks and the others, in texts of about so many bytes at most.
func (o *Others) Say(c *Clocks, bytes int) (all [][]byte) {
	one := []byte{}
	for tenant := range c.tenants {
		if len(one) >= bytes {
			all, one = append(all, one), []byte{}
		}
		one = binary.AppendUvarint(state.AppendBytes(one, tenant), uint64(o.most))
		one = binary.AppendVarint(one, c.reached(tenant))
		for n := 1; n < o.most; n++ {
			one = binary.AppendVarint(one, o.Of(tenant, n))
		}
	}
	return append(all, one)
}

// reached is the clock of all of a tenant's datasets as it is derived from the sources now.
func (c *Clocks) reached(tenant string) int64 {
	least := state.Never
	c.each(tenant, nil, func(by *shown) {
		if s := c.least(by); s != nil {
			least = min(least, s.progress)
		}
	})
	if least == state.Never {
		return Unknown
	}
	return least
}

// ErrOthers says that bytes are none that Others have said.
var ErrOthers = errors.New("not how far a partition has come")

// Take takes what a partition says.
func (o *Others) Take(partition int, said []byte) error {
	if partition < 0 || partition >= o.partitions {
		return ErrOthers
	}
	o.heard[partition] = true
	f := state.Read(said)
	for f.Len() > 0 {
		tenant := f.Bytes()
		for n := range f.Many() {
			o.take(tenant, n, partition, f.Int())
		}
	}
	if f.Err() != nil {
		return ErrOthers
	}
	return nil
}

func (o *Others) take(tenant []byte, n, partition int, at int64) {
	if n >= o.most {
		return // one with other rules speaks of more
	}
	by := o.tenants[string(tenant)]
	if by == nil {
		by = make([][]int64, o.most)
		for i := range by {
			by[i] = make([]int64, o.partitions)
			for p := range by[i] {
				by[i][p] = Unknown
			}
		}
		o.tenants[strings.Clone(string(tenant))] = by
	}
	by[n][partition] = max(by[n][partition], at)
}
