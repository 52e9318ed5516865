package kind

// gap is a pause between two cells in which a key spoke.
type gap struct{ ended, cells int64 }

// peaks are those gaps of a history than which none that ended later is as long: the first is the longest. They are few, for they
// grow shorter and shorter.
type peaks []gap

// add adds the gap that ended last.
func (p peaks) add(g gap) peaks {
	n := len(p)
	for n > 0 && p[n-1].cells <= g.cells {
		n--
	}
	return append(p[:n], g)
}

// from forgets the gaps that ended at a time or before.
func (p peaks) from(t, cell int64) peaks {
	n := 0
	for n < len(p) && p[n].ended*cell <= t {
		n++
	}
	return append(p[:0], p[n:]...)
}
