package state

import "encoding/binary"

// fewAlike are too few alike bytes to be worth a run of their own.
const fewAlike = 4

// appendLike packs bytes as far as they differ from others like them. Up to a place both are compared from their beginnings, from there on
// from their ends.
func appendLike(to, like, b []byte) []byte {
	to = binary.AppendUvarint(to, uint64(len(b)))
	turn := len(b)
	if len(b) != len(like) {
		turn = turnOf(like, b)
		to = binary.AppendUvarint(to, uint64(turn))
	}
	shift := len(like) - len(b)
	same := func(i int) bool {
		if i >= turn {
			return i+shift >= 0 && like[i+shift] == b[i]
		}
		return i < len(like) && like[i] == b[i]
	}
	for i := 0; i < len(b); {
		from := i
		for i < len(b) && same(i) {
			i++
		}
		alike, other := i-from, i
		for run := 0; i < len(b) && run < fewAlike; i++ {
			if run++; !same(i) {
				run = 0
			}
			if run == fewAlike {
				i -= fewAlike
			}
		}
		to = AppendBytes(binary.AppendUvarint(to, uint64(alike)), b[other:i])
	}
	return to
}

// turnOf is from where on bytes are more alike when they are compared from their ends.
func turnOf(like, b []byte) (turn int) {
	shift := len(like) - len(b)
	best, now := 0, 0
	for i := range b {
		if i < len(like) && like[i] == b[i] {
			now++
		}
		if i+shift >= 0 && like[i+shift] == b[i] {
			now--
		}
		if now > best {
			best, turn = now, i+1
		}
	}
	return turn
}

// like reads what appendLike wrote.
func (f *Fields) like(like []byte) []byte {
	n := f.Uint()
	if n > uint64(2*len(like)+len(f.b)) {
		f.Fail()
		return nil
	}
	b := make([]byte, 0, n)
	turn := n
	if n != uint64(len(like)) {
		turn = f.Uint()
	}
	for uint64(len(b)) < n && !f.failed {
		alike := f.Uint()
		if alike > n-uint64(len(b)) {
			f.Fail()
			return nil
		}
		for range alike {
			i := len(b)
			if uint64(i) >= turn {
				i += len(like) - int(n)
			}
			if i < 0 || i >= len(like) {
				f.Fail()
				return nil
			}
			b = append(b, like[i])
		}
		other := f.Bytes()
		if alike == 0 && len(other) == 0 || uint64(len(b)+len(other)) > n {
			f.Fail()
			return nil
		}
		b = append(b, other...)
	}
	return b
}
