package detector

// Seen is an exact set of 64-bit hashes, for a replay. It takes 11 to 22 bytes a hash.
type Seen struct {
	table []uint64
	n     int
	zero  bool // 0 is in the set: the table marks empty places with it
}

// Add puts a hash into the set and reports whether it was there.
func (s *Seen) Add(h uint64) bool {
	if h == 0 {
		was := s.zero
		s.zero = true
		return was
	}
	if s.n*4 >= len(s.table)*3 {
		s.grow()
	}
	i := s.place(h)
	if s.table[i] == h {
		return true
	}
	s.table[i] = h
	s.n++
	return false
}

// Has reports whether a hash is in the set.
func (s *Seen) Has(h uint64) bool {
	if h == 0 {
		return s.zero
	}
	return len(s.table) > 0 && s.table[s.place(h)] == h
}

// Len is the number of hashes.
func (s *Seen) Len() int {
	if s.zero {
		return s.n + 1
	}
	return s.n
}

// place is where the hash is, or the empty place where it belongs.
func (s *Seen) place(h uint64) int {
	mask := len(s.table) - 1
	i := int(h>>1) & mask
	for s.table[i] != 0 && s.table[i] != h {
		i = (i + 1) & mask
	}
	return i
}

func (s *Seen) grow() {
	was := s.table
	s.table = make([]uint64, max(1<<10, 2*len(was)))
	for _, h := range was {
		if h != 0 {
			s.table[s.place(h)] = h
		}
	}
}
