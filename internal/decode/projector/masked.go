package projector

import "unicode/utf8"

// RecordMasked reads the record shown[:to], which holds bytes that are no UTF-8, by way of masked, which is the same but for a
// byte of ASCII in place of each of them (see Mask). The values are those of the record as it is. Both slices end as Record asks.
func (x *Projector) RecordMasked(masked, shown []byte, to int) error {
	err := x.Record(masked, 0, to)
	x.shown = shown
	return err
}

// mask stands for a byte that is no UTF-8. It may stand in a text and nowhere else.
const mask = 0x7f

// Mask appends a record with each byte that is no part of UTF-8 masked.
func Mask(to, rec []byte) []byte {
	for len(rec) > 0 {
		c, n := utf8.DecodeRune(rec)
		if c == utf8.RuneError && n == 1 {
			to = append(to, mask)
		} else {
			to = append(to, rec[:n]...)
		}
		rec = rec[n:]
	}
	return to
}
