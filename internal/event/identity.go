package event

import (
	"math/bits"
	"strconv"
)

// Identity is what an event is known by within its tenant: records that share it are one event, whatever road they took.
type Identity struct {
	ID      string
	Time    int64 // nanoseconds since 1970
	Action  string
	Outcome string // of sign-ins alone: one id may first come as interrupted, then as a success
}

// Anchor is the identity as the texts that an alert's id is made of.
func (i Identity) Anchor() []string {
	return []string{i.ID, strconv.FormatInt(i.Time, 10), i.Action, i.Outcome}
}

// Hash is 64 bits of a tenant and an identity. They are the same in every process and every version, because state holds them.
func (i Identity) Hash(tenant string) uint64 {
	h := blend(odd[0], uint64(i.Time))
	for _, s := range [...]string{tenant, i.ID, i.Action, i.Outcome} {
		h = hash(h, s)
	}
	return blend(h, odd[3])
}

// odd are constants with as many ones as zeros.
var odd = [...]uint64{0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3}

// hash adds a text behind its length to a hash, eight bytes at a time.
func hash(h uint64, s string) uint64 {
	h = blend(h^uint64(len(s)), odd[1])
	for len(s) >= 8 {
		h = blend(h^load(s), odd[2])
		s = s[8:]
	}
	var rest uint64
	for j := range len(s) {
		rest |= uint64(s[j]) << (8 * j)
	}
	return blend(h^rest, odd[2])
}

// blend multiplies to 128 bits and folds them.
func blend(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
