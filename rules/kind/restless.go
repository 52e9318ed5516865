package kind

import (
	"math"
	"math/bits"
)

// marks are the eighths of within in which a value was seen: the lowest bit is that of its last event, the next one the eighth before.
type marks uint16

const (
	allMarks = 16
	stayed   = 3           // where fewer than one in so many values stay, nothing that is new says anything
	often    = eighths / 2 // in so many eighths a value must have come that did not stay: a thief's many addresses come within days
)

// mark notes that a value was seen, before its last time is set.
func (s *seen) mark(v *seenValue, at int64) {
	if s.changing == 0 {
		return
	}
	if v.last == math.MinInt64 {
		v.marks = 1
		return
	}
	switch ahead := eighth(at, s.within) - eighth(v.last, s.within); {
	case ahead >= allMarks:
		v.marks = 1
	case ahead > 0:
		v.marks = v.marks<<ahead | 1
	case ahead > -allMarks:
		v.marks |= 1 << -ahead
	}
}

// staying counts the values that were seen in the eight whole eighths before that of a time, and those of them that were seen in two or
// more: they stay. Moved is in how many eighths one of the others was seen.
func (s *seen) staying(at int64) (n, stay, moved int) {
	var others uint32
	now := eighth(at, s.within)
	for i := range s.values {
		v := &s.values[i]
		if v.last == math.MinInt64 {
			continue
		}
		seen := uint32(v.marks)
		switch ago := now - eighth(v.last, s.within); {
		case ago > eighths:
			continue
		case ago > 0:
			seen <<= ago - 1
		case ago > -allMarks:
			seen >>= 1 - ago
		default:
			continue
		}
		if seen &= 1<<eighths - 1; seen != 0 {
			n++
		}
		if bits.OnesCount32(seen) > 1 {
			stay++
		} else {
			others |= seen
		}
	}
	return n, stay, bits.OnesCount32(others)
}

// restless reports whether the key has shown so many values, of which so few stay, for so long that another new one says nothing: a line
// whose address changes each night.
func (s *seen) restless(at int64) bool {
	if s.changing == 0 {
		return false
	}
	n, stay, moved := s.staying(at)
	return n >= s.changing && stayed*stay <= n && moved >= often
}
