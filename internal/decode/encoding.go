package decode

import (
	"fmt"
	"unicode/utf8"

	"noroshi/internal/decode/projector"
)

// Text that is not UTF-8, as old code pages leave it: one letter of a name must not hide a record. Each byte that is no UTF-8 is
// read as U+FFFD; the record's own bytes, and with them a hash of them, stay as they are.
// Source: The Unicode Standard, section 3.9, U+FFFD substitution.

// legibly reads the record b[:to] again, which the projector at hand has refused, if that may be for its encoding.
func (r *Reader) legibly(refusal error, b []byte, to int) error {
	if utf8.Valid(b[:to]) {
		return refusal
	}
	l := &r.layers[r.depth]
	l.masked = append(projector.Mask(l.masked[:0], b[:to]), slack[:]...)
	r.masked = true
	return r.x.RecordMasked(l.masked, b, to)
}

// NotUTF8 is the first byte of the record that was read which is no UTF-8; false where all are.
func (r *Reader) NotUTF8() (at int, is bool) {
	if !r.masked {
		return 0, false
	}
	for at < len(r.given) {
		c, n := utf8.DecodeRune(r.given[at:])
		if c == utf8.RuneError && n == 1 {
			return at, true
		}
		at += n
	}
	return 0, false
}

// legible makes the text behind the first bytes of an arena UTF-8: each byte that is none becomes U+FFFD.
func legible(arena []byte, from int) []byte {
	if utf8.Valid(arena[from:]) {
		return arena
	}
	raw := string(arena[from:])
	arena = arena[:from]
	for _, c := range raw {
		arena = utf8.AppendRune(arena, c)
	}
	return arena
}

// ReasonEncoding is the reason by which a record that is not UTF-8 is told; it is read all the same.
const ReasonEncoding Reason = "encoding"

// Encoding tells what is not UTF-8 in the record that was read, "" where all is.
func (r *Reader) Encoding() string {
	at, is := r.NotUTF8()
	if !is {
		return ""
	}
	return fmt.Sprintf("byte %d (0x%02x) is not UTF-8; the record is read with U+FFFD in its place. Export the file as UTF-8", at, r.given[at])
}
